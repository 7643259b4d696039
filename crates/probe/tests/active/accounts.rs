//! A server of accounts in memory, sound but for the hole that it is told to have.

use crate::fixture::{Call, Reply, socket};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as URL_SAFE};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

mod serving;
mod tokens;

pub use serving::serve;
use tokens::{caller_session, end_all, last, mac, media, sid, text};

const KEY: &str = "a-key-that-nobody-guesses-at-all";
/// A key that is published, and the text from which programs read it.
const PUBLIC: &str = include_str!("../fixture/published.jwk");
const PEM: &str = include_str!("../fixture/published.pem");
const FRONT: &str = "http://front.example";
/// The holes that leave access tokens, refresh tokens, new and open sockets alive.
const AFTER_LOGOUT: [&str; 4] =
    ["sessions.logout_access", "sessions.logout_refresh", "socket.logout", "socket.outlives"];
const MAILS: usize = 40;
/// Mails that a careful server sends to one address.
const FEW_MAILS: usize = 5;
const LIMIT: usize = 10;
/// How long a throttle that was reached lets nobody pass.
const CLOSED: Duration = Duration::from_secs(8);
/// The path below which an odd server lives.
const BELOW: &str = "/app";
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
    sent_bodies: usize,
    /// Wrong passwords, and mails, by user.
    wrong: HashMap<usize, usize>,
    mailed: HashMap<usize, usize>,
    /// How many were let pass, and until when none is.
    tries: HashMap<&'static str, (usize, Option<Instant>)>,
    texts: Vec<Option<(usize, String)>>,
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

impl Accounts {
    pub fn new(hole: &'static str, mails: &Path) -> Self {
        Self { hole, mails: mails.to_owned(), state: Mutex::default() }
    }

    /// Whether the server has this hole or oddity.
    fn is(&self, hole: &str) -> bool {
        self.hole.split(',').any(|found| found == hole)
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
        if self.refuses_head(call) {
            reply.json(400, &json!({"error": "a header field"}));
            return true;
        }
        let is_answered = (body.is_object() && self.posted(&mut state, call, &body, reply))
            || caller.is_some_and(|user| self.own(&mut state, call, (user, &body), reply))
            || self.shown(&mut state, call, caller, reply)
            || media(&state, call, reply, file);
        if self.is("odd.echo") && !reply.body.is_empty() && call.path.starts_with("/api/auth/") {
            state.sent_bodies += 1;
            let mut body: Value = serde_json::from_str(&reply.body).unwrap_or_default();
            body["request_id"] = state.sent_bodies.into();
            body["of"] = String::from_utf8_lossy(&call.body).into();
            reply.body = body.to_string();
        }
        is_answered
    }

    /// Servers that take no header field in which a caller names itself or them.
    fn refuses_head(&self, call: &Call) -> bool {
        let names = [
            "x-forwarded-for",
            "x-real-ip",
            "forwarded",
            "x-client-ip",
            "true-client-ip",
            "cf-connecting-ip",
        ];
        let is_forged = names.iter().any(|name| !call.header(name).is_empty());
        let is_foreign = call.header("host").contains("probe") || !call.header("x-forwarded-host").is_empty();
        self.is("odd.forged400") && is_forged || self.is("odd.host400") && is_foreign
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
                if self.is("timing.resend")
                    && state.users.iter().any(|user| user.email == text(body, "email"))
                {
                    std::thread::sleep(Duration::from_millis(25));
                }
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
            (_, "/api/auth/me") if self.is("odd.no_me") => reply.json(404, &json!({"error": "nothing"})),
            (method @ ("GET" | "PATCH" | "DELETE"), "/api/auth/me") => {
                if self.is("cache.own") {
                    reply.set("cache-control", "max-age=60");
                }
                let user = &mut state.users[user];
                if method == "PATCH" && self.is("objects.rights") {
                    user.staff = body["is_staff"] == Value::Bool(true);
                }
                reply.json(200, &json!({"username": user.name, "is_staff": user.staff}));
            }
            ("POST", "/api/reviews") => {
                let dirty = self.is("objects.script");
                let kept = if dirty { text(body, "review_text") } else { "<p>kept</p>" };
                state.texts.push(Some((user, kept.to_owned())));
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
                if self.is("odd.redirects") {
                    reply.set("location", "/login");
                    reply.status = 302;
                    return true;
                }
                (reply.status, reply.body) = (200, "<!doctype html><title>Verify</title>".to_owned());
                reply.set("content-type", "text/html; charset=utf-8");
            }
            ("GET", "/reset-password") => {
                if self.is("reset.prefetch") {
                    state.links.remove(call.query.trim_start_matches("token="));
                }
                (reply.status, reply.body) = (200, "<!doctype html><title>Reset</title>".to_owned());
                reply.set("content-type", "text/html; charset=utf-8");
            }
            ("GET", "/api/books") => reply.json(200, &json!({"count": 1, "results": [{"id": 1}]})),
            ("POST", "/api/reviews") => {
                let status = if self.is("objects.anonymous") { 500 } else { 401 };
                reply.json(status, &json!({"error": "no token"}));
            }
            (method, path) if path.starts_with("/api/reviews/") => {
                self.review((state, caller), method, (last(path), &call.body), reply);
            }
            ("GET", path) if path.starts_with("/ws/chat/") && !call.query.is_empty() => {
                self.open(state, call, last(path), reply);
                return false;
            }
            ("GET", "/.well-known/jwks.json") => {
                let key: Value = serde_json::from_str(PUBLIC).unwrap();
                reply.json(200, &json!({"keys": [key]}));
            }
            _ => return false,
        }
        true
    }

    /// Whether this try is one too many, and the refusal.
    fn refuse(&self, state: &mut State, call: &Call, what: &'static str, reply: &mut Reply) -> bool {
        // With the oddity logins are counted by account, whatever a header field says.
        let evades = self.is("throttle.forwarded")
            && !call.header("x-forwarded-for").is_empty()
            && !(what == "login" && self.is("odd.by_account"));
        let open = ["throttle", "timing"].iter().any(|kind| self.is(&format!("{kind}.{what}")))
            || self.is("odd.lock") && what == "login"
            || self.is("odd.few_mails") && what == "reset";
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
        if self.is("odd.throttle503") {
            (reply.status, reply.body) = (503, "Service Temporarily Unavailable".to_owned());
            return true;
        }
        reply.json(429, &json!({"error": "later"}));
        reply.set("retry-after", &wait.to_string());
        true
    }

    /// A text, which its owner may read, change and delete.
    fn review(
        &self,
        (state, caller): (&mut State, Option<usize>),
        method: &str,
        (id, body): (Option<usize>, &[u8]),
        reply: &mut Reply,
    ) {
        let slot = id.and_then(|id| state.texts.get_mut(id));
        let hole = if method == "GET" { "objects.read" } else { "objects.write" };
        let may = |owner: usize| caller == Some(owner) || caller.is_some() && self.is(hole);
        match slot {
            Some(slot) if slot.as_ref().is_some_and(|(owner, _)| may(*owner)) => {
                let (owner, mut shown) = slot.take().unwrap();
                if method == "PATCH" {
                    let body: Value = serde_json::from_slice(body).unwrap_or_default();
                    text(&body, "review_text").clone_into(&mut shown);
                }
                reply.json(200, &json!({"review_text": shown}));
                if method != "DELETE" {
                    *slot = Some((owner, shown));
                }
            }
            _ if method == "DELETE" && self.is("odd.delete204") => {
                (reply.status, reply.body) = (204, String::new());
            }
            _ => {}
        }
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
        let common = ["P@ssw0rd", "1qaz2WSX3edc4RFV"].contains(&password.as_str());
        let is_long = self.is("odd.long_passwords") && password.len() < 12;
        let known_fields = ["username", "email", "password", "first_name"];
        let strange =
            body.as_object().is_some_and(|body| body.keys().any(|name| !known_fields.contains(&&**name)));
        if self.is("odd.strict") && strange {
            return reply.json(422, &json!({"error": "an unknown field"}));
        }
        let checks = [
            ("", is_long),
            ("", self.is("odd.extra") && text("password_confirm") != password),
            ("passwords.common", common),
            ("passwords.short", password.len() < 8),
            ("passwords.similar", password.to_lowercase().contains(&name)),
            ("mail.injection", first.contains('<')),
        ];
        if name.is_empty() || email.is_empty() || checks.iter().any(|(hole, holds)| *holds && !self.is(hole))
        {
            return reply.json(400, &json!({"error": "refused"}));
        }
        let known = state.users.iter().any(|user| user.email == email);
        if known && self.is("enumeration.register") {
            let status = if self.is("odd.same_status") { 201 } else { 400 };
            return reply
                .json(status, &json!({"message": "known", "user": {"username": name, "email": email}}));
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
        let user = state.users.iter().position(|user| {
            if self.is("odd.by_email") {
                body["email"] == user.email.as_str()
            } else {
                body["username"] == user.name.as_str()
            }
        });
        if user.is_some() && self.is("timing.login") {
            std::thread::sleep(Duration::from_millis(25));
        }
        match user.filter(|user| body["password"] == state.users[*user].password.as_str()) {
            Some(user) if state.users[user].verified && !self.is_locked(state, user) => {
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
            _ if user.is_some_and(|user| self.is_locked(state, user)) => {
                reply.json(401, &json!({"error": "no"}))
            }
            Some(_) if self.is("enumeration.login") => reply.json(401, &json!({"error": "wrong password"})),
            None if user.is_none() && self.is("enumeration.login") => {
                reply.json(401, &json!({"error": "unknown"}))
            }
            _ => reply.json(401, &json!({"error": "no"})),
        }
    }

    /// Whether too many wrong passwords have closed the account; each call counts as one.
    fn is_locked(&self, state: &mut State, user: usize) -> bool {
        let wrong = state.wrong.entry(user).or_default();
        *wrong += 1;
        self.is("odd.lock") && *wrong > LIMIT
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
        let origin = call.header("origin");
        let is_own = origin.is_empty() || origin.ends_with(call.header("host"));
        let foreign = !is_own && !self.is("cookies.csrf");
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
        if generation == session.generation && self.is("odd.no_rotation") {
            self.tokens(state, sid, reply);
            let access = serde_json::from_str::<Value>(&reply.body).unwrap()["access"].clone();
            return reply.json(200, &json!({"access": access}));
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
        if self.refuse(state, call, "reset", reply) {
            return;
        }
        match user {
            Some(user)
                if self.is("odd.few_mails") && {
                    let mailed = state.mailed.entry(user).or_default();
                    *mailed += 1;
                    *mailed > FEW_MAILS
                } => {}
            Some(user) if self.is("mail.host") && !call.header("x-forwarded-host").is_empty() => {
                self.mail(state, "reset", user, &format!("http://{}", call.header("x-forwarded-host")));
            }
            Some(user) => self.mail(state, "reset", user, FRONT),
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
        let mut text = format!("Hello {}\n{base}/{purpose}?token={token}\n", of.first_name);
        let mut encoding = "8bit";
        if self.is("odd.base64") {
            (text, encoding) = (BASE64_STANDARD.encode(text), "base64");
        }
        let text = format!("To: {}\nContent-Transfer-Encoding: {encoding}\n\n{text}", of.email);
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
        if self.is("odd.no_tail") && !sent.ends_with(&[0xFF, 0xD9]) {
            return reply.json(400, &json!({"error": "something behind the picture"}));
        }
        if sent.len() > 5 * 1024 * 1024 && !self.is("uploads.size") {
            return reply.json(413, &json!({"error": "too large"}));
        }
        let tail = sent.windows(6).rposition(|window| window == b"<html>").unwrap_or(sent.len());
        let kept = match self.hole.split(',').next().unwrap_or_default() {
            "uploads.metadata" => sent[..tail].to_vec(),
            "uploads.polyglot" => [b"pixels", &sent[tail..]].concat(),
            _ => b"pixels".to_vec(),
        };
        let kind = if self.is("uploads.page") { "text/html" } else { "image/jpeg" };
        if !self.is("uploads.old_file") {
            state.pictures.iter_mut().for_each(|picture| *picture = None);
        }
        state.pictures.push(Some((kept, kind)));
        let below = if self.is("odd.below") { BELOW } else { "" };
        let url = format!("{below}/media/{}.jpg", state.pictures.len() - 1);
        reply.json(200, &json!({"avatar_url": url}));
    }

    fn open(&self, state: &State, call: &Call, room: Option<usize>, reply: &mut Reply) {
        let token = call.query.trim_start_matches("token=");
        let user = self.holder(token, state, 2);
        let member = user.is_some() && room.and_then(|room| state.rooms.get(room).copied()) == user;
        let foreign = call.header("origin").contains("portcullis-probe");
        if self.is("odd.no_socket") {
            return reply.json(401, &json!({"error": "the token belongs into a header field"}));
        }
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
            if self.is("tokens.confused") { mac(signed, PEM) } else { "-".to_owned() },
            if self.is("tokens.unsigned") { String::new() } else { "-".to_owned() },
        ]);
        let session = state.sessions.get(sid(token)?)?;
        let is_good = keys.contains(signature) || self.is("tokens.tampered") && !signature.is_empty();
        (is_good && session.lives[place]).then_some(session.user)
    }
}
