//! Time, as the driver has it: the wall clock, and a seam for tests.

use std::fmt;
use std::time::SystemTime;

use flow_core::amount::Timestamp;

/// Tells what time it is.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the present instant. It may go back.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        Timestamp(i64::try_from(millis).unwrap_or(i64::MAX))
    }
}
