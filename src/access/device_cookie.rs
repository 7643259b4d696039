//! Device cookies: a user's own device has a login bucket of its own, so that an attacker who exhausts
//! the account's cannot lock its owner out (OWASP "Slow Down Online Guessing Attacks with Device Cookies").

use crate::model::users::Model as User;
use axum::http::{HeaderMap, HeaderValue};
use portcullis_security::clock::Timestamp;
use portcullis_security::csrf::{SetCookie, cookie, host_name};
use portcullis_security::random::Random;
use portcullis_security::token::{KeyChain, prf};
use std::time::Duration;
use subtle::ConstantTimeEq;

const NAME: &str = "device";
const LIFETIME: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// Makes and reads device cookies.
pub struct DeviceCookies {
    keys: KeyChain,
    secure: bool,
}

/// A device that proved itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Whose device it is.
    pub user_id: i64,
    /// When the cookie was made; a reset ends older ones.
    pub since: Timestamp,
    /// Its name in the throttle.
    pub id: String,
}

impl Device {
    /// Whether the user has logged in from it, and has reset no password since.
    pub const fn is_of(&self, user: &User) -> bool {
        self.user_id == user.id && self.since.micros() >= user.devices_valid_from
    }
}

impl DeviceCookies {
    /// `secure` follows the public URL's scheme.
    pub const fn new(keys: KeyChain, secure: bool) -> Self {
        Self { keys, secure }
    }

    /// A cookie for a device from which the user has just logged in.
    pub fn issue(&self, user_id: i64, now: Timestamp, random: &Random) -> Option<HeaderValue> {
        let id = hex(&random.bytes::<16>());
        let text = format!("{user_id}.{}.{id}", now.micros());
        let value = format!("{text}.{}", hex(&mac(self.keys.active(), &text)));
        let cookie = SetCookie::host(NAME, &value, self.secure).ok()?;
        Some(cookie.same_site(portcullis_security::csrf::SameSite::Lax).max_age(LIFETIME).header())
    }

    /// The device that a request proves to come from.
    pub fn read(&self, headers: &HeaderMap, now: Timestamp) -> Option<Device> {
        let value = cookie(headers, &host_name(NAME, self.secure))?;
        let (text, presented) = value.rsplit_once('.')?;
        let is_ours = |key| hex(&mac(key, text)).as_bytes().ct_eq(presented.as_bytes()).into();
        if !self.keys.all().any(is_ours) {
            return None;
        }
        let mut parts = text.split('.');
        let user_id = parts.next()?.parse().ok()?;
        let since = Timestamp::from_micros(parts.next()?.parse().ok()?);
        let id = parts.next()?.to_owned();
        (now.since(since) < LIFETIME).then_some(Device { user_id, since, id })
    }
}

fn mac(key: &[u8; 32], text: &str) -> [u8; 32] {
    prf(key, &[b"device", text.as_bytes()])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use portcullis_security::secret::Secret;
    use portcullis_security::token::{Purpose, RootKey};

    #[test]
    fn a_device_is_known_by_the_key_and_by_its_fallback_alone() {
        let (old, new) = (Secret::from("one"), Secret::from("two"));
        let devices = |root: RootKey| DeviceCookies::new(root.chain(Purpose::Cookie), false);
        let now = Timestamp::from_seconds(1_000);
        let issued = devices(RootKey::new(&old)).issue(7, now, &Random::seeded(1)).unwrap();
        let pair = issued.to_str().unwrap().split(';').next().unwrap().to_owned();
        let headers = HeaderMap::from_iter([(axum::http::header::COOKIE, pair.parse().unwrap())]);
        let read = |root| devices(root).read(&headers, now).map(|device| device.user_id);
        assert_eq!(read(RootKey::new(&old)), Some(7));
        assert_eq!(read(RootKey::new(&new).with_fallback(&old)), Some(7));
        assert_eq!(read(RootKey::new(&new)), None);
    }
}
