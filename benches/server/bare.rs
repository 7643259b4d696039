//! The cheapest server that axum can be: what a read is compared with.

use crate::Outcome;
use axum::routing::get;
use axum::{Json, Router};

/// With this argument the program is that server.
pub const FLAG: &str = "--bare-server";

/// Answers `GET /api/auth/me/` with a body like the real one, at the address that stands last on the command
/// line.
pub fn serve() -> Outcome<()> {
    let address = std::env::args().next_back().ok_or("the address is missing")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        axum::serve(listener, Router::new().route("/api/auth/me/", get(me))).await
    })?;
    Ok(())
}

async fn me() -> Json<serde_json::Value> {
    Json(serde_json::json!({
        "id": 1, "username": "bench_1", "email": "bench_1@example.com", "first_name": "", "last_name": "",
        "is_staff": false, "email_verified": true, "date_joined": "2026-11-24T07:03:11.000000Z",
    }))
}
