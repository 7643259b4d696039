//! The door for JSON bodies.

use super::input::{FromInput, Input};
use super::json::parse_object;
use super::memory::{BodyMemory, BodyShare};
use crate::error::{Error, Result};
use axum::body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::convert::Infallible;
use std::time::Duration;

/// Bytes of a JSON body, at most (contract §1).
pub const MAX_BODY: usize = 1024 * 1024;

/// Bytes that are read of a body that nobody wants, before the connection is closed on it.
pub(super) const MAX_DISCARDED: usize = 32 * MAX_BODY;

/// A client that has not sent its body by then is not going to.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// A JSON body as the type that it has to be.
///
/// Answers 413 above 1 MiB, 415 for another content type, 408 for one that never ends, 503 while there is no
/// memory for it, and 400 for everything else that is wrong, with all its problems.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: FromInput> FromRequest<S> for Body<T>
where
    BodyMemory: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let (_, bytes, _share) = read_bytes(request, &BodyMemory::from_ref(state)).await?;
        Input::read(parse_object(&bytes)?).map(Body)
    }
}

/// Reads the body for a layer that has to look into it, and gives the request back as it was.
///
/// Beside it come the object's texts of the given names. A body that is no JSON names nothing; [`Body`]
/// refuses it later.
///
/// # Errors
/// When the body is too large, too slow or not JSON by its type, or there is no memory for it.
pub async fn buffered<const N: usize>(
    request: Request,
    memory: &BodyMemory,
    names: [&str; N],
) -> Result<(Request, [Option<String>; N])> {
    let (parts, bytes, share) = read_bytes(request, memory).await?;
    let object = parse_object(&bytes).unwrap_or_default();
    let texts = names.map(|name| object.get(name).and_then(Value::as_str).map(str::to_owned));
    // Whoever reads it again takes a share again.
    let again = stream::once(async move {
        drop(share);
        Ok::<_, Infallible>(bytes)
    });
    Ok((Request::from_parts(parts, body::Body::from_stream(again)), texts))
}

async fn read_bytes(request: Request, memory: &BodyMemory) -> Result<(Parts, Bytes, BodyShare)> {
    let (parts, body) = request.into_parts();
    let mut share = memory.share();
    let read = tokio::time::timeout(BODY_TIMEOUT, read_limited(body, &mut share)).await;
    let bytes = read.map_err(|_| too_slow())??;
    if !bytes.is_empty() && !is_json(&parts.headers) {
        return Err(Error::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Unsupported media type in request: send application/json.",
        ));
    }
    Ok((parts, bytes, share))
}

/// Reads what is allowed; what is too much is left to [`Leftover`](super::Leftover).
async fn read_limited(body: body::Body, share: &mut BodyShare) -> Result<Bytes> {
    let mut stream = body.into_data_stream();
    let mut kept = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| unreadable())?;
        if kept.len() + chunk.len() > MAX_BODY {
            return Err(too_large());
        }
        share.grow_to(kept.len() + chunk.len())?;
        kept.extend_from_slice(&chunk);
    }
    Ok(kept.freeze())
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

const fn unreadable() -> Error {
    Error::bad_request("parse_error", "The body could not be read")
}

const fn too_large() -> Error {
    Error::refused(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        "The body is too large. At most 1 MiB is read.",
    )
}

const fn too_slow() -> Error {
    Error::refused(StatusCode::REQUEST_TIMEOUT, "timeout", "The body did not arrive in time.")
}
