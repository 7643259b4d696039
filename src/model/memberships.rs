//! Who is in which room.

use super::schema::{CreateTable, id, integer};
use sea_orm::entity::prelude::*;

/// Somebody is in a room.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    /// Row key; grows with the time of joining.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Which room.
    pub room_id: i64,
    /// Who.
    pub user_id: i64,
    /// The number of the newest message that they have read.
    pub read_seq: i64,
    /// When they joined.
    pub created_at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0032_memberships", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::RoomId))
        .column(integer(Column::UserId))
        .column(integer(Column::ReadSeq))
        .column(integer(Column::CreatedAt))
        .unique("room_id,user_id")
        .index("room_id,id")
        .index("user_id,room_id")
}
