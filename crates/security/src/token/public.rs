//! The public halves of another server's keys.

use super::keys::accepts_ed25519;
use super::{Claims, Parties, TokenError, TokenType, jwt};
use crate::clock::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Public keys that verify the tokens of a server and can sign none: what a service beside it holds.
///
/// Whoever takes over such a service cannot make tokens, as one that shares an HS256 key could.
///
/// ```
/// use portcullis_security::clock::Timestamp;
/// use portcullis_security::secret::Secret;
/// use portcullis_security::token::{Claims, KeyError, KeySet, PublicKeys, SigningKey, TokenType};
///
/// let server = KeySet::new(SigningKey::ed25519(&Secret::new(vec![1; 32]))?);
/// let claims =
///     Claims { token_type: TokenType::Access, exp: 900, iat: 0, jti: [7; 16], user_id: 42, sid: None };
/// let token = server.sign(&claims);
///
/// let keys = PublicKeys::from_jwks(&server.jwks());
/// assert_eq!(keys.verify(&token, TokenType::Access, Timestamp::from_seconds(899)), Ok(claims));
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PublicKeys {
    keys: Vec<PublicKey>,
    parties: Parties,
}

#[derive(Clone, Debug)]
struct PublicKey {
    kid: String,
    bytes: [u8; 32],
}

impl PublicKeys {
    /// Reads a JWK set (RFC 7517, RFC 8037) such as `/.well-known/jwks.json`.
    ///
    /// Keys of other kinds, without a `kid` or for another use are passed over, as RFC 7517 §5 asks; a
    /// document that is no set has no keys.
    #[must_use]
    pub fn from_jwks(set: &Value) -> Self {
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys.into_iter().flatten().filter_map(PublicKey::parse).collect();
        Self { keys, parties: Parties::default() }
    }

    /// Takes only tokens that are for this audience and by this issuer.
    #[must_use]
    pub fn for_parties(mut self, parties: Parties) -> Self {
        self.parties = parties;
        self
    }

    /// Checks all of a token, as [`KeySet::verify`](super::KeySet::verify) does.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] may mean that the server has a new key: fetch its set again, though not
    /// more often than twice a minute, since anybody can name a key that is not there.
    pub fn verify(&self, token: &str, expected: TokenType, now: Timestamp) -> Result<Claims, TokenError> {
        let parts = jwt::Parts::split(token)?;
        let header = jwt::Header::parse(parts.header)?;
        if header.alg != "EdDSA" {
            return Err(TokenError::AlgorithmNotAllowed);
        }
        let key = self.keys.iter().find(|key| header.kid.as_ref() == Some(&key.kid));
        let key = key.ok_or(TokenError::UnknownKey)?;
        let signed = parts.verify(|message, signature| accepts_ed25519(&key.bytes, message, signature))?;
        self.parties.accept(&signed.named)?;
        let claims = signed.at(now)?;
        if claims.token_type == expected { Ok(claims) } else { Err(TokenError::WrongType) }
    }
}

impl PublicKey {
    fn parse(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let is_ours = text("kty") == Some("OKP")
            && text("crv") == Some("Ed25519")
            && text("use").is_none_or(|purpose| purpose == "sig")
            && text("alg").is_none_or(|algorithm| algorithm == "EdDSA");
        let bytes = URL_SAFE_NO_PAD.decode(text("x")?).ok()?.try_into().ok()?;
        is_ours.then_some(Self { kid: text("kid")?.to_owned(), bytes })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::{KeySet, SigningKey};
    use super::*;
    use crate::secret::Secret;
    use serde_json::json;

    const NOON: Timestamp = Timestamp::from_seconds(1_500);

    fn key(byte: u8) -> SigningKey {
        SigningKey::ed25519(&Secret::new(vec![byte; 32])).unwrap()
    }

    fn claims(token_type: TokenType) -> Claims {
        Claims { token_type, exp: 1_900, iat: 1_000, jti: [7; 16], user_id: 42, sid: Some(3) }
    }

    #[test]
    fn tokens_of_every_published_key_are_accepted_and_of_no_other() {
        let keys = PublicKeys::from_jwks(&KeySet::new(key(1)).and(key(2)).jwks());
        let check = |signer: u8| {
            let token = KeySet::new(key(signer)).sign(&claims(TokenType::Access));
            keys.verify(&token, TokenType::Access, NOON)
        };
        assert_eq!(check(1), Ok(claims(TokenType::Access)));
        assert_eq!(check(2), Ok(claims(TokenType::Access)));
        assert_eq!(check(3), Err(TokenError::UnknownKey));
    }

    #[test]
    fn a_public_key_is_no_hmac_secret_and_times_and_type_count() {
        let server = KeySet::new(key(1));
        let set = server.jwks();
        let keys = PublicKeys::from_jwks(&set);
        let public = URL_SAFE_NO_PAD.decode(set["keys"][0]["x"].as_str().unwrap()).unwrap();
        let confused = KeySet::new(SigningKey::hs256(&Secret::new(public)).unwrap());
        let check = |token: &str, now| keys.verify(token, TokenType::Access, now);
        let forged = confused.sign(&claims(TokenType::Access));
        assert_eq!(check(&forged, NOON), Err(TokenError::AlgorithmNotAllowed));
        let access = server.sign(&claims(TokenType::Access));
        assert_eq!(check(&access, Timestamp::from_seconds(1_900)), Err(TokenError::Expired));
        assert_eq!(check(&access, Timestamp::from_seconds(999)), Err(TokenError::NotYetValid));
        let refresh = server.sign(&claims(TokenType::Refresh));
        assert_eq!(check(&refresh, NOON), Err(TokenError::WrongType));
        let (message, _) = access.rsplit_once('.').unwrap();
        let (_, signature) = refresh.rsplit_once('.').unwrap();
        assert_eq!(check(&format!("{message}.{signature}"), NOON), Err(TokenError::BadSignature));
    }

    #[test]
    fn what_is_no_usable_key_is_passed_over() {
        let whole = KeySet::new(key(1)).jwks()["keys"][0].clone();
        for (name, value) in [
            ("kty", json!("EC")),
            ("crv", json!("X25519")),
            ("use", json!("enc")),
            ("alg", json!("HS256")),
            ("x", json!("AAAA")),
            ("x", json!(1)),
            ("kid", Value::Null),
        ] {
            let mut jwk = whole.clone();
            jwk[name] = value;
            assert!(PublicKeys::from_jwks(&json!({ "keys": [jwk, 1, null] })).keys.is_empty(), "{name}");
        }
        for set in [json!(null), json!([]), json!({ "keys": {} })] {
            assert!(PublicKeys::from_jwks(&set).keys.is_empty());
        }
        assert_eq!(PublicKeys::from_jwks(&json!({ "keys": [whole, {}] })).keys.len(), 1);
    }
}
