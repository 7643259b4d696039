//! The tables: one file each, the entity and its migration side by side.
//!
//! Every time is an `i64` of microseconds since 1970 (`portcullis_security::clock::Timestamp`): one form
//! that is exact, sorts, and means the same in SQLite, MySQL and PostgreSQL. Texts are compared byte by
//! byte; where case must not matter, a folded key column carries the uniqueness.

pub mod audit_events;
pub mod blocks;
pub mod book_changes;
pub mod book_words;
pub mod books;
pub mod follows;
pub mod memberships;
pub mod messages;
pub mod notification_preferences;
pub mod one_time_tokens;
pub mod outbox;
pub mod profiles;
pub mod review_words;
pub mod reviews;
pub mod revocations;
pub mod room_words;
pub mod rooms;
mod schema;
pub mod search_budgets;
pub mod sessions;
pub mod signing_keys;
pub mod socket_tickets;
pub mod throttle_snapshots;
pub mod users;
pub mod webhooks;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// The migrations in their order. Applied ones are never edited; a change is a new one at the end.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(users::create()),
            Box::new(sessions::create()),
            Box::new(one_time_tokens::create()),
            Box::new(profiles::create()),
            Box::new(notification_preferences::create()),
            Box::new(outbox::create()),
            Box::new(audit_events::create()),
            Box::new(throttle_snapshots::create()),
            Box::new(signing_keys::create()),
            Box::new(revocations::create()),
            Box::new(follows::create()),
            Box::new(blocks::create()),
            Box::new(books::create()),
            Box::new(reviews::create()),
            Box::new(book_words::create()),
            Box::new(review_words::create()),
            Box::new(profiles::add_avatar()),
            Box::new(rooms::create()),
            Box::new(memberships::create()),
            Box::new(messages::create()),
            Box::new(room_words::create()),
            Box::new(socket_tickets::create()),
            Box::new(book_changes::create()),
            Box::new(search_budgets::create()),
            Box::new(webhooks::create()),
            Box::new(socket_tickets::add_key()),
        ]
    }
}

/// How SQLite answers a query, for tests that no list reads a whole table.
#[cfg(test)]
pub mod plan {
    #![allow(clippy::unwrap_used)]
    use crate::model::Migrator;
    use crate::storage::Storage;
    use sea_orm::{ConnectionTrait, DbBackend, Statement};

    /// An empty database with all tables; the folder has to outlive it.
    pub async fn empty() -> (Storage, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("plans.sqlite3").display());
        let storage = Storage::connect(&url).await.unwrap();
        storage.migrate::<Migrator>().await.unwrap();
        (storage, folder)
    }

    /// The plan, a line for each table.
    #[expect(clippy::disallowed_methods, reason = "an ORM does not explain")]
    pub async fn plan(storage: &Storage, statement: Statement) -> String {
        let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {statement}"));
        let rows = storage.reader().query_all_raw(explain).await.unwrap();
        rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap() + "\n").collect()
    }
}
