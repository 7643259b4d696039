//! A server of accounts in memory, sound but for the hole that it is told to have.

use crate::fixture::{Call, Reply, socket, sound};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE;
use futures_util::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

const KEY: &str = "a-key-that-nobody-guesses-at-all";
const PUBLIC: &str = "a-published-key";
const FRONT: &str = "http://front.example";
/// The holes that leave access tokens, refresh tokens, new and open sockets alive.
const AFTER_LOGOUT: [&str; 4] =
    ["sessions.logout_access", "sessions.logout_refresh", "socket.logout", "socket.outlives"];
const MAILS: usize = 12;
const LIMIT: usize = 10;
/// How long a throttle that was reached lets nobody pass.
const CLOSED: Duration = Duration::from_secs(8);
const GRACE: Duration = Duration::from_secs(5);

pub struct Accounts {
    hole: &'static str,
    mails: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    users: Vec<User>,
    sessions: Vec<Session>,
    /// What a mailed token is for, and whose it is.
    links: HashMap<String, (&'static str, usize)>,
    sent: usize,
    /// How many were let pass, and until when none is.
    tries: HashMap<&'static str, (usize, Option<Instant>)>,
    texts: Vec<(usize, String)>,
    pictures: Vec<Option<(Vec<u8>, &'static str)>>,
    rooms: Vec<usize>,
}

struct User {
    name: String,
    first_name: String,
    email: String,
    password: String,
    verified: bool,
    staff: bool,
}

struct Session {
    user: usize,
    /// Whether access tokens, refresh tokens, new and open sockets go on.
    lives: [bool; 4],
    generation: usize,
    spent: Vec<Instant>,
}

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
                path: head.uri.path().to_owned(),
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
    pub fn new(hole: &'static str, mails: &Path) -> Self {
        Self { hole, mails: mails.to_owned(), state: Mutex::default() }
    }

    fn is(&self, hole: &str) -> bool {
        self.hole == hole
    }

    fn may_stay(&self, token: &str) -> bool {
        let state = self.state.lock().unwrap();
        sid(token).is_some_and(|sid| state.sessions.get(sid).is_some_and(|session| session.lives[3]))
    }

    /// Answers what the sound server does not; whether it did. A socket that may open is not answered.
    fn answer(&self, call: &Call, reply: &mut Reply, file: &mut Option<Vec<u8>>) -> bool {
        let mut state = self.state.lock().unwrap();
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let caller = self.caller(call, &state);
        (body.is_object() && self.posted(&mut state, call, &body, reply))
            || caller.is_some_and(|user| self.own(&mut state, call, (user, &body), reply))
            || self.shown(&mut state, call, caller, reply)
            || media(&state, call, reply, file)
    }

    /// What needs a body and no token.
    fn posted(&self, state: &mut State, call: &Call, body: &Value, reply: &mut Reply) -> bool {
        match (call.method.as_str(), call.path.trim_end_matches('/')) {
            ("POST", "/api/auth/register") => self.register(state, call, body, reply),
            ("POST", "/api/auth/login") => self.login(state, call, body, reply),
            ("POST", "/api/auth/verify-email") => match state.links.remove(text(body, "token")) {
                Some(("verify", user)) => {
                    state.users[user].verified = true;
                    self.begin(state, user, reply);
                }
                _ => reply.json(400, &json!({"error": "token"})),
            },
            ("POST", "/api/auth/refresh") => self.refresh(state, call, text(body, "refresh"), reply),
            ("POST", "/api/auth/logout") => {
                if let Some(sid) = sid(text(body, "refresh_token")) {
                    state.sessions[sid].lives = AFTER_LOGOUT.map(|hole| self.is(hole));
                }
                reply.json(200, &json!({"message": "bye"}));
            }
            ("POST", "/api/auth/password-reset") => self.reset(state, call, text(body, "email"), reply),
            ("POST", "/api/auth/resend-verification") => {
                let known = state.users.iter().any(|user| user.email == text(body, "email"));
                let status = if known || !self.is("enumeration.resend") { 200 } else { 404 };
                reply.json(status, &json!({"message": "mailed"}));
            }
            ("POST", "/api/auth/password-reset/confirm") => {
                self.confirm(state, text(body, "token"), text(body, "password"), reply);
            }
            _ => return false,
        }
        true
    }

    /// What needs a token.
    fn own(&self, state: &mut State, call: &Call, (user, body): (usize, &Value), reply: &mut Reply) -> bool {
        match (call.method.as_str(), call.path.trim_end_matches('/')) {
            ("POST", "/api/auth/change-password") => {
                text(body, "new_password").clone_into(&mut state.users[user].password);
                if !self.is("sessions.password_change") {
                    end_all(state, user, caller_session(call));
                }
                reply.json(200, &json!({"message": "changed"}));
            }
            (method @ ("GET" | "PATCH" | "DELETE"), "/api/auth/me") => {
                let user = &mut state.users[user];
                if method == "PATCH" && self.is("objects.rights") {
                    user.staff = body["is_staff"] == Value::Bool(true);
                }
                reply.json(200, &json!({"username": user.name, "is_staff": user.staff}));
            }
            ("POST", "/api/reviews") => {
                let dirty = self.is("objects.script");
                let kept = if dirty { text(body, "review_text") } else { "<p>kept</p>" };
                state.texts.push((user, kept.to_owned()));
                reply.json(201, &json!({"id": state.texts.len() - 1}));
            }
            ("PATCH", "/api/profile/avatar") => self.upload(state, call, reply),
            ("POST", "/api/rooms") => {
                state.rooms.push(user);
                reply.json(201, &json!({"id": state.rooms.len() - 1}));
            }
            _ => return false,
        }
        true
    }

    /// What anybody may ask for.
    fn shown(&self, state: &mut State, call: &Call, caller: Option<usize>, reply: &mut Reply) -> bool {
        match (call.method.as_str(), call.path.trim_end_matches('/')) {
            ("GET", "/verify-email") => {
                if self.is("mail.prefetch")
                    && let Some((_, user)) = state.links.remove(call.query.trim_start_matches("token="))
                {
                    state.users[user].verified = true;
                }
                (reply.status, reply.body) = (200, "<!doctype html><title>Verify</title>".to_owned());
                reply.set("content-type", "text/html; charset=utf-8");
            }
            ("GET", "/api/books") => reply.json(200, &json!({"count": 1, "results": [{"id": 1}]})),
            ("POST", "/api/reviews") => {
                let status = if self.is("objects.anonymous") { 500 } else { 401 };
                reply.json(status, &json!({"error": "no token"}));
            }
            (method, path) if path.starts_with("/api/reviews/") => {
                let hole = if method == "GET" { "objects.read" } else { "objects.write" };
                if let Some((owner, text)) = last(path).and_then(|id| state.texts.get(id))
                    && (caller == Some(*owner) || caller.is_some() && self.is(hole))
                {
                    reply.json(200, &json!({"review_text": text}));
                }
            }
            ("GET", path) if path.starts_with("/ws/chat/") && !call.query.is_empty() => {
                self.open(state, call, last(path), reply);
                return false;
            }
            ("GET", "/.well-known/jwks.json") => {
                reply.json(200, &json!({"keys": [{"kty": "OKP", "x": PUBLIC}]}));
            }
            _ => return false,
        }
        true
    }

    /// Whether this try is one too many, and the refusal.
    fn refuse(&self, state: &mut State, call: &Call, what: &'static str, reply: &mut Reply) -> bool {
        let evades = self.is("throttle.forwarded") && !call.header("x-forwarded-for").is_empty();
        let open = self.hole.strip_prefix("throttle.").or(self.hole.strip_prefix("timing.")) == Some(what);
        let (tries, until) = state.tries.entry(what).or_default();
        if until.is_some_and(|until| until <= Instant::now()) {
            (*tries, *until) = (0, None);
        }
        *tries += usize::from(!evades);
        if *tries <= LIMIT || open || evades {
            return false;
        }
        let until = until.get_or_insert_with(|| Instant::now() + CLOSED);
        let wait = until.duration_since(Instant::now()).as_secs() + 1;
        reply.json(429, &json!({"error": "later"}));
        reply.set("retry-after", &wait.to_string());
        true
    }

    fn register(&self, state: &mut State, call: &Call, body: &Value, reply: &mut Reply) {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (name, email, password, first) =
            (text("username"), text("email"), text("password"), text("first_name"));
        if state.users.iter().any(|user| user.name == name) {
            if !self.refuse(state, call, "register", reply) {
                reply.json(400, &json!({"error": "taken"}));
            }
            return;
        }
        let checks = [
            ("passwords.common", password == "P@ssw0rd"),
            ("passwords.short", password.len() < 8),
            ("passwords.similar", password.to_lowercase().contains(&name)),
            ("mail.injection", first.contains('<')),
        ];
        if name.is_empty() || checks.iter().any(|(hole, holds)| *holds && !self.is(hole)) {
            return reply.json(400, &json!({"error": "refused"}));
        }
        let known = state.users.iter().any(|user| user.email == email);
        if known && self.is("enumeration.register") {
            return reply.json(400, &json!({"error": "known"}));
        }
        state.users.push(User {
            name: name.clone(),
            first_name: first,
            email: email.clone(),
            password,
            verified: false,
            staff: false,
        });
        if !known {
            let user = state.users.len() - 1;
            self.mail(state, "verify", user, FRONT);
        }
        reply.json(201, &json!({"message": "mailed", "user": {"username": name, "email": email}}));
    }

    fn login(&self, state: &mut State, call: &Call, body: &Value, reply: &mut Reply) {
        let user = state.users.iter().position(|user| body["username"] == user.name.as_str());
        if user.is_some() && self.is("timing.login") {
            std::thread::sleep(Duration::from_millis(25));
        }
        match user.filter(|user| body["password"] == state.users[*user].password.as_str()) {
            Some(user) if state.users[user].verified => {
                self.begin(state, user, reply);
                if call.header("x-auth-mode") == "cookie" {
                    let refresh = reply
                        .body
                        .split("\"refresh\":\"")
                        .nth(1)
                        .unwrap()
                        .split('"')
                        .next()
                        .unwrap()
                        .to_owned();
                    let flags =
                        if self.is("cookies.login") { "Path=/" } else { "Path=/; HttpOnly; SameSite=Strict" };
                    reply.set("set-cookie", &format!("refresh={refresh}; {flags}"));
                }
            }
            _ if self.refuse(state, call, "login", reply) => {}
            Some(_) if self.is("enumeration.login") => reply.json(401, &json!({"error": "wrong password"})),
            None if user.is_none() && self.is("enumeration.login") => {
                reply.json(401, &json!({"error": "unknown"}))
            }
            _ => reply.json(401, &json!({"error": "no"})),
        }
    }

    /// Begins a session and answers with its tokens.
    fn begin(&self, state: &mut State, user: usize, reply: &mut Reply) {
        state.sessions.push(Session { user, lives: [true; 4], generation: 0, spent: Vec::new() });
        self.tokens(state, state.sessions.len() - 1, reply);
    }

    fn tokens(&self, state: &State, sid: usize, reply: &mut Reply) {
        let session = &state.sessions[sid];
        let key = if self.is("tokens.guessable_key") { "secret" } else { KEY };
        let claims =
            json!({"sid": sid, "exp": 4_000_000_000_u64, "is_staff": state.users[session.user].staff});
        let signed = format!(
            "{}.{}",
            URL_SAFE.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
            URL_SAFE.encode(claims.to_string())
        );
        let access = format!("{signed}.{}", mac(&signed, key));
        reply.json(
            200,
            &json!({"access": access, "refresh": format!("refresh.{sid}.{}", session.generation)}),
        );
    }

    fn refresh(&self, state: &mut State, call: &Call, given: &str, reply: &mut Reply) {
        let cookie = call.header("cookie").trim_start_matches("refresh=");
        let foreign = !call.header("origin").is_empty() && !self.is("cookies.csrf");
        let given = if given.is_empty() && !foreign { cookie } else { given };
        let parts: Vec<usize> = given.split('.').skip(1).filter_map(|part| part.parse().ok()).collect();
        let refused = json!({"error": "no"});
        let [sid, generation] = parts[..] else { return reply.json(401, &refused) };
        let (reuse, family, parallel) =
            (self.is("sessions.refresh_reuse"), self.is("sessions.family"), self.is("sessions.parallel"));
        let session = &mut state.sessions[sid];
        if !session.lives[1] {
            return reply.json(401, &refused);
        }
        if generation == session.generation {
            session.generation += 1;
            session.spent.push(Instant::now());
        } else if session.spent[generation].elapsed() > GRACE && !reuse || parallel {
            // Ten at once are no re-use, whatever the hole makes of them.
            if session.spent[generation].elapsed() > GRACE {
                session.lives = [family; 4];
            }
            return reply.json(401, &refused);
        }
        self.tokens(state, sid, reply);
    }

    fn reset(&self, state: &mut State, call: &Call, email: &str, reply: &mut Reply) {
        let user = state.users.iter().position(|user| user.email == email);
        if user.is_some() && self.is("timing.reset") {
            std::thread::sleep(Duration::from_millis(25));
        }
        match user {
            Some(user) if self.is("mail.host") && !call.header("x-forwarded-host").is_empty() => {
                self.mail(state, "reset", user, &format!("http://{}", call.header("x-forwarded-host")));
            }
            Some(user) => self.mail(state, "reset", user, FRONT),
            None if self.refuse(state, call, "reset", reply) => return,
            None if self.is("enumeration.reset") => return reply.json(404, &json!({"error": "unknown"})),
            None => {}
        }
        reply.json(200, &json!({"message": "mailed"}));
    }

    fn mail(&self, state: &mut State, purpose: &'static str, user: usize, base: &str) {
        // What probes read is less; more would tell a stopwatch that there was a mail.
        if state.sent == MAILS {
            return;
        }
        state.sent += 1;
        let of = &state.users[user];
        let token = format!("{purpose}-{}", state.sent);
        let text = format!("To: {}\n\nHello {}\n{base}/{purpose}?token={token}\n", of.email, of.first_name);
        state.links.insert(token, (purpose, user));
        let path = self.mails.join(format!("{:04}.eml", state.sent));
        std::fs::write(path.with_extension("partial"), text).unwrap();
        std::fs::rename(path.with_extension("partial"), path).unwrap();
    }

    fn confirm(&self, state: &mut State, token: &str, password: &str, reply: &mut Reply) {
        let Some(("reset", user)) = state.links.get(token).copied() else {
            return reply.json(400, &json!({"error": "token"}));
        };
        let (twice, others) = (self.is("reset.twice"), self.is("reset.others"));
        state
            .links
            .retain(|name, _| if name == token { twice } else { others || !name.starts_with("reset") });
        state.users[user].password = password.to_owned();
        if !self.is("sessions.password_reset") {
            end_all(state, user, None);
        }
        reply.json(200, &json!({"message": "set"}));
    }

    fn upload(&self, state: &mut State, call: &Call, reply: &mut Reply) {
        let marker = b"\r\n\r\n";
        let start = call.body.windows(4).position(|window| window == marker).unwrap() + 4;
        let end = call.body.len() - b"\r\n--probe-7f3a9c1e5b2d--\r\n".len();
        let sent = &call.body[start..end];
        if !sent.starts_with(&[0xFF, 0xD8]) && !self.is("uploads.content") {
            return reply.json(400, &json!({"error": "no picture"}));
        }
        if sent.len() > 5 * 1024 * 1024 && !self.is("uploads.size") {
            return reply.json(413, &json!({"error": "too large"}));
        }
        let tail = sent.windows(6).rposition(|window| window == b"<html>").unwrap_or(sent.len());
        let (kept, kind) = match self.hole {
            "uploads.metadata" => (sent[..tail].to_vec(), "image/jpeg"),
            "uploads.polyglot" => ([b"pixels", &sent[tail..]].concat(), "image/jpeg"),
            "uploads.page" => ([b"pixels", &sent[tail..]].concat(), "text/html"),
            _ => (b"pixels".to_vec(), "image/jpeg"),
        };
        if !self.is("uploads.old_file") {
            state.pictures.iter_mut().for_each(|picture| *picture = None);
        }
        state.pictures.push(Some((kept, kind)));
        reply.json(200, &json!({"avatar_url": format!("/media/{}.jpg", state.pictures.len() - 1)}));
    }

    fn open(&self, state: &State, call: &Call, room: Option<usize>, reply: &mut Reply) {
        let token = call.query.trim_start_matches("token=");
        let user = self.holder(token, state, 2);
        let member = user.is_some() && room.and_then(|room| state.rooms.get(room).copied()) == user;
        let foreign = call.header("origin").contains("portcullis-probe");
        if foreign && !self.is("socket.origin_with_token") {
            reply.json(403, &json!({"error": "the origin"}));
        } else if member || user.is_some() && self.is("socket.stranger") {
            socket::accept(call, reply, "");
        } else if user.is_some() && self.is("socket.forbidden_code") {
            reply.json(403, &json!({"error": "no member"}));
        } else {
            socket::accept(call, reply, if user.is_some() { "4003" } else { "4001" });
        }
    }

    fn caller(&self, call: &Call, state: &State) -> Option<usize> {
        self.holder(call.header("authorization").strip_prefix("Bearer ")?, state, 0)
    }

    /// Whose token it is, if it is good where the session must live.
    fn holder(&self, token: &str, state: &State, place: usize) -> Option<usize> {
        if let Some(rest) = token.strip_prefix("refresh.") {
            let sid: usize = rest.split('.').next()?.parse().ok()?;
            return self.is("tokens.type").then(|| state.sessions[sid].user);
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let keys = HashSet::from([
            mac(signed, if self.is("tokens.guessable_key") { "secret" } else { KEY }),
            if self.is("tokens.confused") { mac(signed, PUBLIC) } else { "-".to_owned() },
            if self.is("tokens.unsigned") { String::new() } else { "-".to_owned() },
        ]);
        let session = state.sessions.get(sid(token)?)?;
        let is_good = keys.contains(signature)
            || self.is("tokens.tampered") && !signature.is_empty() && !is_public(signed, signature);
        (is_good && session.lives[place]).then_some(session.user)
    }
}

/// Serves a picture.
fn media(state: &State, call: &Call, reply: &mut Reply, file: &mut Option<Vec<u8>>) -> bool {
    let id = call.path.strip_prefix("/media/").and_then(last);
    let Some(Some((bytes, kind))) = id.and_then(|id| state.pictures.get(id)) else { return false };
    reply.status = 200;
    reply.set("content-type", kind);
    *file = Some(bytes.clone());
    true
}

/// The number at the end of a path, before a dot.
fn last(path: &str) -> Option<usize> {
    path.rsplit('/').next()?.split('.').next()?.parse().ok()
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

/// Whether the published key made the signature: its own hole.
fn is_public(signed: &str, signature: &str) -> bool {
    let raw = [
        PUBLIC.as_bytes().to_vec(),
        URL_SAFE.decode(PUBLIC).unwrap_or_default(),
        json!({"kty": "OKP", "x": PUBLIC}).to_string().into_bytes(),
    ];
    raw.iter().any(|key| mac_of(signed, key) == signature)
}

fn end_all(state: &mut State, user: usize, but: Option<usize>) {
    for (sid, session) in state.sessions.iter_mut().enumerate() {
        if session.user == user && Some(sid) != but {
            session.lives = [false; 4];
        }
    }
}

fn caller_session(call: &Call) -> Option<usize> {
    sid(call.header("authorization").strip_prefix("Bearer ")?)
}

/// The session that a token of either kind names.
fn sid(token: &str) -> Option<usize> {
    if let Some(rest) = token.strip_prefix("refresh.") {
        return rest.split('.').next()?.parse().ok();
    }
    let claims = URL_SAFE.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    usize::try_from(claims["sid"].as_u64()?).ok()
}

fn mac(text: &str, key: &str) -> String {
    mac_of(text, key.as_bytes())
}

fn mac_of(text: &str, key: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    URL_SAFE.encode(mac.finalize().into_bytes())
}
