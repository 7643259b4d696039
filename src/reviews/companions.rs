//! What reviews are shown with that other tables hold: one query for each table, however many reviews.

use super::view::Review;
use crate::error::Result;
use crate::extract::Include;
use crate::model::reviews::Model;
use crate::model::{books, profiles, users};
use crate::state::App;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef};
use std::collections::HashMap;

const BOOK_TITLE: &str = "book_title";
const AVATAR_URL: &str = "avatar_url";
/// What the parameter takes, for the OpenAPI document.
pub(super) const ABOUT: &str = "Names of further fields, with commas between them: book_title, avatar_url.";

/// Whose some reviews are and, where it is asked for, their pictures and the titles of the books.
///
/// Whoever sees a review may see its owner's profile: a review is never for more people than that.
pub(super) struct Companions {
    owners: HashMap<i64, Owner>,
    titles: Option<HashMap<i64, String>>,
}

struct Owner {
    username: String,
    /// None where it is not asked for.
    avatar_url: Option<Option<String>>,
}

impl Companions {
    pub(super) async fn read(app: &App, reviews: &[Model], include: &Include) -> Result<Self> {
        let titles = match include.has(BOOK_TITLE) {
            true => Some(titles(app, reviews).await?),
            false => None,
        };
        let owners = match include.has(AVATAR_URL) {
            true => owners_with_pictures(app, reviews).await?,
            false => owners(app, reviews).await?,
        };
        Ok(Self { owners, titles })
    }

    pub(super) fn show(&self, review: Model) -> Review {
        let owner = self.owners.get(&review.user_id);
        let username = owner.map(|owner| owner.username.clone()).unwrap_or_default();
        let avatar_url = owner.and_then(|owner| owner.avatar_url.clone());
        let book_title = self.titles.as_ref().and_then(|titles| titles.get(&review.book_id).cloned());
        Review::of(review, username).with(book_title, avatar_url)
    }
}

async fn owners(app: &App, reviews: &[Model]) -> Result<HashMap<i64, Owner>> {
    let rows: Vec<(i64, String)> = users::Entity::find()
        .select_only()
        .columns([users::Column::Id, users::Column::Username])
        .filter(users::Column::Id.is_in(reviews.iter().map(|review| review.user_id)))
        .into_tuple()
        .all(app.storage.reader())
        .await?;
    Ok(rows.into_iter().map(|(id, username)| (id, Owner { username, avatar_url: None })).collect())
}

async fn owners_with_pictures(app: &App, reviews: &[Model]) -> Result<HashMap<i64, Owner>> {
    let profile: RelationDef = users::Entity::belongs_to(profiles::Entity)
        .from(users::Column::Id)
        .to(profiles::Column::UserId)
        .into();
    let rows: Vec<(i64, String, Option<String>)> = users::Entity::find()
        .select_only()
        .columns([users::Column::Id, users::Column::Username])
        .column(profiles::Column::Avatar)
        .join(JoinType::LeftJoin, profile)
        .filter(users::Column::Id.is_in(reviews.iter().map(|review| review.user_id)))
        .into_tuple()
        .all(app.storage.reader())
        .await?;
    let owner = |username, avatar: Option<String>| Owner {
        username,
        avatar_url: Some(app.media_url(avatar.as_deref())),
    };
    Ok(rows.into_iter().map(|(id, username, avatar)| (id, owner(username, avatar))).collect())
}

async fn titles(app: &App, reviews: &[Model]) -> Result<HashMap<i64, String>> {
    let rows: Vec<(i64, String)> = books::Entity::find()
        .select_only()
        .columns([books::Column::Id, books::Column::Title])
        .filter(books::Column::Id.is_in(reviews.iter().map(|review| review.book_id)))
        .into_tuple()
        .all(app.storage.reader())
        .await?;
    Ok(rows.into_iter().collect())
}
