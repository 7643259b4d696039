//! `portcullis check --deploy`: the guide's checklist (§17) judged from settings, database and files.
//!
//! Nothing is changed and nothing is sent: files are looked at, the database is opened for reading, and the mail
//! server is only greeted. Settings that `serve` refuses are judged too, with the refusal among the errors.
//! docs/check.md lists every item.

mod backups;
mod certificate;
mod database;
mod exposure;
mod files;
mod judge;
mod limits;
mod mail;
mod opening;
mod program;
pub mod report;
mod secrets;
mod settings;
mod transport;

pub use judge::Scene;
pub use report::{Format, Item, Level, Report};

use crate::config::{Config, Problem, Profile, Settings, Sources, validate};
use portcullis_security::clock::Timestamp;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// What the mail server and the database have together, from the first moment on.
const PATIENCE: Duration = Duration::from_millis(1_200);

impl Scene {
    /// The settings of `sources`; problems are those that a production server would have with them.
    #[must_use]
    pub fn new(sources: Sources, backups: Option<PathBuf>, now: Timestamp) -> Self {
        let secret_files = sources.files_with_secrets();
        let settings = Settings::merge(sources);
        let (config, unread) = Config::read(&settings);
        let strict = Config { profile: Profile::Production, ..config.clone() };
        let is_read = |problem: &Problem| !unread.iter().any(|known| known.key == problem.key);
        let refused = validate(&strict).into_iter().filter(is_read).collect();
        let data_dir = &config.storage.data_dir;
        let usual =
            || vec![data_dir.clone(), data_dir.join("backups"), PathBuf::from("backups"), PathBuf::from(".")];
        let backups = backups.map_or_else(usual, |folder| vec![folder]);
        Self { settings, config, unread, refused, backups, secret_files, now }
    }
}

/// Judges everything, within two seconds whatever the network does. A file that hangs holds it up.
pub async fn deploy(scene: &Scene) -> Report {
    let deadline = Instant::now() + PATIENCE;
    let mut items = settings::judge(scene);
    items.extend(secrets::judge(scene));
    items.extend(transport::judge(scene));
    items.extend(limits::judge(scene));
    let (mail, database, uploads) = tokio::join!(
        mail::judge(scene, deadline),
        database::judge(scene, deadline),
        files::uploads(scene, deadline)
    );
    items.extend(mail.into_iter().chain(database).chain([uploads]));
    items.extend(files::judge(scene));
    items.extend(program::judge(scene));
    settings::tell_unread(scene, &mut items);
    items.extend(settings::refusals(scene, &items));
    Report::new(items)
}
