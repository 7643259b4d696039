//! Opening a socket: where from, by whom, into which room.
//!
//! A page sees no status of a refused upgrade, but it sees a close code: so a socket is accepted first and then
//! closed with 4001 or 4003 (contract §3). A foreign page alone is refused before.

use super::conversation::{Conversation, close};
use super::store;
use super::upgrade::Upgrade;
use crate::access::{BEARER_PROTOCOL, Identity, Origin, SocketCredentials, protocols};
use crate::error::{Error, Result};
use crate::hub::{End, Taken};
use crate::state::App;
use axum::Extension;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Query, RawPathParams, Request, State};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Opens a WebSocket in a room that the caller is in.
///
/// In: `{"message": TEXT}`. Out: messages as in the history, each once, in the order of `seq`, and
/// `{"type": "error", "message"}`, which ends nothing. Closed with 4001 (no good credentials, or no longer), 4003
/// (no member, or no such room), 1001 (the server stops), 1003 (binary), 1008 (too many frames), 1009 (more than
/// 16 KiB), 1013 (reads too slowly, or too many sockets).
#[utoipa::path(get, path = "/chat/{room_id}", tag = "rooms", params(
    ("room_id" = String, Path, description = "A room's id."),
    ("token" = Option<String>, Query, description = "An access token."),
    ("ticket" = Option<String>, Query, description = "A ticket, in place of a token. Or the subprotocols \
        `bearer, TOKEN`."),
    ("after" = Option<i64>, Query, description = "Messages with a larger number come first, from the history; \
        without it, only those from now on.")),
    responses(
    (status = 101, description = "The socket is open, or about to be closed with a code."),
    (status = 400, description = "`after` is no number, or the handshake is broken."),
    (status = 403, description = "The page of another site opens it."),
    (status = 426, description = "The request is none for a WebSocket.")))]
pub async fn open(
    State(app): State<Arc<App>>,
    Extension(from): Extension<Origin>,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
) -> Result<Response> {
    let foreign = |_| Error::forbidden("origin_not_allowed", "This origin may not open sockets here.");
    app.csrf.check_socket_origin(request.headers()).map_err(foreign)?;
    let after = after(request.uri())?;
    let upgrade = match Upgrade::read(&mut request) {
        Ok(upgrade) => upgrade,
        Err(response) => return Ok(*response),
    };
    let protocol = offers_bearer(request.headers()).then_some(BEARER_PROTOCOL);
    let credentials = SocketCredentials::read(request.uri(), request.headers());
    // Whatever is no number names no room.
    let room_id = parameters.ok().and_then(|parameters| {
        parameters.iter().find(|(name, _)| *name == "room_id").and_then(|(_, id)| id.parse().ok())
    });
    let admitted = admit(&app, &credentials, room_id, from, after).await?;
    if let Err(end) = &admitted {
        // The request's own line has the status of the upgrade (ASVS v5.0.0-16.3.2).
        let code = end.close().map(|(code, _)| code);
        tracing::info!(request_id = %from.request_id, room_id, code, "a socket was refused");
    }
    let (response, socket) = upgrade.accept(protocol);
    let tasks = app.hub.tasks().clone();
    tasks.spawn(async move {
        let Some(socket) = socket.await else { return };
        match admitted {
            Ok((identity, taken, cursor)) => {
                Conversation::new(app, socket, taken, identity, cursor).run().await
            }
            Err(end) => close(socket, end).await,
        }
    });
    Ok(response.into_response())
}

type Admitted = Result<(Identity, Taken, i64), End>;

async fn admit(
    app: &Arc<App>,
    credentials: &SocketCredentials,
    room_id: Option<i64>,
    from: Origin,
    after: Option<i64>,
) -> Result<Admitted> {
    let identity = match app.access.authenticate_socket(credentials).await {
        Ok(identity) => identity,
        Err(Error::Refused(_)) => return Ok(Err(End::Unauthorised)),
        Err(error) => return Err(error),
    };
    let db = app.storage.reader();
    let room = match room_id {
        Some(id) => store::find(db, id).await?,
        None => None,
    };
    let Some(room) = room else { return Ok(Err(End::Forbidden)) };
    // The seat first: a membership that ends from here on ends it.
    let place = (room.id, room.last_seq, room.version);
    let Ok(taken) = app.hub.enter(place, identity.user.id, from.ip) else { return Ok(Err(End::TryAgain)) };
    if store::membership(db, room.id, identity.user.id).await?.is_none() {
        return Ok(Err(End::Forbidden));
    }
    // So does a session that ended while the seat was taken.
    taken.seat().ask_again();
    let cursor = after.map_or(room.last_seq, |after| after.clamp(0, room.last_seq));
    Ok(Ok((identity, taken, cursor)))
}

fn after(uri: &Uri) -> Result<Option<i64>> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let pairs = pairs.map(|Query(pairs)| pairs).unwrap_or_default();
    let Some((_, after)) = pairs.into_iter().rev().find(|(name, _)| name == "after") else { return Ok(None) };
    after
        .parse()
        .map(Some)
        .map_err(|_| Error::bad_request("invalid", "after has to be the number of a message"))
}

/// A browser gives up on a server that chooses none of the subprotocols it offers.
fn offers_bearer(headers: &HeaderMap) -> bool {
    protocols(headers).any(|protocol| protocol == BEARER_PROTOCOL)
}
