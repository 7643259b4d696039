//! A small community to look around in: `portcullis demo`.

use crate::access;
use crate::chat::{InsertMessages, InsertRooms, NewRoom};
use crate::error::{self, Error};
use crate::load::{self, LoadFile};
use crate::model::{blocks, follows, profiles, users};
use crate::state::App;
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};
use serde::Deserialize;
use serde_json::{Value, json};

const COMMUNITY: &str = include_str!("community.json");
/// Printed, and refused in production: no secret.
const PASSWORD: &str = "Rainy-Library-42";

#[derive(Deserialize)]
struct Community {
    people: Vec<Person>,
    books: Vec<Value>,
    /// Places in the lists, the rating, whether it is public, title and text.
    reviews: Vec<(usize, usize, i64, bool, String, String)>,
    /// Who follows whom, and whether it is accepted.
    follows: Vec<(String, String, bool)>,
    /// Who blocks whom.
    blocks: Vec<(String, String)>,
    rooms: Vec<Room>,
}

#[derive(Clone, Deserialize)]
struct Room {
    name: String,
    is_public: bool,
    /// The owner first.
    members: Vec<String>,
    /// Who said what.
    said: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Person {
    username: String,
    first_name: String,
    last_name: String,
    bio: String,
    visibility: String,
    #[serde(default)]
    is_staff: bool,
}

/// Makes the community and tells how to sign in; makes nothing where it is there already.
///
/// # Errors
/// A sentence when the database does not answer or a row is refused.
pub async fn seed(app: &App) -> Result<String, String> {
    let community: Community = serde_json::from_str(COMMUNITY).map_err(|error| error.to_string())?;
    let names: Vec<&str> = community.people.iter().map(|person| person.username.as_str()).collect();
    let refused = |error: Error| format!("the database refused: {error:?}");
    let there = users::Entity::find().filter(users::Column::UsernameKey.is_in(names.iter().copied()));
    let has_made = there.count(app.storage.reader()).await.map_err(|error| refused(error.into()))? == 0;
    if has_made {
        let report = load::load(app, file(&community)?, |_| ()).await.map_err(refused)?;
        if let Some(problem) = report.problems.first() {
            return Err(format!("the demo is not whole: {problem}"));
        }
        let rooms = Rooms { rooms: community.rooms.clone(), now: app.now() };
        app.write(Relations { community, now: app.now() }).await.map_err(refused)?;
        app.write(rooms).await.map_err(refused)?;
    }
    let made = if has_made { "The demo community is made." } else { "The demo community is there already." };
    Ok(format!(
        "{made} Everybody's password is {PASSWORD}\n\
         ada    reads and is followed; her profile is public\n\
         bo     shows reviews to followers only, and ada asks to follow\n\
         cleo   keeps everything private\n\
         dora   has blocked eli\n\
         keeper is staff: makes books, removes reviews"
    ))
}

fn file(community: &Community) -> Result<LoadFile, String> {
    let users = community.people.iter().map(|person| {
        json!({
            "username": person.username,
            "email": format!("{}@demo.example", person.username),
            "password": PASSWORD,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "is_staff": person.is_staff,
        })
    });
    let reviews = community.reviews.iter().map(|(user, book, rating, is_public, title, text)| {
        json!({ "user": user, "book": book, "rating": rating, "is_public": is_public, "title": title,
            "review_text": text })
    });
    let file = json!({
        "users": users.collect::<Vec<_>>(),
        "books": community.books,
        "reviews": reviews.collect::<Vec<_>>(),
    });
    serde_json::from_value(file).map_err(|error| error.to_string())
}

/// How people present themselves and stand to each other.
struct Relations {
    community: Community,
    now: Timestamp,
}

impl Write for Relations {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> error::Result<()> {
        let now = self.now.micros();
        for person in &self.community.people {
            let id = id_of(tx, &person.username).await?;
            profiles::Entity::update_many()
                .col_expr(profiles::Column::Bio, Expr::value(person.bio.clone()))
                .col_expr(profiles::Column::Visibility, Expr::value(person.visibility.clone()))
                .filter(profiles::Column::UserId.eq(id))
                .exec(tx)
                .await?;
            access::refresh_audience(tx, id).await?;
        }
        for (follower, followed, is_accepted) in &self.community.follows {
            let row = follows::ActiveModel {
                follower_id: Set(id_of(tx, follower).await?),
                followed_id: Set(id_of(tx, followed).await?),
                accepted_at: Set(is_accepted.then_some(now)),
                created_at: Set(now),
                ..follows::ActiveModel::default()
            };
            follows::Entity::insert(row).exec_without_returning(tx).await?;
        }
        for (blocker, blocked) in &self.community.blocks {
            let row = blocks::ActiveModel {
                blocker_id: Set(id_of(tx, blocker).await?),
                blocked_id: Set(id_of(tx, blocked).await?),
                created_at: Set(now),
                ..blocks::ActiveModel::default()
            };
            blocks::Entity::insert(row).exec_without_returning(tx).await?;
        }
        Ok(())
    }
}

/// Where people meet, and what they have said there.
struct Rooms {
    rooms: Vec<Room>,
    now: Timestamp,
}

impl Write for Rooms {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> error::Result<()> {
        let now = self.now;
        for Room { name, is_public, members, said } in &self.rooms {
            let mut ids = Vec::with_capacity(members.len());
            for member in members {
                ids.push(id_of(tx, member).await?);
            }
            let room = NewRoom { name: name.clone(), is_public: *is_public };
            let made = InsertRooms { rooms: vec![(room, ids)], now }.run(tx).await?;
            let mut messages = Vec::with_capacity(said.len());
            for (author, text) in said {
                messages.push((id_of(tx, author).await?, text.clone()));
            }
            for room_id in made {
                InsertMessages { room_id, said: messages.clone(), now }.run(tx).await?;
            }
        }
        Ok(())
    }
}

async fn id_of(tx: &DatabaseTransaction, username: &str) -> error::Result<i64> {
    let found = users::Entity::find().filter(users::Column::UsernameKey.eq(username)).one(tx).await?;
    found.map(|user| user.id).ok_or_else(|| Error::internal(format!("the demo has no {username}")))
}
