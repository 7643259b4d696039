//! Tokens that the server did not make.

use super::{because, me, probe, public_key};
use crate::evidence::Evidence;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

pub(super) const PROBES: &[Probe] = &[
    probe(
        "tokens.unsigned",
        "Tokens without a signature are accepted",
        &["v5.0.0-9.1.1", "v5.0.0-9.1.2"],
        Severity::High,
        "Verify with a list of allowed algorithms that does not hold `none`.",
        |ctx| Box::pin(unsigned(ctx)),
    ),
    probe(
        "tokens.tampered",
        "Tokens that were changed or signed with another key are accepted",
        &["v5.0.0-9.1.1", "v5.0.0-9.1.3"],
        Severity::High,
        "Verify the signature before reading a claim, with the server's own key whatever `kid`, `jku` or `jwk` say.",
        |ctx| Box::pin(tampered(ctx)),
    ),
    probe(
        "tokens.confused",
        "Tokens that are signed with the public key as a secret are accepted",
        &["v5.0.0-9.1.2"],
        Severity::High,
        "Bind each key to its algorithm.",
        |ctx| Box::pin(confused(ctx)),
    ),
    probe(
        "tokens.guessable_key",
        "The key that signs tokens is a well-known word",
        &["v5.0.0-9.1.1", "v5.0.0-13.3.1"],
        Severity::High,
        "Sign with at least 32 random bytes, and change the key now.",
        |ctx| Box::pin(guessable_key(ctx)),
    ),
    probe(
        "tokens.type",
        "A refresh token is accepted as an access token",
        &["v5.0.0-9.2.2"],
        Severity::Medium,
        "Check the token's type wherever one is taken.",
        |ctx| Box::pin(type_confusion(ctx)),
    ),
];

/// Placeholders of guides, examples and generators.
const WORDS: [&str; 12] = [
    "secret",
    "your-super-secret-key-here",
    "change-me",
    "changeme",
    "secret-key",
    "secret_key",
    "your-256-bit-secret",
    "your-secret-key",
    "django-insecure",
    "supersecret",
    "password",
    "",
];

/// Published keys that are tried.
const KEYS: usize = 3;

/// A JWT in its parts.
struct Token {
    header: Value,
    claims: Value,
    signed: String,
    signature: Vec<u8>,
}

async fn unsigned(ctx: &Context) -> Result<Outcome, Skip> {
    let token = first_token(ctx).await?;
    let forged = ["none", "None", "NONE", "nOnE"].map(|name| {
        let header = with(&token.header, "alg", name.into());
        format!("{}.{}.", encoded(&header), encoded(&token.claims))
    });
    try_all(ctx, &forged, "A token whose algorithm is `none` opens the account.").await
}

async fn tampered(ctx: &Context) -> Result<Outcome, Skip> {
    let token = first_token(ctx).await?;
    let later = token.claims.get("exp").and_then(Value::as_i64).unwrap_or_default() + 3600;
    let claims = with(&token.claims, "exp", later.into());
    let kept = URL_SAFE.encode(&token.signature);
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let path = with(&header, "kid", "../../../../../../dev/null".into());
    let mut forged = vec![
        format!("{}.{}.{kept}", encoded(&token.header), encoded(&claims)),
        format!("{}.{}.{}", encoded(&token.header), encoded(&claims), URL_SAFE.encode([0; 32])),
    ];
    forged.extend(
        [(header, &b"wrong"[..]), (path, &b""[..])].map(|(header, key)| signed(&header, &claims, key)),
    );
    try_all(ctx, &forged, "A token that the server did not sign opens the account.").await
}

async fn confused(ctx: &Context) -> Result<Outcome, Skip> {
    let token = first_token(ctx).await?;
    let path = ctx.mapping.jwks.as_ref().ok_or(Skip::NotMapped("path jwks"))?;
    let keys = ctx.client.call_raw(Request::get(path)).await?.json();
    let keys = keys.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    if keys.is_empty() {
        return Ok(Outcome::skipped("the server publishes no keys"));
    }
    let header = with(&token.header, "alg", "HS256".into());
    if me(ctx, &signed(&header, &token.claims, b"wrong")).await?.is_success() {
        return Ok(Outcome::skipped("every signature is accepted"));
    }
    let secrets = keys.iter().take(KEYS).flat_map(public_key::secrets);
    let forged: Vec<String> = secrets.map(|key| signed(&header, &token.claims, &key)).collect();
    try_all(ctx, &forged, "A published key serves as the secret of HS256.").await
}

async fn guessable_key(ctx: &Context) -> Result<Outcome, Skip> {
    let token = first_token(ctx).await?;
    if token.header.get("alg").and_then(Value::as_str) != Some("HS256") {
        return Ok(Outcome::skipped("tokens are not signed with HS256"));
    }
    let guessed = WORDS.iter().any(|word| signature(&token.signed, word.as_bytes()) == token.signature);
    let evidence = Evidence {
        request: "(none: the signature of a token was computed here)".to_owned(),
        response: "it is that of a word from a list of placeholders".to_owned(),
    };
    Ok(Outcome::when(guessed, "Whoever tries a few words can sign tokens for anybody.", vec![evidence]))
}

async fn type_confusion(ctx: &Context) -> Result<Outcome, Skip> {
    let refresh = ctx.first().await?.session.refresh.clone();
    try_all(ctx, &[refresh], "The refresh token opens the account.").await
}

/// Tries each in place of an access token.
async fn try_all(ctx: &Context, forged: &[String], seen: &str) -> Result<Outcome, Skip> {
    let good = me(ctx, &ctx.first().await?.session.access).await?;
    if !good.accepted()? {
        return Ok(Outcome::skipped(format!("a good token is answered with {}", good.status)));
    }
    let mut evidence = Vec::new();
    for token in forged {
        let answer = me(ctx, token).await?;
        if answer.accepted()? {
            evidence.push(answer.evidence(&[]));
        }
    }
    Ok(Outcome::judge(seen, evidence))
}

async fn first_token(ctx: &Context) -> Result<Token, Skip> {
    let access = &ctx.first().await?.session.access;
    parse(access).ok_or_else(|| because("access tokens are no JWTs"))
}

/// The claims of a JWT.
pub(super) fn claims(token: &str) -> Option<Value> {
    parse(token).map(|token| token.claims)
}

fn parse(token: &str) -> Option<Token> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let read = |part: &str| serde_json::from_slice(&URL_SAFE.decode(part).ok()?).ok();
    Some(Token {
        header: read(header)?,
        claims: read(claims)?,
        signed: signed.to_owned(),
        signature: URL_SAFE.decode(signature).ok()?,
    })
}

fn with(value: &Value, name: &str, new: Value) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), new);
    }
    value
}

fn encoded(value: &Value) -> String {
    URL_SAFE.encode(value.to_string())
}

fn signed(header: &Value, claims: &Value, key: &[u8]) -> String {
    let text = format!("{}.{}", encoded(header), encoded(claims));
    let signature = URL_SAFE.encode(signature(&text, key));
    format!("{text}.{signature}")
}

fn signature(text: &str, key: &[u8]) -> Vec<u8> {
    // A key of any length is valid.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
