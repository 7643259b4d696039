//! The program itself: what it does under every setting, and how old its parts are.

use super::judge::{Rule, Scene, Verdict, error, note, ok, span, warning};
use super::report::Item;
use crate::config::secret_strength::guessable;
use portcullis_security::clock::Timestamp;
use std::time::Duration;

const DEPENDENCIES: Rule =
    Rule::new("deploy.dependencies", &["v5.0.0-15.2.1", "v5.0.0-15.1.1"], "§17 Testing");
const SEARCH: Rule = Rule::new("deploy.search", &["v5.0.0-13.3.1", "v5.0.0-2.4.1"], "§16.1").of(&[
    "SEARCH__ANTHROPIC_API_KEY",
    "SEARCH__ANTHROPIC_BASE_URL",
    "SEARCH__ANTHROPIC_MODEL",
    "SEARCH__TIMEOUT",
    "SEARCH__STREAM_TIMEOUT",
    "SEARCH__DAILY_PER_USER",
    "SEARCH__DAILY_TOTAL",
]);
/// At a tenth of a cent each, ten dollars a day.
const MOST_SEARCHES: u32 = 10_000;
const QUARTER: Duration = Duration::from_secs(90 * 86_400);
/// Cargo.lock's date, from build.rs.
const DATE: &str = env!("DEPENDENCIES_DATE");

/// What no setting can turn off, each with what the guide's checklist calls it.
const BUILT_IN: [(Rule, &str); 7] = [
    (
        Rule::new("deploy.email_verification", &["v5.0.0-6.4.3"], "§17 Passwords"),
        "Nobody logs in before the address is verified.",
    ),
    (
        Rule::new("deploy.logout", &["v5.0.0-7.4.1"], "§17 Authentication"),
        "Logging out ends the session's refresh and access tokens, everywhere within a second.",
    ),
    (
        Rule::new("deploy.permissions", &["v5.0.0-8.2.1", "v5.0.0-8.2.2"], "§17 Authorization"),
        "Every route has a door, and one truth table decides who sees what.",
    ),
    (
        Rule::new("deploy.input", &["v5.0.0-1.2.4", "v5.0.0-2.2.1"], "§17 API Security"),
        "Input is parsed into types, and the ORM makes all SQL.",
    ),
    (
        Rule::new("deploy.output", &["v5.0.0-1.3.1", "v5.0.0-1.2.1"], "§17 API Security"),
        "HTML is sanitised when it is written, everything else encoded on its way out.",
    ),
    (
        Rule::new("deploy.audit", &["v5.0.0-16.3.1", "v5.0.0-16.3.3"], "§17 Logging"),
        "Logins, failed ones too, and re-used tokens are in the audit log.",
    ),
    (
        Rule::new("deploy.log_content", &["v5.0.0-16.2.5"], "§17 Logging"),
        "No password, token, address or body reaches the log.",
    ),
];

pub(super) fn judge(scene: &Scene) -> Vec<Item> {
    let mut items: Vec<Item> = BUILT_IN.iter().map(|(rule, seen)| rule.judged(ok(*seen))).collect();
    items.push(SEARCH.judged(search(scene)));
    items.push(DEPENDENCIES.judged(dependencies(DATE, scene.now)));
    items
}

fn search(scene: &Scene) -> Verdict {
    let search = &scene.config.search;
    match &search.anthropic_api_key {
        None => ok("The search answers by itself, and no query leaves the server."),
        Some(key) if let Some(weakness) = guessable(key.expose()) => error(
            format!("The API key is {weakness}."),
            "ANTHROPIC_API_KEY, as it was made at platform.claude.com; or unset it.",
        ),
        Some(_) if !search.anthropic_base_url.is_https() => warning(
            format!("The API key goes to {} unencrypted.", search.anthropic_base_url),
            "PORTCULLIS_SEARCH__ANTHROPIC_BASE_URL=https://…",
        ),
        Some(_) if search.daily_total > MOST_SEARCHES || search.daily_per_user > search.daily_total => {
            warning(
                format!(
                    "{} searches a day may go out, {} of one user.",
                    search.daily_total, search.daily_per_user
                ),
                "PORTCULLIS_SEARCH__DAILY_TOTAL=1000 PORTCULLIS_SEARCH__DAILY_PER_USER=50",
            )
        }
        Some(_) => note(format!(
            "At most {} searches a day, {} of one user, go to {} at {}, for {} and {} at most; give that key a limit of \
             its own where it was made.",
            search.daily_total,
            search.daily_per_user,
            search.anthropic_model,
            search.anthropic_base_url,
            span(search.timeout),
            span(search.stream_timeout)
        )),
    }
}

fn dependencies(date: &str, now: Timestamp) -> Verdict {
    let mend = "install the newest release.";
    let Ok(seconds) = date.parse() else {
        return warning(
            "How old this program's dependencies are is not known.",
            "build it from its repository, or set SOURCE_DATE_EPOCH.",
        );
    };
    let age = now.since(Timestamp::from_seconds(seconds));
    let seen = format!("The list of dependencies is {} days old.", age.as_secs() / 86_400);
    match age > QUARTER {
        true => warning(seen, mend),
        false => ok(seen),
    }
}

/// Why the clock is wrong, when it is older than this program.
pub(super) fn before_release(now: Timestamp) -> Option<Verdict> {
    before(DATE, now)
}

fn before(date: &str, now: Timestamp) -> Option<Verdict> {
    let is_before = date.parse::<i64>().is_ok_and(|date| now.seconds() < date);
    is_before.then(|| {
        error(
            "The clock is older than this program: tokens and certificates are judged by it.",
            "timedatectl set-ntp true",
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::report::Level;
    use super::*;

    #[test]
    fn a_clock_is_not_older_than_the_program() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let is_wrong = ["1790000001", "1790000000", ""].map(|date| before(date, now).is_some());
        assert_eq!(is_wrong, [true, false, false]);
    }

    #[test]
    fn dependencies_of_last_year_are_told() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let level = |date: &str| DEPENDENCIES.judged(dependencies(date, now)).level;
        assert_eq!(level("1789000000"), Level::Ok);
        assert_eq!(level("1758000000"), Level::Warning);
        assert_eq!(level(""), Level::Warning);
    }
}
