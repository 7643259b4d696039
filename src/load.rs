//! Bulk loading: moving in from another system, and filling a database for benchmarks (contract §5 `load`).
//!
//! The file is one JSON object; users come in verified. A bad row is reported with its place and nothing
//! of it is kept; the others are.

use crate::access::{NewHash, Passwords};
use crate::accounts::names::{Email, Username, parse_personal_name};
use crate::accounts::store;
use crate::error::{Error, Result};
use crate::model::users::{ActiveModel, Status};
use crate::state::App;
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use portcullis_security::password::Scheme;
use portcullis_security::secret::Secret;
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde::Deserialize;

/// Rows that are written in one transaction.
const BATCH: usize = 200;

/// The file.
#[derive(Deserialize)]
pub struct LoadFile {
    /// The accounts.
    #[serde(default)]
    pub users: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct UserRow {
    username: String,
    email: String,
    password: Option<String>,
    password_hash: Option<String>,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    is_staff: bool,
}

/// What came of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Accounts that are there now.
    pub loaded: usize,
    /// Why others are not, one sentence each.
    pub problems: Vec<String>,
}

/// Loads the users of a file, calling `progress` with the number of rows that are done.
///
/// # Errors
/// When the database does not answer; what was written before stays.
pub async fn users(app: &App, file: LoadFile, mut progress: impl FnMut(usize)) -> Result<Report> {
    let mut report = Report::default();
    let mut done = 0;
    let rows: Vec<_> = file.users.into_iter().enumerate().collect();
    for batch in rows.chunks(BATCH) {
        let mut ready = Vec::with_capacity(batch.len());
        for (index, row) in batch {
            match prepare(&app.passwords, row.clone()).await {
                Ok(user) => ready.push((*index, user)),
                Err(problem) => report.problems.push(format!("users[{index}]: {problem}")),
            }
        }
        insert(app, ready, &mut report).await?;
        done += batch.len();
        progress(done);
    }
    Ok(report)
}

#[derive(Clone)]
struct NewUser {
    username: Username,
    email: Email,
    first_name: String,
    last_name: String,
    is_staff: bool,
    hash: NewHash,
}

async fn prepare(passwords: &Passwords, row: serde_json::Value) -> Result<NewUser, String> {
    let row: UserRow = serde_json::from_value(row).map_err(|error| error.to_string())?;
    let username = Username::import(&row.username)?;
    let email = Email::parse(&row.email)?;
    let first_name = parse_personal_name(&row.first_name)?;
    let last_name = parse_personal_name(&row.last_name)?;
    let hash = match (row.password, row.password_hash) {
        (None, Some(encoded)) => imported(encoded)?,
        (Some(password), None) => hash_patiently(passwords, &password).await?,
        _ => return Err("give either password or password_hash".to_owned()),
    };
    Ok(NewUser { username, email, first_name, last_name, is_staff: row.is_staff, hash })
}

fn imported(encoded: String) -> Result<NewHash, String> {
    if encoded.len() > 255 {
        return Err("the password_hash is longer than 255 characters".to_owned());
    }
    if !encoded.starts_with('!') {
        Scheme::parse_encoded(&encoded).map_err(|error| format!("password_hash: {error}"))?;
    }
    Ok(NewHash { scheme: Scheme::of_encoded(&encoded).to_string(), encoded })
}

async fn hash_patiently(passwords: &Passwords, password: &str) -> Result<NewHash, String> {
    passwords.hash(Secret::from(password)).await.map_err(|error| format!("{error:?}"))
}

/// The batch in one transaction; when one row is refused, each by itself, to find it.
async fn insert(app: &App, users: Vec<(usize, NewUser)>, report: &mut Report) -> Result<()> {
    let batch = InsertUsers { users: users.iter().map(|(_, user)| user.clone()).collect(), now: app.now() };
    match app.storage.write(batch).await {
        Ok(()) => report.loaded += users.len(),
        Err(Error::Invalid(_)) => {
            for (index, user) in users {
                match app.storage.write(InsertUsers { users: vec![user], now: app.now() }).await {
                    Ok(()) => report.loaded += 1,
                    Err(Error::Invalid(invalid)) => {
                        let texts: Vec<_> = invalid.fields.into_iter().flat_map(|(_, texts)| texts).collect();
                        report.problems.push(format!("users[{index}]: {}", texts.join(" ")));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

struct InsertUsers {
    users: Vec<NewUser>,
    now: Timestamp,
}

impl Write for InsertUsers {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        for user in &self.users {
            store::insert_user(tx, row_of(user, self.now)).await?;
        }
        Ok(())
    }
}

/// `sessions_valid_from` is 0: the tokens that the other system has issued stay good.
fn row_of(user: &NewUser, now: Timestamp) -> ActiveModel {
    let now = now.micros();
    let email = user.email.as_str().to_owned();
    ActiveModel {
        username: Set(user.username.as_str().to_owned()),
        username_key: Set(user.username.key()),
        email: Set(email.clone()),
        email_claim: Set(Some(email)),
        email_conflict: Set(false),
        email_verified_at: Set(Some(now)),
        password: Set(user.hash.encoded.clone()),
        password_scheme: Set(user.hash.scheme.clone()),
        password_changed_at: Set(now),
        first_name: Set(user.first_name.clone()),
        last_name: Set(user.last_name.clone()),
        is_staff: Set(user.is_staff),
        is_superuser: Set(false),
        status: Set(Status::Active),
        sessions_valid_from: Set(0),
        devices_valid_from: Set(now),
        date_joined: Set(now),
        ..ActiveModel::default()
    }
}
