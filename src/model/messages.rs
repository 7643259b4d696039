//! What is said in rooms.

use super::schema::{CreateTable, id, integer, optional_integer, text};
use sea_orm::entity::prelude::*;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "messages")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// In which room.
    pub room_id: i64,
    /// Its number in the room, from 1 on without a gap.
    pub seq: i64,
    /// Who said it; null when the account is gone.
    pub user_id: Option<i64>,
    /// As it was typed, without white space around it: 1 to 1,000 characters.
    pub text: String,
    /// When it was stored.
    pub created_at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0033_messages", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::RoomId))
        .column(integer(Column::Seq))
        .column(optional_integer(Column::UserId))
        .column(text(Column::Text, 1000))
        .column(integer(Column::CreatedAt))
        .unique("room_id,seq")
        .index("user_id,id")
}
