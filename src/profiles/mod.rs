//! Profiles and who sees them: settings, follows, blocks (guide §7, contract §3).

mod belongings;

pub use belongings::FEATURE;

use crate::routes::Routes;

/// The table of routes, under `/api`.
pub const fn routes(routes: Routes) -> Routes {
    routes
}
