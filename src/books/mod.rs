//! Books: what reviews are about; staff keep them (contract §3).

use crate::routes::Routes;

/// The table of routes, under `/api`.
pub const fn routes(routes: Routes) -> Routes {
    routes
}
