//! What reviews are stored of somebody: for their owner, and how they go.

use super::store::WORDS;
use crate::access::add_to_books;
use crate::error::Result;
use crate::export::Export;
use crate::extract::delete_words;
use crate::model::reviews::{Column, Entity, Model};
use crate::state::{App, Feature};
use portcullis_security::clock::Timestamp;
use portcullis_security::permission::Audience;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

/// Reviews that are read at once for an export: texts may be long.
const PAGE: u64 = 50;

/// For the list of features in `app.rs`.
pub const FEATURE: Feature = Feature {
    export: |app, user_id, export| Box::pin(write(app, user_id, export)),
    erase: |tx, user_id| Box::pin(erase(tx, user_id)),
};

async fn write(app: &App, user_id: i64, export: &mut Export) -> Result<()> {
    export.open_list("reviews");
    let mut after = 0;
    loop {
        let own = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::BookId.gt(after));
        let page = own.order_by_asc(Column::BookId).limit(PAGE).all(app.storage.reader()).await?;
        let Some(last) = page.last() else { break };
        after = last.book_id;
        for review in &page {
            export.item(&exported(review)).await?;
        }
    }
    export.close_list();
    Ok(())
}

fn exported(review: &Model) -> Value {
    let time = |micros| Timestamp::from_micros(micros).to_string();
    json!({
        "id": review.id,
        "book": review.book_id,
        "title": review.title,
        "review_text": review.review_text,
        "rating": review.rating,
        "is_public": review.is_public,
        "created_at": time(review.created_at),
        "updated_at": time(review.updated_at),
    })
}

/// Books in the order of their ids, as everywhere, against deadlocks.
async fn erase(tx: &DatabaseTransaction, user_id: i64) -> Result<()> {
    let mut own = Entity::find().filter(Column::UserId.eq(user_id)).all(tx).await?;
    own.sort_unstable_by_key(|review| review.book_id);
    for review in &own {
        delete_words(tx, WORDS, review.id).await?;
        if review.audience == Audience::Everyone.code() {
            add_to_books(tx, &[review.book_id], -review.rating, -1).await?;
        }
    }
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(tx).await?;
    Ok(())
}
