//! Tickets that open one WebSocket each.

use super::schema::{AddColumn, CreateTable, binary_key, integer, optional_bytes, optional_integer};
use sea_orm::entity::prelude::*;

/// A ticket that nobody has used yet.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "socket_tickets")]
pub struct Model {
    /// SHA-256 of the ticket.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// Who bought it.
    pub user_id: i64,
    /// The session of the access token that bought it; a Django's token has none.
    pub session_id: Option<i64>,
    /// When that token was issued.
    pub token_issued_at: i64,
    /// When that token ends, and with it what the ticket opened.
    pub token_expires_at: i64,
    /// When the ticket itself ends.
    pub expires_at: i64,
    /// Which key signed that token. One from before there was this column opens nothing.
    pub key_id: Option<Vec<u8>>,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0035_socket_tickets", Entity.table_name())
        .column(binary_key(Column::Hash, 32))
        .column(integer(Column::UserId))
        .column(optional_integer(Column::SessionId))
        .column(integer(Column::TokenIssuedAt))
        .column(integer(Column::TokenExpiresAt))
        .column(integer(Column::ExpiresAt))
        .index("expires_at")
        .index("user_id")
}

/// Adds the key.
pub fn add_key() -> AddColumn {
    AddColumn::new("m0042_add_key_to_socket_tickets", Entity.table_name(), optional_bytes(Column::KeyId, 9))
}
