//! What a token says, and how that is written.

use super::TokenError;
use super::json::{Decimal, SkippedNames, Text, set_once};
use super::parties::{Named, Parties};
use crate::clock::Timestamp;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;

const JTI_DIGITS: usize = 32;

/// The use a token is made for, simplejwt's `token_type`.
///
/// ```
/// use portcullis_security::token::TokenType;
///
/// assert_eq!(TokenType::Access.as_str(), "access");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// Sent with every request; lives for minutes.
    Access,
    /// Exchanged for a new pair; each works once.
    Refresh,
}

impl TokenType {
    /// The claim's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// The claims that a decision may rest on.
///
/// Times are whole seconds since 1970. `user_id` and `sid` are written as strings, as simplejwt 5.5
/// does, and read as strings or integers. Other claims are skipped when a token is read.
///
/// ```
/// use portcullis_security::token::{Claims, TokenType};
///
/// let claims =
///     Claims { token_type: TokenType::Access, exp: 900, iat: 0, jti: [10; 16], user_id: 1, sid: None };
/// assert_eq!(claims.jti_hex(), "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a");
/// assert_eq!(claims.jti_hash().len(), 32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Access or refresh.
    pub token_type: TokenType,
    /// The first second at which the token is no longer valid.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// The token's own id; 32 lower-case hexadecimal digits on the wire, as `uuid4().hex`.
    pub jti: [u8; 16],
    /// Whose token it is.
    pub user_id: i64,
    /// The session it belongs to; a Django's token has none.
    pub sid: Option<i64>,
}

impl Claims {
    /// The token's id as it stands in the token.
    #[must_use]
    pub fn jti_hex(&self) -> String {
        JtiText::of(self.jti).as_str().to_owned()
    }

    /// SHA-256 of the id's 16 bytes: what a database keeps, so that a stolen copy holds no tokens.
    #[must_use]
    pub fn jti_hash(&self) -> [u8; 32] {
        Sha256::digest(self.jti).into()
    }

    /// The claims as JSON, in simplejwt's order, with `profile` and `parties` behind them.
    pub(super) fn to_json(self, profile: Option<&Profile<'_>>, parties: &Parties) -> Vec<u8> {
        let jti = JtiText::of(self.jti);
        let wire = WireClaims {
            token_type: self.token_type.as_str(),
            exp: self.exp,
            iat: self.iat,
            jti: jti.as_str(),
            user_id: Decimal(self.user_id),
            sid: self.sid.map(Decimal),
            username: profile.map(|profile| profile.username),
            email: profile.map(|profile| profile.email),
            is_staff: profile.map(|profile| profile.is_staff),
            aud: parties.audience.as_deref(),
            iss: parties.issuer.as_deref(),
        };
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

/// What an access token tells a front end about its user, read from the database at every refresh.
///
/// It is for display: there is no way to read it back from a token, so no right can hang on it.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// The name they log in with.
    pub username: &'a str,
    /// Their address.
    pub email: &'a str,
    /// Whether a front end should show the staff's pages.
    pub is_staff: bool,
}

#[derive(Serialize)]
struct WireClaims<'a> {
    token_type: &'static str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    user_id: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_staff: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
}

struct JtiText([u8; JTI_DIGITS]);

impl JtiText {
    fn of(jti: [u8; 16]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; JTI_DIGITS];
        for (pair, byte) in text.chunks_exact_mut(2).zip(jti) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn parse_jti(text: &str) -> Option<[u8; 16]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut jti = [0; 16];
    if text.len() != JTI_DIGITS {
        return None;
    }
    for (byte, pair) in jti.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(jti)
}

/// The claims of a token whose signature is good, before the times are looked at.
#[derive(Debug)]
pub(super) struct SignedClaims {
    pub(super) claims: Claims,
    pub(super) nbf: Option<i64>,
    pub(super) named: Named,
}

impl SignedClaims {
    /// Checks the times as PyJWT does with a leeway of zero.
    pub(super) fn at(self, now: Timestamp) -> Result<Claims, TokenError> {
        let Self { claims, nbf, .. } = self;
        if Timestamp::from_seconds(claims.exp) <= now {
            return Err(TokenError::Expired);
        }
        if Timestamp::from_seconds(claims.iat.max(nbf.unwrap_or(i64::MIN))) > now {
            return Err(TokenError::NotYetValid);
        }
        Ok(claims)
    }

    pub(super) fn parse(json: &[u8]) -> Result<Self, TokenError> {
        // As one text first: faster than string by string, and no part may be other than UTF-8.
        let json = std::str::from_utf8(json).map_err(|_| TokenError::Malformed)?;
        let found: FoundClaims = serde_json::from_str(json).map_err(|_| TokenError::Malformed)?;
        let token_type = match found.token_type.as_deref() {
            Some("access") => TokenType::Access,
            Some("refresh") => TokenType::Refresh,
            Some(_) => return Err(TokenError::WrongType),
            None => return Err(TokenError::MissingClaim("token_type")),
        };
        let jti = found.jti.ok_or(TokenError::MissingClaim("jti"))?;
        let claims = Claims {
            token_type,
            exp: found.exp.ok_or(TokenError::MissingClaim("exp"))?,
            iat: found.iat.ok_or(TokenError::MissingClaim("iat"))?,
            jti: parse_jti(&jti).ok_or(TokenError::Malformed)?,
            user_id: found.user_id.ok_or(TokenError::MissingClaim("user_id"))?.0,
            sid: found.sid.map(|sid| sid.0),
        };
        Ok(Self { claims, nbf: found.nbf, named: Named { aud: found.aud, iss: found.iss } })
    }
}

#[derive(Default)]
struct FoundClaims<'a> {
    token_type: Option<Cow<'a, str>>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    jti: Option<Cow<'a, str>>,
    user_id: Option<Decimal>,
    sid: Option<Decimal>,
    username: Option<IgnoredAny>,
    email: Option<IgnoredAny>,
    is_staff: Option<IgnoredAny>,
    aud: Option<Value>,
    iss: Option<Value>,
}

impl<'de: 'a, 'a> Deserialize<'de> for FoundClaims<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Claims;
        impl<'de> Visitor<'de> for Claims {
            type Value = FoundClaims<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = FoundClaims::default();
                let mut skipped = SkippedNames::default();
                while let Some(Text(name)) = map.next_key()? {
                    match &*name {
                        "token_type" => set_once(&mut found.token_type, map.next_value::<Text>()?.0)?,
                        "exp" => set_once(&mut found.exp, map.next_value()?)?,
                        "iat" => set_once(&mut found.iat, map.next_value()?)?,
                        "nbf" => set_once(&mut found.nbf, map.next_value()?)?,
                        "jti" => set_once(&mut found.jti, map.next_value::<Text>()?.0)?,
                        "user_id" => set_once(&mut found.user_id, map.next_value()?)?,
                        "sid" => set_once(&mut found.sid, map.next_value()?)?,
                        "username" => set_once(&mut found.username, map.next_value()?)?,
                        "email" => set_once(&mut found.email, map.next_value()?)?,
                        "is_staff" => set_once(&mut found.is_staff, map.next_value()?)?,
                        "aud" => set_once(&mut found.aud, map.next_value()?)?,
                        "iss" => set_once(&mut found.iss, map.next_value()?)?,
                        _ => {
                            skipped.add(name)?;
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Claims)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const JTI: &str = r#""jti":"00112233445566778899aabbccddeeff""#;

    fn parse(rest: &str) -> Result<SignedClaims, TokenError> {
        SignedClaims::parse(format!(r#"{{"token_type":"access","exp":9,"iat":1,{JTI},{rest}}}"#).as_bytes())
    }

    #[test]
    fn an_id_is_read_from_a_string_or_an_integer() {
        for id in ["42", "\"42\"", "\"\\u0034\\u0032\""] {
            assert_eq!(parse(&format!(r#""user_id":{id}"#)).unwrap().claims.user_id, 42, "{id}");
        }
        assert_eq!(parse(r#""user_id":1,"sid":"7""#).unwrap().claims.sid, Some(7));
    }

    #[test]
    fn an_id_has_one_spelling() {
        for id in ["\"042\"", "\"+42\"", "\" 42\"", "\"-0\"", "\"-+1\"", "\"\"", "4.0", "null", "true", "[4]"]
        {
            assert_eq!(parse(&format!(r#""user_id":{id}"#)).unwrap_err(), TokenError::Malformed, "{id}");
        }
        let beyond = r#""user_id":"9223372036854775808""#;
        assert_eq!(parse(beyond).unwrap_err(), TokenError::Malformed);
    }

    #[test]
    fn a_claim_may_stand_only_once_even_an_unread_or_escaped_one() {
        for rest in [
            r#""user_id":1,"user_id":2"#,
            r#""user_id":1,"exp":2"#,
            r#""user_id":1,"\u0065xp":2"#,
            r#""user_id":1,"email":"a","email":"a""#,
        ] {
            assert_eq!(parse(rest).unwrap_err(), TokenError::Malformed, "{rest}");
        }
    }

    #[test]
    fn each_missing_claim_is_named() {
        let all = ["\"token_type\":\"access\"", "\"exp\":9", "\"iat\":1", JTI, "\"user_id\":1"];
        for missing in ["token_type", "exp", "iat", "jti", "user_id"] {
            let rest: Vec<_> = all.into_iter().filter(|claim| !claim.contains(missing)).collect();
            let error = SignedClaims::parse(format!("{{{}}}", rest.join(",")).as_bytes()).unwrap_err();
            assert_eq!(error, TokenError::MissingClaim(missing));
        }
    }

    #[test]
    fn a_jti_is_32_lower_case_hexadecimal_digits() {
        assert_eq!(parse_jti(&JtiText::of([0xa5; 16]).as_str().to_uppercase()), None);
        assert_eq!(parse_jti("00112233-4455-6677-8899-aabbccddeeff"), None);
        assert_eq!(parse_jti(JtiText::of([0xa5; 16]).as_str()), Some([0xa5; 16]));
    }

    #[test]
    fn the_claims_stand_in_the_order_of_simplejwt_and_the_profile_is_escaped() {
        let claims =
            Claims { token_type: TokenType::Access, exp: 9, iat: 1, jti: [0; 16], user_id: 5, sid: Some(6) };
        let profile = Profile { username: "a\"b", email: "a@b.c", is_staff: true };
        let json = |parties: &Parties| String::from_utf8(claims.to_json(Some(&profile), parties)).unwrap();
        let zeros = "0".repeat(32);
        let expected = format!(
            r#"{{"token_type":"access","exp":9,"iat":1,"jti":"{zeros}","user_id":"5","sid":"6","username":"a\"b","email":"a@b.c","is_staff":true}}"#
        );
        assert_eq!(json(&Parties::default()), expected);
        let parties = Parties { audience: Some("b\"c".to_owned()), issuer: Some("d".to_owned()) };
        let expected = expected.trim_end_matches('}').to_owned() + r#","aud":"b\"c","iss":"d"}"#;
        assert_eq!(json(&parties), expected);
    }
}
