//! A run: every probe once, one after the other.

use crate::client::{Client, Limits};
use crate::mailbox::Mailbox;
use crate::mapping::Mapping;
use crate::probe::{Context, Mode, Outcome, Probe, Skip};
use crate::report::{Fact, Item, Report};
use crate::request::Request;
use crate::target::Target;
use crate::{active, passive, tls};
use rustls::RootCertStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout, timeout_at};

/// What to probe, and how far to go.
pub struct Options {
    /// The server.
    pub target: Target,
    /// Its names.
    pub mapping: Mapping,
    /// Whether active probes run too.
    pub is_active: bool,
    /// Where its mails arrive; without it, whatever needs an account that a mail has verified is skipped.
    pub mailbox: Option<Mailbox>,
    /// What the run may use.
    pub limits: Limits,
    /// The certificates that are trusted; the machine's where there are none.
    pub roots: Option<RootCertStore>,
    /// Seconds since 1970.
    pub now: Duration,
    /// 16 fresh random bytes, for the names of what active probes make.
    pub nonce: [u8; 16],
    /// Where the host answers without encryption; port 80 of an https host on port 443 where nobody says.
    pub plain: Option<String>,
    /// Called before each probe.
    pub progress: Progress,
}

/// Hears how many probes are done, how many there are, and which comes now.
pub type Progress = Box<dyn Fn(usize, usize, &str) + Send + Sync>;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CannotRun {
    /// The target did not answer at all.
    #[error("cannot probe {0}: {1}")]
    Unreachable(String, Skip),
    /// TLS cannot be set up here.
    #[error("cannot set up a client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Options {
    /// A passive run against a target with the usual limits.
    #[must_use]
    pub fn new(target: Target, mapping: Mapping) -> Self {
        Self {
            target,
            mapping,
            is_active: false,
            mailbox: None,
            limits: Limits::PASSIVE,
            roots: None,
            now: Duration::ZERO,
            nonce: [0; 16],
            plain: None,
            progress: Box::new(|_, _, _| {}),
        }
    }

    /// The same with active probes, whose mails arrive here.
    #[must_use]
    pub fn active(self, mailbox: Option<Mailbox>) -> Self {
        Self { is_active: true, mailbox, limits: Limits::ACTIVE, ..self }
    }
}

/// Every probe there is, in the order of a run.
pub fn probes() -> impl Iterator<Item = &'static Probe> {
    passive::PROBES.iter().copied().flatten().chain(active::PROBES.iter().copied().flatten())
}

/// Runs every passive probe, and every active one if that is asked for.
///
/// # Errors
/// When the target does not answer the first call.
pub async fn run(options: Options) -> Result<Report, CannotRun> {
    let start = Instant::now();
    let (now, limits) = (options.now, options.limits);
    let (mut ctx, progress) = begin(options).await?;
    let is_active = ctx.is_active;
    let mut facts = facts(&ctx, limits).await;
    let mut items = Box::pin(judge(&ctx, &progress)).await;
    let mut calls = ctx.client.renew(Limits::CLEANING);
    let mut left = Vec::new();
    if is_active {
        progress(items.len(), items.len(), "cleaning up");
        left = Box::pin(timeout_at(ctx.client.end(), active::clean_up(&ctx))).await.unwrap_or_default();
        calls += ctx.client.calls();
        facts.push(Fact::new("Accounts", &format!("named probe_{}…", ctx.tag)));
    }
    items.iter_mut().for_each(|item| item.hide(|text| ctx.client.redactor().hide(text)));
    Ok(Report {
        title: "Probe report".to_owned(),
        subject: ctx.target.base().to_owned(),
        scope: if is_active { "passive and active probes" } else { "passive probes" }.to_owned(),
        made: now.as_secs(),
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        calls,
        facts,
        left,
        items,
    })
}

/// The first call: whether the target answers at all.
async fn begin(options: Options) -> Result<(Box<Context>, Progress), CannotRun> {
    let client = Client::new(options.target.clone(), &options.mapping, options.limits)?;
    let first = options.mapping.pages.first().cloned().unwrap_or_default();
    if let Err(skip) = client.call_raw(Request::get(&first)).await {
        return Err(CannotRun::Unreachable(options.target.base().to_owned(), skip));
    }
    let usual = (options.target.is_https() && options.target.port() == 443)
        .then(|| format!("http://{}", options.target.host()));
    let ctx = Box::new(Context {
        plain: options.plain.or(usual),
        roots: Arc::new(options.roots.unwrap_or_else(tls::system_roots)),
        target: options.target,
        mapping: options.mapping,
        client,
        is_active: options.is_active,
        mailbox: options.mailbox,
        tag: options.nonce.iter().take(6).map(|byte| format!("{byte:02x}")).collect(),
        now: options.now,
        survey: OnceCell::new(),
        accounts: active::Accounts::default(),
    });
    Ok((ctx, options.progress))
}

async fn judge(ctx: &Context, progress: &Progress) -> Vec<Item> {
    let is_active = ctx.is_active;
    let chosen: Vec<&Probe> = probes().filter(|probe| is_active || probe.mode == Mode::Passive).collect();
    let mut items = Vec::with_capacity(chosen.len());
    for (index, probe) in chosen.iter().enumerate() {
        progress(index, chosen.len(), probe.id);
        let within = timeout_at(ctx.client.end(), (probe.run)(ctx)).await;
        let outcome = within.unwrap_or(Err(Skip::Limit("time")));
        items.push(Item::of(probe, outcome.unwrap_or_else(|skip| Outcome::Skipped(skip.to_string()))));
    }
    items
}

/// What an auditor asks of a report beside its findings.
async fn facts(ctx: &Context, limits: Limits) -> Vec<Fact> {
    let (calls, time, call) = (limits.calls, limits.time.as_secs(), limits.call.as_secs());
    let mut facts = vec![
        Fact::new("Tool", concat!("portcullis check ", env!("CARGO_PKG_VERSION"))),
        Fact::new("Mapping", &ctx.mapping.name),
        Fact::new("Confirmed", ctx.target.confirmation()),
        Fact::new("Limits", &format!("{calls} calls, {time} s, {call} s a call")),
    ];
    if ctx.target.is_https() {
        let within = timeout(ctx.client.patience(), tls::describe(&ctx.target)).await;
        let said = within.map_or_else(
            |_| "it took too long".to_owned(),
            |said| said.unwrap_or_else(|error| error.to_string()),
        );
        facts.push(Fact::new("TLS", &said));
    }
    facts
}
