//! Ended sessions and changed accounts, as news for every process.

use super::schema::{CreateTable, id, integer, optional_integer};
use sea_orm::entity::prelude::*;

/// News that a session has ended or that a cached account is out of date.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revocations")]
pub struct Model {
    /// Row key; ids do not follow the order of commits, so readers look back by time.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whose account is no longer as it was cached.
    pub user_id: i64,
    /// The session that ended, if one did.
    pub session_id: Option<i64>,
    /// When.
    pub at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0010_revocations", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::UserId))
        .column(optional_integer(Column::SessionId))
        .column(integer(Column::At))
        .index("at")
}
