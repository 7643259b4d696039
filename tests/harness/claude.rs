//! A server that speaks Anthropic's Messages API as a test tells it to.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What it does with a call.
pub enum Says {
    /// A status, with or without `Retry-After`.
    Status(u16, Option<&'static str>),
    /// A whole answer in small pieces, made of the ids that were offered.
    Whole(fn(&[i64]) -> String),
    /// The pieces, then the connection ends in the middle.
    Cut(fn(&[i64]) -> String),
    /// The pieces, then an error of the API.
    Overloaded(fn(&[i64]) -> String),
    /// The pieces, then the length is used up.
    TooLong(fn(&[i64]) -> String),
    /// Something that is no event.
    Page,
    /// Nothing, for a minute.
    Silence,
    /// The pieces, then nothing but pings for a minute.
    Pings(fn(&[i64]) -> String),
}

/// What was sent to it.
#[derive(Clone)]
pub struct Call {
    pub headers: HeaderMap,
    pub body: Value,
}

impl Call {
    /// The question and the books.
    pub fn data(&self) -> Value {
        let text = self.body["messages"][0]["content"].as_str().expect("a message");
        serde_json::from_str(text).expect("JSON in the message")
    }

    fn ids(&self) -> Vec<i64> {
        let data = self.data();
        data["books"]
            .as_array()
            .expect("books")
            .iter()
            .map(|book| book["id"].as_i64().expect("an id"))
            .collect()
    }
}

#[derive(Default)]
struct Script {
    says: VecDeque<Says>,
    calls: Vec<Call>,
}

/// The server; it goes with the test.
pub struct Claude {
    address: std::net::SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Claude {
    pub async fn start(says: Vec<Says>) -> Self {
        let script = Arc::new(Mutex::new(Script { says: says.into(), calls: Vec::new() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/v1/messages", post(answer)).with_state(script.clone());
        let service = router.into_service::<hyper::body::Incoming>();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = hyper_util::service::TowerToHyperService::new(service.clone());
                let io = hyper_util::rt::TokioIo::new(stream);
                let builder =
                    hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
                tokio::spawn(async move { builder.serve_connection(io, service).await.map_err(drop) });
            }
        });
        Self { address, script }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it does next.
    pub fn then(&self, says: Says) {
        self.script.lock().expect("the script").says.push_back(says);
    }

    /// The calls so far, which are forgotten.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.script.lock().expect("the script").calls)
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, headers: HeaderMap, body: Bytes) -> Response {
    let call = Call { headers, body: serde_json::from_slice(&body).expect("JSON") };
    let says = {
        let mut script = script.lock().expect("the script");
        script.calls.push(call.clone());
        script.says.pop_front().unwrap_or(Says::Status(500, None))
    };
    let ids = call.ids();
    match says {
        Says::Status(status, retry_after) => {
            let status = StatusCode::from_u16(status).expect("a status");
            let body =
                json!({ "type": "error", "error": { "type": "some_error", "message": "no" } }).to_string();
            match retry_after {
                Some(wait) => (status, [("retry-after", wait)], body).into_response(),
                None => (status, body).into_response(),
            }
        }
        Says::Whole(text) => events(pieces(&text(&ids)), end("end_turn"), false),
        Says::Cut(text) => broken(pieces(&text(&ids))),
        Says::TooLong(text) => events(pieces(&text(&ids)), end("max_tokens"), false),
        Says::Overloaded(text) => {
            let error =
                json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
            events(pieces(&text(&ids)), vec![error], false)
        }
        Says::Page => "<html>Good day</html>\n\ndata: <html>\n\n".into_response(),
        Says::Silence => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StatusCode::OK.into_response()
        }
        Says::Pings(text) => events(pieces(&text(&ids)), Vec::new(), true),
    }
}

fn pieces(text: &str) -> Vec<Value> {
    let letters: Vec<char> = text.chars().collect();
    let piece = |letters: &[char]| {
        let text: String = letters.iter().collect();
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } })
    };
    let begin =
        json!({ "type": "message_start", "message": { "id": "m", "role": "assistant", "content": [] } });
    let block =
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } });
    [begin, block].into_iter().chain(letters.chunks(9).map(piece)).collect()
}

fn end(reason: &str) -> Vec<Value> {
    vec![
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": reason, "stop_sequence": null }, "usage": {} }),
        json!({ "type": "message_stop" }),
    ]
}

fn line(event: Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
}

/// The connection breaks.
fn broken(pieces: Vec<Value>) -> Response {
    let said = futures_util::stream::iter(pieces.into_iter().map(line).map(Ok));
    let end = futures_util::stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::Error::other("cut"))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(said.chain(end))).into_response()
}

fn events(pieces: Vec<Value>, end: Vec<Value>, pings_on: bool) -> Response {
    let said = futures_util::stream::iter(pieces.into_iter().chain(end).map(line));
    let pings = futures_util::stream::unfold(0, move |count| async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        (pings_on && count < 600).then(|| (line(json!({ "type": "ping" })), count + 1))
    });
    let stream = said.chain(pings).map(Ok::<_, Infallible>);
    ([("content-type", "text/event-stream")], Body::from_stream(stream)).into_response()
}
