//! Connections to the server of accounts.

use super::{Accounts, BELOW};
use crate::fixture::{Call, sound};
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

pub async fn serve(accounts: Accounts) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accounts = Arc::new(accounts);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(accounts.clone(), stream));
        }
    });
    url
}

async fn connection(accounts: Arc<Accounts>, stream: TcpStream) {
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        let accounts = accounts.clone();
        async move {
            let upgrade = hyper::upgrade::on(&mut request);
            let (head, body) = request.into_parts();
            let call = Call {
                method: head.method.to_string(),
                path: accounts.path(head.uri.path()),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: head.headers,
                body: body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default(),
            };
            let mut reply = sound(&call);
            let mut file = None;
            if !accounts.answer(&call, &mut reply, &mut file) && reply.status == 101 {
                let code = reply.body.parse().ok();
                reply.body.clear();
                tokio::spawn(talk(accounts, call.query, upgrade, code));
            }
            let body = file.unwrap_or_else(|| reply.body.into_bytes());
            let mut response = hyper::Response::new(Full::new(Bytes::from(body)));
            *response.status_mut() = reply.status.try_into().unwrap();
            *response.headers_mut() = reply.headers;
            Ok::<_, Infallible>(response)
        }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.with_upgrades().await;
}

/// Keeps a socket until its session ends, or closes it with a code at once.
async fn talk(accounts: Arc<Accounts>, query: String, upgrade: OnUpgrade, code: Option<u16>) {
    let Ok(upgraded) = upgrade.await else { return };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let token = query.trim_start_matches("token=");
    // One that was opened after the logout is the hole itself.
    let is_late = !accounts.may_stay(token);
    loop {
        let code = code.or_else(|| (!is_late && !accounts.may_stay(token)).then_some(4001));
        if let Some(code) = code {
            let _ = socket.close(Some(CloseFrame { code: code.into(), reason: "".into() })).await;
            while let Some(Ok(_)) = socket.next().await {}
            return;
        }
        if let Ok(None | Some(Err(_))) = tokio::time::timeout(Duration::from_millis(50), socket.next()).await
        {
            return;
        }
    }
}

impl Accounts {
    /// The path below the one at which the server lives; elsewhere nothing is.
    fn path(&self, path: &str) -> String {
        match path.strip_prefix(BELOW) {
            Some(rest) if self.is("odd.below") => rest.to_owned(),
            _ if self.is("odd.below") => "/nowhere".to_owned(),
            _ => path.to_owned(),
        }
    }
}
