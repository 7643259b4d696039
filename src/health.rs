//! What orchestrators and other services ask: health, readiness, metrics, public keys.

use crate::error::{Error, Result};
use crate::model::users::Entity;
use crate::state::App;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::routing::get;
use axum::{Json, Router};
use metrics::{counter, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use portcullis_security::client_ip::has_forwarded;
use portcullis_security::password::PoolStats;
use portcullis_security::secret::Secret;
use sea_orm::{EntityTrait, QuerySelect};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Shorter than the patience of those who ask every few seconds.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// The routes, outside of throttles.
pub fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/.well-known/jwks.json", get(jwks))
        .with_state(app.clone())
}

/// Ready means that the database answers, and in time: whoever asks would not wait longer.
async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>> {
    let answer = tokio::time::timeout(DATABASE_TIMEOUT, Entity::find().limit(1).one(app.storage.reader()));
    answer.await.map_err(Error::unavailable)?.map_err(Error::unavailable)?;
    Ok(Json(json!({ "status": "ok", "database": "ok" })))
}

async fn jwks(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.access.keys().current().jwks())
}

/// To a neighbour on the same machine, or to whoever has the token; else it is not there.
async fn metrics(State(app): State<Arc<App>>, request: Request) -> Result<String> {
    let peer = request.extensions().get::<SocketAddr>();
    let is_local =
        peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()) && !has_forwarded(request.headers());
    let has_token = app.config.metrics.token.as_ref().is_some_and(|token| shows(request.headers(), token));
    if !is_local && !has_token {
        return Err(Error::not_found());
    }
    show_passwords(&app.passwords.pool().stats());
    recorder().map(PrometheusHandle::render).ok_or_else(Error::not_found)
}

/// How busy hashing is: the first thing to look at when logins are answered with 503.
fn show_passwords(stats: &PoolStats) {
    gauge!("password_hashes_queued").set(stats.queued as f64);
    gauge!("password_hashes_running").set(stats.running as f64);
    gauge!("password_memory_bytes").set((stats.running_memory_kib + stats.idle_memory_kib) as f64 * 1024.0);
    counter!("password_hashes_total").absolute(stats.finished);
    counter!("password_hashes_refused_total").absolute(stats.refused);
}

fn shows(headers: &HeaderMap, token: &Secret) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = value.and_then(|value| value.split_once(' '));
    shown.is_some_and(|(scheme, shown)| {
        scheme.eq_ignore_ascii_case("bearer") && Secret::from(shown.trim()) == *token
    })
}

/// The process's one recorder, installed at the first call.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}

/// Folds the single durations that were recorded into sums; they would fill the memory while nobody asks.
pub fn tidy_metrics() {
    if let Some(recorder) = recorder() {
        recorder.run_upkeep();
    }
}
