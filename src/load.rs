//! Bulk loading: moving in from another system, and filling a database for benchmarks (contract §5 `load`).
//!
//! The file is one JSON object; users come in verified, books, reviews and rooms as if they were sent to the API,
//! but nobody is mailed. A bad row is reported with its place and nothing of it is kept; the others are.

use crate::access::{NewHash, Passwords};
use crate::accounts::names::{Email, Username, parse_personal_name};
use crate::accounts::store;
use crate::books::{InsertBooks, NewBook};
use crate::chat::{InsertRooms, NewRoom};
use crate::error::{Error, Result};
use crate::extract::Input;
use crate::model::users::{ActiveModel, Status};
use crate::reviews::{InsertReviews, NewReview};
use crate::state::App;
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use portcullis_security::password::Scheme;
use portcullis_security::secret::Secret;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Rows that are written in one transaction.
const BATCH: usize = 500;

/// The file.
#[derive(Deserialize)]
pub struct LoadFile {
    /// The accounts.
    #[serde(default)]
    pub users: Vec<Value>,
    /// The books, as they are sent to the API.
    #[serde(default)]
    pub books: Vec<Value>,
    /// The reviews, as they are sent to the API; `book` and `user` are places in the lists.
    #[serde(default)]
    pub reviews: Vec<Value>,
    /// The rooms, as they are sent to the API, with `members`: places in the list of users, the owner first.
    #[serde(default)]
    pub rooms: Vec<Value>,
}

impl LoadFile {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is no JSON, or has none of the four lists.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let object: Map<String, Value> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if !["users", "books", "reviews", "rooms"].iter().any(|list| object.contains_key(*list)) {
            return Err("it has none of the lists users, books, reviews and rooms".to_owned());
        }
        serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.users.len() + self.books.len() + self.reviews.len() + self.rooms.len()
    }
}

/// As in the file. An `id` keeps the tokens good that another system has issued with the same key.
#[derive(Deserialize)]
struct UserRow {
    id: Option<i64>,
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
    /// RFC 3339; now where it is missing.
    date_joined: Option<String>,
}

/// What came of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Accounts that are there now.
    pub users: usize,
    /// Books that are there now.
    pub books: usize,
    /// Reviews that are there now.
    pub reviews: usize,
    /// Rooms that are there now.
    pub rooms: usize,
    /// Why others are not, one sentence each.
    pub problems: Vec<String>,
}

/// Loads a file, calling `progress` with the number of rows that are done.
///
/// # Errors
/// When the database does not answer; what was written before stays.
pub async fn load(app: &App, file: LoadFile, mut progress: impl FnMut(usize)) -> Result<Report> {
    let mut report = Report::default();
    let mut loader = Loader { app, report: &mut report, done: 0, progress: &mut progress };
    let users = loader.users(file.users).await?;
    let books = loader.books(file.books).await?;
    loader.reviews(file.reviews, &users, &books).await?;
    loader.rooms(file.rooms, &users).await?;
    Ok(report)
}

struct Loader<'a> {
    app: &'a App,
    report: &'a mut Report,
    done: usize,
    progress: &'a mut dyn FnMut(usize),
}

/// The ids that rows of the file have now, by their place.
type Ids = HashMap<usize, i64>;

impl Loader<'_> {
    async fn users(&mut self, rows: Vec<Value>) -> Result<Ids> {
        let mut ids = Ids::new();
        for batch in batches(rows) {
            let count = batch.len();
            let mut ready = Vec::with_capacity(count);
            for (place, row) in batch {
                match prepare(&self.app.passwords, row).await {
                    Ok(user) => ready.push((place, user)),
                    Err(problem) => self.report.problems.push(format!("users[{place}]: {problem}")),
                }
            }
            let now = self.app.now();
            let made = self.insert("users", ready, |users| InsertUsers { users, now }).await?;
            self.report.users += made.len();
            ids.extend(made);
            self.advance(count);
        }
        Ok(ids)
    }

    async fn books(&mut self, rows: Vec<Value>) -> Result<Ids> {
        let mut ids = Ids::new();
        for batch in batches(rows) {
            let count = batch.len();
            let ready = self.read("books", batch, |row| object(row).and_then(Input::read::<NewBook>));
            let now = self.app.now();
            let made = self.insert("books", ready, |books| InsertBooks { books, now }).await?;
            self.report.books += made.len();
            ids.extend(made);
            self.advance(count);
        }
        Ok(ids)
    }

    async fn reviews(&mut self, rows: Vec<Value>, users: &Ids, books: &Ids) -> Result<()> {
        for batch in batches(rows) {
            let count = batch.len();
            let ready = self.read("reviews", batch, |row| review(row, users, books));
            let now = self.app.now();
            let made =
                self.insert("reviews", ready, |reviews| Reviews(InsertReviews { reviews, now })).await?;
            self.report.reviews += made.len();
            self.advance(count);
        }
        Ok(())
    }

    async fn rooms(&mut self, rows: Vec<Value>, users: &Ids) -> Result<()> {
        for batch in batches(rows) {
            let count = batch.len();
            let ready = self.read("rooms", batch, |row| room(row, users));
            let now = self.app.now();
            let made = self.insert("rooms", ready, |rooms| InsertRooms { rooms, now }).await?;
            self.report.rooms += made.len();
            self.advance(count);
        }
        Ok(())
    }

    fn read<T>(
        &mut self,
        list: &str,
        batch: Vec<(usize, Value)>,
        read: impl Fn(Value) -> Result<T>,
    ) -> Vec<(usize, T)> {
        let mut ready = Vec::with_capacity(batch.len());
        for (place, row) in batch {
            match read(row) {
                Ok(value) => ready.push((place, value)),
                Err(error) => self.report.problems.push(format!("{list}[{place}]: {}", in_words(error))),
            }
        }
        ready
    }

    /// The batch in one transaction; when one row is refused, each by itself, to find it.
    async fn insert<T: Clone, W: Write<Output = Vec<i64>>>(
        &mut self,
        list: &str,
        rows: Vec<(usize, T)>,
        write: impl Fn(Vec<T>) -> W,
    ) -> Result<Vec<(usize, i64)>> {
        let all = rows.iter().map(|(_, row)| row.clone()).collect();
        match self.app.write(write(all)).await {
            Ok(ids) => return Ok(rows.into_iter().map(|(place, _)| place).zip(ids).collect()),
            Err(Error::Invalid(_)) => {}
            Err(error) => return Err(error),
        }
        let mut made = Vec::with_capacity(rows.len());
        for (place, row) in rows {
            match self.app.write(write(vec![row])).await {
                Ok(ids) => made.extend(ids.into_iter().map(|id| (place, id))),
                Err(error @ Error::Invalid(_)) => {
                    self.report.problems.push(format!("{list}[{place}]: {}", in_words(error)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(made)
    }

    fn advance(&mut self, rows: usize) {
        self.done += rows;
        (self.progress)(self.done);
    }
}

/// Rows with their places.
fn batches(rows: Vec<Value>) -> impl Iterator<Item = Vec<(usize, Value)>> {
    let mut rows = rows.into_iter().enumerate();
    std::iter::from_fn(move || {
        let batch: Vec<_> = rows.by_ref().take(BATCH).collect();
        (!batch.is_empty()).then_some(batch)
    })
}

fn object(row: Value) -> Result<Map<String, Value>> {
    match row {
        Value::Object(object) => Ok(object),
        _ => Err(Error::bad_request("invalid", "it is no object")),
    }
}

fn review(row: Value, users: &Ids, books: &Ids) -> Result<(i64, NewReview)> {
    let mut row = object(row)?;
    let find = |ids: &Ids, name| row.get(name).and_then(|place| id_at(ids, place));
    let (user, book) = (find(users, "user"), find(books, "book"));
    let user = user.ok_or_else(|| Error::field("user", "no user of this file was loaded from that place"))?;
    let book = book.ok_or_else(|| Error::field("book", "no book of this file was loaded from that place"))?;
    row.insert("book".to_owned(), book.into());
    Ok((user, Input::read(row)?))
}

fn room(row: Value, users: &Ids) -> Result<(NewRoom, Vec<i64>)> {
    let row = object(row)?;
    let unknown = || Error::field("members", "no user of this file was loaded from one of these places");
    let places = row.get("members").and_then(Value::as_array).ok_or_else(unknown)?;
    let members: Option<Vec<i64>> = places.iter().map(|place| id_at(users, place)).collect();
    let members = members.ok_or_else(unknown)?;
    Ok((Input::read(row)?, members))
}

/// What stands at a place of the file now.
fn id_at(ids: &Ids, place: &Value) -> Option<i64> {
    let place = usize::try_from(place.as_u64()?).ok()?;
    ids.get(&place).copied()
}

/// A refusal as one sentence.
pub fn in_words(error: Error) -> String {
    match error {
        Error::Invalid(invalid) => {
            let texts =
                invalid.fields.into_iter().map(|(name, texts)| format!("{name}: {}", texts.join(" ")));
            texts.collect::<Vec<_>>().join(" ")
        }
        Error::Refused(refusal) => refusal.message.into_owned(),
        error => format!("{error:?}"),
    }
}

/// Reviews with an answer of the same shape as the others'.
struct Reviews(InsertReviews);

impl Write for Reviews {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        self.0.run(tx).await?;
        Ok(self.0.reviews.iter().map(|(user, _)| *user).collect())
    }
}

#[derive(Clone)]
struct NewUser {
    id: Option<i64>,
    username: Username,
    email: Email,
    first_name: String,
    last_name: String,
    is_staff: bool,
    date_joined: Option<Timestamp>,
    hash: NewHash,
}

/// Numbers that stay exact in JavaScript.
const MAX_ID: i64 = (1 << 53) - 1;

async fn prepare(passwords: &Passwords, row: Value) -> Result<NewUser, String> {
    let row: UserRow = serde_json::from_value(row).map_err(|error| error.to_string())?;
    if row.id.is_some_and(|id| !(1..=MAX_ID).contains(&id)) {
        return Err(format!("id: it is not between 1 and {MAX_ID}"));
    }
    let username = Username::import(&row.username)?;
    let email = Email::parse(&row.email)?;
    let first_name = parse_personal_name(&row.first_name)?;
    let last_name = parse_personal_name(&row.last_name)?;
    let date_joined = row.date_joined.as_deref().map(moment).transpose()?;
    let hash = match (row.password, row.password_hash) {
        (None, Some(encoded)) => imported(encoded)?,
        (Some(password), None) => hash_patiently(passwords, &password).await?,
        _ => return Err("give either password or password_hash".to_owned()),
    };
    let UserRow { id, is_staff, .. } = row;
    Ok(NewUser { id, username, email, first_name, last_name, is_staff, date_joined, hash })
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let parsed = chrono::DateTime::parse_from_rfc3339(text);
    let moment = parsed.map_err(|_| "date_joined: it is no time like 2024-05-01T12:00:00Z".to_owned())?;
    Ok(Timestamp::from_micros(moment.timestamp_micros()))
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

struct InsertUsers {
    users: Vec<NewUser>,
    now: Timestamp,
}

impl Write for InsertUsers {
    type Output = Vec<i64>;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Vec<i64>> {
        let mut ids = Vec::with_capacity(self.users.len());
        for user in &self.users {
            ids.push(store::insert_user(tx, row_of(user, self.now)).await?);
        }
        Ok(ids)
    }
}

/// `sessions_valid_from` is 0: the tokens that the other system has issued stay good.
fn row_of(user: &NewUser, now: Timestamp) -> ActiveModel {
    let now = now.micros();
    let email = user.email.as_str().to_owned();
    ActiveModel {
        id: user.id.map_or(NotSet, Set),
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
        date_joined: Set(user.date_joined.map_or(now, Timestamp::micros)),
        ..ActiveModel::default()
    }
}
