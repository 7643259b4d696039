//! `[throttle]`: how often things may be done (guide §2.2, §12).

use super::{rate::Rate, reader::Reader, spec::Spec};

pub(super) const SPECS: &[Spec] = &[
    Spec::plain("THROTTLE__ENABLED", "true", "Whether calls are counted at all; false only for measuring."),
    Spec::plain(
        "THROTTLE__AUTH",
        "5/minute",
        "Logins, registrations and whatever takes a password or a code: per address and per account.",
    ),
    Spec::plain("THROTTLE__ANON", "100/hour", "Calls without a token, per address."),
    Spec::plain(
        "THROTTLE__ANON_POST",
        "100/hour",
        "Calls without a token that change something, per address.",
    ),
    Spec::plain("THROTTLE__USER", "1000/hour", "Calls with a token, per user."),
    Spec::plain(
        "THROTTLE__RESET",
        "5/hour",
        "Mails with a link, per address that asks and per address asked for; and what else strangers can have mailed to one address.",
    ),
    Spec::plain("THROTTLE__AI_SEARCH", "10/hour", "Searches that may cost money, per user."),
];

/// How often things may be done.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    /// Whether calls are counted at all; true.
    pub enabled: bool,
    /// Whatever takes a password or a code; 5 a minute against guessing (ASVS v5.0.0-6.3.1).
    pub auth: Rate,
    /// Calls without a token, per address; 100 an hour.
    pub anon: Rate,
    /// Calls without a token that change something; 100 an hour.
    pub anon_post: Rate,
    /// Calls with a token, per user; 1000 an hour.
    pub user: Rate,
    /// Mails with a link; 5 an hour, so that nobody's mailbox is flooded.
    pub reset: Rate,
    /// AI searches, per user; 10 an hour, since they may cost money.
    pub ai_search: Rate,
}

impl Throttle {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            enabled: reader.required("THROTTLE__ENABLED"),
            auth: reader.required("THROTTLE__AUTH"),
            anon: reader.required("THROTTLE__ANON"),
            anon_post: reader.required("THROTTLE__ANON_POST"),
            user: reader.required("THROTTLE__USER"),
            reset: reader.required("THROTTLE__RESET"),
            ai_search: reader.required("THROTTLE__AI_SEARCH"),
        }
    }
}
