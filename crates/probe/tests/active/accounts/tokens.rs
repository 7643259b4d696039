//! What stands in tokens, paths and bodies.

use super::{State, URL_SAFE};
use crate::fixture::{Call, Reply};
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// Serves a picture.
pub(super) fn media(state: &State, call: &Call, reply: &mut Reply, file: &mut Option<Vec<u8>>) -> bool {
    let id = call.path.strip_prefix("/media/").and_then(last);
    let Some(Some((bytes, kind))) = id.and_then(|id| state.pictures.get(id)) else { return false };
    reply.status = 200;
    reply.set("content-type", kind);
    *file = Some(bytes.clone());
    true
}

/// The number at the end of a path, before a dot.
pub(super) fn last(path: &str) -> Option<usize> {
    path.rsplit('/').next()?.split('.').next()?.parse().ok()
}

pub(super) fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

pub(super) fn end_all(state: &mut State, user: usize, but: Option<usize>) {
    for (sid, session) in state.sessions.iter_mut().enumerate() {
        if session.user == user && Some(sid) != but {
            session.lives = [false; 4];
        }
    }
}

pub(super) fn caller_session(call: &Call) -> Option<usize> {
    sid(call.header("authorization").strip_prefix("Bearer ")?)
}

/// The session that a token of either kind names.
pub(super) fn sid(token: &str) -> Option<usize> {
    if let Some(rest) = token.strip_prefix("refresh.") {
        return rest.split('.').next()?.parse().ok();
    }
    let claims = URL_SAFE.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    usize::try_from(claims["sid"].as_u64()?).ok()
}

pub(super) fn mac(text: &str, key: &str) -> String {
    mac_of(text, key.as_bytes())
}

pub(super) fn mac_of(text: &str, key: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    URL_SAFE.encode(mac.finalize().into_bytes())
}
