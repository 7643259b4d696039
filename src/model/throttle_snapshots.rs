//! Throttle windows as they were a second ago, for the next start.

use super::schema::{CreateTable, binary_key, bytes, integer};
use sea_orm::entity::prelude::*;

/// The state of one throttle window.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttle_snapshots")]
pub struct Model {
    /// Which bucket: policy and caller, hashed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: Vec<u8>,
    /// The policy's number.
    pub policy: i64,
    /// The window, packed.
    pub payload: Vec<u8>,
    /// When the window is empty again.
    pub expires_at: i64,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0008_throttle_snapshots", Entity.table_name())
        .column(binary_key(Column::KeyHash, 32))
        .column(integer(Column::Policy))
        .column(bytes(Column::Payload, 1100))
        .column(integer(Column::ExpiresAt))
        .index("expires_at")
}
