//! Books: what reviews are about.

use super::schema::{CreateTable, id, integer, long_text, optional_integer, optional_text, text};
use sea_orm::entity::prelude::*;

/// A book.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "books")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// At most 200 characters.
    pub title: String,
    /// At most 200 characters.
    pub author: String,
    /// ISBN-13, digits alone: unique where there is one.
    pub isbn: Option<String>,
    /// Plain text.
    pub description: String,
    /// When it was first published.
    pub year: Option<i64>,
    /// The ratings of all reviews that are for everyone, added up.
    pub public_rating_sum: i64,
    /// How many they are.
    pub public_review_count: i64,
    /// When the row was made.
    pub created_at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0013_books", Entity.table_name())
        .column(id(Column::Id))
        .column(text(Column::Title, 200))
        .column(text(Column::Author, 200))
        .column(optional_text(Column::Isbn, 13))
        .column(long_text(Column::Description))
        .column(optional_integer(Column::Year))
        .column(integer(Column::PublicRatingSum))
        .column(integer(Column::PublicReviewCount))
        .column(integer(Column::CreatedAt))
        .unique("isbn")
        .index("title,id")
        .index("author,id")
        .index("year,id")
        .index("public_review_count,id")
        .index("created_at,id")
}
