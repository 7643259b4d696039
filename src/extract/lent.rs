//! Bodies that nobody has read when the answer is there.
//!
//! A connection that closes on a client which is still sending shows it a broken pipe instead of the
//! answer. So a handler only borrows the body, and what it leaves is read and thrown away.

use super::body::{BODY_TIMEOUT, MAX_DISCARDED};
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use bytes::Bytes;
use futures_util::StreamExt;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

/// Where an unread body comes back to; nowhere when there is none.
pub struct Leftover(Option<Place>);

type Place = Arc<Mutex<Option<Body>>>;

struct Lent {
    body: Body,
    place: Place,
}

impl Leftover {
    /// Lends the body of a request to whoever handles it.
    pub fn lend(request: Request) -> (Self, Request) {
        // Who waits for "100 Continue" sends nothing before a body is wanted (RFC 9110 §10.1.1).
        if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
            return (Self(None), request);
        }
        let place = Place::default();
        let leftover = Self(Some(place.clone()));
        (leftover, request.map(|body| Body::new(Lent { body, place })))
    }

    /// Reads what came back, at most 32 MiB, until 20 s after the request began.
    pub async fn discard(self, began: Instant) {
        let Some(place) = self.0 else { return };
        let Some(body) = place.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let discard = async {
            let (mut stream, mut size) = (body.into_data_stream(), 0);
            while let Some(Ok(chunk)) = stream.next().await {
                size += chunk.len();
                if size > MAX_DISCARDED {
                    break;
                }
            }
        };
        // Whoever is slower than that has its connection closed.
        let _ = tokio::time::timeout(BODY_TIMEOUT.saturating_sub(began.elapsed()), discard).await;
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            let body = std::mem::take(&mut self.body);
            *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
