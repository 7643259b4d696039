//! Tickets for sockets.

use crate::access::{Identity, TICKET_LIFETIME};
use crate::error::Result;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A ticket, for `?ticket=`.
#[derive(Serialize, ToSchema)]
pub struct TicketResponse {
    /// It opens one socket.
    ticket: String,
    /// For how many seconds it can be used.
    expires_in: u64,
}

/// Makes a ticket that opens one WebSocket. What it opens ends with the access token that made it.
#[utoipa::path(post, path = "/auth/ws-ticket", tag = "rooms", responses(
    (status = 200, description = "The ticket.", body = TicketResponse)))]
pub async fn issue(State(app): State<Arc<App>>, caller: Identity) -> Result<Json<TicketResponse>> {
    let ticket = app.access.issue_ticket(&caller, &app.random).await?;
    Ok(Json(TicketResponse { ticket: ticket.expose().to_owned(), expires_in: TICKET_LIFETIME.as_secs() }))
}
