//! An operator's server, which takes webhooks, refuses them, is silent, points elsewhere, or is not there.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The bytes of that secret.
const KEY: [u8; 24] = [
    0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c, 0xf6,
    0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0,
];
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    Refuses,
    PointsElsewhere,
    IsSilent,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    pub path: String,
    pub id: String,
    pub body: Value,
}

/// How it behaves, and what it was told.
type Shared = Arc<Mutex<(Manner, Vec<Call>)>>;

pub struct Receiver {
    address: SocketAddr,
    shared: Shared,
    task: Option<JoinHandle<()>>,
}

impl Receiver {
    pub async fn start(manner: Manner) -> Self {
        let shared = Arc::new(Mutex::new((manner, Vec::new())));
        let mut receiver = Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), shared, task: None };
        receiver.revive().await;
        receiver
    }

    /// Listens again, on the port that it had.
    pub async fn revive(&mut self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.expect("the port");
        self.address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(take).with_state(self.shared.clone());
        self.task = Some(tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        }));
    }

    /// Closes the port.
    pub async fn die(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?team=security", self.address)
    }

    pub fn behave(&self, manner: Manner) {
        self.shared.lock().expect("no panic").0 = manner;
    }

    pub fn calls(&self) -> Vec<Call> {
        self.shared.lock().expect("no panic").1.clone()
    }

    /// The first call that is as wanted; waits for it.
    pub async fn call(&self, wanted: impl Fn(&Call) -> bool) -> Call {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(call) = self.calls().into_iter().find(&wanted) {
                return call;
            }
            assert!(tokio::time::Instant::now() < deadline, "no such call among {:?}", self.calls());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for so many calls.
    pub async fn count(&self, count: usize) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.calls().len() < count {
            assert!(tokio::time::Instant::now() < deadline, "only {:?}", self.calls());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn take(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let id = header("webhook-id");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&KEY).expect("a key");
    mac.update(format!("{id}.{}.", header("webhook-timestamp")).as_bytes());
    mac.update(&body);
    let expected = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, mac.finalize().into_bytes());
    assert_eq!(header("webhook-signature"), format!("v1,{expected}"));
    let body = serde_json::from_slice(&body).expect("JSON");
    let manner = {
        let mut shared = shared.lock().expect("no panic");
        shared.1.push(Call { path: uri.to_string(), id, body });
        shared.0
    };
    match manner {
        Manner::Takes => StatusCode::NO_CONTENT.into_response(),
        Manner::Refuses => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Manner::PointsElsewhere => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response()
        }
        Manner::IsSilent => std::future::pending().await,
    }
}
