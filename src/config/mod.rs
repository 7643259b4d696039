//! Settings: from defaults, `portcullis.toml`, `.env`, the environment and flags to one typed value.
//!
//! Each section is a file with a struct and the table rows that fill it, default and reason side by side.
//! [`Settings::merge`] lets the strongest layer win, [`Config::read`] gives the values types, and
//! [`validate`](validate::validate) refuses what is unsafe. Every problem is collected and told at once.

pub mod accounts;
pub mod community;
pub mod cors;
mod credentials;
pub mod development_secret;
mod dotenv;
pub mod explain;
pub mod log;
pub mod mail;
mod merge;
pub mod metrics;
mod parse;
pub mod password;
pub mod problem;
mod profile_rules;
pub mod rate;
mod reader;
pub mod search;
pub mod secret_strength;
pub mod server;
pub mod settings;
pub mod site;
pub mod sources;
pub mod spec;
pub mod storage;
pub mod throttle;
pub mod tokens;
mod toml_file;
pub mod uploads;
pub mod validate;
pub mod web_url;
pub mod webhooks;

pub(crate) use self::credentials::{percent_decoded, shown, without_controls};
pub use self::{
    accounts::{Accounts, Registration},
    community::Community,
    cors::Cors,
    development_secret::development_secret,
    log::{Log, LogFormat, LogLevel},
    mail::Mail,
    metrics::Metrics,
    password::{Password, PasswordPolicy},
    problem::{Problem, Problems},
    rate::Rate,
    search::Search,
    server::Server,
    settings::Settings,
    site::Site,
    sources::Sources,
    storage::{Aws, Engine, Storage},
    throttle::Throttle,
    tokens::{Algorithm, Tokens},
    uploads::Uploads,
    validate::validate,
    web_url::{WebUrl, is_this_machine},
    webhooks::Webhooks,
};
use self::{parse::Parse, reader::Reader};
use portcullis_security::secret::Secret;
use std::path::Path;

/// A duration as settings write it: 90s, 15m, 24h, 7d or a number of seconds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<std::time::Duration> {
    Parse::parse(text)
}

/// Everything that can be set, understood and checked.
///
/// It has no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Config {
    /// How careful the server is; development.
    pub profile: Profile,
    /// The root of every derived key, at least 32 bytes in production; none, and then development makes its
    /// own with [`development_secret`].
    pub secret_key: Option<Secret>,
    /// Another root, while one takes the place of the other.
    pub secret_key_fallback: Option<Secret>,
    /// Where the server listens and what it is called from outside.
    pub server: Server,
    /// Where everything is kept.
    pub storage: Storage,
    /// How mails leave and who they are from.
    pub mail: Mail,
    /// How JWTs are signed and how long they live.
    pub tokens: Tokens,
    /// What a password must be and what its hash costs.
    pub password: Password,
    /// How often things may be done.
    pub throttle: Throttle,
    /// Who may register and how long links work.
    pub accounts: Accounts,
    /// Who may read the figures.
    pub metrics: Metrics,
    /// Whether there is more than accounts.
    pub community: Community,
    /// What the place is called.
    pub site: Site,
    /// Which other origins may call.
    pub cors: Cors,
    /// How much is logged and in which shape.
    pub log: Log,
    /// Who answers an AI search.
    pub search: Search,
    /// Who looks at uploaded files.
    pub uploads: Uploads,
    /// Where attacks are reported to.
    pub webhooks: Webhooks,
}

/// How careful the server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Needs no settings, and refuses to be reached from the network.
    #[default]
    Development,
    /// Refuses to start with anything unsafe.
    Production,
}

impl Parse for Profile {
    const EXPECTED: &'static str = "development or production";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "development" => Some(Self::Development),
            "production" => Some(Self::Production),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        Self::default()
    }
}

impl Config {
    /// Loads the settings of this process; `flags` are what the command line says, as `server.listen` or
    /// `SERVER__LISTEN` (and `config` for the settings file).
    ///
    /// # Errors
    /// Every reason not to start, one sentence each.
    pub fn load(flags: Vec<(String, String)>) -> Result<Self, Problems> {
        Self::from_sources(Sources::from_process(flags))
    }

    /// Merges, reads and checks the given sources.
    ///
    /// # Errors
    /// Every reason not to start, one sentence each.
    pub fn from_sources(sources: Sources) -> Result<Self, Problems> {
        let settings = Settings::merge(sources);
        let (config, mut problems) = Self::read(&settings);
        // Checks of a stand-in would only confuse.
        let is_known = |key: &str| problems.iter().any(|problem| problem.key == key);
        let found = if is_known("PROFILE") { Vec::new() } else { validate(&config) };
        let found: Vec<Problem> = found.into_iter().filter(|problem| !is_known(&problem.key)).collect();
        problems.extend(found);
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    /// Gives merged settings their types, without checking whether they are safe; returns every problem of
    /// merging and reading. A wrong value is replaced by its default.
    #[must_use]
    pub fn read(settings: &Settings) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(settings);
        let profile = reader.required("PROFILE");
        let server = Server::read(&mut reader);
        let config = Self {
            profile,
            secret_key: reader.optional("SECRET_KEY"),
            secret_key_fallback: reader.optional("SECRET_KEY_FALLBACK"),
            storage: Storage::read(&mut reader),
            mail: Mail::read(&mut reader),
            tokens: Tokens::read(&mut reader),
            password: Password::read(&mut reader),
            throttle: Throttle::read(&mut reader),
            accounts: Accounts::read(&mut reader),
            metrics: Metrics::read(&mut reader),
            community: Community::read(&mut reader),
            site: Site::read(&mut reader),
            cors: Cors::read(&mut reader, profile, &server.public_url),
            server,
            log: Log::read(&mut reader),
            search: Search::read(&mut reader),
            uploads: Uploads::read(&mut reader),
            webhooks: Webhooks::read(&mut reader),
        };
        let mut problems = settings.problems().to_vec();
        problems.extend(reader.into_problems());
        (config, problems)
    }

    /// The defaults of the development profile with everything in `data_dir`: no process state is looked at.
    #[must_use]
    pub fn development(data_dir: &Path) -> Self {
        let flag = ("STORAGE__DATA_DIR".to_owned(), data_dir.to_string_lossy().into_owned());
        let settings = Settings::merge(Sources { flags: vec![flag], ..Sources::default() });
        Self::read(&settings).0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::time::Duration;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, Problems> {
        let environment =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::from_sources(Sources { environment, ..Sources::default() })
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        load(pairs).err().unwrap().to_string()
    }

    #[test]
    fn no_settings_at_all_are_enough_for_development() {
        let config = load(&[]).ok().unwrap();
        assert_eq!(config.profile, Profile::Development);
        assert_eq!(config.server.public_url.as_str(), "http://127.0.0.1:8000");
        assert_eq!(config.tokens.access_lifetime, Duration::from_secs(900));
        assert_eq!(config.tokens.absolute_lifetime, Duration::from_secs(30 * 86_400));
        assert_eq!(config.throttle.auth.to_string(), "5/minute");
        let origins = ["http://localhost:3000", "http://localhost:5173", "http://localhost:8000"];
        assert_eq!(config.cors.allowed_origins, origins);
        assert_eq!((config.log.format, config.server.hsts_seconds), (LogFormat::Pretty, 0));
        assert!(config.secret_key.is_none() && config.community.enabled && config.throttle.enabled);
    }

    #[test]
    fn a_sound_production_starts_with_production_defaults() {
        let config = load(&[
            ("PORTCULLIS_PROFILE", "production"),
            ("SECRET_KEY", "k3J9x2Lq8Zp4Wn6Tb1Vc5Md7Rf0Gh2sQ"),
            ("DATABASE_URL", "mysql://app@db/portcullis"),
            ("DATABASE_PASSWORD", "p@ss"),
            ("PORTCULLIS_SERVER__PUBLIC_URL", "https://Accounts.Example.org/"),
            ("PORTCULLIS_SERVER__TRUSTED_PROXIES", "10.0.0.0/8"),
            ("PORTCULLIS_CORS__ALLOWED_ORIGINS", "https://app.example.org:443, https://b.example.org"),
        ]);
        let config = config.map_err(|problems| problems.to_string()).ok().unwrap();
        assert_eq!(config.storage.database_url.expose_text(), "mysql://app:p%40ss@db/portcullis");
        assert_eq!(config.accounts.links_url.as_str(), "https://accounts.example.org");
        assert_eq!(config.cors.allowed_origins, ["https://app.example.org", "https://b.example.org"]);
        assert_eq!((config.log.format, config.server.hsts_seconds), (LogFormat::Json, 31_536_000));
    }

    #[test]
    fn all_problems_are_told_together_a_line_each() {
        let text = refusal(&[
            ("PORTCULLIS_PROFILE", "production"),
            ("PORTCULLIS_SERVER__LISEN", "x"),
            ("PORTCULLIS_THROTTLE__AUTH", "5/fortnight"),
            ("PORTCULLIS_CORS__ALLOWED_ORIGINS", "*"),
        ]);
        for name in
            ["SERVER__LISEN", "THROTTLE__AUTH", "CORS__ALLOWED_ORIGINS", "SECRET_KEY", "SERVER__PUBLIC_URL"]
        {
            assert_eq!(
                text.lines().filter(|line| line.starts_with(&format!("PORTCULLIS_{name} "))).count(),
                1,
                "{text}"
            );
        }
    }

    #[test]
    fn a_wrong_profile_is_told_alone() {
        let text =
            refusal(&[("PORTCULLIS_PROFILE", "prodution"), ("PORTCULLIS_SERVER__LISTEN", "0.0.0.0:80")]);
        assert_eq!(
            text,
            r#"PORTCULLIS_PROFILE (environment) is "prodution": write development or production."#
        );
    }

    #[test]
    fn a_wrong_address_is_told_once_and_not_again_for_what_follows_from_it() {
        assert_eq!(refusal(&[("PORTCULLIS_SERVER__LISTEN", "nowhere")]).lines().count(), 1);
    }

    #[test]
    fn no_problem_quotes_a_secret() {
        let text = refusal(&[
            ("PORTCULLIS_PROFILE", "production"),
            ("SECRET_KEY", "hunter2"),
            ("DATABASE_URL", "oracle://app:hunter2@db"),
            ("PORTCULLIS_MAIL__URL", "ftp://app:hunter2@mail"),
            ("REDIS_URL", "redis://:hunter2@cache"),
        ]);
        assert!(text.lines().count() >= 5 && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_database_password_needs_a_user_to_belong_to() {
        let text = refusal(&[("DATABASE_URL", "mysql://db/x"), ("DATABASE_PASSWORD", "p")]);
        assert!(text.starts_with("PORTCULLIS_STORAGE__DATABASE_PASSWORD is set but"), "{text}");
        assert!(load(&[("DATABASE_PASSWORD", "p")]).is_ok(), "SQLite has no password");
    }

    #[test]
    fn every_default_can_be_read_in_both_profiles() {
        for profile in ["development", "production"] {
            let environment = vec![("PORTCULLIS_PROFILE".to_owned(), profile.to_owned())];
            let settings = Settings::merge(Sources { environment, ..Sources::default() });
            assert_eq!(Config::read(&settings).1, []);
        }
    }
}
