//! Profiles and who sees them: settings, follows, blocks (guide §7, contract §3).

mod belongings;

pub use belongings::FEATURE;

use crate::routes::Routes;

/// What the tags of these routes are about, for the OpenAPI document.
pub const TAGS: &[(&str, &str)] = &[
    ("profiles", "What people show of themselves, and which mails they want."),
    ("follows", "Following somebody, and letting oneself be followed."),
    ("blocks", "People who see nothing of each other."),
];

/// The table of routes, under `/api`.
pub const fn routes(routes: Routes) -> Routes {
    routes
}
