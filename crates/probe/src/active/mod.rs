//! Probes that make accounts.
//!
//! A server that limits logins to five a minute leaves about 25 such calls to a run of five minutes, so the probes
//! share accounts and sessions, and their order is chosen: throttles first, while their buckets are full anyway, and
//! calls of different routes by turns.

mod account;
mod cache;
mod cleaning;
mod cookies;
mod enumeration;
mod forgery;
mod likeness;
mod mail;
mod objects;
mod passwords;
mod public_key;
mod resets;
mod sessions;
mod sockets;
mod throttles;
mod timing;
mod uploads;

use crate::answer::{Answer, Verdict};
use crate::evidence::Evidence;
use crate::json::object;
use crate::probe::{Context, Mode, Probe, Running, Severity, Skip};
use crate::request::Request;
pub(crate) use account::Account;
pub(crate) use cleaning::clean_up;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// The active probes, by file, in the order of a run.
pub(crate) const PROBES: &[&[Probe]] = &[
    mail::PROBES,
    throttles::LOGIN,
    forgery::PROBES,
    cache::PROBES,
    uploads::PROBES,
    objects::PROBES,
    sockets::PROBES,
    passwords::PROBES,
    sessions::PROBES,
    resets::PROBES,
    mail::HOST,
    enumeration::PROBES,
    mail::INJECTION,
    cookies::PROBES,
    passwords::REST,
    throttles::REST,
    timing::PROBES,
];

/// Header fields in which a proxy names the caller, and which a server must not take from anybody else.
const FORWARDED: [&str; 6] =
    ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"];
/// A throttle that opens before that is not tried to get past.
const SOON: Duration = Duration::from_secs(3);
/// How long a probe waits until a throttle lets it pass.
const PATIENCE: Duration = Duration::from_secs(70);

/// What the active probes share.
#[derive(Default)]
pub(crate) struct Accounts {
    first: OnceCell<Result<Account, Skip>>,
    second: OnceCell<Result<Account, Skip>>,
    able: OnceCell<Result<account::Session, Skip>>,
    /// The names of all accounts that were made.
    made: Mutex<Vec<String>>,
    session: OnceCell<Result<sessions::Ended, Skip>>,
    reset: OnceCell<Result<resets::Reset, Skip>>,
    picture: OnceCell<Result<Answer, Skip>>,
    text: OnceCell<Result<objects::Text, Skip>>,
    room: OnceCell<Result<String, Skip>>,
    rotation: OnceCell<Result<sessions::Rotation, Skip>>,
    cookie: OnceCell<Result<Answer, Skip>>,
    limited: Limited,
    bypass: Mutex<Option<Bypass>>,
    /// The routes at which getting past the throttle was tried.
    tried: Mutex<HashSet<String>>,
    addresses: AtomicU16,
}

/// Which routes turned out to be throttled.
#[derive(Default)]
struct Limited {
    login: AtomicBool,
    reset: AtomicBool,
}

/// A header field that gets a caller past throttles.
#[derive(Clone)]
struct Bypass {
    name: &'static str,
    evidence: Vec<Evidence>,
}

/// A row of a table of active probes.
#[allow(clippy::too_many_arguments, reason = "a row of a table, read in its order")]
const fn probe(
    id: &'static str,
    title: &'static str,
    asvs: &'static [&'static str],
    severity: Severity,
    mend: &'static str,
    run: for<'a> fn(&'a Context) -> Running<'a>,
) -> Probe {
    Probe { id, title, asvs, severity, mode: Mode::Active, mend, run }
}

/// Makes a call that a throttle may refuse: with a header field that gets past it if one was found, else by waiting.
async fn ask(ctx: &Context, request: Request) -> Result<Answer, Skip> {
    let known = ctx.accounts.bypass().map(|bypass| bypass.name);
    let answer = ctx.client.call_raw(disguised(ctx, request.clone(), known)).await?;
    if answer.verdict() != Verdict::Throttled {
        return Ok(answer);
    }
    match try_bypass(ctx, &request, &answer, Answer::is_success).await? {
        Some(passed) => Ok(passed),
        None => ctx.client.call_patiently(request, PATIENCE).await,
    }
}

/// After a throttle's refusal: tries, once for each route, whether a header field that names another caller gets
/// past it, and is answered as a call that passed.
async fn try_bypass(
    ctx: &Context,
    request: &Request,
    refused: &Answer,
    has_passed: impl Fn(&Answer) -> bool,
) -> Result<Option<Answer>, Skip> {
    let start = Instant::now();
    let wait = refused.header("retry-after").and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let is_soon = wait.is_some_and(|wait| wait < SOON);
    if is_soon || !ctx.accounts.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(request.route()) {
        return Ok(None);
    }
    for name in FORWARDED {
        let answer = ctx.client.call_raw(disguised(ctx, request.clone(), Some(name))).await?;
        if !has_passed(&answer) {
            continue;
        }
        // It says nothing if by now everybody may pass.
        let is_closed = match wait {
            Some(wait) => start.elapsed() + refused.elapsed + SOON / 2 < wait,
            None => ctx.client.call_raw(request.clone()).await?.verdict() == Verdict::Throttled,
        };
        if is_closed {
            let evidence = vec![refused.evidence(&["retry-after"]), answer.evidence(&[])];
            *ctx.accounts.lock_bypass() = Some(Bypass { name, evidence });
        }
        return Ok(Some(answer));
    }
    Ok(None)
}

/// The request as if it came from somewhere else; the addresses are those of RFC 2544, which nobody has.
fn disguised(ctx: &Context, request: Request, name: Option<&str>) -> Request {
    let Some(name) = name else { return request };
    let [high, low] = ctx.accounts.addresses.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let address = format!("198.18.{high}.{low}");
    if name == "Forwarded" {
        request.header(name, &format!("for={address}"))
    } else {
        request.header(name, &address)
    }
}

/// A GET of the caller's own data; the status tells whether the token is good.
async fn me(ctx: &Context, access: &str) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.me, "route me")?;
    ask(ctx, Request::to(route).bearer(access)).await
}

/// A refresh.
async fn refresh(ctx: &Context, token: &str) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.refresh, "route refresh")?;
    let body = object([(&*ctx.mapping.fields.refresh, token.into())]);
    ask(ctx, Request::to(route).json(&body)).await
}

fn because(text: impl Into<String>) -> Skip {
    Skip::Because(text.into())
}

impl Accounts {
    fn lock_bypass(&self) -> std::sync::MutexGuard<'_, Option<Bypass>> {
        self.bypass.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tried(&self) -> Vec<String> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn bypass(&self) -> Option<Bypass> {
        self.lock_bypass().clone()
    }
}
