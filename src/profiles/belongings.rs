//! What follows and blocks are stored about somebody: for its owner, and how it goes.

use crate::error::Result;
use crate::export::Export;
use crate::model::{blocks, follows, users};
use crate::state::{App, Feature};
use portcullis_security::clock::Timestamp;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::HashMap;

/// For the list of features in `app.rs`.
pub const FEATURE: Feature = Feature {
    export: |app, user_id, export| Box::pin(write(app, user_id, export)),
    erase: |tx, user_id| Box::pin(erase(tx, user_id)),
};

/// Whom somebody follows, who follows them, whom they block. Who blocks them is not theirs to know.
async fn write(app: &App, user_id: i64, export: &mut Export) -> Result<()> {
    let db = app.storage.reader();
    let follows = follows::Entity::find().filter(involving(user_id)).all(db).await?;
    let blocked = blocks::Entity::find().filter(blocks::Column::BlockerId.eq(user_id)).all(db).await?;
    let (following, followers): (Vec<_>, Vec<_>) =
        follows.iter().partition(|follow| follow.follower_id == user_id);
    let ids = following.iter().map(|follow| follow.followed_id);
    let ids = ids.chain(followers.iter().map(|follow| follow.follower_id));
    let ids: Vec<i64> = ids.chain(blocked.iter().map(|block| block.blocked_id)).collect();
    let mut names = HashMap::new();
    for chunk in ids.chunks(500) {
        let users = users::Entity::find().filter(users::Column::Id.is_in(chunk.iter().copied()));
        names.extend(users.all(db).await?.into_iter().map(|user| (user.id, user.username)));
    }
    let time = |micros| Timestamp::from_micros(micros).to_string();
    let follow = |other: i64, row: &follows::Model| {
        let accepted = row.accepted_at.map(time);
        json!({ "user": names.get(&other), "asked": time(row.created_at), "accepted": accepted })
    };
    let relations = json!({
        "following": following.iter().map(|row| follow(row.followed_id, row)).collect::<Vec<_>>(),
        "followers": followers.iter().map(|row| follow(row.follower_id, row)).collect::<Vec<_>>(),
        "blocked": blocked.iter().map(|row| {
            json!({ "user": names.get(&row.blocked_id), "since": time(row.created_at) })
        }).collect::<Vec<_>>(),
    });
    export.member("relations", &relations).await
}

async fn erase(tx: &DatabaseTransaction, user_id: i64) -> Result<()> {
    follows::Entity::delete_many().filter(involving(user_id)).exec(tx).await?;
    let own = Condition::any()
        .add(blocks::Column::BlockerId.eq(user_id))
        .add(blocks::Column::BlockedId.eq(user_id));
    blocks::Entity::delete_many().filter(own).exec(tx).await?;
    Ok(())
}

fn involving(user_id: i64) -> Condition {
    Condition::any().add(follows::Column::FollowerId.eq(user_id)).add(follows::Column::FollowedId.eq(user_id))
}
