//! What ends a session, and whether it then is over.

use super::account::{Session, renewed};
use super::{ask, because, me, object, probe, refresh};
use crate::answer::Answer;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use crate::socket::{Knock, Opened};
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::sleep;

/// How long a server may take to end a session everywhere.
pub(super) const SETTLE: Duration = Duration::from_millis(1500);
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
        |ctx| Box::pin(async { after_logout(ctx, |after| &after.refresh, "refresh").await }),
    ),
    probe(
        "sessions.logout_access",
        "The access token works after logout",
        &["v5.0.0-7.4.1"],
        Severity::Medium,
        "Bind access tokens to their session, and refuse those whose session has ended.",
        |ctx| Box::pin(async { after_logout(ctx, |after| &after.access, "access").await }),
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
];

/// Ten refreshes at once, then one token twice.
#[derive(Clone)]
pub(super) struct Rotation {
    parallel: Vec<Answer>,
    /// The newest access token at work, where access tokens work at all.
    opened: Option<Answer>,
    again: Answer,
    successor: Answer,
}

/// What works after a logout.
#[derive(Clone)]
pub(super) struct Ended {
    logout: Answer,
    after: After,
    /// An attempt to open a socket, where the token opened one before.
    knock: Option<(Knock, Opened)>,
    /// Whether the socket that was open before has closed.
    closed: Option<bool>,
}

/// What both tokens of a session are answered with; an error where they did not work before the event either.
#[derive(Clone)]
pub(super) struct After {
    access: Result<Answer, Skip>,
    refresh: Result<Answer, Skip>,
}

/// A session whose tokens were tried.
pub(super) struct Proven {
    pub session: Session,
    access: Result<(), Skip>,
    refresh: Result<(), Skip>,
}

impl Proven {
    /// Uses both tokens once.
    pub async fn of(ctx: &Context, session: Session) -> Self {
        let next = refresh(ctx, &session.refresh).await;
        let next = next.and_then(|answer| renewed(ctx, &answer, &session.refresh));
        let (session, refresh) = match next {
            Ok(next) => (next, Ok(())),
            Err(skip) => (session, Err(skip)),
        };
        let access = opens(ctx, &session.access).await;
        Self { session, access, refresh }
    }

    /// Uses them again.
    pub async fn after(&self, ctx: &Context) -> After {
        let access = match &self.access {
            Ok(()) => me(ctx, &self.session.access).await,
            Err(skip) => Err(skip.clone()),
        };
        let refresh = match &self.refresh {
            Ok(()) => refresh(ctx, &self.session.refresh).await,
            Err(skip) => Err(skip.clone()),
        };
        After { access, refresh }
    }
}

impl After {
    /// Found where a token still works, skipped where one could not be tried.
    pub fn judge(&self, when: &str) -> Result<Outcome, Skip> {
        let (mut names, mut evidence, mut unknown) = (Vec::new(), Vec::new(), None);
        for (name, answer) in [("access", &self.access), ("refresh", &self.refresh)] {
            match answer.clone().and_then(|answer| Ok((answer.accepted()?, answer))) {
                Ok((true, answer)) => {
                    names.push(name);
                    evidence.push(answer.evidence(&[]));
                }
                Ok((false, _)) => {}
                Err(skip) => unknown = Some(skip),
            }
        }
        match unknown {
            Some(skip) if evidence.is_empty() => Err(skip),
            _ => {
                let tokens =
                    if names.len() == 2 { "tokens of a session are" } else { "token of a session is" };
                Ok(Outcome::judge(
                    format!("The {} {tokens} taken {when}.", names.join(" and the ")),
                    evidence,
                ))
            }
        }
    }
}

/// That an access token opens the account.
async fn opens(ctx: &Context, access: &str) -> Result<(), Skip> {
    let answer = me(ctx, access).await?;
    if answer.accepted()? {
        Ok(())
    } else {
        Err(because(format!("a good token is answered with {}", answer.status)))
    }
}

async fn rotation(ctx: &Context) -> Result<&Rotation, Skip> {
    ctx.accounts.rotation.get_or_init(|| rotate(ctx)).await.as_ref().map_err(Clone::clone)
}

async fn ended(ctx: &Context) -> Result<&Ended, Skip> {
    ctx.accounts.session.get_or_init(|| end(ctx)).await.as_ref().map_err(Clone::clone)
}

async fn rotate(ctx: &Context) -> Result<Rotation, Skip> {
    let begun = ctx.able().await?;
    let works = opens(ctx, &begun.access).await.is_ok();
    let answers = join_all((0..10).map(|_| refresh(ctx, &begun.refresh))).await;
    let parallel = answers.into_iter().collect::<Result<Vec<Answer>, Skip>>()?;
    let last = parallel.iter().rev().find_map(|answer| renewed(ctx, answer, &begun.refresh).ok());
    let last = last.ok_or_else(|| because("no refresh answers with a token"))?;
    let opened = if works { Some(me(ctx, &last.access).await?) } else { None };
    let next = renewed(ctx, &refresh(ctx, &last.refresh).await?, &last.refresh)?;
    sleep(GRACE).await;
    let again = refresh(ctx, &last.refresh).await?;
    let successor = refresh(ctx, &next.refresh).await?;
    Ok(Rotation { parallel, opened, again, successor })
}

async fn parallel(ctx: &Context) -> Result<Outcome, Skip> {
    let rotation = rotation(ctx).await?;
    let mut refused = Vec::new();
    for answer in rotation.parallel.iter().chain(&rotation.opened) {
        if !answer.accepted()? {
            refused.push(answer);
        }
    }
    let evidence = refused.first().map(|answer| answer.evidence_with_body(&[])).into_iter().collect();
    Ok(Outcome::judge(format!("Of ten refreshes at once {} were refused.", refused.len()), evidence))
}

async fn reuse(ctx: &Context) -> Result<Outcome, Skip> {
    let again = &rotation(ctx).await?.again;
    let seen = "A refresh token that was spent 12 seconds ago was taken again.";
    Ok(Outcome::when(again.accepted()?, seen, vec![again.evidence(&[])]))
}

async fn family(ctx: &Context) -> Result<Outcome, Skip> {
    let rotation = rotation(ctx).await?;
    let evidence = vec![rotation.again.evidence(&[]), rotation.successor.evidence(&[])];
    let seen = "After a spent token came again, its successor still works.";
    Ok(Outcome::when(rotation.successor.accepted()?, seen, evidence))
}

async fn end(ctx: &Context) -> Result<Ended, Skip> {
    let route = ctx.route(&ctx.mapping.routes.logout, "route logout")?;
    let proven = Proven::of(ctx, ctx.first().await?.login(ctx).await?).await;
    let session = &proven.session;
    let knock = super::sockets::knock(ctx, &session.access).await.ok();
    let mut open = match &knock {
        Some(knock) => knock.open(ctx).await?.ok(),
        None => None,
    };
    if let Some(socket) = &mut open
        && socket.closing(Duration::from_millis(300)).await.is_some()
    {
        open = None;
    }
    let body = object([(&*ctx.mapping.fields.logout_refresh, session.refresh.as_str().into())]);
    let logout = ask(ctx, Request::to(route).bearer(&session.access).json(&body)).await?;
    sleep(SETTLE).await;
    let after = proven.after(ctx).await;
    let (mut tried, mut closed) = (None, None);
    if let (Some(knock), Some(mut socket)) = (knock, open) {
        closed = Some(socket.closing(SETTLE).await.is_some());
        let opened = knock.look(ctx, Duration::from_secs(1)).await?;
        tried = Some((knock, opened));
    }
    Ok(Ended { logout, after, knock: tried, closed })
}

async fn after_logout(
    ctx: &Context,
    part: fn(&After) -> &Result<Answer, Skip>,
    name: &str,
) -> Result<Outcome, Skip> {
    let ended = ended(ctx).await?;
    let answer = part(&ended.after).clone()?;
    let evidence = vec![ended.logout.evidence_with_body(&[]), answer.evidence(&[])];
    let seen = format!("The {name} token is taken after a logout that answered {}.", ended.logout.status);
    Ok(Outcome::when(answer.accepted()?, seen, evidence))
}

async fn socket_after_logout(ctx: &Context) -> Result<Outcome, Skip> {
    let ended = ended(ctx).await?;
    let Some((knock, opened)) = &ended.knock else {
        return Ok(Outcome::skipped("no socket opened before the logout"));
    };
    let evidence = vec![ended.logout.evidence(&[]), knock.evidence(ctx, opened)];
    Ok(Outcome::when(
        *opened == Opened::Open,
        "The URL with the token opens a socket after logout.",
        evidence,
    ))
}

async fn socket_outlives(ctx: &Context) -> Result<Outcome, Skip> {
    let ended = ended(ctx).await?;
    let Some(closed) = ended.closed else {
        return Ok(Outcome::skipped("no socket opened before the logout"));
    };
    let seen = "A socket was still open 3 seconds after the logout of its session.";
    Ok(Outcome::when(!closed, seen, vec![ended.logout.evidence(&[])]))
}
