//! Books that were made, changed or removed, as news for every process.

use super::schema::{CreateTable, id, integer};
use sea_orm::entity::prelude::*;

/// News that a book is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "book_changes")]
pub struct Model {
    /// Row key; ids do not follow the order of commits, so readers look back by time.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Which book; it may be gone.
    pub book_id: i64,
    /// When.
    pub at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0040_book_changes", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::BookId))
        .column(integer(Column::At))
        .index("at")
}
