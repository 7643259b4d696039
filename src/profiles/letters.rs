//! Mails about the community: who gets one is decided at the moment it is sent, by what the recipient
//! wants and may see then.

use super::preferences::Preference;
use super::store::find_follow;
use super::unsubscribe::token;
use crate::access::{Viewer, is_blocked, relation, standing};
use crate::error::Result;
use crate::mail::{Content, Letter, Notice, Outbox, Prepare, Prepared};
use crate::model::{books, notification_preferences, reviews, users};
use crate::state::App;
use crate::storage::Write;
use moka::sync::Cache;
use portcullis_security::clock::Timestamp;
use portcullis_security::permission::{Audience, Standing};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::sync::Arc;
use std::time::Duration;

/// Of those who reviewed a book so many are told of another review, the latest first: one call must not
/// cause any number of mails.
const MOST_TOLD: u64 = 500;
/// The same is not told twice within this time: whoever follows and unfollows, or reviews and deletes, in
/// turn must not fill a mailbox.
const QUIET: Duration = Duration::from_secs(24 * 60 * 60);
const REMEMBERED: u64 = 100_000;

/// What the mail worker asks for the letters of the community.
pub fn prepare(app: &Arc<App>) -> Prepare {
    let app = app.clone();
    let told = Told::new();
    Arc::new(move |letter, created_at| {
        let (app, told) = (app.clone(), told.clone());
        Box::pin(async move { prepare_letter(&app, &told, letter, created_at).await })
    })
}

async fn prepare_letter(
    app: &App,
    told: &Told,
    letter: Letter,
    created_at: Timestamp,
) -> Result<Option<Prepared>> {
    let Some(news) = news(app, letter).await? else { return Ok(None) };
    if !told.is_first(&news, created_at) {
        return Ok(None);
    }
    let unsubscribe = token(app, news.to.id, news.preference);
    let notice = Notice { kind: news.preference.kind(), by: news.by, book: news.book, unsubscribe };
    let content = Content::Notice(notice);
    Ok(Some(Prepared { to: news.to.email, username: Some(news.to.username), content }))
}

/// What somebody is to be told, after all checks.
struct News {
    to: users::Model,
    preference: Preference,
    by: String,
    by_id: i64,
    book: Option<(String, i64)>,
}

async fn news(app: &App, letter: Letter) -> Result<Option<News>> {
    match letter {
        Letter::NewFollower { user_id, by } => follow(app, Preference::NewFollower, user_id, by).await,
        Letter::FollowRequest { user_id, by } => follow(app, Preference::FollowRequest, user_id, by).await,
        Letter::FollowApproved { user_id, by } => follow(app, Preference::FollowApproved, user_id, by).await,
        Letter::ReviewOfSameBook { user_id, review_id } => review(app, user_id, review_id).await,
        Letter::BookReviewed { review_id } => tell_reviewers(app, review_id).await.map(|()| None),
        _ => Ok(None),
    }
}

/// The follow must still be what the letter says.
async fn follow(app: &App, preference: Preference, user_id: i64, by: i64) -> Result<Option<News>> {
    let Some((to, about)) = both(app, preference, user_id, by).await? else { return Ok(None) };
    let (follower_id, followed_id, is_accepted) = match preference {
        Preference::FollowApproved => (user_id, by, true),
        _ => (by, user_id, preference == Preference::NewFollower),
    };
    let follow = find_follow(app.storage.reader(), follower_id, followed_id).await?;
    let is_so = follow.is_some_and(|follow| follow.accepted_at.is_some() == is_accepted);
    Ok(is_so.then_some(News { to, preference, by: about.username, by_id: about.id, book: None }))
}

/// The recipient must have reviewed the book and see the review; what is not public is told to nobody,
/// not even to staff, who might read it.
async fn review(app: &App, user_id: i64, review_id: i64) -> Result<Option<News>> {
    let db = app.storage.reader();
    let Some(review) = reviews::Entity::find_by_id(review_id).one(db).await? else { return Ok(None) };
    let people = both(app, Preference::BookReviewed, user_id, review.user_id).await?;
    let Some((to, about)) = people else { return Ok(None) };
    let audience = Audience::from_code(review.audience);
    let relation = relation(db, Viewer::of(&to), about.id).await?;
    if audience >= Audience::OwnerOnly || !relation.may_see(audience) {
        return Ok(None);
    }
    let own = reviews::Entity::find()
        .filter(reviews::Column::UserId.eq(user_id))
        .filter(reviews::Column::BookId.eq(review.book_id));
    let book = books::Entity::find_by_id(review.book_id).one(db).await?;
    let (Some(book), true) = (book, own.count(db).await? > 0) else { return Ok(None) };
    let book = Some((book.title, book.id));
    Ok(Some(News { to, preference: Preference::BookReviewed, by: about.username, by_id: about.id, book }))
}

/// Recipient and whom it is about: two accounts in use without a block between them, and a recipient who
/// wants mails of this sort.
async fn both(
    app: &App,
    preference: Preference,
    user_id: i64,
    by: i64,
) -> Result<Option<(users::Model, users::Model)>> {
    let db = app.storage.reader();
    let in_use = |user: &users::Model| standing(user) == Standing::Active;
    let to = users::Entity::find_by_id(user_id).one(db).await?.filter(in_use);
    let about = users::Entity::find_by_id(by).one(db).await?.filter(in_use);
    let wishes = notification_preferences::Entity::find_by_id(user_id).one(db).await?;
    let is_wanted = wishes.is_some_and(|wishes| preference.is_wanted(&wishes));
    match (to, about) {
        (Some(to), Some(about)) if is_wanted && !is_blocked(db, user_id, by).await? => Ok(Some((to, about))),
        _ => Ok(None),
    }
}

/// A letter of its own for everybody who reviewed the same book.
async fn tell_reviewers(app: &App, review_id: i64) -> Result<()> {
    let db = app.storage.reader();
    let Some(review) = reviews::Entity::find_by_id(review_id).one(db).await? else { return Ok(()) };
    if Audience::from_code(review.audience) >= Audience::OwnerOnly {
        return Ok(());
    }
    let user_ids: Vec<i64> = reviews::Entity::find()
        .select_only()
        .column(reviews::Column::UserId)
        .filter(reviews::Column::BookId.eq(review.book_id))
        .filter(reviews::Column::UserId.ne(review.user_id))
        .order_by_desc(reviews::Column::Id)
        .limit(MOST_TOLD)
        .into_tuple()
        .all(db)
        .await?;
    if user_ids.is_empty() {
        return Ok(());
    }
    let outbox = app.outbox.clone();
    app.write(TellReviewers { review_id, user_ids, outbox, now: app.now() }).await
}

struct TellReviewers {
    review_id: i64,
    user_ids: Vec<i64>,
    outbox: Outbox,
    now: Timestamp,
}

impl Write for TellReviewers {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        for user_id in &self.user_ids {
            let letter = Letter::ReviewOfSameBook { user_id: *user_id, review_id: self.review_id };
            self.outbox.enqueue(tx, &letter, self.now).await?;
        }
        Ok(())
    }
}

/// What was told of late, and by which letter: another attempt at the same letter may pass, a second letter
/// may not.
#[derive(Clone)]
struct Told(Cache<(i64, i64, &'static str, i64), i64>);

impl Told {
    fn new() -> Self {
        Self(Cache::builder().max_capacity(REMEMBERED).time_to_live(QUIET).build())
    }

    fn is_first(&self, news: &News, created_at: Timestamp) -> bool {
        let book_id = news.book.as_ref().map_or(0, |(_, id)| *id);
        let key = (news.to.id, news.by_id, news.preference.slug(), book_id);
        self.0.get_with(key, || created_at.micros()) == created_at.micros()
    }
}
