//! Accounts: who may log in, and as whom.

use super::schema::{CreateTable, flag, id, integer, optional_integer, optional_text, text};
use sea_orm::entity::prelude::*;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Django's user id stays what it is when a team moves in.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// As its owner typed it.
    pub username: String,
    /// The folded username: unique.
    pub username_key: String,
    /// Trimmed and lower-cased.
    pub email: String,
    /// The address once it belongs to this account alone: unique. Set when it is verified, and at
    /// registration where `reveal_registered_email` makes every address exclusive.
    pub email_claim: Option<String>,
    /// True when the address had an owner at registration: this account can never be verified with it.
    pub email_conflict: bool,
    /// When the address was proved.
    pub email_verified_at: Option<i64>,
    /// The encoded hash in Django's spelling.
    pub password: String,
    /// The hash's algorithm and cost, counted to choose dummies like the stored ones.
    pub password_scheme: String,
    /// When the password was last set by its owner.
    pub password_changed_at: i64,
    /// Given name, may be empty.
    pub first_name: String,
    /// Family name, may be empty.
    pub last_name: String,
    /// May use staff routes.
    pub is_staff: bool,
    /// May do everything.
    pub is_superuser: bool,
    /// Whether the account may be used; apart from verification, which never unbans.
    pub status: Status,
    /// Tokens without a session that were issued before are refused.
    pub sessions_valid_from: i64,
    /// Device cookies made before are refused.
    pub devices_valid_from: i64,
    /// When the account was made.
    pub date_joined: i64,
    /// The last successful login.
    pub last_login: Option<i64>,
    /// When an account that its owner has deleted goes for good, banned since or not.
    pub delete_at: Option<i64>,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Status {
    /// As usual.
    #[sea_orm(string_value = "active")]
    Active,
    /// Shut out by staff.
    #[sea_orm(string_value = "banned")]
    Banned,
    /// Deleted by its owner, who may still come back.
    #[sea_orm(string_value = "deleted")]
    Deleted,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0001_users", Entity.table_name())
        .column(id(Column::Id))
        .column(text(Column::Username, 150))
        .column(text(Column::UsernameKey, 150))
        .column(text(Column::Email, 320))
        .column(optional_text(Column::EmailClaim, 320))
        .column(flag(Column::EmailConflict))
        .column(optional_integer(Column::EmailVerifiedAt))
        .column(text(Column::Password, 255))
        .column(text(Column::PasswordScheme, 64))
        .column(integer(Column::PasswordChangedAt))
        .column(text(Column::FirstName, 150))
        .column(text(Column::LastName, 150))
        .column(flag(Column::IsStaff))
        .column(flag(Column::IsSuperuser))
        .column(text(Column::Status, 16))
        .column(integer(Column::SessionsValidFrom))
        .column(integer(Column::DevicesValidFrom))
        .column(integer(Column::DateJoined))
        .column(optional_integer(Column::LastLogin))
        .column(optional_integer(Column::DeleteAt))
        .unique("username_key")
        .unique("email_claim")
        .index("email")
        .index("delete_at")
        .index("email_verified_at,date_joined")
        .index("password_scheme")
}
