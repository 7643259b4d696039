//! What letters say about the site they come from.

use crate::config::Config;
use lettre::Address;
use lettre::message::Mailbox;
use std::path::PathBuf;

/// The operator's words and addresses, as they are configured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name in subjects and texts (`SITE__NAME`).
    pub site_name: String,
    /// Where the server is reached; its host names the Message-IDs.
    pub public_url: String,
    /// Where the pages are that links point at (`ACCOUNTS__LINKS_URL`).
    pub links_url: String,
    /// The sender, as an address or `Name <address>` (`MAIL__FROM`).
    pub from: String,
    /// A folder whose files replace the templates of the same name (`MAIL__TEMPLATES`).
    pub templates_dir: Option<PathBuf>,
}

/// Why mails cannot be written with the given settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The sender is no address.
    #[error("PORTCULLIS_MAIL__FROM must be an address or \"Name <address>\", not {0:?}")]
    From(String),
    /// The name of the site would break a subject line.
    #[error("PORTCULLIS_SITE__NAME must be 1 to 100 characters without line breaks")]
    SiteName,
    /// A URL that cannot be the beginning of a link.
    #[error(
        "PORTCULLIS_ACCOUNTS__LINKS_URL must begin with http:// or https:// and hold no spaces, quotes, \
         <, >, &, ? or #: {0:?}"
    )]
    LinksUrl(String),
    /// A template cannot be read.
    #[error("cannot read the mail template {0}: {1}; see PORTCULLIS_MAIL__TEMPLATES")]
    TemplateFile(PathBuf, std::io::Error),
    /// A template is wrong.
    #[error("the mail template {0} does not work: {1}")]
    Template(String, String),
}

/// Settings that were found good.
pub(super) struct Site {
    pub(super) name: String,
    pub(super) links: String,
    /// Where the server itself is, for what a mail program calls.
    pub(super) public: String,
    pub(super) from: Mailbox,
    pub(super) host: String,
}

impl Settings {
    /// What the settings say.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            site_name: config.site.name.clone(),
            public_url: config.server.public_url.as_str().to_owned(),
            links_url: config.accounts.links_url.as_str().to_owned(),
            from: config.mail.from.clone(),
            templates_dir: config.mail.templates.clone(),
        }
    }

    /// The host of the public URL, for `EHLO` and Message-IDs; `localhost` when it is no name.
    pub fn host(&self) -> String {
        let authority = self.public_url.split("://").nth(1).unwrap_or_default();
        let authority = authority.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let is_name = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        if is_name { host.to_ascii_lowercase() } else { "localhost".into() }
    }

    /// Checks everything that would break a mail, at start instead of at the first letter.
    pub(super) fn check(&self) -> Result<Site, SettingsError> {
        let name = self.site_name.trim();
        if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(SettingsError::SiteName);
        }
        Ok(Site {
            name: name.to_owned(),
            links: link_base(&self.links_url)?,
            public: link_base(&self.public_url)?,
            from: self.sender(name)?,
            host: self.host(),
        })
    }

    fn sender(&self, site_name: &str) -> Result<Mailbox, SettingsError> {
        let wrong = || SettingsError::From(self.from.clone());
        if self.from.chars().any(char::is_control) {
            return Err(wrong());
        }
        let mailbox: Mailbox = self.from.trim().parse().map_err(|_| wrong())?;
        let name = mailbox.name.unwrap_or_else(|| site_name.to_owned());
        Ok(Mailbox::new(Some(name), mailbox.email))
    }
}

/// Links are printed as they are into HTML and text, so what they are made of must need no escaping.
fn link_base(url: &str) -> Result<String, SettingsError> {
    let base = url.trim_end_matches('/');
    let has_scheme =
        ["http://", "https://"].iter().any(|scheme| base.len() > scheme.len() && base.starts_with(scheme));
    let is_plain = base.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"'`&?#\\".contains(&byte));
    if has_scheme && is_plain { Ok(base.to_owned()) } else { Err(SettingsError::LinksUrl(url.to_owned())) }
}

/// The address in the form that every mail server takes: a domain with other than ASCII letters becomes
/// its IDNA form (RFC 5891), as Django does it.
pub(super) fn parse_address(text: &str) -> Option<Address> {
    let (user, domain) = text.rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain).ok()?;
    let address = Address::new(user, domain).ok()?;
    let text: &str = address.as_ref();
    (text.is_ascii() && !text.contains(char::is_control)).then_some(address)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn settings() -> Settings {
        Settings {
            site_name: "Portcullis".into(),
            public_url: "https://accounts.example.com".into(),
            links_url: "https://app.example.com/".into(),
            from: "no-reply@example.com".into(),
            templates_dir: None,
        }
    }

    #[test]
    fn a_sender_without_a_name_is_given_the_sites() {
        let site = settings().check().unwrap();
        assert_eq!(site.from.to_string(), "Portcullis <no-reply@example.com>");
        assert_eq!(site.links, "https://app.example.com");
    }

    #[test]
    fn a_setting_that_would_break_a_header_or_a_link_is_refused() {
        let wrong = [
            Settings { site_name: "Two\r\nBcc: lines".into(), ..settings() },
            Settings { site_name: "  ".into(), ..settings() },
            Settings { from: "nobody".into(), ..settings() },
            Settings { from: "a@example.com\r\nBcc: b@example.com".into(), ..settings() },
            Settings { links_url: "javascript:alert(1)".into(), ..settings() },
            Settings { links_url: "https://app.example.com/\"><b>".into(), ..settings() },
            Settings { links_url: "https://".into(), ..settings() },
        ];
        for settings in wrong {
            assert!(settings.check().is_err(), "{settings:?}");
        }
    }

    #[test]
    fn the_host_is_the_public_urls_without_its_port() {
        let host = |url: &str| Settings { public_url: url.into(), ..settings() }.host();
        assert_eq!(host("http://127.0.0.1:8000"), "127.0.0.1");
        assert_eq!(host("https://Accounts.Example.com/base"), "accounts.example.com");
        assert_eq!(host("http://[::1]:8000"), "localhost");
        assert_eq!(host(""), "localhost");
    }

    #[test]
    fn an_address_cannot_carry_a_header_and_a_foreign_domain_becomes_ascii() {
        let text = |address: &str| parse_address(address).map(|address| address.to_string());
        assert_eq!(text("ann@b\u{fc}cher.example").as_deref(), Some("ann@xn--bcher-kva.example"));
        assert_eq!(text("ann@localhost").as_deref(), Some("ann@localhost"));
        for hostile in
            ["ann@example.com\r\nBcc: b@example.com", "a\nb@example.com", "ann", "@", "a b@c.d", "\u{e4}@c.d"]
        {
            assert_eq!(text(hostile), None, "{hostile:?}");
        }
    }
}
