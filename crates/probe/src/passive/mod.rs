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

use crate::client::{Answer, Request};
use crate::probe::{Context, Probe, Skip};

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
}

async fn survey(ctx: &Context) -> Result<Survey, Skip> {
    let names = &ctx.mapping;
    let known = names.pages.iter().chain(&names.open).chain(&names.private).map(|path| Request::get(path));
    let mut requests: Vec<Request> = known.collect();
    requests.push(Request::get(&unknown_path(ctx)));
    requests.extend(names.routes.login.as_ref().map(|route| Request::get(&route.path)));
    let mut answers = Vec::new();
    let mut last = None;
    for request in requests {
        match ctx.client.call(request).await {
            Ok(answer) => answers.push(answer),
            Err(skip) => last = Some(skip),
        }
    }
    match last {
        Some(skip) if answers.is_empty() => Err(skip),
        _ => Ok(Survey { answers }),
    }
}

/// A path of the API that no server has.
pub(crate) fn unknown_path(ctx: &Context) -> String {
    format!("{}probe-{}-unknown/", ctx.mapping.api, ctx.tag)
}
