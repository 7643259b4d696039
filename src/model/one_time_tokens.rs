//! One-time tokens: the links and codes in mails.

use super::schema::{CreateTable, bytes, id, integer, optional_integer, text};
use sea_orm::entity::prelude::*;

/// A token that works once, for one purpose, for a while.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_tokens")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// SHA-256 of the token, or the keyed hash of a code: unique.
    pub hash: Vec<u8>,
    /// What it is good for.
    pub purpose: Purpose,
    /// Whose it is; 0 for an invitation, whose account is yet to be made.
    pub user_id: i64,
    /// The address it was sent to, and proves; of an invitation, the one it is bound to, or empty.
    pub email: String,
    /// Wrong tries at a code so far.
    pub attempts: i64,
    /// When it was made.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: i64,
    /// When it was used, or died with another.
    pub used_at: Option<i64>,
}

/// What a one-time token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Purpose {
    /// Proving the address of a new account by link.
    #[sea_orm(string_value = "verify")]
    Verify,
    /// Proving it by the code in the same mail.
    #[sea_orm(string_value = "verify_code")]
    VerifyCode,
    /// Setting a new password.
    #[sea_orm(string_value = "reset")]
    Reset,
    /// Moving an account to a new address.
    #[sea_orm(string_value = "email_change")]
    EmailChange,
    /// Making an account where registration is by invitation.
    #[sea_orm(string_value = "invite")]
    Invite,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0003_one_time_tokens", Entity.table_name())
        .column(id(Column::Id))
        .column(bytes(Column::Hash, 32))
        .column(text(Column::Purpose, 16))
        .column(integer(Column::UserId))
        .column(text(Column::Email, 320))
        .column(integer(Column::Attempts))
        .column(integer(Column::CreatedAt))
        .column(integer(Column::ExpiresAt))
        .column(optional_integer(Column::UsedAt))
        .unique("hash")
        .index("user_id,purpose")
        .index("expires_at")
}
