//! Every table, as rows of JSON. A new table is added to [`all`]; a test compares it with the migrations.

use super::cells::{decode, encode};
use super::format::BackupWriter;
use super::{BackupError, broken};
use crate::error::{Error, Result};
use crate::model::{
    audit_events, blocks, book_changes, book_words, books, follows, memberships, messages,
    notification_preferences, one_time_tokens, outbox, profiles, review_words, reviews, revocations,
    room_words, rooms, search_budgets, sessions, signing_keys, socket_tickets, throttle_snapshots, users,
    webhooks,
};
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, DbErr, EntityName, EntityTrait, IdenStatic, IntoActiveModel,
    Iterable, ModelTrait, PaginatorTrait, PrimaryKeyToColumn, QueryOrder, Select, TryIntoModel,
};
use serde_json::{Map, Value};

/// A row as it stands in a backup.
pub(super) type Row = Map<String, Value>;

/// A table that is backed up.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// True where the rows can only be read with the `SECRET_KEY` under which they were written.
    pub(super) is_sealed: bool,
    pub(super) count: for<'a> fn(&'a DatabaseTransaction) -> BoxFuture<'a, Result<u64, DbErr>>,
    pub(super) dump: Dump,
    pub(super) clear: for<'a> fn(&'a DatabaseTransaction) -> BoxFuture<'a, Result<(), DbErr>>,
    pub(super) insert: for<'a> fn(&'a DatabaseTransaction, &'a [Row]) -> BoxFuture<'a, Result<()>>,
    /// Why a row is none of this table.
    pub(super) check: fn(&Row) -> Result<(), String>,
}

type Dump = for<'a> fn(
    &'a DatabaseTransaction,
    &'a mut BackupWriter,
    &'a mut (dyn FnMut() + Send),
) -> BoxFuture<'a, Result<(), BackupError>>;

/// The tables in the order in which they are written and read.
pub(super) fn all() -> Vec<Table> {
    vec![
        table::<users::Entity>(),
        table::<sessions::Entity>(),
        table::<one_time_tokens::Entity>(),
        table::<profiles::Entity>(),
        table::<notification_preferences::Entity>(),
        sealed(table::<outbox::Entity>()),
        table::<audit_events::Entity>(),
        table::<throttle_snapshots::Entity>(),
        sealed(table::<signing_keys::Entity>()),
        table::<revocations::Entity>(),
        table::<follows::Entity>(),
        table::<blocks::Entity>(),
        table::<books::Entity>(),
        table::<reviews::Entity>(),
        table::<book_words::Entity>(),
        table::<review_words::Entity>(),
        table::<rooms::Entity>(),
        table::<memberships::Entity>(),
        table::<messages::Entity>(),
        table::<room_words::Entity>(),
        table::<socket_tickets::Entity>(),
        table::<book_changes::Entity>(),
        table::<search_budgets::Entity>(),
        table::<webhooks::Entity>(),
    ]
}

const fn sealed(mut table: Table) -> Table {
    table.is_sealed = true;
    table
}

fn table<E>() -> Table
where
    E: EntityTrait + Default,
    E::Model: Sync,
    E::ActiveModel: Send,
{
    Table {
        name: static_name::<E>(),
        is_sealed: false,
        count: |tx| Box::pin(async move { E::find().count(tx).await }),
        dump: |tx, writer, progress| Box::pin(dump::<E>(tx, writer, progress)),
        clear: |tx| Box::pin(async move { E::delete_many().exec(tx).await.map(drop) }),
        insert: |tx, rows| Box::pin(insert::<E>(tx, rows)),
        check: |row| to_active::<E>(row).map(drop),
    }
}

fn static_name<E: EntityTrait + Default>() -> &'static str {
    EntityName::table_name(&E::default())
}

async fn dump<E>(
    tx: &DatabaseTransaction,
    writer: &mut BackupWriter,
    progress: &mut (dyn FnMut() + Send),
) -> Result<(), BackupError>
where
    E: EntityTrait + Default,
    E::Model: Sync,
{
    let name = static_name::<E>();
    let mut rows = in_order::<E>().stream(tx).await.map_err(broken)?;
    while let Some(model) = rows.try_next().await.map_err(broken)? {
        let row = to_row::<E>(&model).ok_or_else(|| broken(format!("{name} has a column of a new kind")))?;
        writer.row(name, row)?;
        progress();
    }
    Ok(())
}

fn in_order<E: EntityTrait>() -> Select<E> {
    E::PrimaryKey::iter().fold(E::find(), |select, key| select.order_by_asc(key.into_column()))
}

fn to_row<E: EntityTrait>(model: &E::Model) -> Option<Row> {
    let cell = |column: E::Column| Some((column.as_str().to_owned(), encode(model.get(column))?));
    E::Column::iter().map(cell).collect()
}

/// A column that is not in the row is null: it was added since.
fn to_active<E: EntityTrait>(row: &Row) -> Result<E::ActiveModel, String> {
    let mut active = <E::ActiveModel as ActiveModelTrait>::default();
    let mut known = 0;
    for column in E::Column::iter() {
        let json = row.get(column.as_str());
        known += usize::from(json.is_some());
        let kind = <E::Model as ModelTrait>::get_value_type(column);
        let value = decode(&kind, json.unwrap_or(&Value::Null));
        let set = value.and_then(|value| active.try_set(column, value).ok());
        set.ok_or_else(|| format!("the column {} does not fit", column.as_str()))?;
    }
    if known < row.len() { Err("there is a column too many".to_owned()) } else { Ok(active) }
}

/// Rows of a backup as those of the database.
pub(super) fn models<E>(rows: &[Row]) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::ActiveModel: TryIntoModel<E::Model>,
{
    let model = |row| Ok(to_active::<E>(row).map_err(Error::internal)?.try_into_model()?);
    rows.iter().map(model).collect()
}

/// Inserts rows that [`models`] has read.
pub(super) async fn insert_models<E>(tx: &DatabaseTransaction, models: Vec<E::Model>) -> Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let rows = models.into_iter().map(|model| model.into_active_model().reset_all());
    E::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

async fn insert<E>(tx: &DatabaseTransaction, rows: &[Row]) -> Result<()>
where
    E: EntityTrait,
    E::ActiveModel: Send,
{
    let rows: Result<Vec<_>, String> = rows.iter().map(to_active::<E>).collect();
    let rows = rows.map_err(Error::internal)?;
    E::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::model::Migrator;
    use sea_orm_migration::MigratorTrait;

    #[test]
    fn every_table_of_the_migrations_is_backed_up() {
        let tables: Vec<_> = all().iter().map(|table| table.name).collect();
        let migrations = Migrator::migrations();
        let made = migrations.iter().map(|migration| migration.name().split_once('_').unwrap().1.to_owned());
        // A migration that only adds a column makes no table.
        let made = made.filter(|name| !name.starts_with("add_"));
        assert_eq!(made.collect::<Vec<_>>(), tables);
    }

    #[test]
    fn a_row_that_does_not_fit_is_refused() {
        let row = |text| serde_json::from_str::<Row>(text).unwrap();
        let profile = all().into_iter().find(|table| table.name == "profiles").unwrap();
        assert!((profile.check)(&row(r#"{"user_id":1,"bio":"","visibility":"public"}"#)).is_ok());
        for wrong in [
            r#"{"user_id":1,"bio":""}"#,
            r#"{"user_id":"1","bio":"","visibility":"public"}"#,
            r#"{"user_id":1,"bio":null,"visibility":"public"}"#,
            r#"{"user_id":1,"bio":"","visibility":"public","more":1}"#,
        ] {
            assert!((profile.check)(&row(wrong)).is_err(), "{wrong}");
        }
    }
}
