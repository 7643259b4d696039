//! What a probe is.

use crate::client::Client;
use crate::mailbox::Mailbox;
use crate::mapping::{Mapping, Route};
use crate::passive::Survey;
use crate::target::Target;
use crate::{Evidence, active};
use rustls::RootCertStore;
use serde::Serialize;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// One hole and how to look for it.
pub struct Probe {
    /// Stable, as `area.hole`.
    pub id: &'static str,
    /// What is looked for, as the sentence that is true when it was found.
    pub title: &'static str,
    /// The requirements of OWASP ASVS 5.0 that the hole breaks, as `v5.0.0-x.y.z`; empty where none names it.
    pub asvs: &'static [&'static str],
    /// How bad the hole is.
    pub severity: Severity,
    /// Whether it changes anything.
    pub mode: Mode,
    /// How to mend the hole, in a sentence or two.
    pub mend: &'static str,
    /// Looks.
    pub run: for<'a> fn(&'a Context) -> Running<'a>,
}

/// A probe at work; an error is a skipped probe.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Outcome, Skip>> + Send + 'a>>;

/// How bad a hole is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; no finding, and the exit code stays 0.
    Note,
    /// Makes other attacks easier.
    Low,
    /// An attack with conditions.
    Medium,
    /// An account or its data falls.
    High,
}

/// Whether a probe changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Sends what any visitor may send; makes nothing.
    Passive,
    /// Makes accounts and works with them.
    Active,
}

/// How a probe ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The hole is not there, and what was seen instead, if that is worth saying.
    Passed(String),
    /// The hole is there: what was seen, in a sentence, and the exchanges that show it.
    Found(String, Vec<Evidence>),
    /// Nothing can be said, and why.
    Skipped(String),
}

/// Why a probe was skipped.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Skip {
    /// The call failed or took too long.
    #[error("{path}: the call failed: {cause}")]
    Failed {
        /// Which path.
        path: String,
        /// What went wrong.
        cause: String,
    },
    /// The server limits calls, and this one came too early.
    #[error("{0} is throttled; try again later")]
    Throttled(String),
    /// The answer says neither yes nor no.
    #[error("{path} answers {status}, from which nothing follows")]
    Unclear {
        /// Which path.
        path: String,
        /// The status.
        status: u16,
    },
    /// The run has made all the calls or used all the time that it may.
    #[error("the run's limit of {0} is reached")]
    Limit(&'static str),
    /// The mapping names no such thing.
    #[error("the mapping names no {0}")]
    NotMapped(&'static str),
    /// Something else.
    #[error("{0}")]
    Because(String),
}

/// What every probe of a run shares.
pub struct Context {
    /// The server.
    pub target: Target,
    /// Its names.
    pub mapping: Mapping,
    /// The way to it.
    pub client: Client,
    /// Whether probes may make accounts.
    pub is_active: bool,
    /// Where its mails arrive; only in active runs.
    pub mailbox: Option<Mailbox>,
    /// Lower-case hexadecimal, fresh for every run: names of what probes make begin with `probe_` and this.
    pub tag: String,
    /// The certificates that are trusted.
    pub roots: Arc<RootCertStore>,
    /// Seconds since 1970, for certificates.
    pub now: Duration,
    /// Where the same host answers without encryption; `None` where nobody knows.
    pub plain: Option<String>,
    pub(crate) survey: OnceCell<Survey>,
    pub(crate) accounts: active::Accounts,
}

impl Outcome {
    /// Found when there is evidence, passed otherwise.
    #[must_use]
    pub fn judge(seen: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        if evidence.is_empty() { Self::passed() } else { Self::Found(seen.into(), evidence) }
    }

    /// Found with these exchanges if the condition holds, passed otherwise.
    pub(crate) fn when(holds: bool, seen: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        if holds { Self::Found(seen.into(), evidence) } else { Self::passed() }
    }

    /// Passed, and nothing more to say.
    #[must_use]
    pub fn passed() -> Self {
        Self::Passed(String::new())
    }

    /// Skipped for this reason.
    #[must_use]
    pub fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped(why.into())
    }
}

impl Context {
    /// A route of the mapping, or the reason to skip.
    ///
    /// # Errors
    /// When the mapping does not name it.
    pub fn route<'a>(&'a self, route: &'a Option<Route>, name: &'static str) -> Result<&'a Route, Skip> {
        route.as_ref().ok_or(Skip::NotMapped(name))
    }
}
