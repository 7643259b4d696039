//! Bounded probes of a running account server, and a report with OWASP ASVS 5.0 ids.
//!
//! A [`Target`] says where the server is and that it may be probed, a [`Mapping`] what its routes and fields are
//! called, and [`run`] asks. Every [`Probe`] looks for one hole and ends in one [`Outcome`]: found with evidence,
//! passed, or skipped with the reason. A call that fails is a skipped probe, never a passed one.
//!
//! Passive probes send what any visitor may send and change nothing. Active ones make accounts, and need a
//! [`Mailbox`] in which the server's mails arrive.
//!
//! ```no_run
//! # async fn probe() -> Result<(), Box<dyn std::error::Error>> {
//! use portcullis_probe::{Mapping, Options, Target, run};
//! let target = Target::parse("http://127.0.0.1:8000", None)?;
//! let report = run(Options::new(target, Mapping::default())).await?;
//! println!("{}", portcullis_probe::report::text(&report, false));
//! # Ok(()) }
//! ```

mod active;
mod answer;
mod client;
mod cookies;
mod evidence;
mod json;
mod mailbox;
mod mapping;
mod passive;
mod probe;
pub mod report;
mod request;
mod run;
mod socket;
mod target;
mod tls;

pub use answer::{Answer, Verdict};
pub use client::{Client, Limits};
pub use evidence::Evidence;
pub use mailbox::{Letter, Mailbox};
pub use mapping::{Mapping, MappingError, Path, Route};
pub use probe::{Context, Mode, Outcome, Probe, Running, Severity, Skip};
pub use report::{Item, Report, Status};
pub use request::Request;
pub use run::{CannotRun, Options, Progress, probes, run};
pub use socket::{Knock, Opened};
pub use target::{Target, TargetError};
