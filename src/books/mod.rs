//! Books: what reviews are about; staff keep them (contract §3).

mod body;
mod catalogue;
mod figures;
pub mod import;
pub mod isbn;
mod list;
mod store;

pub use body::NewBook;
pub use store::InsertBooks;

use crate::access::{Door, Limit};
use crate::routes::Routes;
use utoipa_axum::routes;

/// What the tag of these routes is about, for the OpenAPI document.
pub const TAGS: &[(&str, &str)] = &[("books", "What people write reviews of; staff keep the list.")];

/// The table of routes, under `/api`.
pub fn routes(routes: Routes) -> Routes {
    use Door::{Closed, Open};
    routes
        .add(Open, Limit::General, routes!(list::list))
        .add(Closed, Limit::General, routes!(catalogue::create))
        .add(Open, Limit::General, routes!(catalogue::read))
        .add(Closed, Limit::General, routes!(catalogue::update, catalogue::delete))
}
