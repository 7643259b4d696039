//! Who listens to which room: messages on their way from the database to open sockets.
//!
//! The hub knows neither rows nor sockets. Whoever writes messages [pushes](Room::push) them once they are on
//! disk; every [`Seat`] is woken and [reads](Room::read) what it has not had, from one ring of frames that the
//! whole room shares. An idle socket costs a seat; a slow one costs nothing more, and nobody waits for it.

mod room;
mod seat;

pub use room::{Reading, Room, Submitted, Waiting};
pub use seat::{End, Seat};

use portcullis_security::client_ip::bucket;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::task::TaskTracker;

/// How many sockets may be open at once.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Of one account.
    pub per_user: usize,
    /// Of one network address.
    pub per_ip: usize,
}

/// All open sockets of this process.
pub struct Hub {
    caps: Caps,
    seats: Mutex<Seats>,
    next_id: AtomicU64,
    is_stopping: AtomicBool,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Seats {
    rooms: HashMap<i64, Arc<Room>>,
    by_user: HashMap<i64, Vec<Arc<Seat>>>,
    by_ip: HashMap<IpAddr, usize>,
}

impl Seats {
    /// Forgets a room that nobody listens to or writes into; another may have taken its place already.
    fn release(&mut self, room: &Room) {
        let is_kept = |kept: &Arc<Room>| std::ptr::eq(&raw const **kept, room);
        if room.is_idle() && self.rooms.get(&room.id()).is_some_and(is_kept) {
            self.rooms.remove(&room.id());
        }
    }
}

/// A seat for as long as a socket is open.
pub struct Taken {
    hub: Arc<Hub>,
    seat: Arc<Seat>,
}

/// Too many sockets are open already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Hub {
    /// An empty hub.
    pub fn new(caps: Caps) -> Arc<Self> {
        Arc::new(Self {
            caps,
            seats: Mutex::default(),
            next_id: AtomicU64::new(1),
            is_stopping: AtomicBool::new(false),
            tasks: TaskTracker::new(),
        })
    }

    /// What has to end before the process does.
    pub const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Takes a seat in a room whose newest message had the number `last_seq` a moment ago.
    ///
    /// # Errors
    /// [`Full`] when the account or the address has as many as it may.
    pub fn enter(
        self: &Arc<Self>,
        (room_id, last_seq, version): (i64, i64, i64),
        user_id: i64,
        ip: IpAddr,
    ) -> Result<Taken, Full> {
        let near = bucket(ip);
        let mut seats = self.lock();
        let own = seats.by_user.get(&user_id).map_or(0, Vec::len);
        let neighbours = seats.by_ip.get(&near).copied().unwrap_or(0);
        if own >= self.caps.per_user || neighbours >= self.caps.per_ip {
            return Err(Full);
        }
        let room =
            seats.rooms.entry(room_id).or_insert_with(|| Arc::new(Room::new(room_id, last_seq, version)));
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat::new(id, user_id, near, room.clone()));
        room.add(&seat);
        seats.by_user.entry(user_id).or_default().push(seat.clone());
        *seats.by_ip.entry(near).or_default() += 1;
        drop(seats);
        // Whoever sets it ends all seats after: one of the two sees the other.
        if self.is_stopping.load(Ordering::SeqCst) {
            seat.end(End::GoingAway);
        }
        Ok(Taken { hub: self.clone(), seat })
    }

    /// The rooms that somebody listens to.
    pub fn rooms(&self) -> Vec<Arc<Room>> {
        self.lock().rooms.values().cloned().collect()
    }

    /// How many sockets are open.
    pub fn open(&self) -> usize {
        self.lock().by_user.values().map(Vec::len).sum()
    }

    /// Ends some of the sockets in a room.
    pub fn end_in_room(&self, room_id: i64, which: impl Fn(&Seat) -> bool, end: End) {
        let room = self.lock().rooms.get(&room_id).cloned();
        if let Some(room) = room {
            room.end(which, end);
        }
    }

    /// Asks the sockets of an account whether they may stay.
    pub fn ask_again(&self, user_id: i64) {
        let own = self.lock().by_user.get(&user_id).cloned().unwrap_or_default();
        own.iter().for_each(|seat| seat.ask_again());
    }

    /// Asks every socket whether it may stay.
    pub fn ask_all_again(&self) {
        let all: Vec<_> = self.lock().by_user.values().flatten().cloned().collect();
        all.iter().for_each(|seat| seat.ask_again());
    }

    /// Forgets a room that nobody listens to or writes into.
    pub fn release(&self, room: &Room) {
        self.lock().release(room);
    }

    /// Ends every socket, and those that are still to come.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        let all: Vec<_> = self.lock().by_user.values().flatten().cloned().collect();
        all.iter().for_each(|seat| seat.end(End::GoingAway));
        self.tasks.close();
    }

    fn leave(&self, seat: &Arc<Seat>) {
        let mut seats = self.lock();
        if let Some(own) = seats.by_user.get_mut(&seat.user_id()) {
            own.retain(|other| !Arc::ptr_eq(other, seat));
            if own.is_empty() {
                seats.by_user.remove(&seat.user_id());
            }
        }
        if let Some(near) = seats.by_ip.get_mut(&seat.ip()) {
            *near -= 1;
            if *near == 0 {
                seats.by_ip.remove(&seat.ip());
            }
        }
        seat.room().remove(seat);
        seats.release(seat.room());
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// The seat.
    pub const fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.hub.leave(&self.seat);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn hub() -> Arc<Hub> {
        Hub::new(Caps { per_user: 2, per_ip: 3 })
    }

    #[test]
    fn an_account_and_an_address_have_so_many_seats_and_no_more() {
        let hub = hub();
        let first = hub.enter((1, 0, 0), 1, HERE).unwrap();
        let _second = hub.enter((2, 0, 0), 1, HERE).unwrap();
        assert!(hub.enter((1, 0, 0), 1, HERE).is_err(), "the account's third");
        let _third = hub.enter((1, 0, 0), 2, HERE).unwrap();
        assert!(hub.enter((1, 0, 0), 3, HERE).is_err(), "the address's fourth");
        let household = (1..=4).map(|host| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]));
        let seats: Vec<_> =
            household.zip(4..).map(|(ip, user_id)| hub.enter((1, 0, 0), user_id, ip)).collect();
        assert_eq!(seats.iter().filter(|seat| seat.is_ok()).count(), 3, "a network of IPv6 is one address");
        drop(first);
        assert!(hub.enter((1, 0, 0), 3, HERE).is_ok());
    }

    #[test]
    fn a_room_is_there_for_as_long_as_somebody_listens() {
        let hub = hub();
        let seat = hub.enter((1, 5, 0), 1, HERE).unwrap();
        assert_eq!((hub.rooms().len(), hub.open(), seat.seat().room().last()), (1, 1, 5));
        drop(seat);
        assert_eq!((hub.rooms().len(), hub.open()), (0, 0));
    }

    #[test]
    fn whoever_comes_after_the_stop_is_sent_away_too() {
        let hub = hub();
        let before = hub.enter((1, 0, 0), 1, HERE).unwrap();
        hub.stop();
        let after = hub.enter((1, 0, 0), 2, HERE).unwrap();
        assert_eq!(
            (before.seat().ended(), after.seat().ended()),
            (Some(End::GoingAway), Some(End::GoingAway))
        );
    }
}
