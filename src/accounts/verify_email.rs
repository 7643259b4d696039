//! Proving an address by the link or the code of a mail (guide §5).

use super::cookies::{Cookies, is_cookie_mode};
use super::login::end_former_session;
use super::names::Email;
use super::responses::ShortUser;
use super::store;
use crate::access::{Client, NewSession};
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::extract::{Body, FromInput, Input};
use crate::model::one_time_tokens::{self, Purpose};
use crate::model::users::{self, Column, Entity, Model as User, Status};
use crate::state::App;
use crate::storage::{Write, is_unique_violation};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use portcullis_security::token::{hash_presented, hash_presented_code};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A code is dead after this many wrong tries.
const MAX_ATTEMPTS: i64 = 5;

/// The token of the link, or the address and the code.
#[derive(ToSchema)]
pub struct VerifyEmailRequest {
    /// From the link.
    #[schema(value_type = Option<String>)]
    pub token: Option<Secret>,
    /// The address, with `code`.
    pub email: Option<String>,
    /// Eight digits, for ten minutes.
    #[schema(value_type = Option<String>)]
    pub code: Option<Secret>,
}

impl FromInput for VerifyEmailRequest {
    fn from_input(input: &mut Input) -> Option<Self> {
        let (token, email) = (input.optional_secret("token"), input.optional_text("email"));
        Some(Self { token, email, code: input.optional_secret("code") })
    }
}

/// Tokens, since whoever proved the address is logged in.
#[derive(Serialize, ToSchema)]
pub struct VerifyEmailResponse {
    message: &'static str,
    access: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    user: ShortUser,
}

/// Proves an address and logs its owner in.
#[utoipa::path(post, path = "/verify-email", tag = "accounts", request_body = VerifyEmailRequest, responses(
    (status = 200, description = "The address is proved.", body = VerifyEmailResponse),
    (status = 400, description = "Nothing to prove it with, or it is used, expired or wrong.")))]
pub async fn verify_email(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    client: Client,
    Body(request): Body<VerifyEmailRequest>,
) -> Result<Response> {
    let proof = Proof::of(&app, request)?.ok_or_else(invalid)?;
    let now = app.now();
    // The session is drawn before its user is known, so that one transaction does it all.
    let session = NewSession::new(0, &client, app.access.lifetimes(), now, &app.random);
    let verify = VerifyAddress { proof, session, client: client.clone(), now };
    let user = app.write(verify).await?.ok_or_else(invalid)?;
    app.access.forget(user.0.id, &[]);
    let (user, row) = user;
    let tokens = app.access.tokens(&row, &user, &app.random);
    let mut cookies = Cookies::default();
    cookies.add_device(&app, &user, &headers);
    let in_cookie = is_cookie_mode(&headers, &app.config);
    if in_cookie {
        end_former_session(&app, &headers, &client).await;
        cookies.keep_refresh(&app, &tokens, &headers)?;
    }
    Ok(cookies.with(Json(VerifyEmailResponse {
        message: "Email verified successfully",
        access: tokens.access,
        refresh: (!in_cookie).then_some(tokens.refresh),
        user: ShortUser::of(&user),
    })))
}

const fn invalid() -> Error {
    Error::bad_request("token_not_valid", "Invalid or expired verification token")
}

enum Proof {
    Link([u8; 32]),
    Code { email: Email, code: Secret, key: Zeroizing<[u8; 32]> },
}

impl Proof {
    fn of(app: &App, request: VerifyEmailRequest) -> Result<Option<Self>> {
        match (request.token, request.email, request.code) {
            (Some(token), _, _) => Ok(hash_presented(token.expose_text()).map(Self::Link)),
            (None, Some(email), Some(code)) => Ok(Email::parse(&email).ok().map(|email| Self::Code {
                email,
                code,
                key: app.code_key.clone(),
            })),
            _ => Err(Error::field("token", "Verification token required")),
        }
    }
}

struct VerifyAddress {
    proof: Proof,
    session: NewSession,
    client: Client,
    now: Timestamp,
}

impl Write for VerifyAddress {
    type Output = Option<(User, crate::model::sessions::Model)>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Self::Output> {
        let used = match &self.proof {
            Proof::Link(hash) => store::consume(tx, *hash, Purpose::Verify, self.now).await?,
            Proof::Code { email, code, key } => self.consume_code(tx, email, code, key).await?,
        };
        let Some(used) = used else { return Ok(None) };
        let Some(user) = self.mark_verified(tx, &used).await? else { return Ok(None) };
        store::end_tokens(tx, user.id, &[Purpose::Verify, Purpose::VerifyCode], self.now).await?;
        let session = self.session.clone().of_user(user.id);
        session.insert(tx).await?;
        let subject = Subject::session(user.id, session.id());
        audit::record(tx, Kind::EmailVerified, subject, &self.client, self.now).await?;
        Ok(Some((user, session.into_row())))
    }
}

impl VerifyAddress {
    /// Tries the code against all that were mailed to the address; a wrong one costs all of them a try.
    async fn consume_code(
        &self,
        tx: &DatabaseTransaction,
        email: &Email,
        code: &Secret,
        key: &[u8; 32],
    ) -> Result<Option<one_time_tokens::Model>> {
        use one_time_tokens::{Column, Entity};
        let waiting = store::waiting(email.as_str()).select_only().column(users::Column::Id).into_query();
        let alive = Column::UserId
            .in_subquery(waiting)
            .and(Column::Purpose.eq(Purpose::VerifyCode))
            .and(Column::Attempts.lt(MAX_ATTEMPTS))
            .and(Column::UsedAt.is_null())
            .and(Column::ExpiresAt.gt(self.now.micros()));
        for mailed in Entity::find().filter(alive.clone()).all(tx).await? {
            let Some(hash) = hash_presented_code(code.expose_text(), key, mailed.user_id) else { break };
            if mailed.hash == hash {
                return store::consume(tx, hash, Purpose::VerifyCode, self.now).await;
            }
        }
        Entity::update_many()
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(alive)
            .exec(tx)
            .await?;
        Ok(None)
    }

    /// `None` when the address has found another owner, or the account may not be used: proving an
    /// address never unbans.
    async fn mark_verified(
        &self,
        tx: &DatabaseTransaction,
        used: &one_time_tokens::Model,
    ) -> Result<Option<User>> {
        let verified = Entity::update_many()
            .col_expr(Column::EmailVerifiedAt, Expr::value(self.now.micros()))
            .col_expr(Column::EmailClaim, Expr::value(used.email.clone()))
            .col_expr(Column::LastLogin, Expr::value(self.now.micros()))
            .filter(Column::Id.eq(used.user_id))
            .filter(Column::Email.eq(used.email.clone()))
            .filter(Column::EmailVerifiedAt.is_null())
            .filter(Column::EmailConflict.eq(false))
            .filter(Column::Status.eq(Status::Active))
            .exec(tx)
            .await;
        match verified {
            Ok(result) if result.rows_affected == 1 => Ok(Some(store::load(tx, used.user_id).await?)),
            Ok(_) => Ok(None),
            Err(error) if is_unique_violation(&error, "email_claim") => Err(invalid()),
            Err(error) => Err(error.into()),
        }
    }
}
