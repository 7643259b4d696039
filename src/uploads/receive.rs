//! Multipart bodies, read as they arrive and no further than allowed.

use crate::error::{Error, Result};
use crate::extract::{Memory, Share};
use axum::body::BodyDataStream;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Room for other fields and for what stands between fields.
const OVERHEAD: usize = 64 * 1024;
/// As for other bodies: 5 MiB at 2 Mbit/s, and the edge waits little longer for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file that is here, and the share that its whole body took of the memory for uploads.
pub struct Received {
    bytes: BytesMut,
    _share: Arc<Mutex<Share>>,
}

impl Received {
    /// Its content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a stream ends before its body.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the body cannot be read")]
    Unreadable,
    #[error("too many uploads are here")]
    Refused(Error),
}

/// Takes memory for all that arrives, whatever part of the form it is: it is the parser that keeps heads of fields.
fn counted(
    stream: BodyDataStream,
    share: Arc<Mutex<Share>>,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send {
    let mut length = 0;
    stream.map(move |chunk| {
        let chunk = chunk.map_err(|_| Broken::Unreadable)?;
        length += chunk.len();
        share.lock().unwrap_or_else(PoisonError::into_inner).grow_to(length).map_err(Broken::Refused)?;
        Ok(chunk)
    })
}

/// The file of a field; of several the last, as in Django. A field without a file name is no file.
pub(super) async fn file(
    request: Request,
    (field, limit): (&'static str, usize),
    memory: &Memory,
) -> Result<Option<Received>> {
    let (parts, body) = request.into_parts();
    let stream = body.into_data_stream();
    let read = async {
        match boundary(&parts.headers)? {
            Some(boundary) => read(stream, boundary, (field, limit), memory.share()).await,
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
    share: Share,
) -> Result<Option<Received>> {
    let whole = u64::try_from(limit + OVERHEAD).map_err(Error::internal)?;
    let bounds = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
    let share = Arc::new(Mutex::new(share));
    let mut fields = Multipart::with_constraints(counted(stream, share.clone()), boundary, bounds);
    let mut found: Option<BytesMut> = None;
    while let Some(field) = fields.next_field().await.map_err(refusal)? {
        let is_file = field.file_name().is_some_and(|name| !name.is_empty());
        if is_file && field.name() == Some(name) {
            drop(found.take());
            found = Some(read_field(field, limit).await?);
        }
    }
    let found = found.filter(|bytes| !bytes.is_empty());
    Ok(found.map(|bytes| Received { bytes, _share: share }))
}

async fn read_field(mut field: Field<'_>, limit: usize) -> Result<BytesMut> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(refusal)? {
        if bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn refusal(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamSizeExceeded { .. } => too_large(),
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Broken>() {
            Ok(broken) => match *broken {
                Broken::Refused(refusal) => refusal,
                Broken::Unreadable => malformed(),
            },
            Err(_) => malformed(),
        },
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
        let memory = Memory::new(10);
        let first = file(form(&[7; 6000]), ("avatar", 8192), &memory).await.unwrap().unwrap();
        assert_eq!((first.bytes(), memory.free()), ([7; 6000].as_slice(), 4));
        let refused = file(form(&[7; 6000]), ("avatar", 8192), &memory).await;
        assert!(matches!(refused, Err(Error::Busy(_))));
        assert_eq!(memory.free(), 4);
        drop(first);
        assert_eq!(memory.free(), 10);
        file(form(&[7; 6000]), ("avatar", 8192), &memory).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_is_no_file_takes_its_share_too() {
        let memory = Memory::new(10);
        let head = [b"--b\r\nx-long: ".as_slice(), &[b'a'; 11 * 1024]].concat();
        let request = Request::builder().header("content-type", "multipart/form-data; boundary=b");
        let refused = file(request.body(Body::from(head)).unwrap(), ("avatar", 64 * 1024), &memory).await;
        assert!(matches!(refused, Err(Error::Busy(_))));
        assert_eq!(memory.free(), 10);
    }

    #[tokio::test]
    async fn the_limit_passes_and_one_byte_more_does_not() {
        let memory = Memory::new(1000);
        assert!(file(form(&[7; 8192]), ("avatar", 8192), &memory).await.unwrap().is_some());
        let refused = file(form(&[7; 8193]), ("avatar", 8192), &memory).await.err().unwrap();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(memory.free(), 1000);
    }
}
