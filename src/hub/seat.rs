//! One open socket's place in a room.

use super::room::Room;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use tokio::sync::Notify;

/// Why a socket ends, beside what its peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum End {
    /// The credentials are none, or no longer good.
    Unauthorised = 1,
    /// The room is not the user's to hear, or no longer there.
    Forbidden,
    /// The server stops.
    GoingAway,
    /// It reads more slowly than the others talk, or there are too many sockets.
    TryAgain,
    /// It breaks the protocol.
    Protocol,
    /// It sent bytes that are no text.
    Binary,
    /// It sent a text that is not UTF-8.
    BadText,
    /// It sent too much at once.
    TooBig,
    /// It sends too often.
    Flooding,
    /// It is gone, or as good as: there is nobody to tell.
    Silent,
}

impl End {
    const ALL: [Self; 10] = [
        Self::Unauthorised,
        Self::Forbidden,
        Self::GoingAway,
        Self::TryAgain,
        Self::Protocol,
        Self::Binary,
        Self::BadText,
        Self::TooBig,
        Self::Flooding,
        Self::Silent,
    ];

    /// The close code (RFC 6455 §7.4.1, contract §3) and its reason; `None` where nobody is to be told.
    pub const fn close(self) -> Option<(u16, &'static str)> {
        Some(match self {
            Self::Unauthorised => (4001, "unauthorised"),
            Self::Forbidden => (4003, "forbidden"),
            Self::GoingAway => (1001, "the server stops"),
            Self::TryAgain => (1013, "try again later"),
            Self::Protocol => (1002, "protocol error"),
            Self::Binary => (1003, "text only"),
            Self::BadText => (1007, "not UTF-8"),
            Self::TooBig => (1009, "too big"),
            Self::Flooding => (1008, "too many frames"),
            Self::Silent => return None,
        })
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|end| *end as u8 == code)
    }
}

/// One open socket's place in a room. Whatever happens to it wakes the socket's task, which looks what it was.
pub struct Seat {
    id: u64,
    user_id: i64,
    ip: IpAddr,
    room: Arc<Room>,
    wake: Notify,
    end: AtomicU8,
    is_asked: AtomicBool,
    failures: AtomicU32,
}

impl Seat {
    pub(super) fn new(id: u64, user_id: i64, ip: IpAddr, room: Arc<Room>) -> Self {
        let (end, is_asked, failures) = (AtomicU8::new(0), AtomicBool::new(false), AtomicU32::new(0));
        Self { id, user_id, ip, room, wake: Notify::new(), end, is_asked, failures }
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    pub(super) const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Whose it is.
    pub const fn user_id(&self) -> i64 {
        self.user_id
    }

    /// Where it is.
    pub const fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Returns when something has happened since the last time.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Lets the socket's task look what has happened.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends the socket; what comes first counts.
    pub fn end(&self, end: End) {
        let _ = self.end.compare_exchange(0, end as u8, Ordering::SeqCst, Ordering::SeqCst);
        self.wake();
    }

    /// Why the socket has to end, if it has.
    pub fn ended(&self) -> Option<End> {
        End::from_code(self.end.load(Ordering::SeqCst))
    }

    /// Asks the socket whether it may stay.
    pub fn ask_again(&self) {
        self.is_asked.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Whether it was asked since the last time.
    pub fn take_question(&self) -> bool {
        // The common case reads and does not write: all seats of a room are woken at once.
        self.is_asked.load(Ordering::SeqCst) && self.is_asked.swap(false, Ordering::SeqCst)
    }

    /// Tells the socket that a message of its was not stored.
    pub fn fail(&self) {
        self.failures.fetch_add(1, Ordering::SeqCst);
        self.wake();
    }

    /// How many messages were not stored since the last time.
    pub fn take_failures(&self) -> u32 {
        match self.failures.load(Ordering::SeqCst) {
            0 => 0,
            _ => self.failures.swap(0, Ordering::SeqCst),
        }
    }
}
