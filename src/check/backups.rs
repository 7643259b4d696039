//! The backups: whether there are any, how old they are, and who can read them.

use super::exposure;
use super::judge::{Rule, Scene, Verdict, ok, span, warning};
use portcullis_security::clock::Timestamp;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

pub(super) const BACKUP: Rule = Rule::new("deploy.backup", &["v5.0.0-14.2.4"], "§16");
const TWO_DAYS: Duration = Duration::from_secs(2 * 86_400);
/// More than clocks differ by.
const AHEAD: Duration = Duration::from_secs(300);
/// Longer than the last line, which counts the rows of every table.
const LAST_LINE: u64 = 16 * 1024;

pub(super) fn judge(scene: &Scene) -> Verdict {
    let mend = "portcullis backup DIRECTORY, each day by cron, and --backups DIRECTORY here.";
    let backups = all(&scene.backups);
    let exposed: Vec<_> = backups.iter().filter_map(|(path, _)| exposure::of(path)).collect();
    if let Some(verdict) = exposure::told(&exposed) {
        return verdict;
    }
    let Some((path, made)) = backups.iter().max_by_key(|(_, made)| made.micros()) else {
        return warning("No whole backup was found.", mend);
    };
    if made.since(scene.now) > AHEAD {
        return warning(
            format!("The newest backup, {}, is of the future.", path.display()),
            format!("see whether the clock is right, then touch {}", exposure::quoted(path)),
        );
    }
    let age = scene.now.since(*made);
    let seen = format!("The newest backup, {}, is {} old.", path.display(), span(age));
    match age > TWO_DAYS {
        true => warning(seen, mend),
        false => ok(seen),
    }
}

/// The files that begin and end as a backup does, and when they were written.
fn all(folders: &[PathBuf]) -> Vec<(PathBuf, Timestamp)> {
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let backups = entries.map(|entry| entry.path()).filter(|path| path.is_file() && is_backup(path));
    backups.filter_map(|path| Some((path.clone(), written(&path)?))).collect()
}

fn is_backup(path: &Path) -> bool {
    let Ok(mut file) = File::open(path) else { return false };
    let mut line = String::new();
    let first = BufReader::new((&file).take(4_096)).read_line(&mut line);
    first.is_ok() && line.starts_with("{\"portcullis_backup\"") && is_whole(&mut file).unwrap_or(false)
}

/// A backup that broke off has no last line.
fn is_whole(file: &mut File) -> std::io::Result<bool> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_LINE)))?;
    let mut tail = Vec::new();
    file.take(LAST_LINE).read_to_end(&mut tail)?;
    let last = tail.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    Ok(last.is_some_and(|line| line.starts_with(b"{\"end\"")))
}

fn written(path: &Path) -> Option<Timestamp> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = modified.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_seconds(i64::try_from(since.as_secs()).ok()?))
}
