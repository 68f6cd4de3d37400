//! Steps that a project declares, `step x.y(…) run "…"`: programs in any
//! language.
//!
//! A program is started for each attempt, gets one request and answers in lines;
//! `docs/plugins.md` is what it is promised and what it promises. Nothing that
//! it does harms more than its attempt.
//!
//! Modules, in reading order: what a command names, what a program is asked,
//! what it may say, how it is listened to, one question from beginning to end,
//! the results, what all that means for the run; and trying programs out.

mod program;

mod request;

mod reply;

mod listen;

mod exchange;

mod kept;
mod report;

mod conform;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration as Wait;

use flow_core::amount::Duration;
use flow_core::step::{Executor, Found, Program, Sent, StepCall, StepFailure, StepReport, Work};
use flow_core::value::Value;
use tokio::time::{Instant, sleep, sleep_until};

use crate::register::Clock;
use exchange::{Exchange, Place};
use program::Known;
use report::Follows;
use request::{Ask, Manner};

pub use conform::{DryRun, Finding, Given, Groups, Parameter, Subject, Verdict};
pub use program::{MissingProgram, Parts, missing_program};

/// How often is looked whether the attempt should stop.
const LOOK: Wait = Wait::from_millis(100);

/// How long is waited at least before a job is asked for again.
const WAIT_MIN: Wait = Wait::from_millis(100);

/// Carries out the steps that a project declares.
#[derive(Clone)]
pub struct Plugins {
    place: Place,
    known: Arc<Known>,
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugins")
            .field("project", &self.place.project)
            .finish_non_exhaustive()
    }
}

impl Plugins {
    /// Carries out the steps of a project.
    pub fn new(project: &Path, clock: &Clock) -> Self {
        Self {
            place: Place {
                project: project.into(),
                clock: clock.clone(),
            },
            known: Arc::default(),
        }
    }

    /// Looks at what a command consists of just now.
    pub fn look(&self, run: &str) -> Result<Parts, StepFailure> {
        self.known.look(&self.place.project, run)
    }
}

impl flow_core::step::Plugins for Plugins {
    fn program(&self, run: &str) -> Option<Program> {
        self.look(run).ok().map(|parts| parts.program)
    }
}

impl Executor for Plugins {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        let place = self.place.clone();
        Box::pin(async move {
            let ask = Ask::Run(Manner::Earnest);
            match asked(&place, &call, &ask).await {
                Ok(exchange) => match report::of_attempt(&call, &ask, exchange).await {
                    Follows::Report(report) => report,
                    // Only who polls is told to wait.
                    Follows::Wait(_) => StepReport::Stopped {
                        sent: Sent::Maybe,
                        bill: None,
                    },
                },
                Err(failure) => StepReport::Failed(failure),
            }
        })
    }

    fn poll(&self, call: StepCall, job: Value) -> Work<StepReport> {
        let place = self.place.clone();
        let ask = Ask::Poll(job);
        Box::pin(async move {
            loop {
                let exchange = match asked(&place, &call, &ask).await {
                    Ok(exchange) => exchange,
                    // The job goes on, whatever hinders asking for it.
                    Err(failure) => {
                        return StepReport::Failed(StepFailure {
                            sent: Sent::Maybe,
                            ..failure
                        });
                    }
                };
                match report::of_attempt(&call, &ask, exchange).await {
                    Follows::Report(report) => return report,
                    Follows::Wait(length) => {
                        if let Some(report) = waited(&call, length).await {
                            return report;
                        }
                    }
                }
            }
        })
    }

    fn probe(&self, call: StepCall) -> Work<Found> {
        let place = self.place.clone();
        Box::pin(async move {
            match asked(&place, &call, &Ask::Probe).await {
                Ok(exchange) => report::of_probe(&call, exchange).await,
                Err(failure) => {
                    let note = format!("flow: the probe can't be made: {}", failure.message);
                    call.desk.log(note.as_bytes());
                    Found::CannotTell
                }
            }
        })
    }
}

async fn asked(place: &Place, call: &StepCall, ask: &Ask) -> Result<Exchange, StepFailure> {
    let question = exchange::prepare(place, call, ask.clone()).await?;
    if matches!(ask, Ask::Run(_)) {
        call.desk.sent();
    }
    exchange::ask(call, question).await
}

/// Waits before a job is asked for again, unless the attempt should stop.
async fn waited(call: &StepCall, length: Duration) -> Option<StepReport> {
    let length = Wait::from_nanos(u64::try_from(length.0).unwrap_or(0));
    let until = Instant::now() + length.max(WAIT_MIN);
    loop {
        if call.desk.is_stopped() {
            return Some(StepReport::Stopped {
                sent: Sent::Maybe,
                bill: None,
            });
        }
        tokio::select! {
            () = sleep_until(until) => return None,
            () = sleep(LOOK) => {}
        }
    }
}
