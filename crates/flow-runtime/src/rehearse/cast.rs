//! Who plays the steps of a rehearsal.

use flow_core::amount::Duration;
use flow_core::run::Prepared;
use flow_core::step::{Found, StepCall, StepFailure, StepReport, Work};
use flow_core::value::Value;

use flow_core::effect::FailureClass;

/// Plays steps. It is asked in the order in which attempts begin.
pub trait Cast {
    /// Plays an attempt.
    fn start(&mut self, call: StepCall) -> Answer<StepReport>;

    /// Goes on with a job that was handed in.
    fn poll(&mut self, call: StepCall, job: Value) -> Answer<StepReport> {
        drop((call, job));
        let message = "this step hands in no jobs";
        Answer::now(StepReport::Failed(StepFailure::unsent(
            FailureClass::Bug,
            message,
        )))
    }

    /// Says whether an act happened.
    fn probe(&mut self, call: StepCall) -> Answer<Found> {
        drop(call);
        Answer::now(Found::CannotTell)
    }

    /// Returns whether the result of an attempt is that of every equal one, if
    /// its step is pure.
    fn is_shared(&self, attempt: &Prepared) -> bool {
        let _ = attempt;
        true
    }
}

/// When somebody answers, and what.
#[expect(missing_debug_implementations, reason = "work can't be shown")]
pub enum Answer<T> {
    /// After so long on the simulated clock.
    After(Duration, T),
    /// When real work is done, which takes no time on the simulated clock.
    Work(Work<T>),
    /// Never, however long it may take: the run doesn't go on here.
    Never,
}

impl<T> Answer<T> {
    /// Answers at once.
    pub fn now(answer: T) -> Self {
        Self::After(Duration(0), answer)
    }
}
