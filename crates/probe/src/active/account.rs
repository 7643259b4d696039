//! Accounts that probes make, and their end.

use super::{ask, because, me};
use crate::client::{Answer, Request};
use crate::mailbox::{Letter, Mailbox};
use crate::probe::{Context, Skip};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a mail may take.
const POST: Duration = Duration::from_secs(15);

/// A verified account that a probe has made.
pub(crate) struct Account {
    pub username: String,
    pub email: String,
    /// The answer to its registration.
    pub registered: Answer,
    /// The GET of the link in its mail, before the address was verified.
    pub link: Option<Answer>,
    /// What the verification answered.
    pub verified: Answer,
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
        session(ctx, &login(ctx, &self.username, &self.password()).await?)
    }

    /// An access token that works: a probe may have ended the first session.
    pub async fn live(&self, ctx: &Context) -> Result<String, Skip> {
        if me(ctx, &self.session.access).await?.is_success() {
            return Ok(self.session.access.clone());
        }
        Ok(self.login(ctx).await?.access)
    }

    /// The next mail to it with a token that was not read before.
    pub async fn next_link(&self, ctx: &Context) -> Result<Letter, Skip> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        loop {
            let letter = mailbox(ctx)?.wait(&self.email, &mut seen, POST).await;
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&seen);
            let letter = letter.ok_or_else(|| because("no mail with a link arrived within 15 seconds"))?;
            if letter.parameter(&ctx.mapping.mail.token_parameter).is_some() {
                return Ok(letter);
            }
        }
    }
}

impl Context {
    /// The account that most probes use.
    pub(crate) async fn first(&self) -> Result<&Account, Skip> {
        let made = self.accounts.first.get_or_init(|| make(self, "a")).await;
        made.as_ref().map_err(Clone::clone)
    }

    /// An account of somebody else, whose password and sessions change.
    pub(crate) async fn second(&self) -> Result<&Account, Skip> {
        let made = self.accounts.second.get_or_init(|| make(self, "b")).await;
        made.as_ref().map_err(Clone::clone)
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
    format!("Kv7!quartz-{}-Lantern.{purpose}", ctx.tag.get(..4).unwrap_or("x"))
}

/// The body of a registration.
pub(super) fn registration(ctx: &Context, username: &str, email: &str, password: &str) -> Map<String, Value> {
    let names = &ctx.mapping.fields;
    [(&names.username, username), (&names.email, email), (&names.password, password)]
        .into_iter()
        .map(|(name, value)| (name.clone(), value.into()))
        .collect()
}

/// Registers with this body.
pub(super) async fn register(ctx: &Context, body: Map<String, Value>) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.register, "route register")?;
    ask(ctx, Request::to(route).json(&body.into())).await
}

/// The request of a login.
pub(super) fn login_request(ctx: &Context, username: &str, password: &str) -> Result<Request, Skip> {
    let route = ctx.route(&ctx.mapping.routes.login, "route login")?;
    let names = &ctx.mapping.fields;
    Ok(Request::to(route).json(&json!({ &names.login_name: username, &names.password: password })))
}

pub(super) async fn login(ctx: &Context, username: &str, password: &str) -> Result<Answer, Skip> {
    ask(ctx, login_request(ctx, username, password)?).await
}

/// The tokens in an answer.
pub(super) fn session(ctx: &Context, answer: &Answer) -> Result<Session, Skip> {
    let names = &ctx.mapping.fields;
    match (answer.field(&names.access), answer.field(&names.refresh)) {
        (Some(access), Some(refresh)) => Ok(Session { access, refresh }),
        _ => Err(because(format!("a login answered {} without two tokens", answer.status))),
    }
}

pub(super) fn mailbox(ctx: &Context) -> Result<&Mailbox, Skip> {
    ctx.mailbox.as_ref().ok_or_else(|| because("no mailbox was given"))
}

/// Registers with more rights than one may ask for, follows the mail's link as a scanner of mails does, verifies.
async fn make(ctx: &Context, which: &str) -> Result<Account, Skip> {
    let (username, email, password) = (username(ctx, which), email(ctx, which), password(ctx, which));
    let mut body = registration(ctx, &username, &email, &password);
    for name in [ctx.mapping.fields.staff.as_str(), "is_superuser", "is_admin"] {
        body.insert(name.to_owned(), true.into());
    }
    let registered = register(ctx, body).await?;
    if !registered.is_success() {
        return Err(because(format!(
            "no account could be made: registration answered {}",
            registered.status
        )));
    }
    let mut seen = HashSet::new();
    let letter = mailbox(ctx)?.wait(&email, &mut seen, POST).await;
    let token = letter.and_then(|letter| letter.parameter(&ctx.mapping.mail.token_parameter));
    let token = token.ok_or_else(|| because("no mail with a token arrived within 15 seconds"))?;
    let path = ctx.mapping.mail.verify_link.replace("{token}", &token);
    let link = ctx.client.call(Request::get(&path)).await.ok();
    let route = ctx.route(&ctx.mapping.routes.verify_email, "route verify_email")?;
    let verified = ask(ctx, Request::to(route).json(&json!({ &ctx.mapping.fields.token: token }))).await?;
    let begun = match session(ctx, &verified) {
        Ok(begun) => begun,
        Err(_) => session(ctx, &login(ctx, &username, &password).await?)?,
    };
    let (password, seen) = (Mutex::new(password), Mutex::new(seen));
    Ok(Account { username, email, registered, link, verified, session: begun, password, seen })
}

/// Deletes what the probes have made, where the server has a way.
pub(crate) async fn clean_up(ctx: &Context) {
    let routes = &ctx.mapping.routes;
    let Some(Ok(first)) = ctx.accounts.first.get() else { return };
    let text = ctx.accounts.text.get().and_then(|made| made.as_ref().ok()).map(|text| text.id.clone());
    let room = ctx.accounts.room.get().and_then(|made| made.as_ref().ok()).cloned();
    for (route, id) in [(&routes.delete_text, text), (&routes.delete_room, room)] {
        if let (Some(route), Some(id)) = (route, id) {
            let request = Request::to(&route.with_id(&id)).bearer(&first.session.access);
            let _ = ctx.client.call_raw(request).await;
        }
    }
    for account in [&ctx.accounts.first, &ctx.accounts.second] {
        if let Some(Ok(account)) = account.get() {
            let _ = delete(ctx, account).await;
        }
    }
}

async fn delete(ctx: &Context, account: &Account) -> Result<(), Skip> {
    let route = ctx.route(&ctx.mapping.routes.delete_me, "route delete_me")?;
    let body = json!({ &ctx.mapping.fields.password: account.password() });
    let request = |access: &str| Request::to(route).bearer(access).json(&body);
    if ask(ctx, request(&account.session.access)).await?.status == 401 {
        let session = account.login(ctx).await?;
        ask(ctx, request(&session.access)).await?;
    }
    Ok(())
}
