//! How many searches a day went to Anthropic's API, for each user and in all.

use super::schema::{CreateTable, id, integer};
use sea_orm::entity::prelude::*;

/// The searches of a day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_budgets")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Days since 1970, in UTC.
    pub day: i64,
    /// Whose they are; 0 for all users together.
    pub user_id: i64,
    /// How many.
    pub calls: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0041_search_budgets", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::Day))
        .column(integer(Column::UserId))
        .column(integer(Column::Calls))
        .unique("user_id,day")
        .index("day")
}
