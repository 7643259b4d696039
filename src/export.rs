//! A JSON object that is written while its reader reads: as large as it likes, and never in memory as a whole.

use crate::error::{Error, Result};
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, StreamExt, stream};
use serde_json::Value;
use tokio::sync::mpsc;

/// Bytes of a piece, or a little more.
const PIECE: usize = 32 * 1024;

/// The writing end.
pub struct Export {
    pieces: mpsc::Sender<String>,
    text: String,
}

impl Export {
    /// The answer that `write` writes. It has begun before anything can go wrong: what does breaks it off.
    pub fn answer<W, F>(write: W) -> Response
    where
        W: FnOnce(Self) -> F,
        F: Future<Output = Result<Self>> + Send + 'static,
    {
        let (pieces, mut read) = mpsc::channel(1);
        let written = write(Self { pieces, text: "{".to_owned() });
        let work = async {
            let mut export = written.await?;
            export.text.push('}');
            export.send().await
        };
        let failure = work.into_stream().filter_map(async |done| done.err().map(Err));
        let pieces = stream::poll_fn(move |context| read.poll_recv(context)).map(Ok);
        let body = Body::from_stream(stream::select(pieces, failure).map(|piece| {
            piece.map_err(|error: Error| {
                tracing::warn!(?error, "an export was broken off");
                std::io::Error::other("broken off")
            })
        }));
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }

    /// A member with its value.
    ///
    /// # Errors
    /// When nobody reads any more, as for everything here.
    pub async fn member(&mut self, name: &str, value: &Value) -> Result<()> {
        self.name(name);
        self.push(&value.to_string()).await
    }

    /// Begins a member that is an object.
    pub fn open_object(&mut self, name: &str) {
        self.name(name);
        self.text.push('{');
    }

    /// Ends it.
    pub fn close_object(&mut self) {
        self.text.push('}');
    }

    /// Begins a member that is a list.
    pub fn open_list(&mut self, name: &str) {
        self.name(name);
        self.text.push('[');
    }

    /// Adds to the list.
    ///
    /// # Errors
    /// As [`member`](Self::member).
    pub async fn item(&mut self, value: &Value) -> Result<()> {
        self.separate();
        self.push(&value.to_string()).await
    }

    /// Ends it.
    pub fn close_list(&mut self) {
        self.text.push(']');
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.text.push_str(&Value::from(name).to_string());
        self.text.push(':');
    }

    fn separate(&mut self) {
        if !self.text.ends_with(['{', '[']) {
            self.text.push(',');
        }
    }

    /// The last character stays, so that the next one knows whether it needs a comma.
    async fn push(&mut self, json: &str) -> Result<()> {
        self.text.push_str(json);
        if self.text.len() < PIECE {
            return Ok(());
        }
        let last = self.text.pop();
        self.send().await?;
        self.text.extend(last);
        Ok(())
    }

    async fn send(&mut self) -> Result<()> {
        let piece = std::mem::take(&mut self.text);
        let sent = self.pieces.send(piece).await;
        sent.map_err(|_| Error::unavailable("nobody reads the export"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    async fn read(response: Response) -> Result<Value, axum::Error> {
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
        Ok(serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn what_is_written_in_pieces_is_one_object() {
        let text = "x".repeat(PIECE / 3);
        let written = text.clone();
        let answer = Export::answer(|mut export| async move {
            export.open_list("none");
            export.close_list();
            export.member("a \"name\"", &json!({ "of": [1] })).await?;
            export.open_object("inside");
            export.open_list("many");
            for _ in 0..10 {
                export.item(&json!(written)).await?;
            }
            export.close_list();
            export.member("last", &Value::Null).await?;
            export.close_object();
            Ok(export)
        });
        let many = vec![text; 10];
        let whole =
            json!({ "none": [], "a \"name\"": { "of": [1] }, "inside": { "many": many, "last": null } });
        assert_eq!(read(answer).await.unwrap(), whole);
    }

    #[tokio::test]
    async fn what_goes_wrong_breaks_the_answer_off() {
        let answer = Export::answer(|mut export| async move {
            export.member("first", &json!(1)).await?;
            Err(Error::unavailable("the database is away"))
        });
        assert!(read(answer).await.is_err());
    }
}
