//! What tests of power cuts see of a store, and what they may break in it.
//!
//! A killed process can't show that something was not durable: the machine
//! remembers what was written. A test that cuts the power has to know what was
//! durable at a moment, and loses all the rest.

use flow_core::digest::Digest;

/// Something that is durable now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncPoint {
    /// The log of the database, up to this many bytes. It is told after the
    /// log was synced, so everything up to there survives.
    Log {
        /// How long the log is.
        length: u64,
    },
    /// Blobs, with their names.
    Blobs(Vec<Digest>),
}

/// Is told of everything that becomes durable, by the thread that writes.
pub trait SyncObserver: Send + Sync {
    /// Takes note of one sync.
    fn synced(&self, point: &SyncPoint);
}

/// Faults that tests put into a store, to see that they are noticed. There are
/// none by default, and nothing but tests makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// What should be synced is only written.
    pub synced_as_lazy: bool,
    /// Blobs are not made durable before what refers to them.
    pub blobs_unsynced: bool,
    /// The barrier after lazy commits changes no page, so that nothing is
    /// synced by it.
    pub barrier_without_page: bool,
    /// The disk is full as soon as the database has so many pages; the ballast
    /// counts as as many as fit into it.
    pub pages_max: Option<u32>,
}
