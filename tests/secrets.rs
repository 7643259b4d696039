//! Nothing secret and nothing personal reaches the log, whatever its level and whatever happens (contract
//! §3, §5; ASVS v5.0.0-16.2.5).

use crate::chat::talker::dial;
use crate::harness::canaries::Canaries;
use crate::harness::openapi::{Operation, operations};
use crate::harness::process::Process;
use crate::harness::{Answer, unique};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Every header that the server or a layer of it reads, and some that others log.
const HEADERS: [&str; 22] = [
    "authorization",
    "x-csrftoken",
    "origin",
    "referer",
    "sec-fetch-site",
    "x-auth-mode",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-request-id",
    "traceparent",
    "accept",
    "host",
    "if-none-match",
    "access-control-request-method",
    "access-control-request-headers",
];
const COOKIES: [&str; 5] = ["refresh", "__Host-refresh", "csrftoken", "device", "__Host-device"];

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_an_account_from_its_registration_to_its_end_holds_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Process::start(folder.path(), &[]).await;
    let mut life = Life::new(&server);
    life.begin().await;
    life.use_tokens().await;
    life.use_sockets().await;
    life.use_cookies().await;
    life.change_everything().await;
    life.end().await;
    let canaries = life.canaries;
    server.stop().await;
    assert!(canaries.len() > 60, "only {} secrets were made", canaries.len());
    canaries.assert_absent(&checked_log(&server, 25));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_refused_requests_holds_nothing_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Process::start(folder.path(), &[]).await;
    let document = server.get("/api/schema", "").await.expect(200).body;
    let access = server.user("reader").await.text("access");
    let mut canaries = Canaries::default();
    canaries.keep("the access token", &access);
    let mut calls = 0;
    for operation in operations(&document) {
        calls += refuse(&server, &operation, &access, &mut canaries).await;
    }
    for path in
        ["/api/{}", "/api/auth/{}/", "/{}", "/verify-email", "/reset-password/{}", "/dev/mail/{}", "/metrics"]
    {
        let path = path.replace("{}", &canaries.plant("an unknown path"));
        let path = format!("{path}?token={0}&email={0}%40example.com", canaries.plant("a query"));
        for method in [Method::GET, Method::POST, Method::OPTIONS, Method::TRACE] {
            server.send(loaded(server.request(method, &path), &mut canaries, None)).await;
            calls += 1;
        }
    }
    speak_nonsense(&server, &mut canaries).await;
    server.stop().await;
    let log = checked_log(&server, calls);
    canaries.assert_absent(&log);
    assert!(log.contains("user_id"), "whose calls were refused is on no line: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_throttled_requests_holds_nothing_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let rates = ["AUTH", "ANON", "ANON_POST", "USER", "RESET"].map(|name| format!("THROTTLE__{name}"));
    let mut settings: Vec<_> = rates.iter().map(|name| (name.as_str(), "1/day")).collect();
    settings.push(("THROTTLE__ENABLED", "true"));
    let mut server = Process::start(folder.path(), &settings).await;
    let document = server.get("/api/schema", "").await.expect(200).body;
    let mut canaries = Canaries::default();
    let mut refused = 0;
    for operation in operations(&document) {
        for _ in 0..2 {
            let path = operation.path_with(|name| canaries.plant(name));
            let body = operation.body_with(|name| canaries.plant(name).into());
            let request = loaded(server.request(operation.method.clone(), &path), &mut canaries, None);
            let answer = server.send(request.json(&body)).await;
            refused += usize::from(answer.status == 429);
        }
    }
    assert!(refused >= 20, "{refused} calls were throttled");
    server.stop().await;
    canaries.assert_absent(&checked_log(&server, refused));
}

/// The log, once it is sure that it was written and tells what libraries and connections do, too.
fn checked_log(server: &Process, calls: usize) -> String {
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains("request_id")).count();
    assert!(lines >= calls, "{lines} lines for {calls} calls: {log}");
    assert!(!log.contains("panicked"), "{log}");
    log
}

/// Every way in which one operation refuses a request, each with secrets of its own; returns how many.
async fn refuse(server: &Process, operation: &Operation, access: &str, canaries: &mut Canaries) -> usize {
    let what = format!("{} {}", operation.method, operation.path);
    let bodies = refused_bodies(operation, &what, canaries);
    let count = bodies.len() * 2 + 2;
    for (kind, body) in bodies {
        for bearer in [None, operation.is_closed.then_some(access)] {
            let path = operation.path_with(|name| canaries.plant(format!("{name} of {what}")));
            let path = format!("{path}?token={}", canaries.plant(format!("the query of {what}")));
            let request = loaded(server.request(operation.method.clone(), &path), canaries, bearer);
            let kind = format!("{kind}; x={}", canaries.plant(format!("the type of {what}")));
            let answer = server.send(request.header("content-type", kind).body(body.clone())).await;
            assert!(answer.status < 500, "{what}: {answer:?}");
        }
    }
    for method in [Method::PUT, Method::OPTIONS] {
        let path = operation.path_with(|name| canaries.plant(format!("{name} of {what}")));
        server.send(loaded(server.request(method, &path), canaries, None)).await;
    }
    count
}

fn refused_bodies(
    operation: &Operation,
    what: &str,
    canaries: &mut Canaries,
) -> Vec<(&'static str, Vec<u8>)> {
    const JSON: &str = "application/json";
    let mut plant = |shape: &str, name: &str| canaries.plant(format!("{name} of {what} as {shape}"));
    let mut with = |shape: &'static str, wrap: &dyn Fn(String) -> Value| {
        let mut body = operation.body_with(|name| wrap(plant(shape, name)));
        body["unknown"] = plant(shape, "unknown").into();
        body.to_string().into_bytes()
    };
    let texts = with("text", &Value::from);
    let addresses = with("address", &|text| format!("{text}@example.com").into());
    let numbers = with("array", &|text| json!([text]));
    let objects = with("object", &|text| json!({ text: 1 }));
    let nul = with("NUL", &|text| format!("{text}\0").into());
    let cut = texts[..texts.len() - 1].to_vec();
    let mut surrogate = with("surrogate", &Value::from);
    surrogate.splice(surrogate.len() - 2.., *b"\\ud800\"}");
    let form = format!("username={0}&password={0}", plant("form", "body")).into_bytes();
    let large = plant("large", "body").repeat(40_000).into_bytes();
    let mut deep = "[".repeat(100_000);
    deep.push_str(&plant("deep", "body"));
    vec![
        (JSON, texts),
        (JSON, addresses),
        (JSON, numbers),
        (JSON, objects),
        (JSON, nul),
        (JSON, cut),
        (JSON, surrogate),
        (JSON, large),
        (JSON, deep.into_bytes()),
        ("application/x-www-form-urlencoded", form),
    ]
}

/// The request with a secret in every header; `bearer` instead of one in `Authorization`.
fn loaded(
    request: reqwest::RequestBuilder,
    canaries: &mut Canaries,
    bearer: Option<&str>,
) -> reqwest::RequestBuilder {
    let mut value = |name: &str| match (name, bearer) {
        ("authorization", Some(token)) => format!("Bearer {token}"),
        ("authorization", None) => format!("Bearer {}", canaries.plant("the header authorization")),
        ("x-auth-mode", _) => "cookie".to_owned(),
        ("origin" | "referer", _) => {
            format!("https://{}.example", canaries.plant(format!("the header {name}")))
        }
        _ => canaries.plant(format!("the header {name}")),
    };
    let request = HEADERS.iter().fold(request, |request, name| request.header(*name, value(name)));
    let cookies = COOKIES.map(|name| format!("{name}={}", value(&format!("cookie {name}"))));
    request.header("cookie", cookies.join("; "))
}

/// What never becomes a request: the log speaks of the connection, not of what came over it.
async fn speak_nonsense(server: &Process, canaries: &mut Canaries) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for shape in ["{} nonsense\r\n\r\n", "GET /{} HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n{}\r\n\r\n"] {
        let text = shape.replace("{}", &canaries.plant("a broken request"));
        let mut stream =
            tokio::net::TcpStream::connect(("127.0.0.1", server.port())).await.expect("a connection");
        stream.write_all(text.as_bytes()).await.expect("a write");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    }
    assert!(server.log().contains("DEBUG"), "the log is not as talkative as it can be");
}

/// An account in use, which notes every secret that comes by.
struct Life<'a> {
    server: &'a Process,
    canaries: Canaries,
    username: String,
    email: String,
    password: String,
}

impl<'a> Life<'a> {
    fn new(server: &'a Process) -> Self {
        let mut canaries = Canaries::default();
        let username = canaries.plant("the username");
        let email = format!("{}@example.com", canaries.plant("the address"));
        let password = canaries.plant_password();
        Self { server, canaries, username, email, password }
    }

    async fn call(
        &mut self,
        (method, path): (Method, &str),
        access: &str,
        body: Value,
        status: u16,
    ) -> Answer {
        let mut request = self.server.request(method, path).json(&body);
        if !access.is_empty() {
            request = request.bearer_auth(access);
        }
        let agent = self.canaries.plant("the user agent");
        let answer = self.server.send(request.header("user-agent", agent)).await.expect(status);
        self.canaries.keep_answer(path, &answer);
        answer
    }

    async fn mailed(&mut self, address: &str, page: &str) -> String {
        let token = self.server.mailed_token(address, page).await;
        self.canaries.keep(format!("the token of {page}"), &token);
        token
    }

    async fn login(&mut self) -> Answer {
        let body = json!({ "username": self.username, "password": self.password });
        self.call((Method::POST, "/api/auth/login/"), "", body, 200).await
    }

    async fn begin(&mut self) {
        let (first, last) = (self.canaries.plant("the first name"), self.canaries.plant("the last name"));
        let body = json!({ "username": self.username, "email": self.email, "password": self.password,
            "first_name": first, "last_name": last });
        self.call((Method::POST, "/api/auth/register/"), "", body, 201).await;
        let body = json!({ "email": self.email });
        self.call((Method::POST, "/api/auth/resend-verification/"), "", body, 200).await;
        let token = self.mailed(&self.email.clone(), "verify-email").await;
        for mail in self.server.mails() {
            let digits = mail.split(|character: char| !character.is_ascii_digit());
            let code = digits.rev().find(|digits| digits.len() == 8).expect("a code").to_owned();
            self.canaries.keep("the code", &code);
        }
        let wrong = json!({ "email": self.email, "code": "00000000" });
        self.call((Method::POST, "/api/auth/verify-email/"), "", wrong, 400).await;
        self.call((Method::POST, "/api/auth/verify-email/"), "", json!({ "token": token }), 200).await;
        self.call((Method::POST, "/api/auth/verify-email/"), "", json!({ "token": token }), 400).await;
    }

    async fn use_tokens(&mut self) {
        let login = self.login().await;
        let refresh = login.text("refresh");
        let next =
            self.call((Method::POST, "/api/auth/refresh/"), "", json!({ "refresh": refresh }), 200).await;
        let access = next.text("access");
        self.call((Method::POST, "/api/auth/verify/"), "", json!({ "token": access }), 200).await;
        for path in ["/api/auth/me/", "/api/auth/me/export/", "/api/auth/sessions/"] {
            self.call((Method::GET, path), &access, json!({}), 200).await;
        }
        let names = json!({ "first_name": self.canaries.plant("the next first name") });
        self.call((Method::PATCH, "/api/auth/me/"), &access, names, 200).await;
        let body = json!({ "refresh_token": next.text("refresh") });
        self.call((Method::POST, "/api/auth/logout/"), &access, body.clone(), 200).await;
        self.call((Method::POST, "/api/auth/refresh/"), "", json!({ "refresh": refresh }), 401).await;
        self.call((Method::GET, "/api/auth/me/"), &access, json!({}), 401).await;
    }

    /// By every way in, in good faith and not.
    async fn use_sockets(&mut self) {
        let access = self.login().await.text("access");
        let name = self.canaries.plant("the name of a room");
        let made = self.call((Method::POST, "/api/rooms/"), &access, json!({ "name": name }), 201).await;
        let ticket = self.call((Method::POST, "/api/auth/ws-ticket/"), &access, json!({}), 200).await;
        let address = ([127, 0, 0, 1], self.server.port()).into();
        let path = format!("/ws/chat/{}/", made.body["id"]);
        let wrong = self.canaries.plant("a token that is none");
        let bearer = [("sec-websocket-protocol", format!("bearer, {access}"))];
        for (query, headers) in [
            (format!("?token={access}&after=0"), &[][..]),
            (format!("?ticket={}", ticket.text("ticket")), &[]),
            (String::new(), &bearer),
            (format!("?token={wrong}"), &[]),
            (format!("?ticket={wrong}"), &[]),
        ] {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let opened = dial(address, &format!("{path}{query}"), &headers).await;
            let mut talker = opened.unwrap_or_else(|refused| panic!("{refused:?}")).0;
            if query.contains(&wrong) {
                assert_eq!(talker.closed().await, 4001);
                continue;
            }
            talker.say(&self.canaries.plant("a message")).await;
            talker.hear().await;
            talker.say(&format!("{}\0", self.canaries.plant("a wrong message"))).await;
            assert_eq!(talker.hear().await["type"], "error");
            talker.send(Message::binary(self.canaries.plant("bytes").into_bytes())).await;
            assert_eq!(talker.closed().await, 1003);
        }
        let log = self.server.log();
        assert!(log.contains("/ws/chat/{room_id}"), "{log}");
    }

    async fn use_cookies(&mut self) {
        let body = json!({ "username": self.username, "password": self.password });
        let request = self.server.request(Method::POST, "/api/auth/login/").header("x-auth-mode", "cookie");
        let login = self.server.send(request.json(&body)).await.expect(200);
        self.canaries.keep_answer("the login with cookies", &login);
        let (refresh, csrf) =
            (login.cookie("refresh").expect("a token"), login.cookie("csrftoken").expect("a token"));
        for (token, status) in [("", 403), (csrf.as_str(), 200)] {
            let request = self.server.request(Method::POST, "/api/auth/refresh/");
            let request = request.header("cookie", format!("refresh={refresh}; csrftoken={csrf}"));
            let request = request.header("origin", self.server.origin()).header("x-csrftoken", token);
            let answer = self.server.send(request.json(&json!({}))).await.expect(status);
            self.canaries.keep_answer("the refresh with cookies", &answer);
        }
    }

    async fn change_everything(&mut self) {
        let access = self.login().await.text("access");
        let next = self.canaries.plant_password();
        let body = json!({ "current_password": self.password, "new_password": next });
        self.call((Method::PATCH, "/api/auth/change-password/"), &access, body, 200).await;
        self.password = next;
        self.call((Method::POST, "/api/auth/password-reset/"), "", json!({ "email": self.email }), 200).await;
        let token = self.mailed(&self.email.clone(), "reset-password").await;
        let next = self.canaries.plant_password();
        let body = json!({ "token": token, "password": next });
        self.call((Method::POST, "/api/auth/password-reset/confirm/"), "", body.clone(), 200).await;
        self.call((Method::POST, "/api/auth/password-reset/confirm/"), "", body, 400).await;
        self.password = next;
        let access = self.login().await.text("access");
        let email = format!("{}@example.com", self.canaries.plant("the next address"));
        let body = json!({ "email": email, "password": self.password });
        self.call((Method::POST, "/api/auth/email-change/"), &access, body, 200).await;
        let token = self.mailed(&email, "confirm-email").await;
        self.call((Method::POST, "/api/auth/email-change/confirm/"), "", json!({ "token": token }), 200)
            .await;
        self.email = email;
    }

    async fn end(&mut self) {
        let access = self.login().await.text("access");
        self.call((Method::POST, "/api/auth/logout-all/"), &access, json!({}), 200).await;
        let access = self.login().await.text("access");
        self.call((Method::DELETE, "/api/auth/me/"), &access, json!({ "password": unique() }), 400).await;
        self.call((Method::DELETE, "/api/auth/me/"), &access, json!({ "password": self.password }), 200)
            .await;
    }
}
