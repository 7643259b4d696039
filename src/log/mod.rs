//! The log: which lines are written, and how they reach standard error.
//!
//! A server under load writes thousands of lines a second, and a system call for each costs as much as the
//! rest of a cheap request. So lines for machines are gathered for up to 50 ms; from warnings upwards all of
//! them are written at once. A process that is killed loses the last 50 ms of its `info` lines, of its audit
//! log nothing.

mod json;

use crate::config::{Log, LogFormat};
use json::Json;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

const GATHER_FOR: Duration = Duration::from_millis(50);
const GATHER_BYTES: usize = 64 * 1024;

/// Starts the process's log. The lines that wait are written when the value is dropped.
///
/// Only our own words come at the chosen level; what libraries say matters from warnings up, and some of
/// them would print bodies and statements below that.
///
/// # Errors
/// When there is no thread for it.
pub fn start(config: &Log) -> io::Result<Lines> {
    let filter = format!("warn,portcullis={0},portcullis_security={0}", config.level.as_str());
    // It would report a line that cannot be written to where it cannot be written, and panic.
    let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).log_internal_errors(false);
    let lines = Lines::default();
    match config.format {
        LogFormat::Pretty => log.with_writer(io::stderr).init(),
        LogFormat::Json => {
            let gathering = lines.clone();
            std::thread::Builder::new().name("log".to_owned()).spawn(move || gathering.write_for_ever())?;
            log.event_format(Json).with_writer(Handle(lines.clone())).init();
        }
    }
    Ok(lines)
}

/// Lines that wait to be written.
#[derive(Clone, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Vec<u8>>,
    arrived: Condvar,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8], is_urgent: bool) {
        let mut waiting = self.lock();
        if waiting.is_empty() {
            self.0.arrived.notify_one();
        }
        waiting.extend_from_slice(line);
        if is_urgent || waiting.len() > GATHER_BYTES {
            write(&mut waiting);
        }
    }

    fn write_for_ever(&self) {
        loop {
            let waiting = self.lock();
            let waiting = self.0.arrived.wait_while(waiting, |waiting| waiting.is_empty());
            drop(waiting);
            std::thread::sleep(GATHER_FOR);
            write(&mut self.lock());
        }
    }
}

/// Nobody can be told that standard error is closed.
fn write(waiting: &mut Vec<u8>) {
    let _ = io::stderr().write_all(waiting);
    waiting.clear();
}

impl Drop for Lines {
    fn drop(&mut self) {
        write(&mut self.lock());
    }
}

/// What the formatter writes to.
struct Handle(Lines);

/// Takes one line.
struct Line<'a> {
    lines: &'a Lines,
    is_urgent: bool,
}

impl<'a> MakeWriter<'a> for Handle {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { lines: &self.0, is_urgent: true }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        Line { lines: &self.0, is_urgent: *metadata.level() <= Level::WARN }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.add(line, self.is_urgent);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
