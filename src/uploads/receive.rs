//! Multipart bodies, read as they arrive and no further than allowed.

use crate::error::{Error, Result};
use axum::body::BodyDataStream;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::BytesMut;
use futures_util::StreamExt;
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for other fields and for what stands between fields.
const OVERHEAD: usize = 64 * 1024;
/// Bytes that are thrown away of a body that was refused: a client that is still sending when the connection
/// closes would see a broken pipe instead of the answer.
const MAX_DISCARDED: usize = 32 * 1024 * 1024;
/// A minute for 5 MiB is 700 kbit/s, a bad mobile connection.
const PATIENCE: Duration = Duration::from_secs(60);
const COME_BACK: Duration = Duration::from_secs(2);

/// A file that is here, and its share of the memory for files.
pub struct Received {
    bytes: BytesMut,
    share: Option<OwnedSemaphorePermit>,
}

impl Received {
    /// Its content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes memory as bytes arrive, so that a slow sender holds no more than was sent.
    fn push(&mut self, chunk: &[u8], memory: &Arc<Semaphore>) -> Result<()> {
        let kib = (self.bytes.len() + chunk.len()).div_ceil(1024);
        let held = self.share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let wanted = u32::try_from(kib.saturating_sub(held)).map_err(Error::internal)?;
        let more = memory.clone().try_acquire_many_owned(wanted).map_err(|_| Error::Busy(COME_BACK))?;
        match &mut self.share {
            Some(share) => share.merge(more),
            None => self.share = Some(more),
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

/// The file of a field; of several the last, as in Django. A field without a file name is no file.
pub(super) async fn file(
    request: Request,
    (field, limit): (&'static str, usize),
    memory: &Arc<Semaphore>,
) -> Result<Option<Received>> {
    let (parts, body) = request.into_parts();
    let mut stream = body.into_data_stream();
    let read = async {
        let outcome = match boundary(&parts.headers)? {
            Some(boundary) => read(&mut stream, boundary, (field, limit), memory).await,
            None => nothing(&mut stream).await,
        };
        if outcome.is_err() {
            discard(&mut stream).await;
        }
        outcome
    };
    let read = tokio::time::timeout(PATIENCE, read).await;
    read.map_err(|_| {
        Error::refused(StatusCode::REQUEST_TIMEOUT, "timeout", "The body did not arrive in time.")
    })?
}

/// `None` for a body that is not multipart, which is nothing to complain of if it is empty.
fn boundary(headers: &HeaderMap) -> Result<Option<String>> {
    let value = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    match value.map(multer::parse_boundary) {
        Some(Ok(boundary)) => Ok(Some(boundary)),
        Some(Err(multer::Error::NoBoundary)) => Err(malformed()),
        _ => Ok(None),
    }
}

async fn nothing(stream: &mut BodyDataStream) -> Result<Option<Received>> {
    while let Some(chunk) = stream.next().await {
        if !chunk.map_err(|_| malformed())?.is_empty() {
            return Err(Error::refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Unsupported media type in request: send multipart/form-data.",
            ));
        }
    }
    Ok(None)
}

async fn read(
    stream: &mut BodyDataStream,
    boundary: String,
    (name, limit): (&'static str, usize),
    memory: &Arc<Semaphore>,
) -> Result<Option<Received>> {
    let whole = u64::try_from(limit + OVERHEAD).map_err(Error::internal)?;
    let bounds = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
    let mut fields = Multipart::with_constraints(stream, boundary, bounds);
    let mut found = None;
    while let Some(field) = fields.next_field().await.map_err(refusal)? {
        let is_file = field.file_name().is_some_and(|name| !name.is_empty());
        if is_file && field.name() == Some(name) {
            drop(found.take());
            found = Some(read_field(field, limit, memory).await?);
        }
    }
    Ok(found.filter(|file| !file.bytes.is_empty()))
}

async fn read_field(mut field: Field<'_>, limit: usize, memory: &Arc<Semaphore>) -> Result<Received> {
    let mut file = Received { bytes: BytesMut::new(), share: None };
    while let Some(chunk) = field.chunk().await.map_err(refusal)? {
        if file.bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        file.push(&chunk, memory)?;
    }
    Ok(file)
}

async fn discard(stream: &mut BodyDataStream) {
    let mut size = 0;
    while let Some(Ok(chunk)) = stream.next().await {
        size += chunk.len();
        if size > MAX_DISCARDED {
            break;
        }
    }
}

fn refusal(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamSizeExceeded { .. } => too_large(),
        _ => malformed(),
    }
}

const fn too_large() -> Error {
    Error::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "File too large. Maximum size is 5MB")
}

const fn malformed() -> Error {
    Error::bad_request("parse_error", "Multipart form parse error")
}
