//! Passwords, lifetimes, throttles, registration (guide §3–§6, §12).

use super::judge::{Rule, Scene, Verdict, error, note, ok, span, warning};
use super::report::Item;
use crate::config::{Algorithm, PasswordPolicy, Rate, Registration};
use std::ops::RangeInclusive;
use std::time::Duration;

const HASHING: Rule = Rule::new("deploy.hashing", &["v5.0.0-11.4.2"], "§4.2").of(&[
    "PASSWORD__MEMORY_KIB",
    "PASSWORD__ITERATIONS",
    "PASSWORD__PARALLELISM",
]);
const BUDGET: Rule =
    Rule::new("deploy.hashing_budget", &["v5.0.0-2.4.1"], "§12").of(&["PASSWORD__MEMORY_BUDGET_MIB"]);
const POLICY: Rule =
    Rule::new("deploy.password_policy", &["v5.0.0-6.2.1", "v5.0.0-6.2.5"], "§4.1").of(&["PASSWORD__POLICY"]);
const ACCESS: Rule = Rule::new("deploy.access_lifetime", &["v5.0.0-9.2.1", "v5.0.0-7.4.1"], "§3.1")
    .of(&["TOKENS__ACCESS_LIFETIME"]);
const SESSIONS: Rule = Rule::new("deploy.session_lifetimes", &["v5.0.0-7.3.1", "v5.0.0-7.3.2"], "§3.1")
    .of(&["TOKENS__REFRESH_LIFETIME", "TOKENS__ABSOLUTE_LIFETIME"]);
const ROTATION: Rule =
    Rule::new("deploy.rotation", &["v5.0.0-10.4.5", "v5.0.0-7.2.4"], "§3.1").of(&["TOKENS__REFRESH_GRACE"]);
const ALGORITHM: Rule = Rule::new("deploy.algorithm", &["v5.0.0-9.1.2"], "§3.1").of(&[
    "TOKENS__ALGORITHM",
    "TOKENS__AUDIENCE",
    "TOKENS__ISSUER",
]);
const LINKS: Rule = Rule::new("deploy.link_lifetimes", &["v5.0.0-6.5.5"], "§5, §6")
    .of(&["ACCOUNTS__VERIFICATION_LIFETIME", "ACCOUNTS__RESET_LIFETIME"]);
const CLEANUP: Rule = Rule::new("deploy.deletion", &["v5.0.0-14.2.7"], "§8")
    .of(&["ACCOUNTS__DELETION_GRACE", "ACCOUNTS__UNVERIFIED_LIFETIME"]);
const THROTTLES: Rule =
    Rule::new("deploy.throttles", &["v5.0.0-6.3.1", "v5.0.0-2.4.1"], "§12").of(&["THROTTLE__ENABLED"]);
const RATES: Rule = Rule::new("deploy.throttle_rates", &["v5.0.0-6.3.1"], "§12").of(&[
    "THROTTLE__AUTH",
    "THROTTLE__RESET",
    "THROTTLE__ANON",
    "THROTTLE__ANON_POST",
    "THROTTLE__USER",
    "THROTTLE__AI_SEARCH",
]);
const REGISTRATION: Rule =
    Rule::new("deploy.registration", &["v5.0.0-6.3.1"], "§5").of(&["ACCOUNTS__REGISTRATION"]);
const REVEAL: Rule = Rule::new("deploy.reveal_registered_email", &["v5.0.0-6.3.8"], "§5")
    .of(&["ACCOUNTS__REVEAL_REGISTERED_EMAIL"]);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// What OWASP's cheat sheet names as alike: memory in KiB, passes; one lane.
const FLOOR: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

pub(super) fn judge(scene: &Scene) -> Vec<Item> {
    vec![
        HASHING.judged(hashing(scene)),
        BUDGET.judged(budget(scene)),
        POLICY.judged(match scene.config.password.policy {
            PasswordPolicy::Nist => ok("Passwords have 15 characters or more and are on no blocklist."),
            PasswordPolicy::Guide => note(
                "Passwords follow the guide (8 characters of four classes). ASVS 6.2.5 wants no classes: \
                 PORTCULLIS_PASSWORD__POLICY=nist.",
            ),
        }),
        ACCESS.judged(access(scene)),
        SESSIONS.judged(sessions(scene)),
        ROTATION.judged(rotation(scene)),
        ALGORITHM.judged(algorithm(scene)),
        LINKS.judged(links(scene)),
        CLEANUP.judged(cleanup(scene)),
        THROTTLES.judged(match scene.config.throttle.enabled {
            true => ok("Calls are counted."),
            false => error("Throttles are off: passwords can be guessed without end.", "PORTCULLIS_THROTTLE__ENABLED=true"),
        }),
        RATES.judged(rates(scene)),
        REGISTRATION.judged(match scene.config.accounts.registration {
            Registration::Open => note("Anybody may register; invite and closed are the other values of PORTCULLIS_ACCOUNTS__REGISTRATION."),
            Registration::Invite => ok("Who registers was invited."),
            Registration::Closed => ok("Nobody may register."),
        }),
        REVEAL.judged(match scene.config.accounts.reveal_registered_email {
            false => ok("Registering tells nobody who has an account."),
            true => warning("Registering tells anybody whether an address has an account.", "PORTCULLIS_ACCOUNTS__REVEAL_REGISTERED_EMAIL=false"),
        }),
    ]
}

fn hashing(scene: &Scene) -> Verdict {
    let password = &scene.config.password;
    let seen = format!("Argon2id with {} KiB and {} passes", password.memory_kib, password.iterations);
    let meets =
        |(memory, passes): &(u32, u32)| password.memory_kib >= *memory && password.iterations >= *passes;
    if !FLOOR.iter().any(meets) {
        let mend = "PORTCULLIS_PASSWORD__MEMORY_KIB=19456 PORTCULLIS_PASSWORD__ITERATIONS=2, or what `portcullis hash calibrate` says.";
        return error(format!("{seen} is below OWASP's floor."), mend);
    }
    if password.parallelism > 4 {
        return warning(
            format!(
                "{seen} runs in {} lanes, which help an attacker's many cores more.",
                password.parallelism
            ),
            "PORTCULLIS_PASSWORD__PARALLELISM=1",
        );
    }
    ok(format!("{seen} is OWASP's floor or above."))
}

fn budget(scene: &Scene) -> Verdict {
    let password = &scene.config.password;
    let fitting = u64::from(password.memory_budget_mib) * 1_024 / u64::from(password.memory_kib.max(1));
    let seen = format!("{fitting} hashes fit into the budget of {} MiB at once", password.memory_budget_mib);
    if memory_mib().is_some_and(|all| u64::from(password.memory_budget_mib) > all / 2) {
        return warning(
            format!("{seen}, more than half of this machine's memory: many logins would end the server."),
            "PORTCULLIS_PASSWORD__MEMORY_BUDGET_MIB=128",
        );
    }
    let two = u64::from(password.memory_kib).saturating_mul(2).div_ceil(1_024);
    let mend = format!("PORTCULLIS_PASSWORD__MEMORY_BUDGET_MIB={}", two.max(128));
    match fitting {
        0 => error(format!("{seen}: nobody can log in."), mend),
        1 => warning(format!("{seen}: logins wait for each other."), mend),
        _ => ok(format!("{seen}; more logins wait, they do not take memory.")),
    }
}

/// The memory of this machine, where the system tells it.
fn memory_mib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib / 1_024)
}

fn access(scene: &Scene) -> Verdict {
    let lifetime = scene.config.tokens.access_lifetime;
    let seen = format!("Access tokens live {}.", span(lifetime));
    let mend = "PORTCULLIS_TOKENS__ACCESS_LIFETIME=15m";
    match lifetime {
        lifetime if lifetime > DAY => error(seen, mend),
        lifetime if lifetime > HOUR || lifetime < MINUTE => warning(seen, mend),
        _ => ok(seen),
    }
}

fn sessions(scene: &Scene) -> Verdict {
    let tokens = &scene.config.tokens;
    let (idle, absolute) = (tokens.refresh_lifetime, tokens.absolute_lifetime);
    let seen = format!("Sessions end after {} unused, and after {} in any case.", span(idle), span(absolute));
    if idle > 30 * DAY || absolute > 90 * DAY || idle.min(absolute) < 5 * MINUTE {
        return warning(
            seen,
            "PORTCULLIS_TOKENS__REFRESH_LIFETIME=7d PORTCULLIS_TOKENS__ABSOLUTE_LIFETIME=30d",
        );
    }
    ok(seen)
}

fn rotation(scene: &Scene) -> Verdict {
    let grace = scene.config.tokens.refresh_grace;
    let seen = format!(
        "Refresh tokens work once, with a grace of {} for tabs that race; a re-used one ends its session.",
        span(grace)
    );
    match grace > Duration::from_secs(60) {
        true => warning(seen, "PORTCULLIS_TOKENS__REFRESH_GRACE=10s"),
        false => ok(seen),
    }
}

fn algorithm(scene: &Scene) -> Verdict {
    let tokens = &scene.config.tokens;
    let name = match tokens.algorithm {
        Algorithm::Hs256 => "HS256",
        Algorithm::EdDsa => "EdDSA",
    };
    let of = |claim: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!(", {claim} {value}")).unwrap_or_default()
    };
    let parties = of("for", &tokens.audience) + &of("by", &tokens.issuer);
    ok(format!("Tokens are signed with {name}{parties}, and no other algorithm is accepted."))
}

fn links(scene: &Scene) -> Verdict {
    let accounts = &scene.config.accounts;
    let (verification, reset) = (accounts.verification_lifetime, accounts.reset_lifetime);
    let seen = format!("Links to verify work {}, links to reset {}.", span(verification), span(reset));
    if reset > 2 * HOUR || verification > 3 * DAY || reset.min(verification) < 5 * MINUTE {
        return warning(
            seen,
            "PORTCULLIS_ACCOUNTS__RESET_LIFETIME=1h PORTCULLIS_ACCOUNTS__VERIFICATION_LIFETIME=24h",
        );
    }
    ok(seen)
}

fn cleanup(scene: &Scene) -> Verdict {
    let accounts = &scene.config.accounts;
    let (deleted, unverified) = (accounts.deletion_grace, accounts.unverified_lifetime);
    let seen =
        format!("Deleted accounts go after {}, unverified ones after {}.", span(deleted), span(unverified));
    match deleted > 90 * DAY || unverified > 30 * DAY || deleted.min(unverified) < DAY {
        true => warning(
            seen,
            "PORTCULLIS_ACCOUNTS__DELETION_GRACE=30d PORTCULLIS_ACCOUNTS__UNVERIFIED_LIFETIME=7d",
        ),
        false => ok(seen),
    }
}

fn rates(scene: &Scene) -> Verdict {
    let throttle = &scene.config.throttle;
    // The guide's own rates, and in calls of an hour what people need and the most that still holds off guessing.
    let table = [
        ("AUTH", throttle.auth, "5/minute", 10..=600),
        ("RESET", throttle.reset, "5/hour", 1..=20),
        ("ANON", throttle.anon, "100/hour", 10..=10_000),
        ("ANON_POST", throttle.anon_post, "100/hour", 10..=10_000),
        ("USER", throttle.user, "1000/hour", 100..=100_000),
        ("AI_SEARCH", throttle.ai_search, "10/hour", 1..=1_000),
    ];
    let is_odd = |rate: &Rate, usual: &RangeInclusive<u64>| {
        !usual.contains(&steady(rate)) || u64::from(rate.count) > *usual.end()
    };
    let odd = table.iter().filter(|(_, rate, _, usual)| is_odd(rate, usual));
    let (mut seen, mut mend) = (Vec::new(), Vec::new());
    for (name, rate, usual, _) in odd {
        seen.push(format!("{name} {rate}"));
        mend.push(format!("PORTCULLIS_THROTTLE__{name}={usual}"));
    }
    match seen.is_empty() {
        true => ok(format!(
            "Logins are held to {}, mails to {}, visitors to {} and {} changes, users to {} and {} searches.",
            throttle.auth,
            throttle.reset,
            throttle.anon,
            throttle.anon_post,
            throttle.user,
            throttle.ai_search
        )),
        false => warning(
            format!(
                "Some rates let too much through, at once or in all, or too little: {}.",
                seen.join(", ")
            ),
            mend.join(" "),
        ),
    }
}

/// Calls an hour, day after day.
fn steady(rate: &Rate) -> u64 {
    (u64::from(rate.count) * 3_600).div_ceil(rate.period.as_secs().max(1))
}
