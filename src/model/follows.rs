//! Follows: who sees what somebody shows to followers, and who asks to.

use super::schema::{CreateTable, id, integer, optional_integer};
use sea_orm::entity::prelude::*;

/// Somebody follows somebody, or asks to.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follows")]
pub struct Model {
    /// Row key; the id of the request in the API.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Who follows.
    pub follower_id: i64,
    /// Who is followed.
    pub followed_id: i64,
    /// When it began; null while the request waits for an answer.
    pub accepted_at: Option<i64>,
    /// When it was asked for.
    pub created_at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0011_follows", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::FollowerId))
        .column(integer(Column::FollowedId))
        .column(optional_integer(Column::AcceptedAt))
        .column(integer(Column::CreatedAt))
        .unique("follower_id,followed_id")
        .index("followed_id,accepted_at,id")
        .index("follower_id,accepted_at,id")
}
