//! Rooms and what is said in them, over HTTP and WebSockets (guide §9, contract §3).

mod belongings;
mod body;
mod bulk;
mod conversation;
mod flood;
mod frame;
mod history;
mod join;
mod list;
mod members;
mod news;
mod room;
mod socket;
mod store;
mod ticket;
mod unread;
mod upgrade;
mod write;
mod writer;

pub use belongings::FEATURE;
pub use body::NewRoom;
pub use bulk::InsertRooms;
pub use news::{listen, poll};
pub use store::purge;
pub use writer::InsertMessages;

use crate::access::{Door, Limit};
use crate::routes::Routes;
use utoipa_axum::routes;

/// What the tag of these routes is about, for the OpenAPI document.
pub const TAGS: &[(&str, &str)] = &[("rooms", "Rooms, who is in them, and what is said there.")];

/// The table of routes, under `/api`.
pub fn routes(routes: Routes) -> Routes {
    use Door::Closed;
    routes
        .add(Closed, Limit::General, routes!(list::list, write::create))
        .add(Closed, Limit::General, routes!(unread::list))
        .add(Closed, Limit::General, routes!(room::read, write::change, write::delete))
        .add(Closed, Limit::General, routes!(join::join))
        .add(Closed, Limit::General, routes!(join::leave))
        .add(Closed, Limit::General, routes!(members::list, members::add))
        .add(Closed, Limit::General, routes!(members::remove))
        .add(Closed, Limit::General, routes!(history::list))
        .add(Closed, Limit::General, routes!(unread::read))
        .add(Closed, Limit::General, routes!(ticket::issue))
}

/// The table of sockets, under `/ws`.
pub fn sockets(routes: Routes) -> Routes {
    routes.add(Door::Ignoring, Limit::Socket, routes!(socket::open))
}
