//! `[storage]`: where everything is kept.

use super::{credentials, problem::Problem, reader::Reader, spec::Spec};
use portcullis_security::secret::Secret;
use std::path::PathBuf;

pub(super) const SPECS: &[Spec] = &[
    Spec::plain(
        "STORAGE__DATA_DIR",
        "./portcullis-data",
        "Directory of the database, keys, files and development mail; made with mode 0700.",
    ),
    Spec::url(
        "STORAGE__DATABASE_URL",
        "sqlite://{STORAGE__DATA_DIR}/portcullis.sqlite3",
        "sqlite:PATH or mysql://USER@HOST/NAME (MariaDB too). SQLite by default: it needs no server. A database \
         on another machine should prove who it is: ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE.",
    )
    .usual("DATABASE_URL"),
    Spec::secret("STORAGE__DATABASE_PASSWORD", "The password of a database URL that names a user but none.")
        .usual("DATABASE_PASSWORD"),
    Spec::url("STORAGE__REDIS_URL", "", "Reserved: Redis is not supported in this release.")
        .usual("REDIS_URL"),
    Spec::url(
        "STORAGE__FILES_URL",
        "file://{STORAGE__DATA_DIR}/files",
        "Where uploaded files are kept: file://DIR or s3://BUCKET/FOLDER.",
    ),
    Spec::plain("STORAGE__AWS_REGION", "", "The region of the bucket; us-east-1 when unset.")
        .usual("AWS_REGION"),
    Spec::plain(
        "STORAGE__AWS_ENDPOINT_URL",
        "",
        "Where a store of another maker answers; Amazon's when unset.",
    )
    .usual("AWS_ENDPOINT_URL"),
    Spec::secret("STORAGE__AWS_ACCESS_KEY_ID", "The key for the bucket; the machine's role when unset.")
        .usual("AWS_ACCESS_KEY_ID"),
    Spec::secret("STORAGE__AWS_SECRET_ACCESS_KEY", "The secret of that key.").usual("AWS_SECRET_ACCESS_KEY"),
    Spec::secret("STORAGE__AWS_SESSION_TOKEN", "The token of a key that is lent.").usual("AWS_SESSION_TOKEN"),
];

/// Where everything is kept.
#[derive(Clone)]
pub struct Storage {
    /// Directory of everything that is not elsewhere; `./portcullis-data`, so that a first try leaves one
    /// directory behind.
    pub data_dir: PathBuf,
    /// The database, with its password filled in; by default a SQLite file in the data directory.
    pub database_url: Secret,
    /// Redis or Valkey; none.
    pub redis_url: Option<Secret>,
    /// Uploaded files, `file://DIR` or `s3://BUCKET/FOLDER`; a directory in the data directory.
    pub files_url: Secret,
    /// What a bucket needs.
    pub aws: Aws,
}

/// The usual settings of Amazon's tools, for object storage.
#[derive(Clone)]
pub struct Aws {
    /// `AWS_REGION`; none.
    pub region: Option<String>,
    /// `AWS_ENDPOINT_URL`, for other makers' stores; none.
    pub endpoint_url: Option<String>,
    /// `AWS_ACCESS_KEY_ID`; none.
    pub access_key_id: Option<Secret>,
    /// `AWS_SECRET_ACCESS_KEY`; none.
    pub secret_access_key: Option<Secret>,
    /// `AWS_SESSION_TOKEN`; none.
    pub session_token: Option<Secret>,
}

/// The database engines that a URL can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `sqlite:`
    Sqlite,
    /// `mysql:`, MySQL and MariaDB.
    Mysql,
    /// `postgres:` or `postgresql:`.
    Postgres,
}

impl Storage {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let password: Option<Secret> = reader.optional("STORAGE__DATABASE_PASSWORD");
        let url: Secret = reader.required("STORAGE__DATABASE_URL");
        Self {
            data_dir: reader.required("STORAGE__DATA_DIR"),
            database_url: with_password(reader, url, password),
            redis_url: reader.optional("STORAGE__REDIS_URL"),
            files_url: reader.required("STORAGE__FILES_URL"),
            aws: Aws {
                region: reader.optional("STORAGE__AWS_REGION"),
                endpoint_url: reader.optional("STORAGE__AWS_ENDPOINT_URL"),
                access_key_id: reader.optional("STORAGE__AWS_ACCESS_KEY_ID"),
                secret_access_key: reader.optional("STORAGE__AWS_SECRET_ACCESS_KEY"),
                session_token: reader.optional("STORAGE__AWS_SESSION_TOKEN"),
            },
        }
    }

    /// The engine that the database URL names; `None` for an unknown scheme.
    #[must_use]
    pub fn engine(&self) -> Option<Engine> {
        let (scheme, _) = self.database_url.expose_text().split_once(':')?;
        match scheme {
            "sqlite" => Some(Engine::Sqlite),
            "mysql" => Some(Engine::Mysql),
            "postgres" | "postgresql" => Some(Engine::Postgres),
            _ => None,
        }
    }

    /// The database as the drivers take it: the path of a file literally, whatever letters it has.
    #[must_use]
    pub fn connect_url(&self) -> String {
        match self.sqlite_path() {
            Some(path) => format!("sqlite://{}", path.display()),
            None => self.database_url.expose_text().to_owned(),
        }
    }

    /// The user of a database server, as the URL writes it; none for a file.
    #[must_use]
    pub fn database_user(&self) -> Option<&str> {
        credentials::of(self.database_url.expose_text()).map(|(user, _)| user)
    }

    /// The password that the database server is told.
    #[must_use]
    pub fn database_password(&self) -> Option<Secret> {
        credentials::password_of(self.database_url.expose_text())
    }

    /// The SQLite file, taken literally (no percent-decoding, no query); `None` for other engines.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        let rest = self.database_url.expose_text().strip_prefix("sqlite:")?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        Some(PathBuf::from(path))
    }

    /// The directory of uploaded files; `None` when the URL is not `file://DIR`.
    #[must_use]
    pub fn files_directory(&self) -> Option<PathBuf> {
        file_path(&self.files_url)
    }

    /// The bucket of uploaded files and the folder in it, which may be empty; `None` when the URL is not
    /// `s3://BUCKET/FOLDER`.
    #[must_use]
    pub fn files_bucket(&self) -> Option<(&str, &str)> {
        let rest = self.files_url.expose_text().strip_prefix("s3://")?;
        let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
        let is_bucket = !bucket.is_empty() && bucket.bytes().all(is_name);
        is_bucket.then(|| (bucket, folder.trim_matches('/')))
    }
}

/// The path in `file://PATH`, taken literally; it may be relative to the working directory.
pub(super) fn file_path(url: &Secret) -> Option<PathBuf> {
    let path = url.expose_text().strip_prefix("file://")?;
    (!path.is_empty()).then(|| PathBuf::from(path))
}

fn with_password(reader: &mut Reader<'_>, url: Secret, password: Option<Secret>) -> Secret {
    let text = url.expose_text();
    let Some(password) = password.filter(|_| !text.starts_with("sqlite:")) else { return url };
    match credentials::of(text) {
        // The URL's own password is the more deliberate one.
        Some((_, Some(_))) => url,
        Some((user, None)) if !user.is_empty() => {
            credentials::with_password(text, password.expose_text()).map_or(url, Secret::from)
        }
        _ => {
            reader.report(Problem::of(
                "STORAGE__DATABASE_PASSWORD",
                "is set but the database URL names no user: write mysql://USER@HOST/NAME.",
            ));
            url
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::Config;
    use super::*;
    use std::path::Path;

    fn storage(database_url: &str) -> Storage {
        let mut storage = Config::development(Path::new("data")).storage;
        storage.database_url = Secret::from(database_url);
        storage
    }

    #[test]
    fn engines_are_told_by_their_scheme() {
        assert_eq!(storage("sqlite::memory:").engine(), Some(Engine::Sqlite));
        assert_eq!(storage("mysql://a@b/c").engine(), Some(Engine::Mysql));
        assert_eq!(storage("postgresql://a").engine(), Some(Engine::Postgres));
        assert_eq!(storage("oracle://a").engine(), None);
        assert_eq!(storage("").engine(), None);
    }

    #[test]
    fn a_sqlite_path_is_taken_literally() {
        for (url, path) in [
            ("sqlite:x.db", "x.db"),
            ("sqlite:///srv/100%/x.db?mode=rwc", "/srv/100%/x.db"),
            ("sqlite://./x.db", "./x.db"),
            ("sqlite::memory:", ":memory:"),
        ] {
            assert_eq!(storage(url).sqlite_path(), Some(PathBuf::from(path)), "{url}");
        }
        assert_eq!(storage("mysql://a@b/c").sqlite_path(), None);
    }

    #[test]
    fn a_bucket_may_have_a_folder() {
        let bucket = |url: &str| {
            let mut storage = storage("");
            storage.files_url = Secret::from(url);
            let found = storage.files_bucket();
            found.map(|(bucket, folder)| (bucket.to_owned(), folder.to_owned()))
        };
        assert_eq!(bucket("s3://media"), Some(("media".to_owned(), String::new())));
        assert_eq!(bucket("s3://media/a/b/"), Some(("media".to_owned(), "a/b".to_owned())));
        for wrong in ["s3://", "s3:///a", "s3:media", "s3://key:secret@media", "file://media"] {
            assert_eq!(bucket(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn everything_lies_in_the_data_directory_by_default() {
        let config = Config::development(Path::new("/srv/p"));
        assert_eq!(config.storage.sqlite_path(), Some(PathBuf::from("/srv/p/portcullis.sqlite3")));
        assert_eq!(config.storage.files_directory(), Some(PathBuf::from("/srv/p/files")));
        assert_eq!(config.mail.directory(), Some(PathBuf::from("/srv/p/mail")));
    }
}
