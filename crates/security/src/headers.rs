//! What every answer tells a browser to refuse (guide §15, mended; ASVS v5.0.0-3.4).

use crate::random::Random;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONTENT_SECURITY_POLICY, Entry, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The policy of every answer that is not a page: nothing may be loaded, framed or submitted.
pub const API_CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// The policy of uploaded files: should one be taken for a page, it runs in a sandbox and loads nothing.
pub const UPLOAD_CSP: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

const PERMISSIONS: &str = "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), \
     encrypted-media=(), fullscreen=(self), geolocation=(), gyroscope=(), hid=(), magnetometer=(), \
     microphone=(), midi=(), payment=(), publickey-credentials-get=(self), screen-wake-lock=(), serial=(), \
     usb=(), xr-spatial-tracking=()";

/// What differs between deployments.
///
/// ```
/// use portcullis_security::headers::SecurityOptions;
///
/// assert_eq!(SecurityOptions::default().hsts_seconds, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityOptions {
    /// How long a browser shall use https only; nothing over plain http, where it has no meaning.
    pub hsts_seconds: Option<u64>,
    /// Whether that holds for all subdomains too.
    pub include_subdomains: bool,
}

/// The security fields of an answer, made once.
///
/// A field that a handler has set stays: a page brings its own policy, an avatar its own
/// `Cross-Origin-Resource-Policy`.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use portcullis_security::headers::{SecurityHeaders, SecurityOptions};
///
/// let options = SecurityOptions { hsts_seconds: Some(31_536_000), include_subdomains: true };
/// let headers = SecurityHeaders::new(options);
/// let mut answer = HeaderMap::new();
/// answer.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
/// headers.apply(&mut answer);
/// assert_eq!(answer["x-content-type-options"], "nosniff");
/// assert_eq!(answer["cross-origin-resource-policy"], "cross-origin");
/// assert_eq!(answer["strict-transport-security"], "max-age=31536000; includeSubDomains");
/// ```
#[derive(Clone, Debug)]
pub struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecurityHeaders {
    /// Makes the fields.
    #[must_use]
    pub fn new(options: SecurityOptions) -> Self {
        let fixed = |name, value| (name, HeaderValue::from_static(value));
        let named = |name, value| fixed(HeaderName::from_static(name), value);
        let mut fields = vec![
            fixed(X_CONTENT_TYPE_OPTIONS, "nosniff"),
            fixed(X_FRAME_OPTIONS, "DENY"),
            fixed(REFERRER_POLICY, "same-origin"),
            named("permissions-policy", PERMISSIONS),
            named("cross-origin-opener-policy", "same-origin"),
            named("cross-origin-resource-policy", "same-origin"),
            // The filter that this field steers is gone from browsers and was itself a hole: off.
            fixed(X_XSS_PROTECTION, "0"),
            (CONTENT_SECURITY_POLICY, API_CSP),
        ];
        fields.extend(options.hsts_seconds.and_then(|seconds| {
            let subdomains = if options.include_subdomains { "; includeSubDomains" } else { "" };
            let value = HeaderValue::try_from(format!("max-age={seconds}{subdomains}")).ok()?;
            Some((STRICT_TRANSPORT_SECURITY, value))
        }));
        Self(fields)
    }

    /// Adds each field that the answer does not have yet.
    pub fn apply(&self, answer: &mut HeaderMap) {
        answer.reserve(self.0.len());
        for (name, value) in &self.0 {
            if let Entry::Vacant(vacant) = answer.entry(name) {
                vacant.insert(value.clone());
            }
        }
    }
}

/// A word that only this page's own scripts and styles bear: 128 random bits, new for each answer.
///
/// ```
/// use portcullis_security::headers::{Nonce, page_csp};
/// use portcullis_security::random::Random;
///
/// let nonce = Nonce::generate(&Random::system());
/// let policy = page_csp(&nonce, "'none'");
/// assert!(policy.to_str().is_ok_and(|text| text.contains(nonce.as_str())));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// Draws a nonce (CSP 3 §7.1).
    #[must_use]
    pub fn generate(random: &Random) -> Self {
        Self(STANDARD.encode(random.bytes::<16>()))
    }

    /// The text for the `nonce` attribute; base64, so safe inside quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The policy of a page: own files and what bears the nonce, no inline code, images from https too. Where a
/// browser knows Trusted Types, text becomes markup or code only through the policies that `trusted_types` names,
/// separated by spaces; `'none'` for none.
///
/// # Panics
/// Never: a nonce is base64.
#[must_use]
#[expect(clippy::expect_used, reason = "a page without its policy must not be served")]
pub fn page_csp(nonce: &Nonce, trusted_types: &'static str) -> HeaderValue {
    let nonce = nonce.as_str();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data: https:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
         require-trusted-types-for 'script'; trusted-types {trusted_types}"
    );
    HeaderValue::try_from(policy).expect("base64 and fixed texts")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_field_of_the_contract_is_set_and_hsts_only_when_asked() {
        let mut answer = HeaderMap::new();
        SecurityHeaders::new(SecurityOptions::default()).apply(&mut answer);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-xss-protection", "0"),
        ] {
            assert_eq!(answer[name], value, "{name}");
        }
        assert_eq!(answer[CONTENT_SECURITY_POLICY], API_CSP);
        assert!(answer.contains_key("permissions-policy"));
        assert!(!answer.contains_key(STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn what_a_handler_has_set_stays_and_stands_once() {
        let mut answer = HeaderMap::new();
        let policy = page_csp(&Nonce::generate(&Random::seeded(1)), "'none'");
        answer.insert(CONTENT_SECURITY_POLICY, policy.clone());
        let headers =
            SecurityHeaders::new(SecurityOptions { hsts_seconds: Some(60), include_subdomains: false });
        headers.apply(&mut answer);
        headers.apply(&mut answer);
        assert_eq!(answer.get_all(CONTENT_SECURITY_POLICY).iter().collect::<Vec<_>>(), [policy]);
        assert_eq!(answer[STRICT_TRANSPORT_SECURITY], "max-age=60");
        assert_eq!(answer.len(), 9);
    }

    #[test]
    fn no_policy_allows_inline_code() {
        let page = page_csp(&Nonce::generate(&Random::seeded(1)), "'none'");
        for policy in [page, API_CSP, UPLOAD_CSP] {
            assert!(!policy.to_str().unwrap().contains("unsafe"));
        }
    }
}
