//! Webhooks to be sent, committed with the event that they tell of.

use super::schema::{CreateTable, id, integer, long_text, text};
use sea_orm::entity::prelude::*;

/// News for the operator's server. The row goes when that has taken it, or after three days.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    /// Row key; also names the message, so that a second delivery is seen to be one.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// What happened, as in the audit log.
    pub kind: String,
    /// The JSON that is signed and sent.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Not before; a worker that takes it moves this ahead, which is its lease.
    pub next_try_at: i64,
    /// When it was caused.
    pub created_at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0025_webhooks", Entity.table_name())
        .column(id(Column::Id))
        .column(text(Column::Kind, 48))
        .column(long_text(Column::Body))
        .column(integer(Column::Attempts))
        .column(integer(Column::NextTryAt))
        .column(integer(Column::CreatedAt))
        .index("next_try_at")
        .index("created_at")
}
