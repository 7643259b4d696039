//! The key that development makes for itself.

use super::secret_strength::LEAST_BYTES;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portcullis_security::{random::Random, secret::Secret};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

const FILE_NAME: &str = "secret_key";

/// The development secret in the data directory; the first call makes it, later ones read it, so that tokens
/// outlive a restart.
///
/// The directory is made with mode 0700 and the file with 0600. The file appears whole or not at all, and of
/// two processes that start together both get the same key.
///
/// # Errors
/// When the directory or file cannot be made or read, or the file does not hold a key.
pub fn development_secret(data_dir: &Path, random: &Random) -> io::Result<Secret> {
    let path = data_dir.join(FILE_NAME);
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        answer => return answer,
    }
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let suffix = BASE64_URL_SAFE_NO_PAD.encode(random.bytes::<12>());
    let draft = data_dir.join(format!(".{FILE_NAME}.{suffix}"));
    let made = write(&draft, &path, random);
    // The draft is only a second name of the key; a crash before this line leaves it, mode 0600, behind.
    let removed = fs::remove_file(&draft);
    made.and(removed)?;
    File::open(data_dir)?.sync_all()?;
    read(&path)
}

fn write(draft: &Path, path: &Path, random: &Random) -> io::Result<()> {
    let key = Secret::new(random.bytes::<32>().to_vec());
    let text = Secret::from(BASE64_URL_SAFE_NO_PAD.encode(key.expose()) + "\n");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.expose())?;
    file.sync_all()?;
    // A link, unlike a rename, never replaces the key of somebody who was faster.
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        answer => answer,
    }
}

fn read(path: &Path) -> io::Result<Secret> {
    let mut text = String::new();
    File::open(path)?.take(4_096).read_to_string(&mut text)?;
    let text = Secret::from(text);
    let key = text.expose_text().trim();
    if key.len() < LEAST_BYTES {
        let advice = format!("{} does not hold a key: delete it, and a new one is made", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, advice));
    }
    Ok(Secret::from(key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::{os::unix::fs::PermissionsExt, thread};

    #[test]
    fn the_key_is_made_once_for_its_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let data_dir = parent.path().join("a/b");
        let first = development_secret(&data_dir, &Random::seeded(1)).unwrap();
        let second = development_secret(&data_dir, &Random::seeded(2)).unwrap();
        assert!(first == second);
        assert_eq!(first.expose().len(), 43);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data_dir), mode(&data_dir.join(FILE_NAME))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&data_dir).unwrap().count(), 1);
    }

    #[test]
    fn processes_that_start_together_agree() {
        let parent = tempfile::tempdir().unwrap();
        let data_dir = parent.path().join("data");
        let keys: Vec<Secret> = thread::scope(|scope| {
            let data_dir = &data_dir;
            let start =
                |seed| scope.spawn(move || development_secret(data_dir, &Random::seeded(seed)).unwrap());
            let threads: Vec<_> = (0..8).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_file_without_a_key_is_not_taken_for_one() {
        let data_dir = tempfile::tempdir().unwrap();
        fs::write(data_dir.path().join(FILE_NAME), "\n").unwrap();
        let error = development_secret(data_dir.path(), &Random::seeded(1)).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
