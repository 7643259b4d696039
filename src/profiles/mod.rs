//! Profiles and who sees them: settings, follows, blocks, and the mails about them (guide §7, contract §3).

mod avatar;
mod belongings;
mod block;
mod follow;
pub mod letters;
pub mod media;
mod own;
mod person;
mod preferences;
mod requests;
mod show;
mod store;
mod unsubscribe;

pub use belongings::FEATURE;

use crate::access::{Door, Limit};
use crate::routes::Routes;
use utoipa_axum::routes;

/// What the tags of these routes are about, for the OpenAPI document.
pub const TAGS: &[(&str, &str)] = &[
    ("profiles", "What people show of themselves, to whom, and which mails they want."),
    ("follows", "Following somebody, and letting oneself be followed."),
    ("blocks", "People who see nothing of each other."),
];

/// The table of routes, under `/api`.
pub fn routes(routes: Routes) -> Routes {
    use Door::{Closed, Ignoring, Open};
    routes
        .add(Closed, Limit::General, routes!(own::read, own::update))
        .add(Closed, Limit::General, routes!(avatar::upload, avatar::remove))
        .add(Open, Limit::General, routes!(show::show))
        .add(Closed, Limit::General, routes!(follow::follow, follow::unfollow))
        .add(Closed, Limit::General, routes!(requests::list))
        .add(Closed, Limit::General, routes!(requests::approve))
        .add(Closed, Limit::General, routes!(requests::reject))
        .add(Closed, Limit::General, routes!(block::block, block::unblock))
        .add(Closed, Limit::General, routes!(block::list))
        .add(Ignoring, Limit::General, routes!(unsubscribe::ask, unsubscribe::unsubscribe))
}
