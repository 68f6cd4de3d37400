//! Rates: how many attempts may begin in a stretch of time.
//!
//! A bucket of tokens is kept as the instant at which it would be full again,
//! so that it needs no timer and one number. What is asked for comes with the
//! arbiter's own time, which never goes back.

use crate::amount::{Duration, Timestamp};

use super::terms::Rate;

/// A bucket of tokens, and whether its pool is left in peace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket {
    /// When it is full again, counted from 1970.
    pub full_at: Duration,
    /// Until when the other side asked for patience.
    pub paused: Option<Timestamp>,
}

impl Bucket {
    /// Returns the bucket after a token was taken.
    pub(super) fn without_one(self, rate: Rate, now: Timestamp) -> Self {
        let full_at = self.full_at.0.max(nanos(now));
        Self {
            full_at: Duration(full_at.saturating_add(interval(rate))),
            ..self
        }
    }

    /// Returns the instant from which there is a token, if there is none now.
    pub(super) fn next(self, rate: Rate, now: Timestamp) -> Option<Timestamp> {
        let step = interval(rate);
        let capacity = step.saturating_mul(i64::from(rate.burst.get()));
        // With a token less it may be full again so much later, and no more.
        let from = self.full_at.0.saturating_add(step).saturating_sub(capacity);
        if from <= nanos(now) {
            return None;
        }
        let unit = Duration::MILLISECOND.0;
        let millis = from.div_euclid(unit);
        let up = i64::from(from.rem_euclid(unit) != 0);
        Some(Timestamp(millis.saturating_add(up)))
    }

    /// Returns the instant until which the pool is left in peace.
    pub(super) fn pause(self, now: Timestamp) -> Option<Timestamp> {
        self.paused.filter(|until| *until > now)
    }

    /// Moves it in time with a clock that was set back.
    pub(super) fn shift(&mut self, by: Duration) {
        self.full_at = Duration(self.full_at.0.saturating_sub(by.0));
        if let Some(until) = &mut self.paused {
            *until = back(*until, by);
        }
    }
}

/// Returns an instant so much earlier.
pub(super) fn back(instant: Timestamp, by: Duration) -> Timestamp {
    instant.checked_sub(by).unwrap_or(Timestamp(i64::MIN))
}

/// Returns how long one token takes, rounded up: never too many.
fn interval(rate: Rate) -> i64 {
    let burst = i64::from(rate.burst.get());
    let per = rate.per.0.max(0);
    per / burst + i64::from(per % burst != 0)
}

fn nanos(instant: Timestamp) -> i64 {
    instant.0.saturating_mul(Duration::MILLISECOND.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn rate(burst: u32, per: Duration) -> Rate {
        Rate {
            burst: NonZeroU32::new(burst).unwrap(),
            per,
        }
    }

    #[test]
    fn a_burst_is_followed_by_a_steady_flow() {
        let rate = rate(3, Duration(300 * Duration::MILLISECOND.0));
        let mut bucket = Bucket::default();
        let mut now = Timestamp(1_000_000);
        let mut taken = Vec::new();
        for _ in 0..6 {
            if let Some(next) = bucket.next(rate, now) {
                assert!(next > now);
                assert!(bucket.next(rate, Timestamp(next.0 - 1)).is_some());
                now = next;
            }
            bucket = bucket.without_one(rate, now);
            taken.push(now.0 - 1_000_000);
        }
        assert_eq!(taken, [0, 0, 0, 100, 200, 300]);
        // After a rest it is full, and not fuller.
        now = Timestamp(2_000_000);
        for _ in 0..3 {
            assert_eq!(bucket.next(rate, now), None);
            bucket = bucket.without_one(rate, now);
        }
        assert_eq!(bucket.next(rate, now), Some(Timestamp(2_000_100)));
    }

    #[test]
    fn odd_rates_give_no_more_than_they_say() {
        let rate = rate(7, Duration::SECOND);
        let mut bucket = Bucket::default();
        let mut now = Timestamp(0);
        let mut count = 0;
        while now.0 < 60_000 {
            if let Some(next) = bucket.next(rate, now) {
                now = next;
                continue;
            }
            bucket = bucket.without_one(rate, now);
            count += 1;
        }
        assert!((7 * 60..=7 * 61).contains(&count), "{count}");
    }

    #[test]
    fn rates_without_a_time_never_wait() {
        for per in [Duration(0), Duration(-5)] {
            let mut bucket = Bucket::default();
            for _ in 0..10 {
                assert_eq!(bucket.next(rate(1, per), Timestamp(5)), None);
                bucket = bucket.without_one(rate(1, per), Timestamp(5));
            }
        }
    }

    #[test]
    fn far_instants_do_not_wrap() {
        let slow = rate(1, Duration(i64::MAX));
        let bucket = Bucket::default().without_one(slow, Timestamp(i64::MAX));
        assert_eq!(bucket.full_at, Duration(i64::MAX));
        assert_eq!(bucket.next(slow, Timestamp(i64::MAX)), None);
    }

    #[test]
    fn a_pause_is_over_at_its_instant() {
        let mut bucket = Bucket {
            paused: Some(Timestamp(10)),
            ..Bucket::default()
        };
        assert_eq!(bucket.pause(Timestamp(9)), Some(Timestamp(10)));
        assert_eq!(bucket.pause(Timestamp(10)), None);
        bucket.shift(Duration(4 * Duration::MILLISECOND.0));
        assert_eq!(bucket.paused, Some(Timestamp(6)));
    }
}
