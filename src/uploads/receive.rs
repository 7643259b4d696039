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
/// As for other bodies: 5 MiB at 2 Mbit/s, and the edge waits little longer for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
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
    let stream = body.into_data_stream();
    let read = async {
        match boundary(&parts.headers)? {
            Some(boundary) => read(stream, boundary, (field, limit), memory).await,
            None => nothing(stream).await,
        }
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

async fn nothing(mut stream: BodyDataStream) -> Result<Option<Received>> {
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
    stream: BodyDataStream,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use axum::body::Body;

    fn form(file: &[u8]) -> Request {
        let start = b"--b\r\ncontent-disposition: form-data; name=\"avatar\"; filename=\"a.png\"\r\n\r\n";
        let body = [start.as_slice(), file, b"\r\n--b--\r\n"].concat();
        Request::builder()
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Body::from(body))
            .unwrap()
    }

    #[tokio::test]
    async fn a_file_takes_its_share_of_memory_and_gives_it_back() {
        let memory = Arc::new(Semaphore::new(10));
        let first = file(form(&[7; 6000]), ("avatar", 8192), &memory).await.unwrap().unwrap();
        assert_eq!((first.bytes(), memory.available_permits()), ([7; 6000].as_slice(), 4));
        let refused = file(form(&[7; 6000]), ("avatar", 8192), &memory).await;
        assert!(matches!(refused, Err(Error::Busy(_))));
        assert_eq!(memory.available_permits(), 4);
        drop(first);
        assert_eq!(memory.available_permits(), 10);
        file(form(&[7; 6000]), ("avatar", 8192), &memory).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn the_limit_passes_and_one_byte_more_does_not() {
        let memory = Arc::new(Semaphore::new(1000));
        assert!(file(form(&[7; 8192]), ("avatar", 8192), &memory).await.unwrap().is_some());
        let refused = file(form(&[7; 8193]), ("avatar", 8192), &memory).await.err().unwrap();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(memory.available_permits(), 1000);
    }
}
