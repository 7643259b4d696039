//! Profiles: what others may see of an account.

use super::schema::{AddColumn, CreateTable, key, optional_text, text};
use sea_orm::entity::prelude::*;

/// The public face of an account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "profiles")]
pub struct Model {
    /// Whose profile it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// Plain text, stored as typed.
    pub bio: String,
    /// `public`, `followers_only` or `private`.
    pub visibility: String,
    /// The file of the picture, if there is one.
    pub avatar: Option<String>,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0004_profiles", Entity.table_name())
        .column(key(Column::UserId))
        .column(text(Column::Bio, 500))
        .column(text(Column::Visibility, 16))
}

/// Adds the picture. The file's address finds its profile.
pub fn add_avatar() -> AddColumn {
    AddColumn::new("m0015_add_avatar_to_profiles", Entity.table_name(), optional_text(Column::Avatar, 64))
        .index("avatar")
}
