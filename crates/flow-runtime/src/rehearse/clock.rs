//! A time that is only a number.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flow_core::amount::Timestamp;

use crate::clock::Clock;

/// A clock that stands still until it is told to go on. Copies of it show the
/// same time.
#[derive(Debug, Clone)]
pub struct SimulatedClock(Arc<AtomicI64>);

impl SimulatedClock {
    /// Sets a clock.
    pub fn at(instant: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(instant.0)))
    }

    /// Returns the time.
    pub fn get(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }

    /// Goes on to an instant; it never goes back.
    pub fn go_on_to(&self, instant: Timestamp) {
        self.0.fetch_max(instant.0, Ordering::Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.get()
    }
}
