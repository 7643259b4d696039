//! What a change and a reset of the password end, and what a reset link is good for.

use super::account::{Account, password};
use super::sessions::{After, Proven, SETTLE};
use super::{ask, because, me, object, probe};
use crate::answer::Answer;
use crate::passive::FOREIGN;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use tokio::time::sleep;

pub(super) const PROBES: &[Probe] = &[
    probe(
        "sessions.password_change",
        "Other sessions go on after a password change",
        &["v5.0.0-7.4.3"],
        Severity::High,
        "End all other sessions when the password changes.",
        |ctx| Box::pin(after_change(ctx)),
    ),
    probe(
        "sessions.password_reset",
        "Sessions go on after a password reset",
        &["v5.0.0-7.4.3"],
        Severity::High,
        "End all sessions when the password is reset: who resets it may want a thief out.",
        |ctx| Box::pin(after_reset(ctx)),
    ),
    probe(
        "reset.twice",
        "A reset link works twice",
        &["v5.0.0-6.4.1"],
        Severity::High,
        "Spend the token in the transaction that changes the password.",
        |ctx| Box::pin(reset_twice(ctx)),
    ),
    probe(
        "reset.others",
        "Older reset links work after the password was reset",
        &["v5.0.0-6.4.1"],
        Severity::Medium,
        "End every other link of the account when one was used.",
        |ctx| Box::pin(reset_others(ctx)),
    ),
    probe(
        "reset.prefetch",
        "Following the reset link in a mail spends its token",
        &["v5.0.0-3.5.3"],
        Severity::Low,
        "Let a GET of the link change nothing: show a form, and spend the token when it is sent.",
        |ctx| Box::pin(prefetch(ctx)),
    ),
];

/// What works after a change and a reset of the password.
#[derive(Clone)]
pub(super) struct Reset {
    /// Of the session that did not change the password, after it was changed.
    changed: Result<After, Skip>,
    /// A request for a reset that named another host wherever a request can.
    pub forged: Result<Forged, Skip>,
    /// A usual request for a reset.
    pub asked: Answer,
    /// Of a session that was there before the reset, after it.
    reset: After,
    /// The GET of the reset link, and what its token was answered with then.
    link: Option<Answer>,
    followed: Answer,
    twice: Answer,
    other: Option<Answer>,
}

/// A request in the name of another host, and the mail that it caused, if it was taken.
#[derive(Clone)]
pub(super) struct Forged {
    pub answer: Answer,
    pub letter: Option<String>,
    token: Option<String>,
}

impl Context {
    pub(super) async fn reset(&self) -> Result<&Reset, Skip> {
        self.accounts.reset.get_or_init(|| reset(self)).await.as_ref().map_err(Clone::clone)
    }
}

async fn reset(ctx: &Context) -> Result<Reset, Skip> {
    let account = ctx.second().await?;
    let changed = change(ctx, account).await;
    let mut live = account.session.clone();
    if !me(ctx, &live.access).await?.is_success() {
        live = account.login(ctx).await?;
    }
    let live = Proven::of(ctx, live).await;
    let forged = forge(ctx, account).await;
    let first = match forged.as_ref().ok().and_then(|forged| forged.token.clone()) {
        Some(token) => Some(token),
        None => earlier(ctx, account).await,
    };
    let asked = ask(ctx, request(ctx, account)?).await?;
    if !asked.accepted()? {
        return Err(because(format!("a request for a reset was answered with {}", asked.status)));
    }
    // A server may send one mail for two requests; then there is one link to try.
    let (token, first) = match (account.next_link(ctx).await, first) {
        (Ok((_, token)), first) => (token, first),
        (Err(_), Some(first)) => (first, None),
        (Err(skip), None) => return Err(skip),
    };
    let path = ctx.mapping.mail.reset_link.replace("{token}", &token);
    let link = ctx.client.call(Request::get(&path)).await.ok();
    let followed = confirm(ctx, &token, &password(ctx, "r")).await?;
    let (token, first) =
        if followed.accepted()? { (token, first) } else { (instead(ctx, first).await?, None) };
    account.set_password(&password(ctx, "r"));
    sleep(SETTLE).await;
    let reset = live.after(ctx).await;
    let twice = confirm(ctx, &token, &password(ctx, "t")).await?;
    let other = match first {
        Some(first) => Some(confirm(ctx, &first, &password(ctx, "o")).await?),
        None => None,
    };
    for (answer, purpose) in [(Some(&twice), "t"), (other.as_ref(), "o")] {
        if answer.is_some_and(Answer::is_success) {
            account.set_password(&password(ctx, purpose));
        }
    }
    Ok(Reset { changed, forged, asked, reset, link, followed, twice, other })
}

/// The token of an earlier request, where none in the name of another host was taken.
async fn earlier(ctx: &Context, account: &Account) -> Option<String> {
    ask(ctx, request(ctx, account).ok()?).await.ok().filter(Answer::is_success)?;
    account.next_link(ctx).await.ok().map(|(_, token)| token)
}

/// Where the token whose link was followed is refused: one whose link was not.
async fn instead(ctx: &Context, other: Option<String>) -> Result<String, Skip> {
    let token = other.ok_or_else(|| because("the token of a reset is refused"))?;
    let answer = confirm(ctx, &token, &password(ctx, "r")).await?;
    if answer.accepted()? {
        Ok(token)
    } else {
        Err(because(format!("a reset link was answered with {}", answer.status)))
    }
}

/// Changes the password in one session and looks what works in another.
async fn change(ctx: &Context, account: &Account) -> Result<After, Skip> {
    let route = ctx.route(&ctx.mapping.routes.change_password, "route change_password")?;
    let other = Proven::of(ctx, account.login(ctx).await?).await;
    let (names, new) = (&ctx.mapping.fields, password(ctx, "n"));
    let body = object([
        (&*names.current_password, account.password().into()),
        (&*names.new_password, new.as_str().into()),
    ]);
    let answer = ask(ctx, Request::to(route).bearer(&account.session.access).json(&body)).await?;
    if !answer.accepted()? {
        return Err(because(format!("a password change was answered with {}", answer.status)));
    }
    account.set_password(&new);
    sleep(SETTLE).await;
    Ok(other.after(ctx).await)
}

fn request(ctx: &Context, account: &Account) -> Result<Request, Skip> {
    let route = ctx.route(&ctx.mapping.routes.reset, "route reset")?;
    Ok(Request::to(route).json(&object([(&*ctx.mapping.fields.email, account.email.as_str().into())])))
}

/// Asks for a reset with another host in every field that may name one, as far as the server takes it.
async fn forge(ctx: &Context, account: &Account) -> Result<Forged, Skip> {
    let forwarded = request(ctx, account)?
        .header("x-forwarded-host", FOREIGN)
        .header("x-forwarded-server", FOREIGN)
        .header("forwarded", &format!("host={FOREIGN}"));
    let mut answer = ask(ctx, forwarded.clone().header("host", FOREIGN)).await?;
    if !answer.is_success() {
        answer = ask(ctx, forwarded).await?;
    }
    if !answer.accepted()? {
        return Ok(Forged { answer, letter: None, token: None });
    }
    let (letter, token) = account.next_link(ctx).await?;
    Ok(Forged { answer, letter: Some(letter.text), token: Some(token) })
}

async fn confirm(ctx: &Context, token: &str, password: &str) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.reset_confirm, "route reset_confirm")?;
    let names = &ctx.mapping.fields;
    let body = object([(&*names.token, token.into()), (&*names.password, password.into())]);
    ask(ctx, Request::to(route).json(&body)).await
}

async fn after_change(ctx: &Context) -> Result<Outcome, Skip> {
    ctx.reset().await?.changed.clone()?.judge("after the password was changed in another session")
}

async fn after_reset(ctx: &Context) -> Result<Outcome, Skip> {
    ctx.reset().await?.reset.judge("after the password was reset")
}

async fn reset_twice(ctx: &Context) -> Result<Outcome, Skip> {
    let twice = &ctx.reset().await?.twice;
    Ok(Outcome::when(twice.accepted()?, "A reset link set a second password.", vec![twice.evidence(&[])]))
}

async fn reset_others(ctx: &Context) -> Result<Outcome, Skip> {
    let Some(other) = &ctx.reset().await?.other else {
        return Ok(Outcome::skipped("only one reset mail arrived, or one link was spent"));
    };
    let seen = "A reset link from before the last reset set a password.";
    Ok(Outcome::when(other.accepted()?, seen, vec![other.evidence(&[])]))
}

async fn prefetch(ctx: &Context) -> Result<Outcome, Skip> {
    let reset = ctx.reset().await?;
    let link = reset.link.as_ref().ok_or_else(|| because("the link in the mail did not answer"))?;
    if !link.is_there() {
        return Err(link.unclear());
    }
    let evidence = vec![link.evidence(&["location"]), reset.followed.evidence_with_body(&[])];
    let seen = "After a GET of the link its token is refused: scanners of mails spend it.";
    Ok(Outcome::when(!reset.followed.accepted()?, seen, evidence))
}
