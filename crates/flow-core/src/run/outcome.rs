//! What follows a failure: again, something else, a question, or nothing.

use crate::amount::{Duration, Money, Timestamp};
use crate::effect::{Act, Effect, FailureClass};
use crate::event::{Counts, Failure, Same, Then};
use crate::expr::Expr;
use crate::handle::Values;
use crate::key;
use crate::plan::{ATTEMPTS_DEFAULT, NodeKind, OnLost, Policies, Retry};
use crate::step::{Bill, Sent};
use crate::value::Value;

use super::Run;
use super::scope::Place;
use super::state::{CellId, Running, StepState, Stop};

/// The first and the longest pause before another attempt, if nothing is said.
const BACKOFF: (Duration, Duration) = (Duration::SECOND, Duration::MINUTE);

/// How long a target gets before it is asked whether an act happened: some
/// keep what arrived only a little later.
const SETTLE: Duration = Duration(2 * Duration::SECOND.0);

/// How often the other side may ask for patience before that counts.
const PATIENCE_MAX: u32 = 100;

/// How an attempt ended that didn't succeed.
pub(super) struct Ended<'a> {
    pub(super) failure: &'a Failure,
    pub(super) sent: Sent,
    pub(super) retry_after: Option<Duration>,
}

impl Run {
    /// Returns what an attempt counts as having cost.
    pub(super) fn bill_of(running: &Running, sent: Sent, bill: Option<Bill>) -> Bill {
        match (bill, sent) {
            (Some(bill), _) => bill,
            (None, Sent::No | Sent::Refused) => Bill::None,
            (None, Sent::Maybe) if running.hold > Money(0) => Bill::Presumed(running.hold),
            (None, Sent::Maybe) => Bill::None,
        }
    }

    /// Returns what follows an attempt that ended without success.
    pub(super) fn after(
        &self,
        cell: CellId,
        ended: &Ended<'_>,
        now: Timestamp,
        values: &dyn Values,
    ) -> Then {
        let Some(step) = self.step(cell) else {
            return Then::Fail;
        };
        let Some(running) = step.phase.running() else {
            return Then::Fail;
        };
        // That a second request didn't get out says nothing about the first.
        let is_open = match ended.sent {
            Sent::Maybe => running.effect.acts(),
            Sent::No => step.open.is_some(),
            Sent::Refused => false,
        };
        if self.is_unwanted(cell, running) || is_open && running.stop == Some(Stop::Within) {
            let is_probed = running.effect == Effect::Act(Act::Probed);
            return match (is_open, is_probed) {
                (true, true) => probe(now),
                (true, false) => Then::Unknown,
                (false, _) => Then::Cut,
            };
        }
        if is_open {
            return self.after_open(cell, step, running, ended, now, values);
        }
        if running.stop == Some(Stop::Within) {
            return self.way_out_of_step(cell, ended.failure);
        }
        // A target that knows keys charges once for what may have arrived.
        let same = if ended.sent == Sent::Maybe {
            Same::Act
        } else {
            Same::No
        };
        self.retry(cell, step, ended, same, now, values)
            .unwrap_or_else(|| self.way_out_of_step(cell, ended.failure))
    }

    /// Returns whether nobody waits for an attempt any more.
    pub(super) fn is_unwanted(&self, cell: CellId, running: &Running) -> bool {
        self.frames.get(cell.frame).is_cut || running.stop == Some(Stop::Cut)
    }

    /// Returns what follows an act of which nobody knows whether it happened.
    fn after_open(
        &self,
        cell: CellId,
        step: &StepState,
        running: &Running,
        ended: &Ended<'_>,
        now: Timestamp,
        values: &dyn Values,
    ) -> Then {
        match running.effect {
            Effect::Act(Act::Keyed(window)) if is_inside(window, step, now) => {
                let patient = Ended {
                    failure: &Failure::new(FailureClass::Transient, ""),
                    sent: ended.sent,
                    retry_after: ended.retry_after,
                };
                self.retry(cell, step, &patient, Same::Act, now, values)
                    .unwrap_or(Then::Unknown)
            }
            Effect::Act(Act::Probed) => probe(now),
            Effect::Act(Act::Keyed(_) | Act::Once) | Effect::Pure | Effect::Read | Effect::Paid => {
                Then::Unknown
            }
        }
    }

    /// Returns what follows an attempt that ended with its owner.
    pub(super) fn after_loss(&self, cell: CellId, now: Timestamp) -> (Bill, Then) {
        let nothing = (Bill::None, Then::Cut);
        let Some(step) = self.step(cell) else {
            return nothing;
        };
        let Some(running) = step.phase.running() else {
            return nothing;
        };
        let bill = Self::bill_of(running, Sent::Maybe, None);
        let again = |same| Then::Again {
            wake: now,
            same,
            counts: Counts::No,
        };
        let is_unwanted = self.is_unwanted(cell, running);
        let is_late = running.stop == Some(Stop::Within);
        let then = match running.effect {
            Effect::Act(Act::Probed) => probe(now),
            Effect::Act(Act::Keyed(window))
                if !is_unwanted && !is_late && is_inside(window, step, now) =>
            {
                again(Same::Act)
            }
            Effect::Act(Act::Keyed(_) | Act::Once) => Then::Unknown,
            Effect::Pure | Effect::Read | Effect::Paid if is_unwanted => Then::Cut,
            Effect::Pure | Effect::Read | Effect::Paid if is_late => {
                self.way_out_of_step(cell, &super::fold::late())
            }
            Effect::Pure | Effect::Read => again(Same::No),
            Effect::Paid => match self.policies(cell).and_then(|policies| policies.on_lost) {
                Some(OnLost::Ask) => Then::Unknown,
                Some(OnLost::Fail) => self.way_out_of_step(cell, &super::fold::lost()),
                // Once, and no more: who dies of a call would pay for ever.
                // Nobody knows whether it happened: who knows the key charges once.
                Some(OnLost::Again) | None if step.lost == 0 => again(Same::Act),
                Some(OnLost::Again) | None => Then::Fail,
            },
        };
        (bill, then)
    }

    /// Returns what follows when a target doesn't know of an act.
    pub(super) fn after_probe(
        &self,
        cell: CellId,
        is_known: Known,
        now: Timestamp,
        values: &dyn Values,
    ) -> Then {
        let step = self.step(cell);
        let Some((step, running)) = step.and_then(|step| Some((step, step.phase.running()?)))
        else {
            return Then::Fail;
        };
        if is_known == Known::CannotTell {
            return Then::Unknown;
        }
        if self.is_unwanted(cell, running) {
            return Then::Cut;
        }
        if running.stop == Some(Stop::Within) {
            return self.way_out_of_step(cell, &super::fold::late());
        }
        let again = |counts| Then::Again {
            wake: now,
            same: Same::No,
            counts,
        };
        match &step.failure {
            // Its owner died: that was no attempt of its own.
            Some(failure) if failure.class == FailureClass::UnknownOutcome => again(Counts::No),
            None => again(Counts::No),
            Some(failure) => {
                let retry = self.policies(cell).and_then(|found| found.retry.as_ref());
                if step.used + 1 < attempts(retry, Place::of_cell(self, cell, values)) {
                    again(Counts::Yes)
                } else {
                    self.way_out_of_step(cell, failure)
                }
            }
        }
    }

    /// Returns when a step is tried again, if it is.
    fn retry(
        &self,
        cell: CellId,
        step: &StepState,
        ended: &Ended<'_>,
        same: Same,
        now: Timestamp,
        values: &dyn Values,
    ) -> Option<Then> {
        let retry = self.policies(cell)?.retry.as_ref();
        let class = ended.failure.class;
        if !is_retried(retry, class) {
            return None;
        }
        let is_patient = class == FailureClass::RateLimited && step.patience < PATIENCE_MAX;
        let used = step.used + 1;
        let place = Place::of_cell(self, cell, values);
        if !is_patient && used >= attempts(retry, place) {
            return None;
        }
        let nth = if is_patient { step.patience + 1 } else { used };
        let pause = self.pause_before(cell, retry, nth, values);
        let pause = pause.max(ended.retry_after.unwrap_or_default());
        Some(Then::Again {
            wake: now.checked_add(pause).unwrap_or(now),
            same,
            counts: if is_patient { Counts::No } else { Counts::Yes },
        })
    }

    fn pause_before(
        &self,
        cell: CellId,
        retry: Option<&Retry>,
        nth: u32,
        values: &dyn Values,
    ) -> Duration {
        let (first, longest) = retry.and_then(|retry| retry.backoff).unwrap_or(BACKOFF);
        let path = self.path(&self.at_of(cell), values);
        key::backoff(self.start.seed, &path, nth, first, longest)
    }

    /// Returns what is done about a step that has failed for good.
    pub(super) fn way_out_of_step(&self, cell: CellId, failure: &Failure) -> Then {
        if let Some(step) = self.step(cell)
            && step.open.is_some()
            && step.phase.running().is_none()
        {
            return Then::Unknown;
        }
        let has_fallback = self.shape.node(self.node_of(cell)).has_fallback;
        if has_fallback && failure.class != FailureClass::UnknownOutcome {
            Then::FallBack
        } else {
            Then::Fail
        }
    }

    /// Returns what is done about a region that has failed.
    pub(super) fn way_out_of_region(
        &self,
        cell: CellId,
        failure: &Failure,
        now: Timestamp,
        values: &dyn Values,
    ) -> Then {
        let Some(region) = self.region(cell) else {
            return Then::Fail;
        };
        if let NodeKind::Workflow(workflow) = self.kind_of(cell)
            && let Some(retry) = &workflow.policies.retry
            && is_retried(Some(retry), failure.class)
            && region.tries < attempts(Some(retry), Place::of_cell(self, cell, values))
        {
            let pause = self.pause_before(cell, Some(retry), region.tries, values);
            return Then::Again {
                wake: now.checked_add(pause).unwrap_or(now),
                same: Same::No,
                counts: Counts::Yes,
            };
        }
        self.way_out_of_step(cell, failure)
    }

    pub(super) fn policies(&self, cell: CellId) -> Option<&Policies> {
        match self.kind_of(cell) {
            NodeKind::Step(step) => Some(&step.policies),
            NodeKind::Workflow(workflow) => Some(&workflow.policies),
            NodeKind::Value(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => None,
        }
    }
}

/// What a target knows of an act that it doesn't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Not,
    CannotTell,
}

fn probe(now: Timestamp) -> Then {
    Then::Probe {
        wake: now.checked_add(SETTLE).unwrap_or(now),
    }
}

/// Returns whether a target still keeps its promise about a key. The last tenth
/// of the time is left to the request, which takes its own to get there.
pub(super) fn is_inside(window: Option<Duration>, step: &StepState, now: Timestamp) -> bool {
    let (Some(window), Some(since)) = (window, step.era_since) else {
        return true;
    };
    let window = Duration(window.0 - window.0 / 10);
    since.checked_add(window).is_none_or(|end| now < end)
}

fn is_retried(retry: Option<&Retry>, class: FailureClass) -> bool {
    match retry {
        Some(retry) if !retry.on.is_empty() => retry.on.contains(&class),
        Some(_) | None => matches!(
            class,
            FailureClass::Transient | FailureClass::RateLimited | FailureClass::Capacity
        ),
    }
}

fn attempts(retry: Option<&Retry>, place: Place<'_>) -> u32 {
    let Some(retry) = retry else {
        return ATTEMPTS_DEFAULT;
    };
    let number = if let Expr::Const(value) = &retry.attempts {
        Some(value.clone())
    } else {
        place.eval(&retry.attempts).ok()
    };
    let Some(Value::Int(number)) = number else {
        return 1;
    };
    u32::try_from(number.max(1)).unwrap_or(u32::MAX)
}
