//! Measures a release build of the server against the limits of this machine, and prints a page of Markdown:
//! `make bench`. Server and client are processes of their own, the server on core 0, the client on core 1,
//! since the cost of a call is the CPU time that its server used, not the time that passed. With `--chat` only rooms
//! are measured.

mod avatar;
mod bare;
mod cases;
mod chat;
mod client;
mod community;
mod load;
mod report;
mod server;
mod socket;

use report::Report;
use std::error::Error;
use std::io::Write;

/// What a measurement may end with; the text says what to do.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    if std::env::args().any(|argument| argument == bare::FLAG) {
        return bare::serve();
    }
    server::pin_self()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure())?;
    std::io::stdout().write_all(report.to_markdown()?.as_bytes())?;
    Ok(())
}

async fn measure() -> Outcome<Report> {
    let mut report = Report::default();
    let data = server::seeded_data()?;
    if std::env::args().any(|argument| argument == chat::FLAG) {
        chat::measure(&data, &mut report).await?;
        return Ok(report);
    }
    cases::size(&mut report)?;
    cases::start(&data, &mut report).await?;
    cases::read(&data, &mut report).await?;
    cases::refresh(&data, &mut report).await?;
    cases::login_cost(&data, &mut report).await?;
    cases::avatar(&data, &mut report).await?;
    cases::flood(&data, &mut report).await?;
    chat::measure(&data, &mut report).await?;
    community::lists(&data, &mut report).await?;
    community::write(&data, &mut report).await?;
    Ok(report)
}
