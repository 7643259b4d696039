//! Uploaded files: on a disk or in an S3 bucket, under names that nobody can guess.
//!
//! A file never changes. A new content gets a new name, so that caches may keep it for ever and a write that
//! fails half-way harms nothing that is there.

mod disk;
mod s3;

use crate::config;
use crate::error::Result;
use bytes::Bytes;
use disk::Disk;
use portcullis_security::random::Random;
use s3::Bucket;
use std::fmt;

const DIGITS: usize = 32;

/// Where a file is kept: a folder, 128 random bits, an extension.
///
/// Only names of that form can be made, so that none leads out of its folder (CWE-22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// A new name.
    pub fn draw(folder: &'static str, extension: &'static str, random: &Random) -> Self {
        let number = u128::from_be_bytes(random.bytes());
        Self(format!("{folder}/{number:032x}.{extension}"))
    }

    /// Reads a name that was drawn; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (folder, file) = text.split_once('/')?;
        let (digits, extension) = file.split_once('.')?;
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_name =
            is_word(folder) && digits.len() == DIGITS && digits.bytes().all(is_hex) && is_word(extension);
        is_name.then(|| Self(text.to_owned()))
    }

    /// The name as it stands in a row.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why there is no place for files; one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FilesError(String);

/// The place of uploaded files.
pub struct Files(Place);

enum Place {
    Disk(Disk),
    Bucket(Box<Bucket>),
}

impl Files {
    /// The place that `STORAGE__FILES_URL` names: `file://DIR` or `s3://BUCKET/FOLDER`. Nothing is opened
    /// yet: a bucket that does not answer is found out by the first file.
    ///
    /// # Errors
    /// [`FilesError`] when the URL or a setting of the bucket cannot be used.
    pub fn open(settings: &config::Storage) -> Result<Self, FilesError> {
        let place = match settings.files_directory() {
            Some(folder) => Place::Disk(Disk::new(folder)),
            None => Place::Bucket(Box::new(Bucket::open(settings)?)),
        };
        Ok(Self(place))
    }

    /// Keeps a file; when it returns, the file survives a loss of power.
    ///
    /// # Errors
    /// 503 when the place cannot take it.
    pub async fn put(&self, name: &FileName, content: Bytes) -> Result<()> {
        match &self.0 {
            Place::Disk(disk) => disk.put(name, content).await,
            Place::Bucket(bucket) => bucket.put(name, content).await,
        }
    }

    /// A file's content; `None` when there is no such file.
    ///
    /// # Errors
    /// 503 when the place does not answer.
    pub async fn read(&self, name: &FileName) -> Result<Option<Bytes>> {
        match &self.0 {
            Place::Disk(disk) => disk.read(name).await,
            Place::Bucket(bucket) => bucket.read(name).await,
        }
    }

    /// Removes a file, whether or not it is there.
    ///
    /// # Errors
    /// 503 when the place does not answer.
    pub async fn remove(&self, name: &FileName) -> Result<()> {
        match &self.0 {
            Place::Disk(disk) => disk.remove(name).await,
            Place::Bucket(bucket) => bucket.remove(name).await,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_name_that_was_drawn_is_read_back_and_no_other_is_a_name() {
        let name = FileName::draw("avatars", "jpg", &Random::seeded(1));
        assert_eq!(FileName::parse(name.as_str()), Some(name.clone()));
        assert_ne!(FileName::draw("avatars", "jpg", &Random::seeded(2)), name);
        let digits = "0123456789abcdef0123456789abcdef";
        for wrong in [
            "",
            "avatars/",
            "avatars/..",
            "../secret_key",
            "avatars/../../secret_key.jpg",
            &format!("/{digits}.jpg"),
            &format!("avatars/{digits}"),
            &format!("avatars/{digits}."),
            &format!("avatars/{digits}.jpg.part"),
            &format!("avatars/{digits}0.jpg"),
            &format!("avatars/{}.jpg", digits.to_uppercase()),
            &format!("a/b/{digits}.jpg"),
            &format!("avatars/{digits}.jpg\0"),
        ] {
            assert_eq!(FileName::parse(wrong), None, "{wrong}");
        }
    }
}
