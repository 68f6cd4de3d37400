//! `wait` and `wait.until`: the run does the waiting.

use flow_core::step::{Executor, StepCall, StepFailure, StepReport, Work};
use flow_core::value::Value;

use crate::given::{Given, computed, invalid};
use crate::register::Clock;

/// The steps of this family.
pub(crate) const STEPS: [&str; 2] = ["wait", "wait.until"];

/// Says until when is waited.
pub(crate) struct Waits {
    clock: Clock,
}

impl Waits {
    /// Counts from what a clock says.
    pub(crate) fn new(clock: &Clock) -> Self {
        let clock = clock.clone();
        Self { clock }
    }
}

impl Executor for Waits {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let clock = self.clock.clone();
        computed(call, move |call| wait(call, &clock))
    }
}

fn wait(call: &StepCall, clock: &Clock) -> Result<StepReport, StepFailure> {
    let until = match call.duration_if("for")? {
        Some(length) => clock()
            .checked_add(length)
            .ok_or_else(|| invalid("that is too long to wait for"))?,
        None => call.time("at")?,
    };
    Ok(StepReport::Wait {
        until,
        value: Value::Time(until),
    })
}
