//! Logging in (guide §3.2).

use super::cookies::{Cookies, is_cookie_mode, refresh_cookie};
use super::names;
use super::responses::LoginUser;
use crate::access::{Alarm, Client, NewHash, NewSession, TokenPair, find_by_login, fold, refresh_audience};
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::mail::{Letter, Outbox};
use crate::model::users::{Column, Entity, Model as User, Status};
use crate::model::{audit_events, sessions};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use portcullis_security::clock::Timestamp;
use portcullis_security::password::Verified;
use portcullis_security::secret::Secret;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// Credentials.
#[derive(ToSchema)]
pub struct LoginRequest {
    /// The username, or a verified address.
    pub username: String,
    /// At most 4,096 bytes; nothing is trimmed.
    #[schema(value_type = String)]
    pub password: Secret,
}

impl FromInput for LoginRequest {
    const MISSING: &'static str = "Username and password are required";

    fn from_input(input: &mut Input) -> Option<Self> {
        let (username, password) = (input.text("username"), input.secret("password"));
        Some(Self { username: username?, password: password? })
    }
}

/// Tokens, and whose they are.
#[derive(Serialize, ToSchema)]
pub struct LoginResponse {
    /// The access token, for 15 minutes.
    pub access: String,
    /// The refresh token; missing in cookie mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// The account.
    pub user: LoginUser,
    /// `true` when the account was about to be deleted, which this login has undone; missing otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_undone: Option<bool>,
}

/// Exchanges a username or verified address and a password for tokens.
#[utoipa::path(post, path = "/login", tag = "accounts", request_body = LoginRequest, responses(
    (status = 200, description = "The tokens of a new session.", body = LoginResponse),
    (status = 400, description = "A field is missing."),
    (status = 401, description = "`no_active_account`, or after a correct password `email_not_verified`.")))]
pub async fn login(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    client: Client,
    Body(request): Body<LoginRequest>,
) -> Result<Response> {
    let user = find_by_login(&app.storage, &request.username).await?;
    let verified = app.passwords.verify(user.as_ref(), &request.username, &request.password).await?;
    let user = match admit(&app, user, verified) {
        Ok(user) => user,
        Err((user_id, refusal)) => {
            record_failure(&app, &request.username, user_id, client).await?;
            return Err(refusal);
        }
    };
    let rehashed = match verified.obsolete {
        true => Some(app.passwords.hash(request.password).await?),
        false => None,
    };
    let tokens = begin(&app, &headers, &user, client.clone(), rehashed).await?;
    let mut cookies = Cookies::default();
    cookies.add_device(&app, &user, &headers);
    let in_cookie = is_cookie_mode(&headers, &app.config);
    if in_cookie {
        end_former_session(&app, &headers, &client).await;
        cookies.keep_refresh(&app, &tokens, &headers)?;
    }
    let refresh = (!in_cookie).then_some(tokens.refresh);
    let deletion_undone = (user.status == Status::Deleted).then_some(true);
    let user = LoginUser::of(&user);
    Ok(cookies.with(Json(LoginResponse { access: tokens.access, refresh, user, deletion_undone })))
}

/// Ends the session of the cookie that a new one replaces: nobody could use it any more (ASVS v5.0.0-7.2.4). The new
/// one has begun, whatever comes of this.
pub(super) async fn end_former_session(app: &App, headers: &HeaderMap, client: &Client) {
    let Some(former) = refresh_cookie(app, headers) else { return };
    match app.access.log_out(former.expose_text(), None, client, &app.random).await {
        // A cookie that is no good has no session.
        Ok(_) | Err(Error::Refused(_)) => {}
        Err(error) => tracing::warn!(?error, "the session of a replaced cookie was not ended"),
    }
}

/// Whether the account may log in now; else whose failure it is, and the answer.
fn admit(app: &App, user: Option<User>, verified: Verified) -> Result<User, (Option<i64>, Error)> {
    let Some(user) = user else { return Err((None, Error::no_active_account())) };
    let may_return = user.delete_at.is_some_and(|delete_at| delete_at > app.now().micros());
    let is_usable = match user.status {
        Status::Active => true,
        Status::Deleted => may_return,
        Status::Banned => false,
    };
    if !verified.matches || !is_usable {
        return Err((Some(user.id), Error::no_active_account()));
    }
    if user.email_verified_at.is_none() {
        let message = "Please verify your email address before logging in.";
        let refusal = Error::refused(StatusCode::UNAUTHORIZED, "email_not_verified", message);
        return Err((Some(user.id), refusal));
    }
    Ok(user)
}

async fn begin(
    app: &App,
    headers: &HeaderMap,
    user: &User,
    client: Client,
    rehashed: Option<NewHash>,
) -> Result<TokenPair> {
    let now = app.now();
    let knows_cookie = app.devices.read(headers, now).is_some_and(|device| device.is_of(user));
    let session = NewSession::new(user.id, &client, app.access.lifetimes(), now, &app.random);
    let row = session.row().clone();
    let begin = BeginSession {
        alarm: app.watch.succeeded(&client, user.id, now),
        session,
        user: user.clone(),
        rehashed,
        knows_cookie,
        outbox: app.outbox.clone(),
        client,
        now,
    };
    let has_changed = begin.rehashed.is_some() || user.status != Status::Active;
    app.write(begin).await?;
    if has_changed {
        app.access.forget(user.id, &[]);
    }
    Ok(app.access.tokens(&row, user, &app.random))
}

async fn record_failure(app: &App, login: &str, user_id: Option<i64>, client: Client) -> Result<()> {
    let now = app.now();
    let alarms = app.watch.failed(&client, &fold(login), user_id, now);
    let is_alarming = !alarms.is_empty();
    app.storage.write(RecordFailure { user_id, client, alarms, outbox: app.outbox.clone(), now }).await?;
    if is_alarming {
        app.outbox.wake();
    }
    Ok(())
}

struct RecordFailure {
    user_id: Option<i64>,
    client: Client,
    alarms: Vec<Alarm>,
    outbox: Outbox,
    now: Timestamp,
}

impl Write for RecordFailure {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let subject = Subject { user_id: self.user_id, session_id: None };
        audit::record(tx, Kind::LoginFailed, subject, &self.client, self.now).await?;
        for alarm in &self.alarms {
            alarm.record(tx, &self.client, &self.outbox, self.now).await?;
        }
        Ok(())
    }
}

/// Mails of new devices in a day, at most: whoever knows the password must not fill a mailbox with them.
const NOTICES: u64 = 5;
const DAY: Duration = Duration::from_secs(86_400);

struct BeginSession {
    alarm: Option<Alarm>,
    session: NewSession,
    user: User,
    rehashed: Option<NewHash>,
    knows_cookie: bool,
    outbox: Outbox,
    client: Client,
    now: Timestamp,
}

impl Write for BeginSession {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        let subject = Subject::session(self.user.id, self.session.id());
        // First, as whatever ends sessions does it: the order of locks.
        self.update_user(tx).await?;
        if self.is_new_device(tx).await? {
            if self.new_devices(tx).await? < NOTICES {
                self.outbox.enqueue(tx, &self.notice(), self.now).await?;
            }
            audit::record(tx, Kind::NewDevice, subject, &self.client, self.now).await?;
        }
        if let Some(alarm) = &self.alarm {
            alarm.record(tx, &self.client, &self.outbox, self.now).await?;
        }
        self.session.insert(tx).await?;
        if self.user.status == Status::Deleted {
            refresh_audience(tx, self.user.id).await?;
            audit::record(tx, Kind::AccountRestored, subject, &self.client, self.now).await?;
        }
        audit::record(tx, Kind::LoginSucceeded, subject, &self.client, self.now).await
    }
}

impl BeginSession {
    /// The password was right for the old hash, so that one must still be there: a change in between wins.
    async fn update_user(&self, tx: &DatabaseTransaction) -> Result<()> {
        let mut update = Entity::update_many()
            .col_expr(Column::LastLogin, Expr::value(self.now.micros()))
            .filter(Column::Id.eq(self.user.id))
            .filter(Column::Password.eq(self.user.password.clone()))
            .filter(Column::Status.eq(self.user.status));
        if let Some(hash) = &self.rehashed {
            update = update
                .col_expr(Column::Password, Expr::value(hash.encoded.clone()))
                .col_expr(Column::PasswordScheme, Expr::value(hash.scheme.clone()));
        }
        if self.user.status == Status::Deleted {
            update = update
                .col_expr(Column::Status, Expr::value("active"))
                .col_expr(Column::DeleteAt, Expr::value(Option::<i64>::None));
        }
        if update.exec(tx).await?.rows_affected == 1 {
            return Ok(());
        }
        // Two logins at once may both replace an obsolete hash; the one that is late still logs in.
        let current = super::store::load(tx, self.user.id).await?;
        let is_same = current.password_changed_at == self.user.password_changed_at;
        let is_usable = current.status == Status::Active;
        if is_same && is_usable { Ok(()) } else { Err(Error::no_active_account()) }
    }

    /// Neither a cookie nor an earlier session from the same network with the same program. Sessions are soon
    /// forgotten: whoever has been away has none, and is told; only the first login of all is no news.
    async fn is_new_device(&self, tx: &DatabaseTransaction) -> Result<bool> {
        if self.knows_cookie {
            return Ok(false);
        }
        let seen: Vec<(String, String)> = sessions::Entity::find()
            .select_only()
            .columns([sessions::Column::UserAgent, sessions::Column::IpPrefix])
            .filter(sessions::Column::UserId.eq(self.user.id))
            .distinct()
            .limit(200)
            .into_tuple()
            .all(tx)
            .await?;
        let here = (&self.client.user_agent, &self.client.ip_prefix);
        let is_first = seen.is_empty() && self.user.last_login.is_none();
        Ok(!is_first && !seen.iter().any(|(agent, prefix)| (agent, prefix) == here))
    }

    /// How many new devices there were within a day.
    async fn new_devices(&self, tx: &DatabaseTransaction) -> Result<u64> {
        let told = audit_events::Entity::find()
            .filter(audit_events::Column::UserId.eq(self.user.id))
            .filter(audit_events::Column::At.gt(self.now.minus(DAY).micros()))
            .filter(audit_events::Column::Kind.eq(Kind::NewDevice.slug()));
        Ok(told.count(tx).await?)
    }

    fn notice(&self) -> Letter {
        Letter::NewDevice {
            user_id: self.user.id,
            ip_prefix: self.client.ip_prefix.clone(),
            device: self.client.device.clone(),
            at: self.now,
        }
    }
}

/// The account as it was when the password that is asked for again was its own.
///
/// # Errors
/// 400 with `message` when it is not, 503 when too many wait.
pub async fn confirm_password(
    app: &App,
    user: &User,
    field: &'static str,
    password: &Secret,
) -> Result<Arc<User>> {
    // The cached row may be older than the last change of the password.
    let user = app.access.users().load(user.id).await?.ok_or_else(Error::token_not_valid)?;
    let verified = app.passwords.verify(Some(&user), &fold(&user.username), password).await?;
    if verified.matches { Ok(user) } else { Err(Error::field(field, names::WRONG_PASSWORD)) }
}

/// Holds an account, for what its password was confirmed for: whoever has replaced it meanwhile wins.
///
/// # Errors
/// As [`confirm_password`], when the password is not the one that was confirmed any more.
pub async fn hold_confirmed(tx: &DatabaseTransaction, confirmed: &User, field: &'static str) -> Result<()> {
    let same = Entity::find_by_id(confirmed.id)
        // Not the hash: a login at the same moment may have made a stronger one of the same password.
        .filter(Column::PasswordChangedAt.eq(confirmed.password_changed_at))
        .lock_exclusive();
    match same.one(tx).await? {
        Some(_) => Ok(()),
        None => Err(Error::field(field, names::WRONG_PASSWORD)),
    }
}
