//! The end of what probes have made.

use super::account::{Account, login_request, session};
use super::{PATIENCE, disguised, object};
use crate::answer::Answer;
use crate::mapping::Route;
use crate::probe::{Context, Skip};
use crate::request::Request;
use std::sync::PoisonError;

/// Deletes what the probes have made, where the server has a way; answers what stays behind.
pub(crate) async fn clean_up(ctx: &Context) -> Vec<String> {
    let made = ctx.accounts.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut left: Vec<String> = made.into_iter().map(|name| format!("account {name}")).collect();
    if let Some(Ok(first)) = ctx.accounts.first.get() {
        left.extend(things(ctx, first).await);
    }
    for account in [&ctx.accounts.first, &ctx.accounts.second] {
        if let Some(Ok(account)) = account.get()
            && delete(ctx, account).await.unwrap_or(false)
        {
            let gone = format!("account {}", account.username);
            left.retain(|name| *name != gone);
        }
    }
    left
}

/// Deletes the first account's text and room; answers what it could not.
async fn things(ctx: &Context, first: &Account) -> Vec<String> {
    let routes = &ctx.mapping.routes;
    let text = ctx.accounts.text.get().and_then(|made| made.as_ref().ok()).map(|text| &text.id);
    let room = ctx.accounts.room.get().and_then(|made| made.as_ref().ok());
    let mut left = Vec::new();
    for (route, id, name) in [(&routes.delete_text, text, "text"), (&routes.delete_room, room, "room")] {
        if let Some(id) = id
            && !thing(ctx, first, route.as_ref(), id).await.unwrap_or(false)
        {
            left.push(format!("{name} {id}"));
        }
    }
    left
}

async fn thing(ctx: &Context, owner: &Account, route: Option<&Route>, id: &str) -> Result<bool, Skip> {
    let route = route.ok_or(Skip::NotMapped("way to delete it"))?.with_id(id);
    Ok(with_token(ctx, owner, Request::to(&route)).await?.is_success())
}

async fn delete(ctx: &Context, account: &Account) -> Result<bool, Skip> {
    let route = ctx.route(&ctx.mapping.routes.delete_me, "route delete_me")?;
    let body = object([(&*ctx.mapping.fields.password, account.password().into())]);
    Ok(with_token(ctx, account, Request::to(route).json(&body)).await?.is_success())
}

/// Makes a call with the account's token, or a new one where that has ended.
async fn with_token(ctx: &Context, account: &Account, request: Request) -> Result<Answer, Skip> {
    let answer = send(ctx, request.clone().bearer(&account.session.access)).await?;
    if answer.status != 401 {
        return Ok(answer);
    }
    let begun = session(ctx, &send(ctx, login_request(ctx, account.which, &account.password())?).await?)?;
    send(ctx, request.bearer(&begun.access)).await
}

async fn send(ctx: &Context, request: Request) -> Result<Answer, Skip> {
    let known = ctx.accounts.bypass().map(|bypass| bypass.name);
    ctx.client.call_patiently(disguised(ctx, request, known), PATIENCE).await
}
