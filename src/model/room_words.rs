//! The words by which rooms are found.

use super::schema::{CreateTable, id, integer, text};
use sea_orm::entity::prelude::*;

/// A word that a room's name has (`extract::words`).
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "room_words")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Which room.
    pub room_id: i64,
    /// Folded.
    pub word: String,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0034_room_words", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::RoomId))
        .column(text(Column::Word, 32))
        .unique("room_id,word")
        .index("word,room_id")
}
