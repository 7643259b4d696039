//! Search in words of one's own: by meaning and by word, answered here or by Anthropic's API (guide §12.1, contract
//! §3). docs/search.md says how books are ranked and what leaves the machine.

mod answer;
mod ask;
mod budget;
mod claude;
mod feed;
mod index;
mod meaning;
pub mod measure;
mod rank;
mod reason;
mod stream;
mod text;

pub use budget::FEATURE;

use crate::access::{Door, Limit};
use crate::error::Result;
use crate::routes::Routes;
use crate::state::App;
use claude::Claude;
use feed::Library;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;
use utoipa_axum::routes;

/// What the tag of these routes is about, for the OpenAPI document.
pub const TAGS: &[(&str, &str)] = &[("search", "Books by what they are about, in words of one's own.")];

/// The table of routes, under `/api`.
pub fn routes(routes: Routes, search: &Arc<Search>) -> Routes {
    routes.add(Door::Closed, Limit::AiSearch, routes!(ask::search)).share(search.clone())
}

/// The books in memory, and who else may answer.
pub struct Search {
    library: Library,
    claude: Option<Claude>,
    /// So that a database that is away is told once.
    is_behind: AtomicBool,
    /// The server stops: answers that stream end.
    stop: CancellationToken,
}

impl Search {
    /// An empty one: [`follow`](Self::follow) fills it.
    ///
    /// # Errors
    /// A sentence when Anthropic's API cannot be called from here at all.
    pub fn new(app: &App, stop: CancellationToken) -> Result<Arc<Self>, String> {
        let library = Library::new(app.storage.clone(), app.clock.clone());
        let claude = Claude::new(&app.config.search, app.random.clone())?;
        Ok(Arc::new(Self { library, claude, is_behind: AtomicBool::new(false), stop }))
    }

    /// Fills the index or brings it up to date; to be called every second.
    pub async fn follow(&self) {
        match self.library.follow().await {
            Ok(()) => self.is_behind.store(false, Ordering::Relaxed),
            Err(error) if !self.is_behind.swap(true, Ordering::Relaxed) => {
                tracing::warn!(?error, "the search does not follow the books");
            }
            Err(_) => {}
        }
    }
}

/// Drops news and budgets that are over; to be called every few minutes.
///
/// # Errors
/// When the database does not answer; the next call goes on.
pub async fn clean(app: &App) -> Result<()> {
    app.storage.write(feed::DropNews { now: app.now() }).await?;
    app.storage.write(budget::DropDays { now: app.now() }).await
}
