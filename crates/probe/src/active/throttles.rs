//! How often one may try.

use super::account::{email, login_request, password, registration};
use super::likeness::Told;
use super::{object, probe, try_bypass};
use crate::answer::{Answer, Verdict};
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Calls without a refusal after which a route counts as unlimited.
const ENOUGH: usize = 20;
/// How long the last mails may be on their way.
const DELIVERY: Duration = Duration::from_secs(3);

pub(super) const LOGIN: &[Probe] = &[probe(
    "throttle.login",
    "Passwords may be guessed without limit",
    &["v5.0.0-6.3.1"],
    Severity::High,
    "Limit logins per address and per account, e.g. to five a minute, and answer 429 with Retry-After.",
    |ctx| Box::pin(login(ctx)),
)];

pub(super) const REST: &[Probe] = &[
    probe(
        "throttle.register",
        "Accounts may be made without limit",
        &["v5.0.0-2.4.1"],
        Severity::Medium,
        "Limit registrations per address, e.g. to five a minute.",
        |ctx| Box::pin(register(ctx)),
    ),
    probe(
        "throttle.reset",
        "Reset mails may be asked for without limit",
        &["v5.0.0-2.4.1"],
        Severity::Medium,
        "Limit password resets per caller and per address, e.g. to five an hour.",
        |ctx| Box::pin(reset(ctx)),
    ),
    probe(
        "throttle.forwarded",
        "A header field that anybody may send gets past throttles",
        &["v5.0.0-4.1.3", "v5.0.0-6.3.1"],
        Severity::High,
        "Take the caller's address from X-Forwarded-For only behind a trusted proxy, and then its right-most entry.",
        |ctx| Box::pin(forwarded(ctx)),
    ),
];

async fn login(ctx: &Context) -> Result<Outcome, Skip> {
    ctx.able().await?;
    let account = ctx.first().await?;
    let request = login_request(ctx, account.which, &password(ctx, "wrong"))?;
    let limited = &ctx.accounts.limited.login;
    let ended = hammer(ctx, &request, limited).await?;
    if let Outcome::Found(..) = ended {
        // Some servers lock an account and answer as if the password were wrong.
        let right = login_request(ctx, account.which, &account.password())?;
        if !ctx.client.call_raw(right).await?.is_success() {
            limited.store(true, Ordering::Relaxed);
            let seen = format!("After {ENOUGH} wrong passwords the right one is refused too.");
            return Ok(Outcome::Passed(seen));
        }
    }
    Ok(ended)
}

async fn register(ctx: &Context) -> Result<Outcome, Skip> {
    // A username that is taken: no call makes an account.
    let account = ctx.first().await?;
    let route = ctx.route(&ctx.mapping.routes.register, "route register")?;
    let body = registration(ctx, &account.username, &email(ctx, "t"), &password(ctx, "t"));
    hammer(ctx, &Request::to(route).json(&body), &AtomicBool::default()).await
}

async fn reset(ctx: &Context) -> Result<Outcome, Skip> {
    let route = ctx.route(&ctx.mapping.routes.reset, "route reset")?;
    let address = &ctx.first().await?.email;
    let mailbox = super::account::mailbox(ctx)?;
    let before = mailbox.letters(address).await.len();
    let request = Request::to(route).json(&object([(&*ctx.mapping.fields.email, address.as_str().into())]));
    if ctx.client.call_raw(request.clone()).await?.verdict() == Verdict::Refused {
        return Ok(Outcome::skipped("a reset is refused to a known address"));
    }
    let ended = hammer(ctx, &request, &ctx.accounts.limited.reset).await?;
    if let Outcome::Found(..) = ended {
        // What counts is how many mails a stranger may cause, not what the answers say.
        sleep(DELIVERY).await;
        let mails = mailbox.letters(address).await.len().saturating_sub(before);
        if mails <= ENOUGH / 2 {
            return Ok(Outcome::Passed(format!("{} calls caused {mails} mails.", ENOUGH + 1)));
        }
    }
    Ok(ended)
}

async fn forwarded(ctx: &Context) -> Result<Outcome, Skip> {
    if let Some(bypass) = ctx.accounts.bypass() {
        let seen = format!("A throttled call passes with `{}`.", bypass.name);
        return Ok(Outcome::Found(seen, bypass.evidence));
    }
    let mut tried = ctx.accounts.tried();
    tried.sort_unstable();
    if tried.is_empty() {
        return Ok(Outcome::skipped("no throttle was met that stays closed for long enough"));
    }
    Ok(Outcome::Passed(format!("Tried at {}.", tried.join(", "))))
}

/// Calls until the server refuses, and remembers that it does.
async fn hammer(ctx: &Context, request: &Request, limited: &AtomicBool) -> Result<Outcome, Skip> {
    let mut answers: Vec<Answer> = Vec::with_capacity(ENOUGH);
    while answers.len() < ENOUGH {
        let answer = ctx.client.call_raw(request.clone()).await?;
        if answer.verdict() == Verdict::Throttled {
            limited.store(true, Ordering::Relaxed);
            // A call has passed if it is answered as those before the throttle were.
            if let (Some(one), Some(other)) = (answers.first(), answers.last()) {
                let [one, other] = [one, other].map(|usual| Told::of(ctx, usual));
                let has_passed = |passed: &Answer| !Told::of(ctx, passed).differs(&one, &other);
                try_bypass(ctx, request, &answer, has_passed).await?;
            }
            let seen = format!("Call {} was answered with {}.", answers.len() + 1, answer.status);
            return Ok(Outcome::Passed(seen));
        }
        answers.push(answer.there()?);
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    if let [first, .., a, b, c] = statuses[..]
        && a != first
        && [b, c] == [a, a]
    {
        limited.store(true, Ordering::Relaxed);
        return Ok(Outcome::Passed(format!("In the end calls were answered with {a} in place of {first}.")));
    }
    let evidence = answers.last().map(|answer| answer.evidence(&["retry-after"])).into_iter().collect();
    let seen = format!("{ENOUGH} calls in a row were all answered, none was refused for their number.");
    Ok(Outcome::Found(seen, evidence))
}
