//! `[log]`: how much is logged and in which shape.

use super::{parse::Parse, reader::Reader, spec::Spec};
use std::time::Duration;

pub(super) const SPECS: &[Spec] = &[
    Spec::plain("LOG__FORMAT", "pretty", "pretty for people, json for machines (the default in production).")
        .in_production("json"),
    Spec::plain("LOG__LEVEL", "info", "off, error, warn, info, debug or trace."),
    Spec::plain(
        "LOG__EVENTS_KEPT",
        "365d",
        "How long security events stay in the database; those of an account go with it.",
    ),
];

/// How much is logged and in which shape.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// The shape of a line; for people in development, for machines in production.
    pub format: LogFormat,
    /// The least important lines that are written; info.
    pub level: LogLevel,
    /// How long security events stay in the database; 365 days.
    pub events_kept: Duration,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// How important a log line must be to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// And what may fail soon.
    Warn,
    /// And what happened.
    #[default]
    Info,
    /// And why.
    Debug,
    /// And how.
    Trace,
}

impl LogLevel {
    /// The word that `tracing` uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Parse for LogFormat {
    const EXPECTED: &'static str = "pretty or json";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "pretty" => Some(Self::Pretty),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn stand_in() -> Self {
        Self::default()
    }
}

impl Parse for LogLevel {
    const EXPECTED: &'static str = "off, error, warn, info, debug or trace";

    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace]
            .into_iter()
            .find(|level| level.as_str() == text)
    }

    fn stand_in() -> Self {
        Self::default()
    }
}

impl Log {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            format: reader.required("LOG__FORMAT"),
            level: reader.required("LOG__LEVEL"),
            events_kept: reader.required("LOG__EVENTS_KEPT"),
        }
    }
}
