//! Probes that send what any visitor may send.

mod cors;
mod csp;
mod disclosure;
mod errors;
mod headers;
mod host;
mod leaks;
mod methods;
mod sessions;
mod transport;
mod websocket;

use crate::answer::Answer;
use crate::probe::{Context, Mode, Outcome, Probe, Running, Severity, Skip};
use crate::request::Request;
use crate::{Evidence, mapping};

pub(crate) use sessions::may_be_kept;

/// The passive probes, by file.
pub(crate) const PROBES: &[&[Probe]] = &[
    transport::PROBES,
    headers::PROBES,
    cors::PROBES,
    methods::PROBES,
    errors::PROBES,
    disclosure::PROBES,
    host::PROBES,
    sessions::PROBES,
    websocket::PROBES,
];

/// A host that is not the server's, reserved by RFC 2606.
pub(crate) const FOREIGN: &str = "portcullis-probe.example";

/// Answers of every kind, fetched once and looked at by many probes.
pub(crate) struct Survey {
    /// Pages, lists that are open, closed routes without a token, an unknown route, a wrong method.
    pub answers: Vec<Answer>,
    /// What could not be fetched.
    missing: Vec<Skip>,
}

/// A row of a table of passive probes.
#[allow(clippy::too_many_arguments, reason = "a row of a table, read in its order")]
const fn probe(
    id: &'static str,
    title: &'static str,
    asvs: &'static [&'static str],
    severity: Severity,
    mend: &'static str,
    run: for<'a> fn(&'a Context) -> Running<'a>,
) -> Probe {
    Probe { id, title, asvs, severity, mode: Mode::Passive, mend, run }
}

impl Context {
    /// The survey; answers that fail or are throttled are missing in it.
    ///
    /// # Errors
    /// When nothing answers.
    pub(crate) async fn survey(&self) -> Result<&Survey, Skip> {
        self.survey.get_or_try_init(|| survey(self)).await
    }
}

impl Survey {
    /// The HTML pages that were found.
    pub fn pages(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|answer| answer.is_html() && answer.is_success())
    }

    /// Found with evidence, passed otherwise; what was not looked at is named.
    pub fn judge(&self, seen: impl Into<String>, evidence: Vec<Evidence>) -> Outcome {
        match Outcome::judge(seen, evidence) {
            Outcome::Passed(_) if !self.missing.is_empty() => {
                let missing: Vec<String> = self.missing.iter().map(Skip::to_string).collect();
                Outcome::Passed(format!("Not looked at: {}.", missing.join("; ")))
            }
            other => other,
        }
    }
}

async fn survey(ctx: &Context) -> Result<Survey, Skip> {
    let names = &ctx.mapping;
    let known = names.pages.iter().chain(&names.open).chain(&names.private).map(|path| Request::get(path));
    let mut requests: Vec<Request> = known.collect();
    requests.push(Request::get(&unknown_path(ctx)));
    requests.extend(names.routes.login.as_ref().map(|route| Request::get(&route.path)));
    let (mut answers, mut missing) = (Vec::new(), Vec::new());
    for request in requests {
        match ctx.client.call(request).await {
            Ok(answer) => answers.push(answer),
            Err(skip) => missing.push(skip),
        }
    }
    match missing.pop() {
        Some(skip) if answers.is_empty() => Err(skip),
        last => Ok(Survey { answers, missing: missing.into_iter().chain(last).collect() }),
    }
}

/// A route that is known to be open, else one that is closed.
fn some_path(names: &mapping::Mapping) -> &str {
    names.open.first().or(names.private.first()).unwrap_or(&names.api)
}

/// A path of the API that no server has.
pub(crate) fn unknown_path(ctx: &Context) -> String {
    format!("{}probe-{}-unknown/", &*ctx.mapping.api, ctx.tag)
}
