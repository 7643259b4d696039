//! The outbox: mails to be sent, committed with the change that causes them.

use super::schema::{CreateTable, blob, id, integer, text};
use sea_orm::entity::prelude::*;

/// A mail to be sent. The row goes when the mail server has taken it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Row key; also names the mail's Message-ID, so that a second delivery is seen to be one.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Which letter it is; for metrics, the content is sealed.
    pub kind: String,
    /// The sealed letter.
    pub body: Vec<u8>,
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
    CreateTable::new("m0006_outbox", Entity.table_name())
        .column(id(Column::Id))
        .column(text(Column::Kind, 32))
        .column(blob(Column::Body))
        .column(integer(Column::Attempts))
        .column(integer(Column::NextTryAt))
        .column(integer(Column::CreatedAt))
        .index("next_try_at")
}
