//! `[accounts]`: who may register and how long links work.

use super::{parse::Parse, reader::Reader, spec::Spec, web_url::WebUrl};
use std::time::Duration;

pub(super) const SPECS: &[Spec] = &[
    Spec::plain("ACCOUNTS__REGISTRATION", "open", "Who may register: open, invite or closed."),
    Spec::plain(
        "ACCOUNTS__REVEAL_REGISTERED_EMAIL",
        "false",
        "Whether registering a known address is refused openly; false, since that tells anybody who has an account.",
    ),
    Spec::plain(
        "ACCOUNTS__LINKS_URL",
        "{SERVER__PUBLIC_URL}",
        "What links in mails begin with; set it when a front end of your own shows those pages.",
    ),
    Spec::plain(
        "ACCOUNTS__VERIFICATION_LIFETIME",
        "24h",
        "How long the link that verifies an address works.",
    ),
    Spec::plain("ACCOUNTS__RESET_LIFETIME", "1h", "How long the link that resets a password works."),
    Spec::plain(
        "ACCOUNTS__DELETION_GRACE",
        "30d",
        "How long a deleted account can be had back by logging in.",
    ),
    Spec::plain(
        "ACCOUNTS__COOKIE_MODE",
        "false",
        "Whether refresh tokens go into a cookie unless a client asks for the body; false, as simplejwt.",
    ),
    Spec::plain(
        "ACCOUNTS__UNVERIFIED_LIFETIME",
        "7d",
        "How long an account may stay unverified before it is removed and its name is free again.",
    ),
];

/// Who may register and how long links work.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Who may register; everybody.
    pub registration: Registration,
    /// Whether a known address is refused openly; false, against listing who has an account
    /// (ASVS v5.0.0-6.3.8).
    pub reveal_registered_email: bool,
    /// What links in mails begin with; the public URL.
    pub links_url: WebUrl,
    /// Life of a link that verifies an address; 24 hours (guide §5).
    pub verification_lifetime: Duration,
    /// Life of a link that resets a password; 1 hour (guide §6).
    pub reset_lifetime: Duration,
    /// How long a deleted account can be had back; 30 days.
    pub deletion_grace: Duration,
    /// Whether refresh tokens go into a cookie without being asked for; false, as simplejwt.
    pub cookie_mode: bool,
    /// How long an account may stay unverified; 7 days, so that squatted names come free.
    pub unverified_lifetime: Duration,
}

/// Who may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    #[default]
    Open,
    /// Whoever was invited.
    Invite,
    /// Nobody; accounts are made on the command line.
    Closed,
}

impl Parse for Registration {
    const EXPECTED: &'static str = "open, invite or closed";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "open" => Some(Self::Open),
            "invite" => Some(Self::Invite),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        Self::Closed
    }
}

impl Accounts {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            registration: reader.required("ACCOUNTS__REGISTRATION"),
            reveal_registered_email: reader.required("ACCOUNTS__REVEAL_REGISTERED_EMAIL"),
            links_url: reader.required("ACCOUNTS__LINKS_URL"),
            verification_lifetime: reader.required("ACCOUNTS__VERIFICATION_LIFETIME"),
            reset_lifetime: reader.required("ACCOUNTS__RESET_LIFETIME"),
            deletion_grace: reader.required("ACCOUNTS__DELETION_GRACE"),
            cookie_mode: reader.required("ACCOUNTS__COOKIE_MODE"),
            unverified_lifetime: reader.required("ACCOUNTS__UNVERIFIED_LIFETIME"),
        }
    }
}
