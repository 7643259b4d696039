//! A service that lets in whoever has an access token of Portcullis, and cannot make one.

use axum::extract::FromRequestParts;
use axum::http::{StatusCode, header, request::Parts};
use axum::{Json, Router, routing::get};
use portcullis_security::clock::{Clock, Timestamp};
use portcullis_security::token::{PublicKeys, TokenError, TokenType};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;

#[derive(Clone)]
struct Portcullis {
    url: Arc<str>,
    clock: Clock,
    /// The keys, and when they were fetched.
    keys: Arc<RwLock<(PublicKeys, Timestamp)>>,
}

impl Portcullis {
    /// Whose token it is.
    async fn user_id(&self, token: &str) -> Result<i64, StatusCode> {
        let now = self.clock.now();
        let mut verified = self.keys.read().await.0.verify(token, TokenType::Access, now);
        if verified == Err(TokenError::UnknownKey) {
            self.fetch_keys(now).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
            verified = self.keys.read().await.0.verify(token, TokenType::Access, now);
        }
        verified.map(|claims| claims.user_id).map_err(|_| StatusCode::UNAUTHORIZED)
    }

    /// At most every 30 seconds: anybody can name a key that does not exist.
    async fn fetch_keys(&self, now: Timestamp) -> reqwest::Result<()> {
        let mut keys = self.keys.write().await;
        if now.since(keys.1) >= Duration::from_secs(30) {
            let url = format!("{}/.well-known/jwks.json", self.url);
            let set = reqwest::get(url).await?.error_for_status()?.json().await?;
            *keys = (PublicKeys::from_jwks(&set), now);
        }
        Ok(())
    }
}

/// The caller: a handler that takes it is closed to everybody else.
struct User {
    id: i64,
}

impl FromRequestParts<Portcullis> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, portcullis: &Portcullis) -> Result<Self, StatusCode> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = value.and_then(|value| value.split_once(' ')).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(StatusCode::UNAUTHORIZED);
        }
        Ok(Self { id: portcullis.user_id(token).await? })
    }
}

async fn mine(user: User) -> Json<serde_json::Value> {
    Json(serde_json::json!({ "user_id": user.id }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let portcullis = Portcullis {
        url: std::env::var("PORTCULLIS_URL")?.into(),
        clock: Clock::system(),
        keys: Arc::new(RwLock::new((PublicKeys::default(), Timestamp::from_seconds(0)))),
    };
    let app = Router::new().route("/mine", get(mine)).with_state(portcullis);
    let listener = tokio::net::TcpListener::bind(std::env::var("LISTEN")?).await?;
    Ok(axum::serve(listener, app).await?)
}
