//! Reviews: what people say about books (guide §7.2, contract §3).

use crate::routes::Routes;

/// The table of routes, under `/api`.
pub const fn routes(routes: Routes) -> Routes {
    routes
}
