//! Files below a folder, for the server's user alone.

use super::FileName;
use crate::error::{Error, Result};
use bytes::Bytes;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A folder, made when the first file comes.
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) async fn put(&self, name: &FileName, content: Bytes) -> Result<()> {
        let path = self.path(name);
        blocking(move || write(&path, &content)).await
    }

    pub(super) async fn read(&self, name: &FileName) -> Result<Option<Bytes>> {
        let path = self.path(name);
        blocking(move || found(fs::read(path)).map(|content| content.map(Bytes::from))).await
    }

    pub(super) async fn remove(&self, name: &FileName) -> Result<()> {
        let path = self.path(name);
        blocking(move || found(fs::remove_file(path)).map(drop)).await
    }

    fn path(&self, name: &FileName) -> PathBuf {
        self.folder.join(name.as_str())
    }
}

/// Mode 0600, under another name until it is whole and on the disk.
fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let draft = path.with_extension("part");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    let moved = written.and_then(|()| fs::rename(&draft, path)).and_then(|()| File::open(folder)?.sync_all());
    if moved.is_err() {
        // A full disk must not be filled further by what is worth nothing.
        let _ = fs::remove_file(&draft);
    }
    moved
}

fn found<T>(outcome: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let outcome = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
    outcome.map_err(|error| Error::unavailable(format!("the folder of files: {error}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use portcullis_security::random::Random;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn a_file_is_there_whole_for_its_owner_alone_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(folder.path().join("files"));
        let name = FileName::draw("avatars", "jpg", &Random::seeded(1));
        assert!(disk.read(&name).await.unwrap().is_none());
        disk.remove(&name).await.unwrap();
        disk.put(&name, Bytes::from_static(b"content")).await.unwrap();
        assert_eq!(disk.read(&name).await.unwrap().unwrap(), "content");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = disk.path(&name);
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
        disk.remove(&name).await.unwrap();
        assert!(disk.read(&name).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_written_is_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("files"), "no folder").unwrap();
        let disk = Disk::new(folder.path().join("files"));
        let name = FileName::draw("avatars", "jpg", &Random::seeded(1));
        let refused = disk.put(&name, Bytes::from_static(b"content")).await.unwrap_err();
        assert_eq!(refused.status(), axum::http::StatusCode::SERVICE_UNAVAILABLE);
    }
}
