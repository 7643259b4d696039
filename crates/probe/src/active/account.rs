//! Accounts that probes make.

use super::{ask, because, me};
use crate::answer::Answer;
use crate::json::{object, set};
use crate::mailbox::{Letter, Mailbox};
use crate::probe::{Context, Skip};
use crate::request::Request;
use serde_json::Value;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a mail may take, and how long the next one after a mail without a link.
const POST: Duration = Duration::from_secs(15);
const NEXT: Duration = Duration::from_secs(2);

/// A verified account that a probe has made.
pub(crate) struct Account {
    /// Which of the run's accounts it is.
    pub which: &'static str,
    pub username: String,
    pub email: String,
    /// The answer to its registration.
    pub registered: Answer,
    /// The GET of the link in its mail, before the address was verified.
    pub link: Option<Answer>,
    /// What the verification answered, where there is more to it than the link.
    pub verified: Option<Answer>,
    /// The session that began with the verification, or with a login after it.
    pub session: Session,
    password: Mutex<String>,
    seen: Mutex<HashSet<PathBuf>>,
}

/// An access token and its refresh token.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub access: String,
    pub refresh: String,
}

impl Account {
    pub fn password(&self) -> String {
        self.password.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_password(&self, password: &str) {
        password.clone_into(&mut self.password.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Logs in.
    pub async fn login(&self, ctx: &Context) -> Result<Session, Skip> {
        session(ctx, &login(ctx, self.which, &self.password()).await?)
    }

    /// An access token that works: a probe may have ended the first session.
    pub async fn live(&self, ctx: &Context) -> Result<String, Skip> {
        if me(ctx, &self.session.access).await?.is_success() {
            return Ok(self.session.access.clone());
        }
        Ok(self.login(ctx).await?.access)
    }

    /// The next mail to it with a token that was not read before, and the token.
    pub async fn next_link(&self, ctx: &Context) -> Result<(Letter, String), Skip> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let link = next_link(ctx, &self.email, &mut seen).await;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&seen);
        link
    }
}

impl Context {
    /// The account that most probes use.
    pub(crate) async fn first(&self) -> Result<&Account, Skip> {
        let made = self.accounts.first.get_or_init(|| make(self, "a", true)).await;
        made.as_ref().map_err(Clone::clone)
    }

    /// An account of somebody else, whose password and sessions change.
    pub(crate) async fn second(&self) -> Result<&Account, Skip> {
        let made = self.accounts.second.get_or_init(|| make(self, "b", false)).await;
        made.as_ref().map_err(Clone::clone)
    }

    /// A session of the first account that began with its password: that logins work at all.
    pub(super) async fn able(&self) -> Result<&Session, Skip> {
        let able = async { self.first().await?.login(self).await };
        self.accounts.able.get_or_init(|| able).await.as_ref().map_err(Clone::clone)
    }
}

/// The name of an account of this run.
pub(super) fn username(ctx: &Context, which: &str) -> String {
    format!("probe_{}{which}", ctx.tag)
}

/// The address of an account of this run.
pub(super) fn email(ctx: &Context, which: &str) -> String {
    format!("{}@example.org", username(ctx, which))
}

/// A password that every policy takes, another for each purpose.
pub(super) fn password(ctx: &Context, purpose: &str) -> String {
    let password = format!("Kv7!quartz-{}-Lantern.{purpose}", ctx.tag.get(..4).unwrap_or("x"));
    ctx.client.keep(&password);
    password
}

/// The body of a registration, with what else the mapping says that one must hold.
pub(super) fn registration(ctx: &Context, username: &str, email: &str, password: &str) -> Value {
    let names = &ctx.mapping.fields;
    let mut body = object(ctx.mapping.extra.iter().map(|(name, value)| {
        let value = value.as_str().map_or(value.clone(), |text| text.replace("{password}", password).into());
        (&**name, value)
    }));
    for (name, value) in [(&names.username, username), (&names.email, email), (&names.password, password)] {
        set(&mut body, name, value.into());
    }
    body
}

/// Registers with this body.
pub(super) async fn register(ctx: &Context, body: &Value) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.register, "route register")?;
    let answer = ask(ctx, Request::to(route).json(body)).await?;
    if answer.is_success()
        && let Some(name) = crate::json::get(body, &ctx.mapping.fields.username).and_then(Value::as_str)
    {
        ctx.accounts.made.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
    }
    Ok(answer)
}

/// The request of a login, by name or by address.
pub(super) fn login_request(ctx: &Context, which: &str, password: &str) -> Result<Request, Skip> {
    let route = ctx.route(&ctx.mapping.routes.login, "route login")?;
    let names = &ctx.mapping.fields;
    let name = if names.login_name == names.email { email(ctx, which) } else { username(ctx, which) };
    let body = object([(&*names.login_name, name.into()), (&*names.password, password.into())]);
    Ok(Request::to(route).json(&body))
}

pub(super) async fn login(ctx: &Context, which: &str, password: &str) -> Result<Answer, Skip> {
    ask(ctx, login_request(ctx, which, password)?).await
}

/// The tokens in an answer.
pub(super) fn session(ctx: &Context, answer: &Answer) -> Result<Session, Skip> {
    let refresh = answer.field(&ctx.mapping.fields.refresh);
    let refresh = refresh
        .ok_or_else(|| because(format!("{} answered {} without two tokens", answer.path(), answer.status)))?;
    renewed(ctx, answer, &refresh)
}

/// The tokens in the answer to a refresh; a server that does not rotate answers with an access token alone.
pub(super) fn renewed(ctx: &Context, answer: &Answer, before: &str) -> Result<Session, Skip> {
    let names = &ctx.mapping.fields;
    let access = answer.field(&names.access);
    let access = access
        .ok_or_else(|| because(format!("{} answered {} without a token", answer.path(), answer.status)))?;
    let refresh = answer.field(&names.refresh).unwrap_or_else(|| before.to_owned());
    ctx.client.keep(&access);
    ctx.client.keep(&refresh);
    Ok(Session { access, refresh })
}

pub(super) fn mailbox(ctx: &Context) -> Result<&Mailbox, Skip> {
    ctx.mailbox.as_ref().ok_or_else(|| because("no mailbox was given"))
}

async fn next_link(
    ctx: &Context,
    address: &str,
    seen: &mut HashSet<PathBuf>,
) -> Result<(Letter, String), Skip> {
    let name = &ctx.mapping.mail.token_parameter;
    let mut patience = POST;
    while let Some(letter) = mailbox(ctx)?.wait(address, seen, patience).await {
        if let Some(token) = letter.parameter(name) {
            ctx.client.keep(&token);
            return Ok((letter, token));
        }
        patience = NEXT;
    }
    Err(because(if patience == NEXT {
        format!("a mail arrived, without `{name}=` in it")
    } else {
        "no mail with a link arrived within 15 seconds".to_owned()
    }))
}

/// Registers, follows the mail's link as a scanner of mails does if it `is_first`, and verifies.
async fn make(ctx: &Context, which: &'static str, is_first: bool) -> Result<Account, Skip> {
    let (username, email, password) = (username(ctx, which), email(ctx, which), password(ctx, which));
    let body = registration(ctx, &username, &email, &password);
    let registered = if is_first { boldly(ctx, &body).await? } else { register(ctx, &body).await? };
    if !registered.accepted()? {
        let status = registered.status;
        return Err(because(format!("no account could be made: registration answered {status}")));
    }
    let mut seen = HashSet::new();
    let (_, token) = next_link(ctx, &email, &mut seen).await?;
    let way = ctx.mapping.routes.verify_email.as_ref();
    let mut link = None;
    if is_first || way.is_none() {
        let path = ctx.mapping.mail.verify_link.replace("{token}", &token);
        link = ctx.client.call(Request::get(&path)).await.ok();
    }
    let mut verified = None;
    if let Some(route) = way {
        let body = object([(&*ctx.mapping.fields.token, token.into())]);
        verified = Some(ask(ctx, Request::to(route).json(&body)).await?);
    }
    let session = match verified.as_ref().and_then(|answer| session(ctx, answer).ok()) {
        Some(begun) => begun,
        None => session(ctx, &login(ctx, which, &password).await?)?,
    };
    let (password, seen) = (Mutex::new(password), Mutex::new(seen));
    Ok(Account { which, username, email, registered, link, verified, session, password, seen })
}

/// Registers with more rights than one may ask for; where that is refused, without them.
async fn boldly(ctx: &Context, body: &Value) -> Result<Answer, Skip> {
    let mut bold = body.clone();
    for name in [ctx.mapping.fields.staff.as_str(), "is_superuser", "is_admin"] {
        set(&mut bold, name, true.into());
    }
    let answer = register(ctx, &bold).await?;
    if answer.accepted()? { Ok(answer) } else { register(ctx, body).await }
}
