//! Signing keys, sealed under the root secret: overlap and rotation without a logout.

use super::schema::{CreateTable, blob, id, integer, optional_integer, text};
use sea_orm::entity::prelude::*;

/// A key that signs, or still verifies, tokens.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// Row key; the newest key of the algorithm in use signs.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The `kid` header: unique.
    pub kid: String,
    /// `HS256` or `EdDSA`.
    pub algorithm: String,
    /// `setting`, `derived` or `generated`.
    pub origin: String,
    /// The key itself.
    pub sealed: Vec<u8>,
    /// When it begins to sign; every process has read it by then.
    pub created_at: i64,
    /// When it stopped verifying.
    pub retired_at: Option<i64>,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0009_signing_keys", Entity.table_name())
        .column(id(Column::Id))
        .column(text(Column::Kid, 32))
        .column(text(Column::Algorithm, 16))
        .column(text(Column::Origin, 16))
        .column(blob(Column::Sealed))
        .column(integer(Column::CreatedAt))
        .column(optional_integer(Column::RetiredAt))
        .unique("kid")
}
