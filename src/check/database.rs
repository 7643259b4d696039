//! The database: who may reach it, and what its rows tell.

use super::judge::{Rule, Scene, Verdict, error, note, ok, warning};
use super::opening::{self, OPENS};
use super::program::before_release;
use super::report::{Item, Level};
use crate::config::secret_strength::guessable;
use crate::config::{Engine, Storage, is_this_machine};
use crate::model::users::{self, Status};
use crate::model::{Migrator, audit_events};
use crate::storage::look;
use portcullis_security::password::{Argon2Variety, Scheme};
use portcullis_security::secret::Secret;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use sea_orm_migration::{MigratorTrait, SchemaManager, seaql_migrations};
use std::str::FromStr;
use tokio::time::{Instant, timeout_at};

const DATABASE: Rule =
    Rule::new("deploy.database", &["v5.0.0-13.2.2", "v5.0.0-13.2.3", "v5.0.0-12.3.1"], "§16.1").of(&[
        "STORAGE__DATABASE_URL",
        "STORAGE__DATABASE_PASSWORD",
        "STORAGE__REDIS_URL",
    ]);
const MIGRATIONS: Rule = Rule::new("deploy.migrations", &[], "§2");
const HASHES: Rule = Rule::new("deploy.stored_hashes", &["v5.0.0-11.4.2"], "§2.2, §17 Passwords");
const SUPERUSERS: Rule =
    Rule::new("deploy.superusers", &["v5.0.0-8.2.1", "v5.0.0-13.2.3"], "§17 Authorization");
const CLOCK: Rule = Rule::new("deploy.clock", &["v5.0.0-16.2.2", "v5.0.0-9.2.1"], "§3");
const LEAST_PASSWORD: usize = 12;
/// More than the clocks of two machines that are kept in time differ by.
const SKEW: i64 = 5_000_000;

pub(super) async fn judge(scene: &Scene, deadline: Instant) -> Vec<Item> {
    let storage = &scene.config.storage;
    let mut items = vec![DATABASE.judged(reach(storage))];
    match look_at(scene, deadline).await {
        Ok(rows) => {
            items.push(OPENS.judged(ok("The database opens, and its rows can be read.")));
            items.extend(rows);
        }
        Err(trouble) => {
            let unseen = || warning("The rows were not looked at.", "see deploy.database_opens.");
            items.extend([MIGRATIONS, HASHES, SUPERUSERS, CLOCK].map(|rule| rule.judged(unseen())));
            items.push(OPENS.judged(trouble));
        }
    }
    if let Some(verdict) = before_release(scene.now) {
        items.retain(|item| item.id != "deploy.clock");
        items.push(CLOCK.judged(verdict));
    }
    items
}

/// What the rows tell, or why they cannot be had.
async fn look_at(scene: &Scene, deadline: Instant) -> Result<Vec<Item>, Verdict> {
    let storage = &scene.config.storage;
    // A file that cannot be asked for is one that opening refuses.
    if let Some(path) = storage.sqlite_path().filter(|path| matches!(path.try_exists(), Ok(false))) {
        return Err(opening::missing(&path));
    }
    let url = storage.connect_url();
    let db = timeout_at(deadline, look(&url)).await.map_err(|_| opening::silent())?;
    let db = db.map_err(|cause| opening::refused(&cause))?;
    let rows = timeout_at(deadline, rows(scene, &db)).await;
    // What a reader of SQLite leaves beside the file goes when it closes; a server that is silent does not care.
    let _ = timeout_at(deadline, db.close()).await;
    rows.map_err(|_| opening::silent())?.map_err(|cause| opening::unreadable(&cause))
}

async fn rows(scene: &Scene, db: &DatabaseConnection) -> Result<Vec<Item>, DbErr> {
    let migrations = MIGRATIONS.judged(migrations(db).await?);
    // Tables that are not there yet are no reason to call the database damaged.
    let is_current = migrations.level == Level::Ok;
    let judged = |verdict: Result<Verdict, DbErr>| match verdict {
        Err(cause) if is_current => Err(cause),
        Err(_) => Ok(warning("The tables are not there yet.", "portcullis migrate")),
        Ok(verdict) => Ok(verdict),
    };
    Ok(vec![
        HASHES.judged(judged(hashes(scene, db).await)?),
        SUPERUSERS.judged(judged(superusers(db).await)?),
        CLOCK.judged(judged(clock(scene, db).await)?),
        migrations,
    ])
}

fn reach(storage: &Storage) -> Verdict {
    if storage.redis_url.is_some() {
        return error("Redis is set, which this release does not use.", "unset REDIS_URL.");
    }
    match storage.engine() {
        Some(Engine::Sqlite) => ok("The database is a file."),
        Some(Engine::Mysql) => server(storage),
        _ => error("The database is none that this release speaks.", "DATABASE_URL=mysql://USER@HOST/NAME"),
    }
}

fn server(storage: &Storage) -> Verdict {
    let Some(user) = storage.database_user() else {
        return error("The database URL names no user.", "DATABASE_URL=mysql://USER@HOST/NAME");
    };
    let address = storage.database_url.expose_text().split_once('?');
    let (address, query) = address.unwrap_or((storage.database_url.expose_text(), ""));
    let host = address.rsplit('@').next().unwrap_or_default().split('/').next().unwrap_or_default();
    // A password of the URL's own goes before one that is set apart.
    let mend = "make a password with `portcullis secret`, take that of DATABASE_URL out, and set DATABASE_PASSWORD_FILE.";
    let password = storage.database_password().unwrap_or_else(|| Secret::from(""));
    let password = password.expose_text();
    match password.chars().count() {
        0 => return error("The database needs no password.", mend),
        count @ ..LEAST_PASSWORD => {
            return error(format!("The database's password has {count} characters."), mend);
        }
        _ => {}
    }
    if password == user {
        return error("The database's password is its user's name.", mend);
    }
    if let Some(weakness) = guessable(password.as_bytes()) {
        return error(format!("The database's password is {weakness}."), mend);
    }
    way(user, host, query)
}

/// How the server gets to its database: as whom, and over which way.
fn way(user: &str, host: &str, query: &str) -> Verdict {
    match is_this_machine(without_port(host)) {
        _ if user == "root" => warning(
            "The server is root in the database: it could read other databases too.",
            "CREATE USER for it, and GRANT it its own database alone.",
        ),
        false if !proves_its_name(query) => warning(
            "The database is on another machine, and need not prove that it is the one that is meant.",
            "add ?ssl-mode=VERIFY_IDENTITY to DATABASE_URL, and &ssl-ca=FILE if its certificate is from an authority \
             of your own.",
        ),
        false => ok("The database is on another machine, spoken to by TLS, and proves its name."),
        true => ok("The database is on this machine, and has a user and a password."),
    }
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, port)| if port.ends_with(']') { host } else { name })
}

/// Whether a connection is encrypted and fails where the certificate is not the host's.
fn proves_its_name(query: &str) -> bool {
    // The driver takes the last.
    let mut pairs = query.rsplit('&').filter_map(|pair| pair.split_once('='));
    let mode = pairs.find(|(name, _)| matches!(*name, "ssl-mode" | "sslmode"));
    mode.is_some_and(|(_, mode)| mode.eq_ignore_ascii_case("VERIFY_IDENTITY"))
}

async fn migrations(db: &DatabaseConnection) -> Result<Verdict, DbErr> {
    let is_new = !SchemaManager::new(db).has_table("seaql_migrations").await?;
    let applied = if is_new { Vec::new() } else { seaql_migrations::Entity::find().all(db).await? };
    let all = Migrator::migrations();
    let known = |version: &str| all.iter().any(|migration| migration.name() == version);
    if let Some(newer) = applied.iter().find(|row| !known(&row.version)) {
        return Ok(error(
            format!("The database was migrated by a newer release ({}).", newer.version),
            "run that release, or restore a backup of before.",
        ));
    }
    Ok(match all.len() - applied.len() {
        0 => ok(format!("All {} migrations are applied.", all.len())),
        left => {
            warning(format!("{left} migrations are not applied."), "portcullis migrate, or start the server.")
        }
    })
}

async fn hashes(scene: &Scene, db: &DatabaseConnection) -> Result<Verdict, DbErr> {
    let counts: Vec<(String, i64)> = users::Entity::find()
        .select_only()
        .column(users::Column::PasswordScheme)
        .column_as(users::Column::Id.count(), "count")
        .group_by(users::Column::PasswordScheme)
        .into_tuple()
        .all(db)
        .await?;
    let password = &scene.config.password;
    let cost = |memory: u32, passes: u32| u64::from(memory) * u64::from(passes);
    let is_obsolete = |scheme: &str| match Scheme::from_str(scheme) {
        Ok(Scheme::Argon2 { variety: Argon2Variety::Id, params }) => {
            cost(params.memory_kib(), params.iterations()) < cost(password.memory_kib, password.iterations)
        }
        Ok(Scheme::Unusable) => false,
        _ => true,
    };
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    let obsolete: Vec<_> = counts.iter().filter(|(scheme, _)| is_obsolete(scheme)).collect();
    let count: i64 = obsolete.iter().map(|(_, count)| count).sum();
    if count == 0 {
        return Ok(ok(format!("None of {all} stored hashes is weaker than the settings.")));
    }
    let names: Vec<&str> = obsolete.iter().map(|(scheme, _)| scheme.as_str()).collect();
    Ok(note(format!(
        "{count} of {all} stored hashes are weaker than the settings ({}); each is replaced at its owner's next login.",
        names.join(", ")
    )))
}

async fn superusers(db: &DatabaseConnection) -> Result<Verdict, DbErr> {
    let active = users::Entity::find()
        .filter(users::Column::IsSuperuser.eq(true))
        .filter(users::Column::Status.eq(Status::Active));
    let count = active.clone().count(db).await?;
    let unverified = active.filter(users::Column::EmailVerifiedAt.is_null()).count(db).await?;
    Ok(match (count, unverified) {
        (0, _) => {
            warning("There is no superuser.", "portcullis createsuperuser --username NAME --email ADDRESS")
        }
        (_, 1..) => warning(
            format!("{unverified} superusers have never proved their address."),
            "have them verify it, or make others with `portcullis createsuperuser`.",
        ),
        (6.., _) => {
            warning(format!("{count} accounts are superusers."), "leave the right to those who need it.")
        }
        _ => ok(format!("{count} superusers, all of them verified.")),
    })
}

/// An event of the future means that the clock was put back, or that another server's is ahead: tokens would
/// live longer than they should.
async fn clock(scene: &Scene, db: &DatabaseConnection) -> Result<Verdict, DbErr> {
    let newest =
        audit_events::Entity::find().order_by_desc(audit_events::Column::At).limit(1).one(db).await?;
    let ahead = newest.map_or(0, |event| event.at - scene.now.micros());
    Ok(if ahead > SKEW {
        error(
            format!(
                "The newest event in the database is {} s in the future: this clock is behind.",
                ahead / 1_000_000
            ),
            "timedatectl set-ntp true, on every server.",
        )
    } else {
        ok("No event in the database is in the future: the clocks agree.")
    })
}
