//! The words in which migrations are written: one table each, safe to run again after a crash, since
//! MySQL commits every statement of a migration by itself.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::{
    Alias, ColumnDef, DbErr, Index, IntoIden, MigrationName, MigrationTrait, SchemaManager, Table,
    async_trait,
};

/// A migration that creates one table with its indexes.
pub struct CreateTable {
    migration: &'static str,
    table: &'static str,
    columns: Vec<ColumnDef>,
    indexes: Vec<TableIndex>,
}

#[derive(Clone, Copy)]
struct TableIndex {
    columns: &'static str,
    unique: bool,
}

impl CreateTable {
    pub(super) const fn new(migration: &'static str, table: &'static str) -> Self {
        Self { migration, table, columns: Vec::new(), indexes: Vec::new() }
    }

    pub(super) fn column(mut self, column: ColumnDef) -> Self {
        self.columns.push(column);
        self
    }

    /// An index over comma-separated columns.
    pub(super) fn index(mut self, columns: &'static str) -> Self {
        self.indexes.push(TableIndex { columns, unique: false });
        self
    }

    /// A unique index over comma-separated columns; its name tells violations apart.
    pub(super) fn unique(mut self, columns: &'static str) -> Self {
        self.indexes.push(TableIndex { columns, unique: true });
        self
    }
}

impl TableIndex {
    async fn create(self, manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
        let name = format!("{table}_{}", self.columns.replace(',', "_"));
        // MySQL has no CREATE INDEX IF NOT EXISTS.
        if manager.has_index(table, &name).await? {
            return Ok(());
        }
        let mut index = Index::create();
        index.name(&name).table(Alias::new(table));
        for column in self.columns.split(',') {
            index.col(Alias::new(column));
        }
        if self.unique {
            index.unique();
        }
        manager.create_index(index).await
    }
}

impl MigrationName for CreateTable {
    fn name(&self) -> &str {
        self.migration
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateTable {
    /// The character set is ours, not the server's default: latin1 refuses emoji, and a
    /// case-insensitive collation merges what SQLite keeps apart.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table.table(Alias::new(self.table)).if_not_exists();
        if manager.get_database_backend() == DbBackend::MySql {
            table.character_set("utf8mb4").collate("utf8mb4_bin");
        }
        for column in &self.columns {
            table.col(column.clone());
        }
        manager.create_table(table).await?;
        for index in &self.indexes {
            index.create(manager, self.table).await?;
        }
        Ok(())
    }
}

/// A migration that adds one column to a table that is there, with its indexes.
pub struct AddColumn {
    migration: &'static str,
    table: &'static str,
    column: ColumnDef,
    indexes: Vec<TableIndex>,
}

impl AddColumn {
    /// Rows that are there get a null, so the column has to take one.
    pub(super) const fn new(migration: &'static str, table: &'static str, column: ColumnDef) -> Self {
        Self { migration, table, column, indexes: Vec::new() }
    }

    /// An index over comma-separated columns.
    pub(super) fn index(mut self, columns: &'static str) -> Self {
        self.indexes.push(TableIndex { columns, unique: false });
        self
    }
}

impl MigrationName for AddColumn {
    fn name(&self) -> &str {
        self.migration
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddColumn {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Neither database here has ADD COLUMN IF NOT EXISTS.
        if !manager.has_column(self.table, self.column.get_column_name()).await? {
            let mut change = Table::alter();
            change.table(Alias::new(self.table)).add_column(self.column.clone());
            manager.alter_table(change).await?;
        }
        for index in &self.indexes {
            index.create(manager, self.table).await?;
        }
        Ok(())
    }
}

/// The auto-incremented key.
pub(super) fn id(name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null().auto_increment().primary_key();
    column
}

/// A key whose values come from elsewhere.
pub(super) fn key(name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null().primary_key();
    column
}

/// A key of bytes.
pub(super) fn binary_key(name: impl IntoIden, length: u32) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.var_binary(length).not_null().primary_key();
    column
}

pub(super) fn integer(name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null();
    column
}

pub(super) fn optional_integer(name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer();
    column
}

pub(super) fn text(name: impl IntoIden, length: u32) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.string_len(length).not_null();
    column
}

pub(super) fn optional_text(name: impl IntoIden, length: u32) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.string_len(length);
    column
}

/// A text of up to 16 MiB. Plain TEXT ends at 64 KiB in MySQL, and a VARCHAR counts towards its row.
pub(super) fn long_text(name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.custom("mediumtext").not_null();
    column
}

/// A number of few values.
pub(super) fn small_integer(name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.small_integer().not_null();
    column
}

pub(super) fn flag(name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.boolean().not_null();
    column
}

/// Bytes of a known greatest length: hashes and packed times.
pub(super) fn bytes(name: impl IntoIden, length: u32) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.var_binary(length).not_null();
    column
}

pub(super) fn optional_bytes(name: impl IntoIden, length: u32) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.var_binary(length);
    column
}

/// Bytes without a small limit: sealed cells.
pub(super) fn blob(name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.blob().not_null();
    column
}
