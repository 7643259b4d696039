//! Sockets of those who have a token.

use super::{ask, because, object, probe};
use crate::passive::FOREIGN;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use crate::socket::{Knock, Opened};
use std::time::Duration;

/// How long a socket is watched.
const LOOK: Duration = Duration::from_millis(800);

pub(super) const PROBES: &[Probe] = &[
    probe(
        "socket.origin_with_token",
        "A foreign page may open a socket with a good token",
        &["v5.0.0-4.4.2"],
        Severity::Medium,
        "Compare Origin with a list before the upgrade; with Channels use OriginValidator.",
        |ctx| Box::pin(origin(ctx)),
    ),
    probe(
        "socket.stranger",
        "A stranger may listen in a private room",
        &["v5.0.0-8.2.2"],
        Severity::High,
        "Ask for membership before the socket joins the room.",
        |ctx| Box::pin(stranger(ctx)),
    ),
    probe(
        "socket.forbidden_code",
        "A browser cannot learn why a socket was refused",
        &[],
        Severity::Low,
        "Accept the socket, then close it with 4003; closing before that is a 403, and browsers see 1006.",
        |ctx| Box::pin(code(ctx)),
    ),
];

async fn origin(ctx: &Context) -> Result<Outcome, Skip> {
    let knock = as_owner(ctx).await?.header("Origin", &format!("https://{FOREIGN}"));
    let opened = knock.look(ctx, LOOK).await?;
    let evidence = vec![knock.evidence(ctx, &opened)];
    Ok(Outcome::when(opened == Opened::Open, "The socket opens for a foreign Origin.", evidence))
}

async fn stranger(ctx: &Context) -> Result<Outcome, Skip> {
    let (knock, opened) = as_stranger(ctx).await?;
    let evidence = vec![knock.evidence(ctx, &opened)];
    Ok(Outcome::when(opened == Opened::Open, "Somebody who is no member opens the room's socket.", evidence))
}

async fn code(ctx: &Context) -> Result<Outcome, Skip> {
    let (knock, opened) = as_stranger(ctx).await?;
    let evidence = vec![knock.evidence(ctx, &opened)];
    let refused = matches!(opened, Opened::Refused(_));
    Ok(Outcome::when(refused, "Who is no member is refused before the upgrade.", evidence))
}

/// The way in of a member, which must open: else no refusal tells anything.
async fn as_owner(ctx: &Context) -> Result<Knock, Skip> {
    let knock = knock(ctx, &ctx.first().await?.session.access).await?;
    match knock.look(ctx, LOOK).await? {
        Opened::Open => Ok(knock),
        _ => Err(because("the socket does not open for the room's own member")),
    }
}

async fn as_stranger(ctx: &Context) -> Result<(Knock, Opened), Skip> {
    as_owner(ctx).await?;
    let knock = knock(ctx, &ctx.second().await?.live(ctx).await?).await?;
    let opened = knock.look(ctx, LOOK).await?;
    Ok((knock, opened))
}

/// The way to the socket of a private room of the first account.
pub(super) async fn knock(ctx: &Context, access: &str) -> Result<Knock, Skip> {
    let room = ctx.accounts.room.get_or_init(|| make_room(ctx)).await.clone()?;
    let route = ctx.route(&ctx.mapping.routes.socket, "route socket")?.with_id(&room);
    Ok(Knock::at(&format!("{}?token={access}", route.path)))
}

async fn make_room(ctx: &Context) -> Result<String, Skip> {
    let route = ctx.route(&ctx.mapping.routes.make_room, "route make_room")?;
    let names = &ctx.mapping.fields;
    let name = format!("probe_{}", ctx.tag);
    let body = object([(&*names.room_name, name.into()), (&*names.text_public, false.into())]);
    let access = &ctx.first().await?.session.access;
    let answer = ask(ctx, Request::to(route).bearer(access).json(&body)).await?;
    answer.field(&names.id).ok_or_else(|| because(format!("no room could be made: {}", answer.status)))
}
