//! The files of a backup, and writing files so that they are there whole or not at all.

use super::format::BackupWriter;
use super::{BackupError, SECRET_FILE, broken, damaged};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// What uploads are called in a backup, wherever they lie.
const UPLOADS: &str = "files/";

/// Writes every file below a folder.
pub(super) fn dump(folder: &Path, writer: &mut BackupWriter) -> Result<(), BackupError> {
    let mut found = Vec::new();
    collect(folder, folder, &mut found)?;
    found.sort();
    for name in found {
        let path = folder.join(&name);
        let content = match fs::read(&path) {
            Ok(content) => content,
            // Its owner has replaced it meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(broken(format!("cannot read {}: {error}", path.display()))),
        };
        writer.file(&format!("{UPLOADS}{name}"), &content)?;
    }
    Ok(())
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) -> Result<(), BackupError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(broken(format!("cannot read {}: {error}", folder.display()))),
    };
    for entry in entries {
        let path = entry.map_err(broken)?.path();
        let kind = fs::symlink_metadata(&path).map_err(broken)?.file_type();
        if kind.is_dir() {
            collect(root, &path, found)?;
        } else if kind.is_file() {
            let name = path.strip_prefix(root).ok().and_then(Path::to_str);
            let name =
                name.ok_or_else(|| broken(format!("{} has a name that is no text", path.display())))?;
            found.push(name.to_owned());
        }
    }
    Ok(())
}

/// Where a file of a backup belongs: the secret nowhere below `folder`, an upload inside it whatever its
/// name says (CWE-22).
pub(super) fn place(name: &str, folder: Option<&Path>) -> Result<Option<PathBuf>, BackupError> {
    if name == SECRET_FILE {
        return Ok(None);
    }
    let relative = name.strip_prefix(UPLOADS).map(Path::new);
    let is_inside = |path: &&Path| {
        path.components().next().is_some()
            && path.components().all(|part| matches!(part, Component::Normal(_)))
    };
    let relative = relative.filter(is_inside).ok_or_else(|| damaged("a file in it has a strange name"))?;
    Ok(folder.map(|folder| folder.join(relative)))
}

/// Writes a file with mode 0600, whole or not at all.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), BackupError> {
    create_parent(path)?;
    let draft = draft_of(path);
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
    let written = written.and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    written.map_err(|error| broken(format!("cannot write {}: {error}", path.display())))?;
    publish(&draft, path)
}

/// The name under which a file is written until it is whole.
pub(super) fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

/// Gives a draft its name, for good.
pub(super) fn publish(draft: &Path, path: &Path) -> Result<(), BackupError> {
    let moved = fs::rename(draft, path).and_then(|()| File::open(parent_of(path))?.sync_all());
    moved.map_err(|error| broken(format!("cannot write {}: {error}", path.display())))
}

/// Makes the directory of a file, for its owner alone.
pub(super) fn create_parent(path: &Path) -> Result<(), BackupError> {
    let parent = parent_of(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    made.map_err(|error| broken(format!("cannot make {}: {error}", parent.display())))
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let place = |name| place(name, Some(Path::new("/srv/files")));
        assert_eq!(place("files/ab/c.png").unwrap(), Some(PathBuf::from("/srv/files/ab/c.png")));
        assert_eq!(place("secret_key").unwrap(), None);
        for hostile in ["files/../x", "files//etc/passwd", "files/", "/etc/passwd", "files/a/../../x", "x"] {
            assert!(place(hostile).is_err(), "{hostile}");
        }
    }
}
