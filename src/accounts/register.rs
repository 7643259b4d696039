//! Making an account (guide §3.4).

use super::names::{Email, Username, parse_personal_name};
use super::responses::ShortUser;
use super::{invite, store};
use crate::access::{Client, NewHash};
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Invalid, Result};
use crate::extract::{Body, FromInput, Input};
use crate::mail::{Letter, Outbox};
use crate::model::users::{ActiveModel, Status};
use crate::state::App;
use crate::storage::Write;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_security::clock::Timestamp;
use portcullis_security::password::UserAttributes;
use portcullis_security::secret::Secret;
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a new account is made of.
#[derive(ToSchema)]
pub struct RegisterRequest {
    /// 3–150 ASCII letters, digits and underscores.
    pub username: String,
    /// An address that can receive mail.
    pub email: String,
    /// By the rules at `password-policy/`.
    #[schema(value_type = String)]
    pub password: Secret,
    /// At most 150 characters.
    pub first_name: Option<String>,
    /// At most 150 characters.
    pub last_name: Option<String>,
    /// What follows `invite=` in an invitation's link; needed where registration is by invitation, else
    /// ignored.
    #[schema(value_type = Option<String>)]
    pub invite: Option<Secret>,
}

impl FromInput for RegisterRequest {
    const MISSING: &'static str = "Username, email, and password are required";

    fn from_input(input: &mut Input) -> Option<Self> {
        let (username, email, password) =
            (input.text("username"), input.text("email"), input.secret("password"));
        let (first_name, last_name) = (input.optional_text("first_name"), input.optional_text("last_name"));
        let invite = input.optional_secret("invite");
        Some(Self { username: username?, email: email?, password: password?, first_name, last_name, invite })
    }
}

/// The account as it was made.
#[derive(Serialize, ToSchema)]
pub struct RegisterResponse {
    message: &'static str,
    user: ShortUser,
}

/// Registers an account; it can log in once its address is verified.
///
/// A known address is answered like any other: its owner is told by mail, and the new account can never be
/// verified with it.
#[utoipa::path(post, path = "/register", tag = "accounts", request_body = RegisterRequest, responses(
    (status = 201, description = "The account was made and a mail is on its way.", body = RegisterResponse),
    (status = 400, description = "A field is missing or wrong."),
    (status = 403, description = "Registration is closed, or the invitation is missing or no good.")))]
pub async fn register(
    State(app): State<Arc<App>>,
    client: Client,
    Body(request): Body<RegisterRequest>,
) -> Result<(StatusCode, Json<RegisterResponse>)> {
    let invitation = invite::admit(&app, request.invite.as_ref(), &request.email).await?;
    let person = check(&app, &request).await?;
    let hash = app.passwords.hash(request.password).await?;
    let insert = InsertUser {
        is_mailed: app.guard.limits.admits_letter(person.email.as_str()),
        person,
        hash,
        invitation,
        exclusive: app.config.accounts.reveal_registered_email,
        outbox: app.outbox.clone(),
        client,
        now: app.now(),
    };
    let user = app.write(insert).await?;
    let message = "Registration successful. Please check your email to verify your account.";
    Ok((StatusCode::CREATED, Json(RegisterResponse { message, user })))
}

/// The valid parts of a request.
#[derive(Clone)]
struct Person {
    username: Username,
    email: Email,
    first_name: String,
    last_name: String,
}

/// Collects every problem before it answers.
async fn check(app: &App, request: &RegisterRequest) -> Result<Person> {
    let mut invalid = Invalid::default();
    let mut note = |field: &'static str, problem: String| invalid.add(field, problem);
    let username = Username::parse(&request.username).map_err(|problem| note("username", problem)).ok();
    let email = Email::parse(&request.email).map_err(|problem| note("email", problem)).ok();
    let mut name = |field, text: &Option<String>| {
        let parsed = parse_personal_name(text.as_deref().unwrap_or_default());
        parsed.map_err(|problem| note(field, problem)).ok()
    };
    let first_name = name("first_name", &request.first_name);
    let last_name = name("last_name", &request.last_name);
    if let Some(username) = &username
        && store::is_taken(&app.storage, &username.key()).await?
    {
        invalid.add("username", store::TAKEN);
    }
    if let (Some(email), true) = (&email, app.config.accounts.reveal_registered_email)
        && store::is_registered(app.storage.reader(), email.as_str()).await?
    {
        invalid.add("email", store::REGISTERED);
    }
    add_violations(app, request, &mut invalid);
    invalid.into_result()?;
    match (username, email, first_name, last_name) {
        (Some(username), Some(email), Some(first_name), Some(last_name)) => {
            Ok(Person { username, email, first_name, last_name })
        }
        _ => Err(Error::internal("a registration was refused without a reason")),
    }
}

fn add_violations(app: &App, request: &RegisterRequest, invalid: &mut Invalid) {
    let attributes = UserAttributes {
        username: &request.username,
        first_name: request.first_name.as_deref().unwrap_or_default(),
        last_name: request.last_name.as_deref().unwrap_or_default(),
        email: &request.email,
    };
    if invalid.fields.is_empty() {
        invalid.headline = Some("Password validation failed");
    }
    for violation in app.passwords.violations(&request.password, &attributes) {
        invalid.add("password", violation.message);
    }
}

struct InsertUser {
    /// False when the address has had its share of letters that anybody may cause.
    is_mailed: bool,
    person: Person,
    hash: NewHash,
    invitation: Option<[u8; 32]>,
    exclusive: bool,
    outbox: Outbox,
    client: Client,
    now: Timestamp,
}

impl Write for InsertUser {
    type Output = ShortUser;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<ShortUser> {
        let email = self.person.email.as_str();
        if let Some(invitation) = self.invitation {
            invite::consume(tx, invitation, email, self.now).await?;
        }
        if self.exclusive && store::is_registered(tx, email).await? {
            return Err(Error::field("email", store::REGISTERED));
        }
        let has_owner = store::owner_of_address(tx, email).await?.is_some();
        let user_id = self.insert(tx, has_owner).await?;
        let letter = if has_owner {
            Letter::AlreadyRegistered { address: email.to_owned() }
        } else {
            Letter::VerifyEmail { user_id }
        };
        if self.is_mailed {
            self.outbox.enqueue(tx, &letter, self.now).await?;
        }
        audit::record(tx, Kind::Registered, Subject::user(user_id), &self.client, self.now).await?;
        let username = self.person.username.as_str().to_owned();
        Ok(ShortUser { id: user_id, username, email: email.to_owned() })
    }
}

impl InsertUser {
    async fn insert(&self, tx: &DatabaseTransaction, has_owner: bool) -> Result<i64> {
        let Person { username, email, first_name, last_name } = &self.person;
        let now = self.now.micros();
        let row = ActiveModel {
            username: Set(username.as_str().to_owned()),
            username_key: Set(username.key()),
            email: Set(email.as_str().to_owned()),
            email_claim: Set(self.exclusive.then(|| email.as_str().to_owned())),
            email_conflict: Set(has_owner),
            email_verified_at: Set(None),
            password: Set(self.hash.encoded.clone()),
            password_scheme: Set(self.hash.scheme.clone()),
            password_changed_at: Set(now),
            first_name: Set(first_name.clone()),
            last_name: Set(last_name.clone()),
            is_staff: Set(false),
            is_superuser: Set(false),
            status: Set(Status::Active),
            sessions_valid_from: Set(now),
            devices_valid_from: Set(now),
            date_joined: Set(now),
            ..ActiveModel::default()
        };
        store::insert_user(tx, row).await
    }
}
