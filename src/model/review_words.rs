//! The words by which reviews are found.

use super::schema::{CreateTable, id, integer, text};
use sea_orm::entity::prelude::*;

/// A word that a review has (`extract::words`).
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "review_words")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Which review.
    pub review_id: i64,
    /// Folded.
    pub word: String,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0021_review_words", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::ReviewId))
        .column(text(Column::Word, 32))
        .unique("review_id,word")
        .index("word,review_id")
}
