//! Rooms, in which people talk.

use super::schema::{CreateTable, flag, id, integer, optional_integer, text};
use sea_orm::entity::prelude::*;

/// A room. Its owner is one of its members.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rooms")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Plain text, at most 100 characters.
    pub name: String,
    /// Whether everybody finds it and may join.
    pub is_public: bool,
    /// Whose it is; null when it is on its way out.
    pub owner_id: Option<i64>,
    /// The number of its newest message. Raised in the transaction that inserts the message, which locks
    /// this row until its commit: numbers follow the order of commits and have no gap.
    pub last_seq: i64,
    /// Raised whenever somebody stops being a member, for other processes to see.
    pub version: i64,
    /// When it was made.
    pub created_at: i64,
    /// When it was deleted: nobody finds it any more, and its messages go little by little.
    pub deleted_at: Option<i64>,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0031_rooms", Entity.table_name())
        .column(id(Column::Id))
        .column(text(Column::Name, 100))
        .column(flag(Column::IsPublic))
        .column(optional_integer(Column::OwnerId))
        .column(integer(Column::LastSeq))
        .column(integer(Column::Version))
        .column(integer(Column::CreatedAt))
        .column(optional_integer(Column::DeletedAt))
        .index("deleted_at,is_public,id")
        .index("deleted_at,is_public,name,id")
        .index("owner_id")
}
