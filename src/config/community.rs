//! `[community]`: whether there is more than accounts, and how much of it at once.

use super::{reader::Reader, spec::Spec};
use std::time::Duration;

pub(super) const SPECS: &[Spec] = &[
    Spec::plain(
        "COMMUNITY__ENABLED",
        "true",
        "Profiles, books, reviews, rooms and search; false makes an account server alone.",
    ),
    Spec::plain(
        "COMMUNITY__SOCKETS_PER_USER",
        "100",
        "WebSockets that one account may have open at once: tabs and devices, each with some rooms. Each takes \
         about 10 KiB of memory.",
    ),
    Spec::plain(
        "COMMUNITY__SOCKETS_PER_IP",
        "5000",
        "WebSockets that one network address (of IPv6 a /64) may have open at once: many people may share one.",
    ),
    Spec::plain(
        "COMMUNITY__PING_EVERY",
        "30s",
        "How often an open WebSocket is asked whether its peer is still there; one that is silent for two such \
         times is dropped. Proxies close what is silent for longer than a minute.",
    ),
];

/// Whether there is more than accounts, and how much of it at once.
#[derive(Clone, Copy, Debug)]
pub struct Community {
    /// Whether profiles, books, reviews, rooms and search are served; true.
    pub enabled: bool,
    /// WebSockets of one account at once; 100, so that nobody holds all memory.
    pub sockets_per_user: u32,
    /// WebSockets of one network address at once; 5,000.
    pub sockets_per_ip: u32,
    /// How often the peer of a WebSocket is asked whether it is there; 30 seconds.
    pub ping_every: Duration,
}

impl Community {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            enabled: reader.required("COMMUNITY__ENABLED"),
            sockets_per_user: reader.required("COMMUNITY__SOCKETS_PER_USER"),
            sockets_per_ip: reader.required("COMMUNITY__SOCKETS_PER_IP"),
            ping_every: reader.required("COMMUNITY__PING_EVERY"),
        }
    }
}
