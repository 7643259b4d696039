//! Mails as files: private, and whole from the moment they can be seen.

use super::SendError;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// Writes `NAME.eml`. A second delivery of one letter has the same name and takes the first one's place.
pub(super) async fn write(folder: Arc<Path>, name: String, content: Vec<u8>) -> Result<(), SendError> {
    let written = tokio::task::spawn_blocking(move || write_now(&folder, &name, &content)).await;
    written.map_err(io::Error::other)?.map_err(SendError::Folder)
}

/// The outbox forgets the letter next, so the file has to be on disk before.
fn write_now(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = folder.join(format!(".{name}.tmp"));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, folder.join(format!("{name}.eml")))
}
