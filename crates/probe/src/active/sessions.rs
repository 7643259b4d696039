//! What ends a session, and whether it then is over.

use super::account::{Account, Session, password, session};
use super::{because, found_if, me, probe, refresh};
use crate::client::{Answer, Request};
use crate::passive::FOREIGN;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::socket::{Knock, Opened};
use crate::{active, evidence};
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// How long a server may take to end a session everywhere.
const SETTLE: Duration = Duration::from_millis(1500);
/// After this a spent refresh token must be dead; a grace for answers that got lost is shorter.
const GRACE: Duration = Duration::from_secs(12);

pub(super) const PROBES: &[Probe] = &[
    probe(
        "sessions.parallel",
        "Parallel refreshes end a session",
        &[],
        Severity::Low,
        "Give a refresh token that was spent a few seconds ago the family's current one.",
        |ctx| Box::pin(parallel(ctx)),
    ),
    probe(
        "sessions.refresh_reuse",
        "A refresh token works twice",
        &["v5.0.0-10.4.5"],
        Severity::High,
        "Spend the token at each refresh; with simplejwt add `rest_framework_simplejwt.token_blacklist` to \
         INSTALLED_APPS, without which BLACKLIST_AFTER_ROTATION does nothing.",
        |ctx| Box::pin(reuse(ctx)),
    ),
    probe(
        "sessions.family",
        "A session goes on after its refresh token was used twice",
        &["v5.0.0-10.4.5"],
        Severity::Medium,
        "When a spent refresh token comes again, end all that descends from it: thief or owner holds a copy.",
        |ctx| Box::pin(family(ctx)),
    ),
    probe(
        "sessions.logout_refresh",
        "The refresh token works after logout",
        &["v5.0.0-7.4.1"],
        Severity::High,
        "Let a logout end the session at the server.",
        |ctx| Box::pin(async { after_logout(ctx, |ended| &ended.refreshed, "refresh").await }),
    ),
    probe(
        "sessions.logout_access",
        "The access token works after logout",
        &["v5.0.0-7.4.1"],
        Severity::Medium,
        "Bind access tokens to their session, and refuse those whose session has ended.",
        |ctx| Box::pin(async { after_logout(ctx, |ended| &ended.used, "access").await }),
    ),
    probe(
        "socket.logout",
        "A socket opens with a token in its URL after logout",
        &["v5.0.0-7.4.1", "v5.0.0-14.2.1"],
        Severity::Medium,
        "Ask whether the token's session still lives; better, open sockets with a ticket that works once.",
        |ctx| Box::pin(socket_after_logout(ctx)),
    ),
    probe(
        "socket.outlives",
        "An open socket outlives its session",
        &["v5.0.0-7.4.1"],
        Severity::Medium,
        "Close a session's sockets when it ends.",
        |ctx| Box::pin(socket_outlives(ctx)),
    ),
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
];

/// Ten refreshes at once, then one token twice.
#[derive(Clone)]
pub(super) struct Rotation {
    parallel: Vec<Answer>,
    opened: Answer,
    again: Answer,
    successor: Answer,
}

/// What works after a logout.
#[derive(Clone)]
pub(super) struct Ended {
    logout: Answer,
    used: Answer,
    refreshed: Answer,
    /// An attempt to open a socket, where the token opened one before.
    knock: Option<(Knock, Opened)>,
    /// Whether the socket that was open before has closed.
    closed: Option<bool>,
}

/// What works after a change and a reset of the password.
#[derive(Clone)]
pub(super) struct Reset {
    /// Of the session that did not change the password, after it was changed.
    changed: [Answer; 2],
    /// The request for a reset that named another host.
    pub forged: Answer,
    /// The mail that it caused.
    pub letter: String,
    /// A usual request for a reset.
    pub asked: Answer,
    /// Of a session that was there before the reset, after it.
    reset: [Answer; 2],
    twice: Answer,
    other: Option<Answer>,
}

impl Context {
    pub(super) async fn reset(&self) -> Result<&Reset, Skip> {
        self.accounts.reset.get_or_init(|| reset(self)).await.as_ref().map_err(Clone::clone)
    }
}

async fn rotation(ctx: &Context) -> Result<&Rotation, Skip> {
    ctx.accounts.rotation.get_or_init(|| rotate(ctx)).await.as_ref().map_err(Clone::clone)
}

async fn ended(ctx: &Context) -> Result<&Ended, Skip> {
    ctx.accounts.session.get_or_init(|| end(ctx)).await.as_ref().map_err(Clone::clone)
}

async fn rotate(ctx: &Context) -> Result<Rotation, Skip> {
    let begun = ctx.first().await?.login(ctx).await?;
    let answers = join_all((0..10).map(|_| refresh(ctx, &begun.refresh))).await;
    let parallel = answers.into_iter().collect::<Result<Vec<Answer>, Skip>>()?;
    let last = parallel.iter().rev().find_map(|answer| session(ctx, answer).ok());
    let last = last.ok_or_else(|| because("no refresh answers with two tokens"))?;
    let opened = me(ctx, &last.access).await?;
    let next = session(ctx, &refresh(ctx, &last.refresh).await?)?;
    sleep(GRACE).await;
    let again = refresh(ctx, &last.refresh).await?;
    let successor = refresh(ctx, &next.refresh).await?;
    Ok(Rotation { parallel, opened, again, successor })
}

async fn parallel(ctx: &Context) -> Result<Outcome, Skip> {
    let rotation = rotation(ctx).await?;
    let refused: Vec<_> =
        rotation.parallel.iter().chain([&rotation.opened]).filter(|answer| !answer.is_success()).collect();
    let evidence = refused.first().map(|answer| answer.evidence_with_body(&[])).into_iter().collect();
    Ok(Outcome::judge(format!("Of ten refreshes at once {} were refused.", refused.len()), evidence))
}

async fn reuse(ctx: &Context) -> Result<Outcome, Skip> {
    let again = &rotation(ctx).await?.again;
    let seen = "A refresh token that was spent 12 seconds ago was taken again.";
    Ok(found_if(again.is_success(), seen, vec![again.evidence(&[])]))
}

async fn family(ctx: &Context) -> Result<Outcome, Skip> {
    let rotation = rotation(ctx).await?;
    let evidence = vec![rotation.again.evidence(&[]), rotation.successor.evidence(&[])];
    let seen = "After a spent token came again, its successor still works.";
    Ok(found_if(rotation.successor.is_success(), seen, evidence))
}

async fn end(ctx: &Context) -> Result<Ended, Skip> {
    let begun = ctx.first().await?.login(ctx).await?;
    let route = ctx.route(&ctx.mapping.routes.logout, "route logout")?;
    let knock = super::sockets::knock(ctx, &begun.access).await.ok();
    let mut open = match &knock {
        Some(knock) => knock.open(ctx).await?.ok(),
        None => None,
    };
    if let Some(socket) = &mut open
        && socket.closing(Duration::from_millis(300)).await.is_some()
    {
        open = None;
    }
    let body = json!({ &ctx.mapping.fields.logout_refresh: begun.refresh });
    let logout = active::ask(ctx, Request::to(route).bearer(&begun.access).json(&body)).await?;
    sleep(SETTLE).await;
    let used = me(ctx, &begun.access).await?;
    let refreshed = refresh(ctx, &begun.refresh).await?;
    let (mut tried, mut closed) = (None, None);
    if let (Some(knock), Some(mut socket)) = (knock, open) {
        closed = Some(socket.closing(SETTLE).await.is_some());
        let opened = knock.look(ctx, Duration::from_secs(1)).await?;
        tried = Some((knock, opened));
    }
    Ok(Ended { logout, used, refreshed, knock: tried, closed })
}

async fn after_logout(ctx: &Context, part: fn(&Ended) -> &Answer, name: &str) -> Result<Outcome, Skip> {
    let ended = ended(ctx).await?;
    let answer = part(ended);
    let evidence = vec![ended.logout.evidence_with_body(&[]), answer.evidence(&[])];
    let seen = format!("The {name} token is taken after a logout that answered {}.", ended.logout.status);
    Ok(found_if(answer.is_success(), seen, evidence))
}

async fn socket_after_logout(ctx: &Context) -> Result<Outcome, Skip> {
    let ended = ended(ctx).await?;
    let Some((knock, opened)) = &ended.knock else {
        return Ok(Outcome::skipped("no socket opened before the logout"));
    };
    let evidence = vec![ended.logout.evidence(&[]), knock.evidence(opened)];
    Ok(found_if(*opened == Opened::Open, "The URL with the token opens a socket after logout.", evidence))
}

async fn socket_outlives(ctx: &Context) -> Result<Outcome, Skip> {
    let ended = ended(ctx).await?;
    let Some(closed) = ended.closed else {
        return Ok(Outcome::skipped("no socket opened before the logout"));
    };
    let seen = "A socket was still open 3 seconds after the logout of its session.";
    Ok(found_if(!closed, seen, vec![ended.logout.evidence(&[])]))
}

async fn reset(ctx: &Context) -> Result<Reset, Skip> {
    let account = ctx.second().await?;
    let changed = change(ctx, account).await?;
    let mut live = account.session.clone();
    if !me(ctx, &live.access).await?.is_success() {
        live = account.login(ctx).await?;
    }
    let forged = ask_for_reset(ctx, account, true).await?;
    let letter = account.next_link(ctx).await?;
    let asked = ask_for_reset(ctx, account, false).await?;
    let [first, second] = [Ok(&letter), account.next_link(ctx).await.as_ref()]
        .map(|letter| letter.ok().and_then(|letter| letter.parameter(&ctx.mapping.mail.token_parameter)));
    // A server may send one mail for two requests; then there is one link to try.
    let token = second.as_ref().or(first.as_ref()).ok_or_else(|| because("the reset's mail has no token"))?;
    let answer = confirm(ctx, token, &password(ctx, "r")).await?;
    if !answer.is_success() {
        return Err(because(format!("a reset link was answered with {}", answer.status)));
    }
    account.set_password(&password(ctx, "r"));
    sleep(SETTLE).await;
    let reset = works(ctx, &live).await?;
    let twice = confirm(ctx, token, &password(ctx, "t")).await?;
    let other = match (&first, &second) {
        (Some(first), Some(_)) => Some(confirm(ctx, first, &password(ctx, "o")).await?),
        _ => None,
    };
    for (answer, purpose) in [(Some(&twice), "t"), (other.as_ref(), "o")] {
        if answer.is_some_and(Answer::is_success) {
            account.set_password(&password(ctx, purpose));
        }
    }
    Ok(Reset { changed, forged, letter: letter.text, asked, reset, twice, other })
}

/// Changes the password in one session and looks what works in another.
async fn change(ctx: &Context, account: &Account) -> Result<[Answer; 2], Skip> {
    let other = account.login(ctx).await?;
    let route = ctx.route(&ctx.mapping.routes.change_password, "route change_password")?;
    let (names, new) = (&ctx.mapping.fields, password(ctx, "n"));
    let body = json!({ &names.current_password: account.password(), &names.new_password: new });
    let answer = active::ask(ctx, Request::to(route).bearer(&account.session.access).json(&body)).await?;
    if !answer.is_success() {
        return Err(because(format!("a password change was answered with {}", answer.status)));
    }
    account.set_password(&new);
    sleep(SETTLE).await;
    works(ctx, &other).await
}

/// Uses both tokens of a session.
async fn works(ctx: &Context, session: &Session) -> Result<[Answer; 2], Skip> {
    Ok([me(ctx, &session.access).await?, refresh(ctx, &session.refresh).await?])
}

/// Asks for a reset; `forged` names another host wherever a request can, as far as the server takes it.
async fn ask_for_reset(ctx: &Context, account: &Account, forged: bool) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.reset, "route reset")?;
    let request = Request::to(route).json(&json!({ &ctx.mapping.fields.email: account.email }));
    if !forged {
        return active::ask(ctx, request).await;
    }
    let request = request.header("X-Forwarded-Host", FOREIGN).header("X-Forwarded-Server", FOREIGN);
    let answer = active::ask(ctx, request.clone().header("Host", FOREIGN)).await?;
    if answer.is_success() { Ok(answer) } else { active::ask(ctx, request).await }
}

async fn confirm(ctx: &Context, token: &str, password: &str) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.reset_confirm, "route reset_confirm")?;
    let names = &ctx.mapping.fields;
    let body = json!({ &names.token: token, &names.password: password });
    active::ask(ctx, Request::to(route).json(&body)).await
}

async fn after_change(ctx: &Context) -> Result<Outcome, Skip> {
    Ok(alive(&ctx.reset().await?.changed, "after the password was changed in another session"))
}

async fn after_reset(ctx: &Context) -> Result<Outcome, Skip> {
    Ok(alive(&ctx.reset().await?.reset, "after the password was reset"))
}

fn alive(answers: &[Answer; 2], when: &str) -> Outcome {
    let names = ["access", "refresh"].into_iter().zip(answers).filter(|(_, answer)| answer.is_success());
    let (names, evidence): (Vec<_>, Vec<evidence::Evidence>) =
        names.map(|(name, answer)| (name, answer.evidence(&[]))).unzip();
    Outcome::judge(format!("The {} token of a session is taken {when}.", names.join(" and the ")), evidence)
}

async fn reset_twice(ctx: &Context) -> Result<Outcome, Skip> {
    let twice = &ctx.reset().await?.twice;
    Ok(found_if(twice.is_success(), "A reset link set a second password.", vec![twice.evidence(&[])]))
}

async fn reset_others(ctx: &Context) -> Result<Outcome, Skip> {
    let Some(other) = &ctx.reset().await?.other else {
        return Ok(Outcome::skipped("only one reset mail arrived"));
    };
    let seen = "A reset link from before the last reset set a password.";
    Ok(found_if(other.is_success(), seen, vec![other.evidence(&[])]))
}
