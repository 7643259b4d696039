//! The compact form of RFC 7515: three parts of canonical base64url, read strictly.

use super::TokenError;
use super::claims::SignedClaims;
use super::json::{SkippedNames, Text, set_once};
use super::keys::SigningKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// Longer tokens are refused before anything is decoded; ours have 350 characters.
const MAX_TOKEN: usize = 8 * 1024;
/// A header is read before the signature is checked, so it gets less room.
const MAX_HEADER: usize = 1024;
/// 64 bytes of an Ed25519 signature are 86 characters; one more block tells that there are too many.
const MAX_SIGNATURE: usize = 66;

/// The encoded header, members in PyJWT's (sorted) order.
pub(super) fn encode_header(algorithm: &str, kid: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}","kid":"{kid}","typ":"JWT"}}"#))
}

/// The compact form of `payload` signed with `key`.
pub(super) fn sign(key: &SigningKey, payload: &[u8]) -> String {
    let mut token = String::with_capacity(key.header().len() + payload.len() * 4 / 3 + 96);
    token.push_str(key.header());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// A token, cut and not yet trusted.
pub(super) struct Parts<'a> {
    pub(super) header: &'a str,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        Ok(Self { header, message, payload, signature })
    }

    /// Checks the signature first and reads the claims only then.
    pub(super) fn verify(
        &self,
        accepts: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<SignedClaims, TokenError> {
        let mut buffer = [0; MAX_SIGNATURE];
        let length =
            URL_SAFE_NO_PAD.decode_slice(self.signature, &mut buffer).map_err(|_| TokenError::Malformed)?;
        if !accepts(self.message.as_bytes(), &buffer[..length]) {
            return Err(TokenError::BadSignature);
        }
        let payload = URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| TokenError::Malformed)?;
        SignedClaims::parse(&payload)
    }
}

/// The members of a header that choose the key.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
}

impl Header {
    /// Reads a header. `crit` and `b64` are refused: no extension is understood here (RFC 7515 §4.1.11,
    /// RFC 7797). A `typ` other than `JWT` belongs to another kind of token (RFC 8725 §3.11).
    pub(super) fn parse(encoded: &str) -> Result<Self, TokenError> {
        if encoded.len() > MAX_HEADER {
            return Err(TokenError::Malformed);
        }
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenError::Malformed)?;
        serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Header;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of header members")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let (mut alg, mut kid, mut typ) = (None, None, None);
                let mut skipped = SkippedNames::default();
                while let Some(Text(name)) = map.next_key()? {
                    match &*name {
                        "alg" => set_once(&mut alg, map.next_value::<String>()?)?,
                        "kid" => set_once(&mut kid, map.next_value::<String>()?)?,
                        "typ" => set_once(&mut typ, map.next_value::<String>()?)?,
                        "crit" | "b64" => return Err(de::Error::custom("no extension is understood")),
                        _ => {
                            skipped.add(name)?;
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                if typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
                    return Err(de::Error::custom("another kind of token"));
                }
                Ok(Header { alg: alg.ok_or_else(|| de::Error::missing_field("alg"))?, kid })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::{Claims, KeyId, KeySet, Profile, TokenType};
    use super::*;
    use crate::clock::Timestamp;
    use crate::secret::Secret;
    use proptest::prelude::*;
    use std::time::Duration;

    const KEY: &str = "a key that is longer than 32 bytes, for HS256";
    const PAYLOAD: &str = r#"{"token_type":"access","exp":2000,"iat":1000,"jti":"00112233445566778899aabbccddeeff","user_id":"42"}"#;
    const NOW: Timestamp = Timestamp::from_seconds(1_500);

    fn key() -> SigningKey {
        SigningKey::hs256(&Secret::from(KEY)).unwrap()
    }

    fn keys() -> KeySet {
        KeySet::new(key()).with_legacy(key())
    }

    fn ed_key() -> SigningKey {
        SigningKey::ed25519(&Secret::new(vec![9; 32])).unwrap()
    }

    fn claims() -> Claims {
        let (token_type, jti) = (TokenType::Access, [5; 16]);
        Claims { token_type, exp: 2_000, iat: 1_000, jti, user_id: 42, sid: Some(1) }
    }

    /// Signs any two texts, as an attacker with the key of another system might.
    fn forge(key: &SigningKey, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn verdict(header: &str) -> Result<Claims, TokenError> {
        keys().verify(&forge(&key(), header, PAYLOAD), TokenType::Access, NOW)
    }

    /// RFC 8037, appendix A.4.
    #[test]
    fn an_ed25519_signature_is_that_of_rfc_8037() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::ed25519(&Secret::new(seed)).unwrap();
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let expected =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(URL_SAFE_NO_PAD.encode(key.sign(message)), expected);
        let jwks = KeySet::new(key).jwks();
        assert_eq!(jwks["keys"][0]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }

    /// RFC 7515, appendix A.1: the signature over a header with a line break in it.
    #[test]
    fn an_hs256_signature_is_that_of_rfc_7515() {
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = SigningKey::hs256(&Secret::new(URL_SAFE_NO_PAD.decode(secret).unwrap())).unwrap();
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())), signature);
        let keys = KeySet::new(self::key()).with_legacy(key);
        let missing = keys.verify_any(&format!("{message}.{signature}"), NOW);
        assert_eq!(missing, Err(TokenError::MissingClaim("token_type")));
    }

    #[test]
    fn a_token_of_simplejwt_without_kid_passes_in_any_order_of_the_header() {
        for header in
            [r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"typ":"JWT","alg":"HS256"}"#, r#"{"alg":"HS256"}"#]
        {
            let claims = verdict(header).unwrap();
            assert_eq!((claims.user_id, claims.sid), (42, None));
        }
        let without_legacy = KeySet::new(key());
        let token = forge(&key(), r#"{"alg":"HS256","typ":"JWT"}"#, PAYLOAD);
        assert_eq!(without_legacy.verify_any(&token, NOW), Err(TokenError::UnknownKey));
    }

    #[test]
    fn no_algorithm_but_that_of_the_key_is_accepted() {
        for alg in [
            "none", "None", "NONE", "nOnE", "", "hs256", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA",
        ] {
            let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
            assert_eq!(verdict(&header), Err(TokenError::AlgorithmNotAllowed), "{alg}");
        }
        let unsigned =
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(PAYLOAD));
        assert_eq!(keys().verify_any(&unsigned, NOW), Err(TokenError::AlgorithmNotAllowed));
    }

    #[test]
    fn a_public_key_is_no_hmac_secret() {
        let ring = KeySet::new(ed_key());
        let public = URL_SAFE_NO_PAD.decode(ring.jwks()["keys"][0]["x"].as_str().unwrap()).unwrap();
        let confused = SigningKey::hs256(&Secret::new(public)).unwrap();
        let header = format!(r#"{{"alg":"HS256","kid":"{}","typ":"JWT"}}"#, ring.active_kid());
        let token = forge(&confused, &header, PAYLOAD);
        assert_eq!(ring.verify_any(&token, NOW), Err(TokenError::AlgorithmNotAllowed));
        let honest_header = forge(&confused, &header.replace("HS256", "EdDSA"), PAYLOAD);
        assert_eq!(ring.verify_any(&honest_header, NOW), Err(TokenError::BadSignature));
    }

    #[test]
    fn a_header_with_extensions_doubles_or_another_shape_is_malformed() {
        for header in [
            r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
            r#"{"alg":"HS256","crit":[]}"#,
            r#"{"alg":"HS256","b64":false}"#,
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{"alg":"none","\u0061lg":"HS256"}"#,
            r#"{"alg":"HS256","x":1,"x":1}"#,
            r#"{"alg":"HS256","kid":7}"#,
            r#"{"alg":"HS256","kid":null}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":"HS256","typ":"logout+jwt"}"#,
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"HS256"}{"#,
            r#"["HS256"]"#,
            "null",
            "",
        ] {
            assert_eq!(verdict(header), Err(TokenError::Malformed), "{header}");
        }
        let large = format!(r#"{{"alg":"HS256","pad":"{}"}}"#, "x".repeat(1024));
        assert_eq!(verdict(&large), Err(TokenError::Malformed));
    }

    #[test]
    fn a_kid_chooses_its_key_and_an_unknown_one_none() {
        let old = SigningKey::hs256(&Secret::from("the key of last month")).unwrap();
        let token =
            KeySet::new(SigningKey::hs256(&Secret::from("the key of last month")).unwrap()).sign(&claims());
        assert_eq!(keys().verify_any(&token, NOW), Err(TokenError::UnknownKey));
        let id = KeyId::of(b"the key of last month");
        assert!(!keys().has(id));
        let both = keys().and(old);
        assert!(both.has(id) && both.has(KeyId::of(KEY.as_bytes())));
        assert_eq!(both.verify_signed(&token, TokenType::Access, NOW), Ok((claims(), id)));
        assert_eq!(both.verify_any(&token, NOW), Ok(claims()));
        assert_eq!(verdict(r#"{"alg":"HS256","kid":"../../etc/passwd"}"#), Err(TokenError::UnknownKey));
    }

    #[test]
    fn a_token_has_one_spelling() {
        for key in [key(), ed_key()] {
            let ring = KeySet::new(key);
            let token = ring.sign(&claims());
            assert_eq!(ring.verify_any(&token, NOW), Ok(claims()));
            let parts: Vec<_> = token.split('.').collect();
            let (header, payload, signature) = (parts[0], parts[1], parts[2]);
            for other in [
                format!(" {token}"),
                format!("{token}\n"),
                format!("{token}="),
                format!("{token}A"),
                format!("{token}."),
                format!(".{token}"),
                format!("{token}.{signature}"),
                format!("{header}=.{payload}.{signature}"),
                format!("{header}.{payload}=.{signature}"),
                format!("{header}.{payload}."),
                format!("{header}.{payload}"),
                format!("{header}..{signature}"),
                format!("{header}.{payload}.{}", &signature[..signature.len() - 4]),
                token.replace('-', "+").replace('_', "/") + "+",
            ] {
                assert!(ring.verify_any(&other, NOW).is_err(), "{other}");
            }
        }
    }

    #[test]
    fn a_token_beyond_eight_kibibytes_is_not_even_read() {
        let claims =
            |padding: usize| format!(r#"{},"x":"{}"}}"#, &PAYLOAD[..PAYLOAD.len() - 1], "x".repeat(padding));
        let header = r#"{"alg":"HS256"}"#;
        assert!(keys().verify_any(&forge(&key(), header, &claims(5_900)), NOW).is_ok());
        assert_eq!(
            keys().verify_any(&forge(&key(), header, &claims(6_100)), NOW),
            Err(TokenError::Malformed)
        );
    }

    #[test]
    fn there_is_no_leeway_at_either_end() {
        let ring = keys();
        let token = ring.sign(&claims());
        let at = |micros| ring.verify_any(&token, Timestamp::from_micros(micros)).map(|_| ());
        assert_eq!(at(1_999_999_999), Ok(()));
        assert_eq!(at(2_000_000_000), Err(TokenError::Expired));
        assert_eq!(at(1_000_000_000), Ok(()));
        assert_eq!(at(999_999_999), Err(TokenError::NotYetValid));
        assert!(ring.verify_signature(&token).is_ok());
        let later = forge(&key(), r#"{"alg":"HS256"}"#, &PAYLOAD.replace(r#""iat""#, r#""nbf":1501,"iat""#));
        assert_eq!(ring.verify_any(&later, NOW), Err(TokenError::NotYetValid));
        assert!(ring.verify_any(&later, NOW.plus(Duration::from_secs(1))).is_ok());
    }

    #[test]
    fn a_token_of_one_type_is_not_of_the_other() {
        let token = keys().sign(&claims());
        assert_eq!(keys().verify(&token, TokenType::Refresh, NOW), Err(TokenError::WrongType));
        let sliding = forge(&key(), r#"{"alg":"HS256"}"#, &PAYLOAD.replace("access", "sliding"));
        assert_eq!(keys().verify_any(&sliding, NOW), Err(TokenError::WrongType));
    }

    #[test]
    fn shared_secrets_do_not_appear_among_the_public_keys() {
        assert_eq!(keys().jwks(), serde_json::json!({ "keys": [] }));
    }

    #[test]
    fn jsonwebtoken_reads_what_we_write_and_we_read_what_it_writes() {
        use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
        let profile = Profile { username: "ann", email: "ann@example.com", is_staff: false };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        let token = keys().sign_access(&claims(), &profile);
        let theirs = DecodingKey::from_secret(KEY.as_bytes());
        let read = jsonwebtoken::decode::<serde_json::Value>(&token, &theirs, &validation).unwrap();
        assert_eq!(read.claims["username"], "ann");
        assert_eq!(read.header.kid.as_deref(), Some(keys().active_kid()));

        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(keys().active_kid().to_owned());
        let payload: serde_json::Value = serde_json::from_str(PAYLOAD).unwrap();
        for header in [header, Header::new(Algorithm::HS256)] {
            let token =
                jsonwebtoken::encode(&header, &payload, &EncodingKey::from_secret(KEY.as_bytes())).unwrap();
            assert_eq!(keys().verify_any(&token, NOW).unwrap().user_id, 42);
        }

        let ring = KeySet::new(ed_key());
        let jwks = ring.jwks();
        let public = DecodingKey::from_ed_components(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        let read = jsonwebtoken::decode::<serde_json::Value>(&ring.sign(&claims()), &public, &validation);
        assert_eq!(read.unwrap().claims["sid"], "1");
    }

    proptest! {
        #[test]
        fn a_token_with_one_byte_changed_is_refused(position in 0..400_usize, byte in 0..128_u8, edwards: bool) {
            let ring = KeySet::new(if edwards { ed_key() } else { key() }).with_legacy(key());
            let mut token = ring.sign(&claims()).into_bytes();
            let position = position % token.len();
            prop_assume!(token[position] != byte);
            token[position] = byte;
            prop_assert!(ring.verify_any(std::str::from_utf8(&token).unwrap(), NOW).is_err());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*", header in "\\PC*", payload in "\\PC*") {
            prop_assert!(keys().verify_any(&text, NOW).is_err());
            prop_assert!(keys().verify_any(&forge(&key(), &header, &payload), NOW).is_err());
            let _ = keys().verify_any(&forge(&key(), r#"{"alg":"HS256"}"#, &payload), NOW);
        }
    }
}
