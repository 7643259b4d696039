//! The profile, and what `serve` would refuse.

use super::judge::{Rule, Scene, error, note, ok, put, span, warning};
use super::report::{Item, Level};
use crate::config::secret_strength::guessable;
use crate::config::{LogFormat, LogLevel, Problem, Profile};
use std::ops::RangeInclusive;
use std::time::Duration;

const PROFILE: Rule = Rule::new("deploy.profile", &["v5.0.0-13.4.2"], "§17").of(&["PROFILE"]);
const SITE: Rule = Rule::new("deploy.site", &[], "§5").of(&["SITE__NAME"]);
const LOG: Rule = Rule::new("deploy.log", &["v5.0.0-16.2.5", "v5.0.0-16.3.1"], "§17").of(&[
    "LOG__LEVEL",
    "LOG__FORMAT",
    "LOG__EVENTS_KEPT",
]);
const METRICS: Rule =
    Rule::new("deploy.metrics", &["v5.0.0-13.4.5", "v5.0.0-13.3.1"], "§17").of(&["METRICS__TOKEN"]);
const COMMUNITY: Rule = Rule::new("deploy.community", &["v5.0.0-2.4.1"], "§13").of(&[
    "COMMUNITY__ENABLED",
    "COMMUNITY__SOCKETS_PER_USER",
    "COMMUNITY__SOCKETS_PER_IP",
    "COMMUNITY__PING_EVERY",
]);
const WEBHOOKS: Rule = Rule::new("deploy.webhooks", &["v5.0.0-16.3.3", "v5.0.0-12.3.1"], "§17 Logging")
    .of(&["WEBHOOKS__URL", "WEBHOOKS__SECRET"]);
const REFUSED: Rule = Rule::new("deploy.settings.refused", &[], "§16.1");
const LEAST_METRICS_TOKEN: usize = 16;
const MONTH: Duration = Duration::from_secs(30 * 86_400);
const USUAL_PINGS: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(60);

pub(super) fn judge(scene: &Scene) -> Vec<Item> {
    vec![profile(scene), site(scene), log(scene), metrics(scene), webhooks(scene), community(scene)]
}

/// Puts what is wrong with a setting in the place of what was judged of its stand-in: a key whose file cannot be read
/// is not one that has to be made.
pub(super) fn tell_unread(scene: &Scene, judged: &mut [Item]) {
    for item in judged {
        let unread: Vec<_> =
            scene.unread.iter().filter(|problem| item.settings.contains(&problem.key.as_str())).collect();
        if !unread.is_empty() {
            item.level = Level::Error;
            item.seen = unread.iter().map(|problem| problem.parts().0).collect::<Vec<_>>().join(" ");
            item.mend = unread.iter().map(|problem| problem.parts().1).collect::<Vec<_>>().join(" ");
        }
    }
}

/// What nothing else has told yet of the reasons for which a production server would not start.
pub(super) fn refusals(scene: &Scene, judged: &[Item]) -> Vec<Item> {
    let is_told = |problem: &&Problem| {
        let key = problem.key.as_str();
        judged.iter().any(|item| item.level == Level::Error && item.settings.contains(&key))
    };
    let problems = || scene.unread.iter().chain(&scene.refused);
    let left = problems().filter(|problem| !is_told(problem)).map(Problem::parts);
    let items: Vec<Item> = left.map(|(cause, advice)| REFUSED.judged(error(cause, advice))).collect();
    if !items.is_empty() {
        return items;
    }
    vec![REFUSED.judged(match problems().next().is_none() {
        true => ok("A production server would start with these settings."),
        false => note("A production server would not start, for the errors above alone."),
    })]
}

fn profile(scene: &Scene) -> Item {
    PROFILE.judged(match scene.config.profile {
        Profile::Production => ok("The profile is production."),
        Profile::Development => error(
            "The profile is development: mails can be read at /dev/mail/, and nothing is refused for being weak.",
            "PORTCULLIS_PROFILE=production",
        ),
    })
}

fn site(scene: &Scene) -> Item {
    SITE.judged(match scene.config.site.name.as_str() {
        "Portcullis" => note("Mails and pages call the place Portcullis; PORTCULLIS_SITE__NAME names yours."),
        name => ok(format!("Mails and pages call the place {name}.")),
    })
}

fn log(scene: &Scene) -> Item {
    let log = scene.config.log;
    LOG.judged(match (log.level, log.format) {
        (LogLevel::Off | LogLevel::Error, _) => warning(
            format!("The log is at {}: failed logins leave no line there.", log.level.as_str()),
            "PORTCULLIS_LOG__LEVEL=info",
        ),
        (LogLevel::Debug | LogLevel::Trace, _) => warning(
            format!("The log is at {}: more than is needed, and slow.", log.level.as_str()),
            "PORTCULLIS_LOG__LEVEL=info",
        ),
        _ if log.events_kept < MONTH => warning(
            format!(
                "Security events are kept {}: what led to an attack is gone when it is found.",
                span(log.events_kept)
            ),
            "PORTCULLIS_LOG__EVENTS_KEPT=365d",
        ),
        (_, LogFormat::Pretty) => note("The log is for people; PORTCULLIS_LOG__FORMAT=json is for machines."),
        _ => ok(format!(
            "The log is JSON at {}; events are kept {}.",
            log.level.as_str(),
            span(log.events_kept)
        )),
    })
}

fn metrics(scene: &Scene) -> Item {
    METRICS.judged(match &scene.config.metrics.token {
        None => ok("Only this machine may read /metrics."),
        Some(token) if token.expose().len() < LEAST_METRICS_TOKEN => error(
            format!("The token of /metrics has {} bytes: it can be guessed.", token.expose().len()),
            put("PORTCULLIS_METRICS__TOKEN", "$(portcullis secret)"),
        ),
        Some(token) if let Some(weakness) = guessable(token.expose()) => error(
            format!("The token of /metrics is {weakness}."),
            put("PORTCULLIS_METRICS__TOKEN", "$(portcullis secret)"),
        ),
        Some(_) => ok("Whoever reads /metrics from elsewhere needs a long token."),
    })
}

fn webhooks(scene: &Scene) -> Item {
    let webhooks = &scene.config.webhooks;
    WEBHOOKS.judged(match &webhooks.url {
        None => note(
            "Attacks are in the audit log and the metrics alone; PORTCULLIS_WEBHOOKS__URL has you called.",
        ),
        Some(_) if !webhooks.has_usable_url() => {
            error("The address of webhooks cannot be called.", "PORTCULLIS_WEBHOOKS__URL=https://HOST/PATH")
        }
        Some(_) if webhooks.key().is_none() => error(
            "Webhooks have no secret that could sign them.",
            put("PORTCULLIS_WEBHOOKS__SECRET", "whsec_$(openssl rand -base64 32)"),
        ),
        Some(_) if let Some(weakness) = webhooks.weakness() => error(
            format!("The secret of webhooks is {weakness}: anybody could sign."),
            put("PORTCULLIS_WEBHOOKS__SECRET", "whsec_$(openssl rand -base64 32)"),
        ),
        Some(_) if !webhooks.is_private() => {
            warning("Webhooks leave unencrypted.", "PORTCULLIS_WEBHOOKS__URL=https://HOST/PATH")
        }
        Some(_) => ok("Attacks are reported by signed webhooks."),
    })
}

fn community(scene: &Scene) -> Item {
    let community = scene.config.community;
    COMMUNITY.judged(match community.enabled {
        false => ok("Accounts alone are served."),
        true if community.sockets_per_ip > 5_000 || community.sockets_per_user > 200 => warning(
            format!(
                "One address may hold {} WebSockets and one account {}: about 10 KiB each.",
                community.sockets_per_ip, community.sockets_per_user
            ),
            "PORTCULLIS_COMMUNITY__SOCKETS_PER_IP=5000 PORTCULLIS_COMMUNITY__SOCKETS_PER_USER=100",
        ),
        true if !USUAL_PINGS.contains(&community.ping_every) => warning(
            format!("WebSockets are asked every {} whether somebody is there.", span(community.ping_every)),
            "PORTCULLIS_COMMUNITY__PING_EVERY=30s, since proxies close what is silent for a minute.",
        ),
        true => ok(format!(
            "One address may hold {} WebSockets, one account {}; they are asked every {} whether somebody is there.",
            community.sockets_per_ip,
            community.sockets_per_user,
            span(community.ping_every)
        )),
    })
}
