//! For whom a token is and whose it is: `aud` and `iss` (RFC 7519 §4.1).

use super::TokenError;
use serde_json::Value;

/// simplejwt's `AUDIENCE` and `ISSUER`. What is set is written into every token and asked of every token; what is not
/// is neither, so that two servers which share a key take each other's tokens (ASVS v5.0.0-9.2.3).
///
/// ```
/// use portcullis_security::clock::Timestamp;
/// use portcullis_security::secret::Secret;
/// use portcullis_security::token::{Claims, KeySet, Parties, SigningKey, TokenError, TokenType};
///
/// let key = || SigningKey::hs256(&Secret::from("a key for this example, 32 bytes"));
/// let parties = Parties { audience: Some("books".to_owned()), issuer: None };
/// let (ours, others) = (KeySet::new(key()?).for_parties(parties), KeySet::new(key()?));
/// let claims =
///     Claims { token_type: TokenType::Access, exp: 900, iat: 0, jti: [7; 16], user_id: 42, sid: None };
/// let now = Timestamp::from_seconds(1);
/// assert_eq!(ours.verify(&ours.sign(&claims), TokenType::Access, now), Ok(claims));
/// assert_eq!(ours.verify(&others.sign(&claims), TokenType::Access, now), Err(TokenError::WrongAudience));
/// # Ok::<(), portcullis_security::token::KeyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parties {
    /// For whom.
    pub audience: Option<String>,
    /// By whom.
    pub issuer: Option<String>,
}

/// What a token says of them.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) aud: Option<Value>,
    pub(super) iss: Option<Value>,
}

impl Parties {
    /// As PyJWT judges them: an audience may be one of several.
    pub(super) fn accept(&self, named: &Named) -> Result<(), TokenError> {
        let is = |value: &Value, wanted: &str| value.as_str() == Some(wanted);
        if let Some(audience) = &self.audience {
            let is_among = match &named.aud {
                Some(Value::Array(several)) => several.iter().any(|one| is(one, audience)),
                aud => aud.as_ref().is_some_and(|one| is(one, audience)),
            };
            if !is_among {
                return Err(TokenError::WrongAudience);
            }
        }
        match (&self.issuer, &named.iss) {
            (None, _) => Ok(()),
            (Some(issuer), Some(iss)) if is(iss, issuer) => Ok(()),
            (Some(_), _) => Err(TokenError::WrongIssuer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(parties: (Option<&str>, Option<&str>), aud: Value, iss: Value) -> Result<(), TokenError> {
        let some = |value: Value| (!value.is_null()).then_some(value);
        let (audience, issuer) = (parties.0.map(str::to_owned), parties.1.map(str::to_owned));
        Parties { audience, issuer }.accept(&Named { aud: some(aud), iss: some(iss) })
    }

    #[test]
    fn what_is_set_must_be_named_and_what_is_not_is_not_looked_at() {
        let (books, shop) = (json!("books"), json!("shop"));
        for aud in [Value::Null, books.clone(), json!(["a", "books"]), json!(7), json!({})] {
            assert_eq!(judged((None, None), aud, shop.clone()), Ok(()));
        }
        for aud in [books.clone(), json!(["a", "books"])] {
            assert_eq!(judged((Some("books"), None), aud, Value::Null), Ok(()));
        }
        for aud in
            [Value::Null, shop.clone(), json!([]), json!(["Books", 7]), json!({ "books": 1 }), json!("")]
        {
            assert_eq!(judged((Some("books"), None), aud, Value::Null), Err(TokenError::WrongAudience));
        }
        assert_eq!(judged((None, Some("shop")), Value::Null, shop), Ok(()));
        for iss in [Value::Null, books, json!(["shop"])] {
            assert_eq!(judged((None, Some("shop")), Value::Null, iss), Err(TokenError::WrongIssuer));
        }
    }
}
