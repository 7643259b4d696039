//! Who else on this machine gets at a file.

use super::judge::{Verdict, error};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const BY_OTHERS: u32 = 0o077;
const WRITTEN_BY_ANYBODY: u32 = 0o002;
/// Names in such a directory belong to those who made them.
const STICKY: u32 = 0o1000;

/// A sentence, and what to type to mend it.
pub(super) type Exposure = (String, String);

/// Why others can read or replace what is there.
pub(super) fn of(path: &Path) -> Option<Exposure> {
    replaceable(path).or_else(|| readable(path))
}

/// Why others can put something else in its place.
pub(super) fn replaceable(path: &Path) -> Option<Exposure> {
    changeable(path, 1)
}

/// Why others can put something into a directory.
pub(super) fn writable(folder: &Path) -> Option<Exposure> {
    changeable(folder, 0)
}

/// Who owns it, and whether anybody may write to a directory on the way to it, without so many at its end.
fn changeable(path: &Path, without: usize) -> Option<Exposure> {
    let meta = path.metadata().ok()?;
    if !is_ours(&meta) {
        return Some((
            format!("{} belongs to user {}.", path.display(), meta.uid()),
            format!(
                "run this as the server's user, or chown USER {} if it should be that user's",
                quoted(path)
            ),
        ));
    }
    let real = path.canonicalize().ok()?;
    let is_open = |folder: &&Path| {
        folder.metadata().is_ok_and(|meta| meta.mode() & (WRITTEN_BY_ANYBODY | STICKY) == WRITTEN_BY_ANYBODY)
    };
    let open = real.ancestors().skip(without).find(is_open)?;
    Some((
        format!("Anybody may change {}, or put something in its place.", path.display()),
        format!("chmod o-w {}", quoted(open)),
    ))
}

/// Why others can read it. What is mounted read-only, as containers' secrets are, has the mode of whoever mounts it.
pub(super) fn readable(path: &Path) -> Option<Exposure> {
    let is_open = path.metadata().ok()?.mode() & BY_OTHERS != 0;
    let is_fixed = rustix::fs::statvfs(path)
        .is_ok_and(|disk| disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    (is_open && !is_fixed).then(|| {
        (
            format!("Others on this machine can read {}.", path.display()),
            format!("chmod go-rwx {}", quoted(path)),
        )
    })
}

/// All of them as one error; nothing when there are none.
pub(super) fn told(found: &[Exposure]) -> Option<Verdict> {
    let joined = |part: fn(&Exposure) -> &String, between: &str| {
        found.iter().map(|one| part(one).as_str()).collect::<Vec<_>>().join(between)
    };
    (!found.is_empty()).then(|| error(joined(|one| &one.0, " "), joined(|one| &one.1, "; ")))
}

fn is_ours(meta: &Metadata) -> bool {
    meta.uid() == rustix::process::geteuid().as_raw() || meta.uid() == 0
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+".contains(letter);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown};

    #[test]
    fn owners_parents_and_modes_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("my data");
        let file = inner.join("key");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(&file, "").unwrap();
        let chmod = |path: &Path, mode: u32| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let mend = || of(&file).map(|(_, mend)| mend);
        for (inside, own, expected) in [
            (0o700, 0o600, None),
            (0o1777, 0o600, None),
            (0o777, 0o600, Some(format!("chmod o-w '{}'", inner.display()))),
            (0o700, 0o640, Some(format!("chmod go-rwx '{}'", file.display()))),
        ] {
            chmod(&inner, inside);
            chmod(&file, own);
            assert_eq!(mend(), expected);
        }
        chmod(&file, 0o600);
        // Only root can give a file away.
        if chown(&file, Some(12_345), None).is_ok() {
            assert!(of(&file).is_some_and(|(seen, _)| seen.contains("user 12345")));
        }
        assert_eq!(of(Path::new("/nowhere")), None);
    }

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        assert_eq!(quoted(Path::new("/srv/data-1")), "/srv/data-1");
        assert_eq!(quoted(Path::new("/srv/it's $HOME")), r"'/srv/it'\''s $HOME'");
    }
}
