//! Blocks: pairs of people who see nothing of each other.

use super::schema::{CreateTable, id, integer};
use sea_orm::entity::prelude::*;

/// Somebody has blocked somebody; it hides both from each other.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blocks")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Who blocks, and alone may end it.
    pub blocker_id: i64,
    /// Who is blocked.
    pub blocked_id: i64,
    /// Since when.
    pub created_at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0012_blocks", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::BlockerId))
        .column(integer(Column::BlockedId))
        .column(integer(Column::CreatedAt))
        .unique("blocker_id,blocked_id")
        .index("blocked_id")
}
