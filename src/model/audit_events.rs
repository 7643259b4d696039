//! Security events: append-only.

use super::schema::{CreateTable, id, integer, optional_integer, text};
use sea_orm::entity::prelude::*;

/// Something that a security officer would want to know of.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    /// Row key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// When it happened.
    pub at: i64,
    /// What happened, e.g. `login.failed`.
    pub kind: String,
    /// Whose account it concerns, if one is known.
    pub user_id: Option<i64>,
    /// In which session, if in one.
    pub session_id: Option<i64>,
    /// The network it came from.
    pub ip_prefix: String,
    /// The request's id in the log.
    pub request_id: String,
    /// More, in a few words; never a secret.
    pub detail: String,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0007_audit_events", Entity.table_name())
        .column(id(Column::Id))
        .column(integer(Column::At))
        .column(text(Column::Kind, 48))
        .column(optional_integer(Column::UserId))
        .column(optional_integer(Column::SessionId))
        .column(text(Column::IpPrefix, 64))
        .column(text(Column::RequestId, 32))
        .column(text(Column::Detail, 255))
        .index("user_id,at")
        .index("at")
}
