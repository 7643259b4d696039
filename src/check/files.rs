//! The data directory, its disk, and what is uploaded.

use super::judge::{Rule, Scene, Verdict, error, note, ok, warning};
use super::opening::can_be_made;
use super::report::Item;
use super::{backups, exposure};
use crate::config::secret_strength::guessable;
use crate::config::{Storage, shown};
use crate::uploads::scanner_answers;
use rustix::fs::{Access, access};
use std::path::Path;
use tokio::time::{Instant, timeout_at};

const MODES: Rule =
    Rule::new("deploy.data_modes", &["v5.0.0-13.2.2", "v5.0.0-16.4.2"], "§16.1").of(&["STORAGE__DATA_DIR"]);
const DISK: Rule = Rule::new("deploy.disk", &[], "§11");
const UPLOADS: Rule =
    Rule::new("deploy.uploads", &["v5.0.0-5.2.1", "v5.0.0-5.2.2", "v5.0.0-5.4.3"], "§11, §17 File Uploads")
        .of(&["UPLOADS__CLAMAV"]);
const BUCKET: Rule = Rule::new("deploy.files", &["v5.0.0-13.3.1", "v5.0.0-12.3.1"], "§11").of(&[
    "STORAGE__FILES_URL",
    "STORAGE__AWS_REGION",
    "STORAGE__AWS_ENDPOINT_URL",
    "STORAGE__AWS_ACCESS_KEY_ID",
    "STORAGE__AWS_SECRET_ACCESS_KEY",
    "STORAGE__AWS_SESSION_TOKEN",
]);
/// What a database, its journal and a day of pictures and mails need.
const LEAST_FILES: u64 = 1_000;
const MIB: u64 = 1 << 20;

pub(super) fn judge(scene: &Scene) -> Vec<Item> {
    vec![
        MODES.judged(modes(scene)),
        DISK.judged(disk(&scene.config.storage.data_dir)),
        backups::BACKUP.judged(backups::judge(scene)),
        BUCKET.judged(bucket(scene)),
    ]
}

/// Has the scanner look at an empty file.
pub(super) async fn uploads(scene: &Scene, deadline: Instant) -> Item {
    UPLOADS.judged(match &scene.config.uploads.clamav {
        None => note("Uploads are told by content, bounded and drawn anew; PORTCULLIS_UPLOADS__CLAMAV has them scanned too."),
        Some(address) => match timeout_at(deadline, scanner_answers(address)).await {
            Ok(true) => ok(format!("Uploads are told by content, bounded, drawn anew and scanned by {address}.")),
            _ => warning(
                format!("The scanner at {address} does not answer: no upload is taken."),
                "start clamd there, mend PORTCULLIS_UPLOADS__CLAMAV, or unset it.",
            ),
        },
    })
}

fn modes(scene: &Scene) -> Verdict {
    let storage = &scene.config.storage;
    if !can_be_written(storage) {
        return error(
            format!("This user cannot write to {}, or it is no directory.", storage.data_dir.display()),
            "run this as the server's user, give the directory and all in it to that user with chown, or set \
             PORTCULLIS_STORAGE__DATA_DIR.",
        );
    }
    if !storage.data_dir.exists() {
        return note(format!("{} is made at the first start, with mode 0700.", storage.data_dir.display()));
    }
    let mut paths = vec![storage.data_dir.clone(), storage.data_dir.join("secret_key")];
    paths.extend(storage.sqlite_path());
    paths.extend(storage.files_directory());
    // What lies in a closed directory cannot be reached, whatever its own mode.
    let is_closed = exposure::readable(&storage.data_dir).is_none();
    let is_hidden = |path: &Path| is_closed && path.starts_with(&storage.data_dir);
    let found = paths.iter().filter_map(|path| match is_hidden(path) {
        true => exposure::replaceable(path),
        false => exposure::of(path),
    });
    exposure::told(&found.collect::<Vec<_>>())
        .unwrap_or_else(|| ok("Only the server's user can read its data."))
}

/// Whether the data directory and the database in it can be written to, or be made.
fn can_be_written(storage: &Storage) -> bool {
    let takes = |path: &Path, how: Access| match path.exists() {
        true => access(path, how).is_ok(),
        false => can_be_made(path),
    };
    let is_no_file = storage.data_dir.is_dir() || !storage.data_dir.exists();
    is_no_file
        && takes(&storage.data_dir, Access::WRITE_OK | Access::EXEC_OK)
        && storage.sqlite_path().is_none_or(|path| takes(&path, Access::WRITE_OK))
}

fn disk(data_dir: &Path) -> Verdict {
    let existing = data_dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let Ok(disk) = rustix::fs::statvfs(existing) else {
        return note("How full the disk is cannot be told.");
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize) / MIB;
    let all = (disk.f_blocks.saturating_mul(disk.f_frsize) / MIB).max(1);
    let seen = format!("{free} MiB of the disk are free, {} %.", free * 100 / all);
    // Some file systems make them as they go, and count none.
    if disk.f_files > 0 && disk.f_favail < LEAST_FILES {
        return error(
            format!("The disk has room for {} files more.", disk.f_favail),
            "remove small files: df -i tells how many there are.",
        );
    }
    match free {
        0..256 => error(seen, "make room: without it no account can be written."),
        256..1_024 => warning(seen, "make room before the database needs it."),
        _ => ok(seen),
    }
}

fn bucket(scene: &Scene) -> Verdict {
    let storage = &scene.config.storage;
    if storage.files_bucket().is_none() {
        return ok(format!(
            "Uploaded files are on this machine, at {}.",
            shown(storage.files_url.expose_text())
        ));
    }
    let secret = storage.aws.secret_access_key.as_ref();
    if let Some(weakness) = secret.and_then(|secret| guessable(secret.expose())) {
        return error(
            format!("AWS_SECRET_ACCESS_KEY is {weakness}."),
            "take the one that was made with the key.",
        );
    }
    let endpoint = storage.aws.endpoint_url.as_deref().unwrap_or("https://");
    match endpoint.starts_with("https://") {
        true => ok(format!(
            "Uploaded files go to a bucket at {}, over https, by {}.",
            storage
                .aws
                .endpoint_url
                .as_deref()
                .or(storage.aws.region.as_deref())
                .map_or("Amazon's".to_owned(), shown),
            match (&storage.aws.access_key_id, &storage.aws.session_token) {
                (None, _) => "the machine's role",
                (Some(_), None) => "a key",
                (Some(_), Some(_)) => "a key that is lent",
            }
        )),
        false => warning("Uploaded files go to the bucket unencrypted.", "AWS_ENDPOINT_URL=https://…"),
    }
}
