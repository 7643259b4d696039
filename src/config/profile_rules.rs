//! What only one profile refuses: in production what is weak, in development what the network could reach.

use super::{
    Config, Problem, credentials,
    secret_strength::{flaw, is_placeholder},
};
use portcullis_security::secret::Secret;

pub(super) fn check_development(config: &Config, problems: &mut Vec<Problem>) {
    if !config.server.listen.ip().to_canonical().is_loopback() {
        let rest = "can be reached from the network, which development refuses: use 127.0.0.1, or set \
                    PORTCULLIS_PROFILE=production.";
        problems.push(Problem::of("SERVER__LISTEN", rest));
    }
}

pub(super) fn check_production(config: &Config, problems: &mut Vec<Problem>) {
    check_secrets(config, problems);
    let server = &config.server;
    if !server.public_url.is_https() {
        problems.push(Problem::of("SERVER__PUBLIC_URL", "is not https: production needs https://…"));
    }
    if !config.accounts.links_url.is_https() {
        problems
            .push(Problem::of("ACCOUNTS__LINKS_URL", "is not https: links carry tokens, write https://…"));
    }
    if !server.has_own_tls() && server.trusted_proxies.is_empty() {
        let rest = "is empty and the server has no TLS of its own: name the proxy's network, or set \
                    PORTCULLIS_SERVER__TLS_CERT and PORTCULLIS_SERVER__TLS_KEY.";
        problems.push(Problem::of("SERVER__TRUSTED_PROXIES", rest));
    }
}

fn check_secrets(config: &Config, problems: &mut Vec<Problem>) {
    let is_given = config.secret_key.is_some();
    if !is_given {
        problems.push(Problem::of("SECRET_KEY", "is not set: make one with `portcullis secret`."));
    }
    for (name, key) in
        [("SECRET_KEY", &config.secret_key), ("TOKENS__SIGNING_KEY", &config.tokens.signing_key)]
    {
        if let Some(flaw) = key.as_ref().and_then(|key| flaw(key.expose())) {
            problems.push(Problem::of(name, &format!("is {flaw}: make one with `portcullis secret`.")));
        }
    }
    let database = config.storage.database_url.expose_text();
    let database_password = credentials::of(database).and_then(|(_, password)| password).map(Secret::from);
    for (name, secret) in [
        ("STORAGE__DATABASE_PASSWORD", &database_password),
        ("METRICS__TOKEN", &config.metrics.token),
        ("SEARCH__ANTHROPIC_API_KEY", &config.search.anthropic_api_key),
    ] {
        if secret.as_ref().is_some_and(|secret| is_placeholder(secret.expose())) {
            problems.push(Problem::of(name, "is a placeholder: put the real one in."));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::{Profile, WebUrl, validate};
    use super::*;
    use std::path::Path;

    const GOOD_KEY: &str = "k3J9x2Lq8Zp4Wn6Tb1Vc5Md7Rf0Gh2sQ";

    pub(in super::super) fn development() -> Config {
        Config::development(Path::new("data"))
    }

    pub(in super::super) fn production() -> Config {
        let mut config = development();
        config.profile = Profile::Production;
        config.secret_key = Some(Secret::from(GOOD_KEY));
        config.server.public_url = WebUrl::parse("https://accounts.example.org").unwrap();
        config.accounts.links_url = config.server.public_url.clone();
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        config
    }

    /// The keys that are refused after one change.
    pub(in super::super) fn refused(mut config: Config, change: impl FnOnce(&mut Config)) -> Vec<String> {
        change(&mut config);
        validate(&config).into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn production_needs_a_secret_that_was_made() {
        assert_eq!(refused(production(), |config| config.secret_key = None), ["SECRET_KEY"]);
        for weak in ["change-me", "your-super-secret-key-here", "k3J9x2Lq8Zp4Wn6Tb1Vc5Md7Rf0Gh2s"] {
            assert_eq!(refused(production(), |config| config.secret_key = Some(weak.into())), ["SECRET_KEY"]);
            let set_signing_key = |config: &mut Config| config.tokens.signing_key = Some(weak.into());
            assert_eq!(refused(production(), set_signing_key), ["TOKENS__SIGNING_KEY"]);
            assert!(refused(development(), set_signing_key).is_empty());
        }
    }

    #[test]
    fn production_refuses_other_placeholders() {
        let set_database =
            |config: &mut Config| config.storage.database_url = "mysql://app:change-me@db/app".into();
        assert_eq!(refused(production(), set_database), ["STORAGE__DATABASE_PASSWORD"]);
        let set_token = |config: &mut Config| config.metrics.token = Some("change-me".into());
        assert_eq!(refused(production(), set_token), ["METRICS__TOKEN"]);
    }

    #[test]
    fn production_needs_https_all_the_way() {
        let plain = || WebUrl::parse("http://accounts.example.org").unwrap();
        assert_eq!(
            refused(production(), |config| config.server.public_url = plain()),
            ["SERVER__PUBLIC_URL"]
        );
        assert_eq!(
            refused(production(), |config| config.accounts.links_url = plain()),
            ["ACCOUNTS__LINKS_URL"]
        );
        assert_eq!(
            refused(production(), |config| config.server.trusted_proxies.clear()),
            ["SERVER__TRUSTED_PROXIES"]
        );
        let own_tls = |config: &mut Config| {
            config.server.trusted_proxies.clear();
            config.server.tls_cert = Some("cert.pem".into());
            config.server.tls_key = Some("key.pem".into());
        };
        assert!(refused(production(), own_tls).is_empty());
    }

    #[test]
    fn development_listens_on_loopback_only() {
        for (address, count) in [
            ("127.0.0.1:0", 0),
            ("127.8.0.1:1", 0),
            ("[::1]:1", 0),
            ("[::ffff:127.0.0.1]:1", 0),
            ("0.0.0.0:8000", 1),
            ("[::]:8000", 1),
            ("192.0.2.1:80", 1),
        ] {
            let keys = refused(development(), |config| config.server.listen = address.parse().unwrap());
            assert_eq!(keys.len(), count, "{address}");
        }
        assert!(
            refused(production(), |config| config.server.listen = "0.0.0.0:443".parse().unwrap()).is_empty()
        );
    }
}
