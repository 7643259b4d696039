//! Reviews: what people say about books.

use super::schema::{CreateTable, flag, id, integer, long_text, small_integer, text};
use sea_orm::entity::prelude::*;

/// What somebody says about a book; one for each of both.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reviews")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// About which book.
    pub book_id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Plain text, at most 200 characters.
    pub title: String,
    /// Sanitised HTML.
    pub review_text: String,
    /// 1 to 5.
    pub rating: i64,
    /// What its owner chose; not yet for whom it is.
    pub is_public: bool,
    /// For whom it is (`portcullis_security::permission::Audience`): follows from `is_public`, the owner's
    /// profile and account, and is kept up to date by `access::refresh_audience`.
    pub audience: i16,
    /// When it was written.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0014_reviews", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::BookId))
        .column(integer(Column::UserId))
        .column(text(Column::Title, 200))
        .column(long_text(Column::ReviewText))
        .column(integer(Column::Rating))
        .column(flag(Column::IsPublic))
        .column(small_integer(Column::Audience))
        .column(integer(Column::CreatedAt))
        .column(integer(Column::UpdatedAt))
        .unique("user_id,book_id")
        .index("audience,id,user_id")
        .index("book_id,audience,id,user_id")
        .index("book_id,audience,rating,id")
        .index("user_id,id")
        .index("user_id,audience,id")
        .index("audience,rating,id")
}
