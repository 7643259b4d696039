//! What a day's searches by Anthropic's API may cost: a number of calls for each user, and one in all.
//!
//! Counted in the database, so that a restart forgets nothing and several processes spend one budget. A call
//! counts when it is made, whatever comes of it.

use crate::error::Result;
use crate::export::Export;
use crate::model::search_budgets::{ActiveModel, Column, Entity};
use crate::state::{App, Feature};
use crate::storage::Write;
use portcullis_security::clock::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};
use serde_json::json;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// The row of all users together.
const EVERYBODY: i64 = 0;

/// For the list of features in `app.rs`.
pub const FEATURE: Feature = Feature {
    export: |app, user_id, export| Box::pin(write(app, user_id, export)),
    erase: |tx, user_id| Box::pin(erase(tx, user_id)),
};

/// Takes one call out of both budgets, or out of none; says whether it could.
pub(super) struct Spend {
    pub(super) user_id: i64,
    pub(super) now: Timestamp,
    pub(super) per_user: u32,
    pub(super) in_all: u32,
}

impl Write for Spend {
    type Output = bool;

    async fn run(&self, tx: &DatabaseTransaction) -> Result<bool> {
        let day = day_of(self.now);
        if !take(tx, day, self.user_id, self.per_user).await? {
            return Ok(false);
        }
        if take(tx, day, EVERYBODY, self.in_all).await? {
            return Ok(true);
        }
        add(tx, day, self.user_id, -1, i64::MAX).await?;
        Ok(false)
    }
}

async fn take(tx: &DatabaseTransaction, day: i64, user_id: i64, limit: u32) -> Result<bool> {
    let row = ActiveModel { day: Set(day), user_id: Set(user_id), calls: Set(0), ..ActiveModel::default() };
    let mut is_there = OnConflict::columns([Column::UserId, Column::Day]);
    is_there.do_nothing_on([Column::Id]);
    Entity::insert(row).on_conflict(is_there).exec_without_returning(tx).await?;
    add(tx, day, user_id, 1, i64::from(limit)).await
}

/// A compare-and-set, so that callers at once never spend more than there is.
async fn add(tx: &DatabaseTransaction, day: i64, user_id: i64, calls: i64, limit: i64) -> Result<bool> {
    let changed = Entity::update_many()
        .col_expr(Column::Calls, Expr::col(Column::Calls).add(calls))
        .filter(Column::Day.eq(day))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Calls.lt(limit))
        .exec(tx)
        .await?;
    Ok(changed.rows_affected > 0)
}

/// Drops the days that are over.
pub(super) struct DropDays {
    pub(super) now: Timestamp,
}

impl Write for DropDays {
    type Output = ();

    async fn run(&self, tx: &DatabaseTransaction) -> Result<()> {
        Entity::delete_many().filter(Column::Day.lt(day_of(self.now) - 1)).exec(tx).await?;
        Ok(())
    }
}

const fn day_of(now: Timestamp) -> i64 {
    now.micros().div_euclid(MICROS_PER_DAY)
}

async fn write(app: &App, user_id: i64, export: &mut Export) -> Result<()> {
    let days = Entity::find().filter(Column::UserId.eq(user_id)).all(app.storage.reader()).await?;
    let day = |micros| Timestamp::from_micros(micros).to_string().chars().take(10).collect::<String>();
    let days = days.iter().map(|row| json!({ "day": day(row.day * MICROS_PER_DAY), "calls": row.calls }));
    export.member("searches_by_claude", &days.collect()).await
}

async fn erase(tx: &DatabaseTransaction, user_id: i64) -> Result<()> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(tx).await?;
    Ok(())
}
