//! Breakers: a pool that fails again and again is left alone for a while.
//!
//! After that one attempt is let through, and what becomes of it decides. A
//! success closes a breaker whoever brings it. Failures that say nothing about
//! the other side's health, such as a wrong argument, change nothing.

use crate::amount::{Duration, Timestamp};
use crate::effect::FailureClass;

use super::demand::HoldId;
use super::rate::back;

/// How a pool stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Breaker {
    /// How often it has failed since it last worked.
    pub failures: u32,
    /// Whether attempts are let through.
    pub state: BreakerState,
}

/// Whether attempts are let through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BreakerState {
    /// They are.
    #[default]
    Closed,
    /// None is, until an instant.
    Open {
        /// The instant.
        until: Timestamp,
    },
    /// One is: the next, or the one that is out.
    HalfOpen {
        /// The one that is out.
        probe: Option<HoldId>,
    },
}

/// Whether a breaker lets an attempt through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// It does.
    Free,
    /// It does, and the attempt decides how it goes on.
    Probe,
    /// It doesn't, before this instant if it is known.
    Barred(Option<Timestamp>),
}

/// How an attempt ended, as far as its pools are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It succeeded.
    Success,
    /// It failed.
    Failure(FailureClass),
    /// It was stopped or lost, which says nothing.
    Silence,
}

impl Breaker {
    /// Says whether an attempt is let through.
    pub(super) fn passage(&self, now: Timestamp) -> Passage {
        match &self.state {
            BreakerState::Closed => Passage::Free,
            BreakerState::Open { until } if *until > now => Passage::Barred(Some(*until)),
            BreakerState::Open { .. } | BreakerState::HalfOpen { probe: None } => Passage::Probe,
            BreakerState::HalfOpen { probe: Some(_) } => Passage::Barred(None),
        }
    }

    /// Returns whether an attempt is the one that was let through.
    pub(super) fn is_probe(&self, hold: &HoldId) -> bool {
        matches!(&self.state, BreakerState::HalfOpen { probe: Some(probe) } if probe == hold)
    }

    /// Moves it in time with a clock that was set back.
    pub(super) fn shift(&mut self, by: Duration) {
        match &mut self.state {
            BreakerState::Open { until } => *until = back(*until, by),
            BreakerState::Closed | BreakerState::HalfOpen { .. } => {}
        }
    }
}

impl Ending {
    /// Returns whether it counts against a pool.
    pub fn counts(self) -> bool {
        match self {
            Self::Success | Self::Silence => false,
            Self::Failure(class) => match class {
                FailureClass::Transient | FailureClass::Timeout | FailureClass::Capacity => true,
                FailureClass::RateLimited
                | FailureClass::Invalid
                | FailureClass::Auth
                | FailureClass::Policy
                | FailureClass::Budget
                | FailureClass::Expired
                | FailureClass::Bug
                | FailureClass::UnknownOutcome => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{RunId, Ticket};

    fn hold(attempt: u32) -> HoldId {
        HoldId {
            run: RunId("r".into()),
            ticket: Ticket {
                attempt,
                ..Ticket::default()
            },
        }
    }

    #[test]
    fn an_open_breaker_lets_one_through_when_its_time_is_over() {
        let breaker = |state| Breaker { failures: 3, state };
        let open = breaker(BreakerState::Open {
            until: Timestamp(10),
        });
        assert_eq!(
            open.passage(Timestamp(9)),
            Passage::Barred(Some(Timestamp(10)))
        );
        assert_eq!(open.passage(Timestamp(10)), Passage::Probe);
        let half = breaker(BreakerState::HalfOpen { probe: None });
        assert_eq!(half.passage(Timestamp(9)), Passage::Probe);
        let probing = breaker(BreakerState::HalfOpen {
            probe: Some(hold(1)),
        });
        assert_eq!(probing.passage(Timestamp(99)), Passage::Barred(None));
        assert!(probing.is_probe(&hold(1)));
        assert!(!probing.is_probe(&hold(2)));
        assert!(!half.is_probe(&hold(1)));
        assert_eq!(Breaker::default().passage(Timestamp(0)), Passage::Free);
    }

    #[test]
    fn only_failures_of_the_other_side_count() {
        let counting: Vec<_> = FailureClass::ALL
            .into_iter()
            .filter(|class| Ending::Failure(*class).counts())
            .map(FailureClass::word)
            .collect();
        assert_eq!(counting, ["transient", "timeout", "capacity"]);
        assert!(!Ending::Success.counts());
        assert!(!Ending::Silence.counts());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_prolong_it() {
        let mut breaker = Breaker {
            failures: 3,
            state: BreakerState::Open {
                until: Timestamp(100),
            },
        };
        breaker.shift(Duration(40 * Duration::MILLISECOND.0));
        assert_eq!(breaker.passage(Timestamp(60)), Passage::Probe);
    }
}
