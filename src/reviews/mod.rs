//! Reviews: what people say about books (guide §7.2, contract §3).

mod belongings;
mod body;
mod bulk;
mod companions;
mod list;
mod owned;
mod slices;
mod store;
mod view;
mod write;

pub use belongings::FEATURE;
pub use body::NewReview;
pub use bulk::InsertReviews;
pub use store::CreateReview;

use crate::access::{Door, Limit};
use crate::routes::Routes;
use utoipa_axum::routes;

/// What the tag of these routes is about, for the OpenAPI document.
pub const TAGS: &[(&str, &str)] = &[("reviews", "What people say about books, for those who may see it.")];

/// The table of routes, under `/api`.
pub fn routes(routes: Routes) -> Routes {
    use Door::{Closed, Open};
    routes
        .add(Open, Limit::General, routes!(list::list))
        .add(Closed, Limit::General, routes!(write::create))
        .add(Open, Limit::General, routes!(view::read))
        .add(Closed, Limit::General, routes!(write::replace, write::change, write::delete))
}
