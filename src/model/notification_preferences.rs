//! Which mails an account wants. Security notices cannot be turned off.

use super::schema::{CreateTable, flag, key};
use sea_orm::entity::prelude::*;

/// The mails that an account wants.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_preferences")]
pub struct Model {
    /// Whose wishes they are.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// Somebody follows me.
    pub new_follower: bool,
    /// Somebody asks to follow me.
    pub follow_request: bool,
    /// My request was approved.
    pub follow_approved: bool,
    /// A book that I reviewed got another review.
    pub book_reviewed: bool,
}

/// No relation is declared: joins name their columns.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Creates the table.
pub fn create() -> CreateTable {
    CreateTable::new("m0005_notification_preferences", Entity.table_name())
        .column(key(Column::UserId))
        .column(flag(Column::NewFollower))
        .column(flag(Column::FollowRequest))
        .column(flag(Column::FollowApproved))
        .column(flag(Column::BookReviewed))
}
