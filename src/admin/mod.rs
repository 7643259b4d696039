//! What operators do from the command line; it sits above the features.

pub mod users;

use crate::access::{Client, NewHash, attributes, publish_change};
use crate::accounts::names::{Email, Username};
use crate::accounts::store;
use crate::audit::{self, Kind, Subject};
use crate::error::{Error, Result};
use crate::model::users::{ActiveModel, Column, Entity, Model, Status};
use crate::state::App;
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use portcullis_security::random::Random;
use portcullis_security::secret::Secret;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};

/// Why an operator's wish was not fulfilled, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AdminError(String);

impl AdminError {
    fn of(error: Error) -> Self {
        match error {
            Error::Invalid(invalid) => {
                let texts: Vec<_> = invalid.fields.into_iter().flat_map(|(_, problems)| problems).collect();
                Self(texts.join(" "))
            }
            error => Self(format!("the database refused: {error:?}")),
        }
    }
}

/// A `SECRET_KEY` as Django makes them: 50 characters, here of letters and digits only, so that no shell
/// or settings file reads one differently (guide §16.2).
pub fn fresh_secret(random: &Random) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // Bytes from 248 on are drawn again: 248 is the last multiple of 62.
    let drawn = std::iter::repeat_with(|| random.bytes::<1>()[0]).filter(|byte| *byte < 248);
    drawn.take(50).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])).collect()
}

/// Whether there is a superuser.
///
/// # Errors
/// When the database does not answer.
pub async fn has_superuser(app: &App) -> Result<bool, AdminError> {
    let superusers = Entity::find().filter(Column::IsSuperuser.eq(true)).count(app.storage.reader()).await;
    superusers.map(|count| count > 0).map_err(|error| AdminError(error.to_string()))
}

/// Makes a superuser, active and verified.
///
/// # Errors
/// When a name or the password breaks a rule, or is taken.
pub async fn create_superuser(
    app: &App,
    username: &str,
    email: &str,
    password: Secret,
) -> Result<String, AdminError> {
    let username = Username::parse(username).map_err(|problem| AdminError(format!("username: {problem}")))?;
    let email = Email::parse(email).map_err(|problem| AdminError(format!("email: {problem}")))?;
    let mut row = blank(&username, &email, app.now());
    let violations = app.passwords.violations(&password, &attributes(&row));
    if !violations.is_empty() {
        let texts: Vec<_> = violations.into_iter().map(|violation| violation.message).collect();
        return Err(AdminError(texts.join(" ")));
    }
    let hash = app.passwords.hash(password).await.map_err(|error| AdminError(format!("{error:?}")))?;
    let NewHash { encoded, scheme } = hash;
    (row.password, row.password_scheme) = (encoded, scheme);
    match app.storage.write(InsertSuperuser { row, now: app.now() }).await {
        Ok(id) => Ok(format!("Superuser {} was made, with id {id}.", username.as_str())),
        Err(error) => Err(AdminError::of(error)),
    }
}

fn blank(username: &Username, email: &Email, now: Timestamp) -> Model {
    let now = now.micros();
    Model {
        id: 0,
        username: username.as_str().to_owned(),
        username_key: username.key(),
        email: email.as_str().to_owned(),
        email_claim: Some(email.as_str().to_owned()),
        email_conflict: false,
        email_verified_at: Some(now),
        password: String::new(),
        password_scheme: String::new(),
        password_changed_at: now,
        first_name: String::new(),
        last_name: String::new(),
        is_staff: true,
        is_superuser: true,
        status: Status::Active,
        sessions_valid_from: now,
        devices_valid_from: now,
        date_joined: now,
        last_login: None,
        delete_at: None,
    }
}

struct InsertSuperuser {
    row: Model,
    now: Timestamp,
}

impl Write for InsertSuperuser {
    type Output = i64;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<i64> {
        use sea_orm::{ActiveModelTrait, ActiveValue::NotSet};
        let row: ActiveModel = self.row.clone().into();
        let mut row = row.reset_all();
        row.id = NotSet;
        row.last_login = Set(None);
        let id = store::insert_user(tx, row).await?;
        audit::record(tx, Kind::Promoted, Subject::user(id), &Client::system(), self.now).await?;
        publish_change(tx, id, self.now).await?;
        Ok(id)
    }
}
