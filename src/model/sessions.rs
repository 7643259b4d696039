//! Sessions: one row for each family of refresh tokens.

use super::schema::{CreateTable, bytes, id, integer, optional_bytes, optional_integer, text};
use sea_orm::entity::prelude::*;

/// A family of refresh tokens, of which one is current.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// The `sid` claim of the family's tokens.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whose session it is.
    pub user_id: i64,
    /// SHA-256 of the current refresh token's jti.
    pub token_hash: Vec<u8>,
    /// How often the token was rotated; the current jti is a keyed function of id and generation.
    pub generation: i64,
    /// Which key that function used.
    pub prf_kid: String,
    /// When the last eight generations were spent, newest first, eight bytes each.
    pub spent: Vec<u8>,
    /// SHA-256 of the jti of a foreign refresh token that was exchanged for this family: unique.
    pub origin_hash: Option<Vec<u8>>,
    /// When the user logged in.
    pub created_at: i64,
    /// When the current token was made: its `iat`.
    pub rotated_at: i64,
    /// When the current token ends unless it is used: its `exp`.
    pub idle_expires_at: i64,
    /// When the family ends in any case.
    pub absolute_expires_at: i64,
    /// The User-Agent of the login, cut to 255 characters.
    pub user_agent: String,
    /// The network the login came from, never the whole address.
    pub ip_prefix: String,
    /// When the session was ended.
    pub revoked_at: Option<i64>,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0002_sessions", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::UserId))
        .column(bytes(Column::TokenHash, 32))
        .column(integer(Column::Generation))
        .column(text(Column::PrfKid, 32))
        .column(bytes(Column::Spent, 64))
        .column(optional_bytes(Column::OriginHash, 32))
        .column(integer(Column::CreatedAt))
        .column(integer(Column::RotatedAt))
        .column(integer(Column::IdleExpiresAt))
        .column(integer(Column::AbsoluteExpiresAt))
        .column(text(Column::UserAgent, 255))
        .column(text(Column::IpPrefix, 64))
        .column(optional_integer(Column::RevokedAt))
        .index("user_id")
        .index("absolute_expires_at")
        .unique("origin_hash")
}
