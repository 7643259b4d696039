//! What is refused before the server starts (contract §1, §2, §4, §5).

use super::{
    Config, Engine, Problem, Profile, WebUrl, credentials, is_this_machine, profile_rules, storage::file_path,
};
use lettre::message::Mailbox;
use std::time::Duration;

/// Argon2's least memory per lane in KiB (RFC 9106 §3.1).
const KIB_PER_LANE: u64 = 8;
const NOT_YET: &str = "is not supported in this release";

/// Every reason why a server with these settings must not start; empty when there is none.
///
/// Some hold in any profile (a wildcard origin, half a TLS pair, a lifetime of nothing), some
/// only in production (weak secrets, http), and one only in development (an address the network can reach).
#[must_use]
pub fn validate(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_transport(config, &mut problems);
    check_origins(config, &mut problems);
    check_lifetimes(config, &mut problems);
    check_hashing(config, &mut problems);
    check_storage(config, &mut problems);
    check_mail(config, &mut problems);
    check_scanner(config, &mut problems);
    check_search(config, &mut problems);
    check_webhooks(config, &mut problems);
    match config.profile {
        Profile::Development => profile_rules::check_development(config, &mut problems),
        Profile::Production => profile_rules::check_production(config, &mut problems),
    }
    problems
}

fn check_transport(config: &Config, problems: &mut Vec<Problem>) {
    let server = &config.server;
    match (&server.tls_cert, &server.tls_key) {
        (Some(_), None) => {
            problems.push(Problem::of("SERVER__TLS_KEY", "is missing: the certificate needs its key."))
        }
        (None, Some(_)) => {
            problems.push(Problem::of("SERVER__TLS_CERT", "is missing: the key needs its certificate."))
        }
        _ => {}
    }
    if !server.public_url.path().is_empty() {
        problems.push(Problem::of("SERVER__PUBLIC_URL", "has a path: write only scheme, host and port."));
    }
    if server.trusts_everybody() {
        let rest = "holds the whole internet, so anybody could forge an address: name the proxies' networks.";
        problems.push(Problem::of("SERVER__TRUSTED_PROXIES", rest));
    }
}

fn check_origins(config: &Config, problems: &mut Vec<Problem>) {
    for origin in &config.cors.allowed_origins {
        let rest = if origin.contains('*') {
            "holds a wildcard, which would let any site act for a user: list the exact origins.".to_owned()
        } else if WebUrl::parse(origin).is_some_and(|url| url.path().is_empty()) {
            continue;
        } else {
            format!(
                "holds {:?}, which is no origin: write scheme, host and port as in https://app.example.org.",
                credentials::shown(origin)
            )
        };
        problems.push(Problem::of("CORS__ALLOWED_ORIGINS", &rest));
    }
}

fn check_lifetimes(config: &Config, problems: &mut Vec<Problem>) {
    let (tokens, accounts) = (&config.tokens, &config.accounts);
    for (name, lifetime) in [
        ("TOKENS__ACCESS_LIFETIME", tokens.access_lifetime),
        ("TOKENS__REFRESH_LIFETIME", tokens.refresh_lifetime),
        ("TOKENS__ABSOLUTE_LIFETIME", tokens.absolute_lifetime),
        ("ACCOUNTS__VERIFICATION_LIFETIME", accounts.verification_lifetime),
        ("ACCOUNTS__RESET_LIFETIME", accounts.reset_lifetime),
        ("ACCOUNTS__UNVERIFIED_LIFETIME", accounts.unverified_lifetime),
    ] {
        if lifetime == Duration::ZERO {
            problems.push(Problem::of(name, "is zero: write at least 1s."));
        }
    }
}

fn check_hashing(config: &Config, problems: &mut Vec<Problem>) {
    let password = &config.password;
    if password.iterations == 0 {
        problems.push(Problem::of("PASSWORD__ITERATIONS", "is zero: write at least 1."));
    }
    if !(1..=255).contains(&password.parallelism) {
        problems.push(Problem::of("PASSWORD__PARALLELISM", "is out of range: write 1 to 255."));
    }
    let memory = u64::from(password.memory_kib);
    let least = KIB_PER_LANE * u64::from(password.parallelism.max(1));
    if memory < least {
        let rest = format!("is too small for {} lanes: write at least {least}.", password.parallelism);
        problems.push(Problem::of("PASSWORD__MEMORY_KIB", &rest));
    }
    let budget = u64::from(password.memory_budget_mib) * 1_024;
    if memory > budget {
        let rest = format!(
            "is above the budget of {budget} KiB: lower it or raise PORTCULLIS_PASSWORD__MEMORY_BUDGET_MIB."
        );
        problems.push(Problem::of("PASSWORD__MEMORY_KIB", &rest));
    }
}

fn check_storage(config: &Config, problems: &mut Vec<Problem>) {
    let storage = &config.storage;
    let database = match storage.engine() {
        Some(Engine::Sqlite) if storage.sqlite_path().is_none_or(|path| path.as_os_str().is_empty()) => {
            Some("names no file: write sqlite:PATH.".to_owned())
        }
        Some(Engine::Sqlite) => None,
        Some(Engine::Mysql) if storage.database_url.expose_text().starts_with("mysql://") => None,
        Some(Engine::Mysql) => Some("cannot be used: write mysql://USER@HOST/NAME.".to_owned()),
        Some(Engine::Postgres) => Some(format!("names PostgreSQL, which {NOT_YET}: use sqlite: or mysql:.")),
        None => Some("has an unknown scheme: write sqlite:PATH or mysql://USER@HOST/NAME.".to_owned()),
    };
    problems.extend(database.map(|rest| Problem::of("STORAGE__DATABASE_URL", &rest)));
    if storage.redis_url.is_some() {
        let rest = format!("is set, but Redis {NOT_YET}: leave it unset and run one server.");
        problems.push(Problem::of("STORAGE__REDIS_URL", &rest));
    }
    if storage.files_directory().is_none() && storage.files_bucket().is_none() {
        let rest = "cannot be used: write file://DIR or s3://BUCKET/FOLDER.";
        problems.push(Problem::of("STORAGE__FILES_URL", rest));
    }
    if storage.aws.access_key_id.is_some() != storage.aws.secret_access_key.is_some() {
        let rest = "goes with AWS_SECRET_ACCESS_KEY: set both or neither.";
        problems.push(Problem::of("STORAGE__AWS_ACCESS_KEY_ID", rest));
    }
}

fn check_webhooks(config: &Config, problems: &mut Vec<Problem>) {
    let webhooks = &config.webhooks;
    if webhooks.url.is_none() {
        return;
    }
    if !webhooks.has_usable_url() {
        problems.push(Problem::of("WEBHOOKS__URL", "cannot be called: write https://HOST/PATH."));
    }
    if webhooks.key().is_none() {
        let rest = "is not whsec_ and 24 to 64 bytes in base64: make one with `echo whsec_$(openssl rand -base64 32)`.";
        problems.push(Problem::of("WEBHOOKS__SECRET", rest));
    }
}

fn check_mail(config: &Config, problems: &mut Vec<Problem>) {
    let mail = &config.mail;
    let url = mail.url.expose_text();
    let has_host = |rest: &str| {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        !authority.rsplit('@').next().unwrap_or_default().is_empty()
    };
    let smtp = url.strip_prefix("smtp://").or_else(|| url.strip_prefix("smtps://"));
    if url != "memory" && file_path(&mail.url).is_none() && !smtp.is_some_and(has_host) {
        let rest = "cannot be used: write smtp://USER:PASSWORD@HOST:PORT, smtps://…, file://DIR or memory.";
        problems.push(Problem::of("MAIL__URL", rest));
    }
    if mail.from.parse::<Mailbox>().is_err() {
        problems.push(Problem::of("MAIL__FROM", "is no sender: write NAME <ADDRESS>."));
    }
}

fn check_scanner(config: &Config, problems: &mut Vec<Problem>) {
    let is_address = |text: &str| {
        let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        text.starts_with('/') || port.is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    };
    if config.uploads.clamav.as_deref().is_some_and(|text| !is_address(text)) {
        problems.push(Problem::of("UPLOADS__CLAMAV", "is no address: write HOST:PORT or /PATH/OF/SOCKET."));
    }
}

fn check_search(config: &Config, problems: &mut Vec<Problem>) {
    let search = &config.search;
    if search.timeout.is_zero() || search.timeout > Duration::from_secs(25) {
        let rest = "cannot be used: write 1s to 25s, since every call is answered within 30s.";
        problems.push(Problem::of("SEARCH__TIMEOUT", rest));
    }
    if search.stream_timeout.is_zero() {
        problems.push(Problem::of("SEARCH__STREAM_TIMEOUT", "is zero: write at least 1s."));
    }
    let url = &search.anthropic_base_url;
    if search.anthropic_api_key.is_some() && !url.is_https() && !is_this_machine(url.host()) {
        let rest = "would carry the key and the questions in the clear: write https://….";
        problems.push(Problem::of("SEARCH__ANTHROPIC_BASE_URL", rest));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::profile_rules::tests::{development, production, refused};
    use super::*;

    #[test]
    fn the_defaults_of_development_and_a_sound_production_start() {
        assert_eq!(validate(&development()), []);
        assert_eq!(validate(&production()), []);
    }

    #[test]
    fn half_a_tls_pair_is_refused_everywhere() {
        let only_cert = |config: &mut Config| config.server.tls_cert = Some("cert.pem".into());
        let only_key = |config: &mut Config| config.server.tls_key = Some("key.pem".into());
        assert_eq!(refused(development(), only_cert), ["SERVER__TLS_KEY"]);
        assert_eq!(refused(production(), only_key), ["SERVER__TLS_CERT"]);
    }

    #[test]
    fn a_wildcard_or_anything_but_an_origin_is_refused_everywhere() {
        for origin in ["*", "https://*.example.org", "null", "example.org", "https://a/b", "file://x"] {
            for config in [development(), production()] {
                let keys = refused(config, |config| config.cors.allowed_origins.push(origin.into()));
                assert_eq!(keys, ["CORS__ALLOWED_ORIGINS"], "{origin}");
            }
        }
    }

    #[test]
    fn a_trusted_proxy_is_not_the_whole_internet() {
        let everybody = |config: &mut Config| config.server.trusted_proxies = vec!["::/0".parse().unwrap()];
        assert_eq!(refused(production(), everybody), ["SERVER__TRUSTED_PROXIES"]);
    }

    #[test]
    fn lifetimes_may_be_short_but_not_nothing() {
        let second = Duration::from_secs(1);
        // A session then ends before its refresh token would.
        let shorter = |config: &mut Config| config.tokens.absolute_lifetime = second;
        assert!(refused(development(), shorter).is_empty());
        let zero = |config: &mut Config| config.tokens.access_lifetime = Duration::ZERO;
        assert_eq!(refused(development(), zero), ["TOKENS__ACCESS_LIFETIME"]);
        let brief = |config: &mut Config| config.tokens.access_lifetime = second;
        assert!(refused(development(), brief).is_empty());
    }

    #[test]
    fn hashing_must_be_possible_within_the_budget() {
        assert_eq!(refused(development(), |config| config.password.memory_kib = 7), ["PASSWORD__MEMORY_KIB"]);
        assert!(refused(development(), |config| config.password.memory_kib = 8).is_empty());
        assert_eq!(
            refused(development(), |config| config.password.memory_kib = 131_073),
            ["PASSWORD__MEMORY_KIB"]
        );
        assert!(refused(development(), |config| config.password.memory_kib = 131_072).is_empty());
        assert_eq!(refused(development(), |config| config.password.iterations = 0), ["PASSWORD__ITERATIONS"]);
        assert_eq!(
            refused(development(), |config| config.password.parallelism = 0),
            ["PASSWORD__PARALLELISM"]
        );
    }

    #[test]
    fn what_this_release_cannot_do_is_said() {
        let sentence = |change: fn(&mut Config)| {
            let mut config = development();
            change(&mut config);
            validate(&config).pop().unwrap().sentence
        };
        assert!(sentence(|config| config.storage.database_url = "postgres://a".into()).contains(NOT_YET));
        assert!(sentence(|config| config.storage.redis_url = Some("redis://a".into())).contains(NOT_YET));
        assert!(sentence(|config| config.storage.files_url = "s3://".into()).contains("s3://BUCKET"));
        assert!(
            sentence(|config| config.storage.database_url = "oracle://a".into()).contains("unknown scheme")
        );
        assert!(sentence(|config| config.storage.database_url = "sqlite:".into()).contains("names no file"));
    }

    #[test]
    fn mail_needs_a_way_out_and_a_sender() {
        for url in ["memory", "file:///srv/mail", "smtp://localhost:1025", "smtps://u:p@mail.example.org"] {
            assert!(refused(development(), |config| config.mail.url = url.into()).is_empty(), "{url}");
        }
        for url in ["", "smtp://", "smtp://u:p@", "file://", "http://mail", "localhost:25"] {
            assert_eq!(refused(development(), |config| config.mail.url = url.into()), ["MAIL__URL"], "{url}");
        }
        for from in ["", "nobody", "A <a@b>\r\nBcc: c@d"] {
            assert_eq!(
                refused(development(), |config| config.mail.from = from.into()),
                ["MAIL__FROM"],
                "{from}"
            );
        }
    }

    #[test]
    fn a_scanner_has_an_address() {
        let clamav =
            |text: &'static str| move |config: &mut Config| config.uploads.clamav = Some(text.into());
        assert!(refused(development(), clamav("127.0.0.1:3310")).is_empty());
        assert!(refused(development(), clamav("/run/clamav/clamd.ctl")).is_empty());
        assert_eq!(refused(development(), clamav("clamd")), ["UPLOADS__CLAMAV"]);
    }

    #[test]
    fn a_key_leaves_this_machine_encrypted_alone_and_an_answer_comes_in_time() {
        let at = |url: &'static str| {
            move |config: &mut Config| {
                config.search.anthropic_api_key = Some("sk-ant-1f6b7d9c".into());
                config.search.anthropic_base_url = WebUrl::parse(url).unwrap();
            }
        };
        for url in ["https://api.anthropic.com", "http://127.0.0.1:9", "http://[::1]:9", "http://localhost"] {
            assert!(refused(development(), at(url)).is_empty(), "{url}");
        }
        assert_eq!(refused(development(), at("http://gateway.example")), ["SEARCH__ANTHROPIC_BASE_URL"]);
        for seconds in [0, 26] {
            let slow = move |config: &mut Config| config.search.timeout = Duration::from_secs(seconds);
            assert_eq!(refused(development(), slow), ["SEARCH__TIMEOUT"]);
        }
    }
}
