//! How attempts are carried out: each in a task of its own that is always
//! joined, with its time limited and its panics caught.

use std::sync::Arc;
use std::time::Duration as Wait;

use flow_core::address::Ticket;
use flow_core::amount::Duration;
use flow_core::effect::{Effect, FailureClass};
use flow_core::run::{Action, Input, Prepared};
use flow_core::step::{Desk, Found, Sent, StepCall, StepFailure, StepReport, Work};
use tokio::task::{Id, JoinError};

use super::clerk::Hands;
use super::{DriveError, Driver};
use crate::desk::AttemptDesk;
use crate::secrets::{masked, masked_found};

/// How long an attempt has between being asked to stop and being dropped.
const GRACE: Wait = Wait::from_secs(7);

/// What came of a task.
#[derive(Debug)]
pub(super) enum Ended {
    /// A step answered.
    Reported(Ticket, Box<StepReport>),
    /// A target answered.
    Found(Ticket, Found),
}

/// An attempt in a task.
pub(super) struct Live {
    pub(super) desk: Arc<AttemptDesk>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Work,
    Probe,
}

impl Driver {
    /// Returns whether an action has to wait until the log is durable.
    pub(super) fn waits(&self, action: &Action) -> bool {
        match action {
            Action::Start { ticket } => self.run.effect_of(ticket).is_none_or(Effect::costs),
            Action::Poll { .. } | Action::Probe { .. } | Action::Ask { .. } => true,
            Action::Evaluate { .. } | Action::Admit { .. } | Action::Stop { .. } => false,
        }
    }

    /// Carries out an action.
    pub(super) fn carry_out(&mut self, action: Action) -> Result<(), DriveError> {
        let is_begun = matches!(
            action,
            Action::Start { .. } | Action::Poll { .. } | Action::Probe { .. }
        );
        if is_begun && self.hands == Hands::Folded {
            return Ok(());
        }
        match action {
            Action::Start { ticket } => self.start(&ticket),
            Action::Poll { ticket } => self.poll(&ticket)?,
            Action::Probe { ticket } => self.probe(&ticket)?,
            // Whoever watches has seen the event.
            Action::Ask { .. } => {}
            Action::Stop { ticket } => self.stop(&ticket),
            Action::Admit { ticket } => self.admit(&ticket),
            Action::Evaluate { at, item } => self.inputs.push_back(Input::Evaluate { at, item }),
        }
        Ok(())
    }

    fn start(&mut self, ticket: &Ticket) {
        if self.live.contains_key(ticket) {
            return;
        }
        let Some(prepared) = self.granted.get(ticket) else {
            return;
        };
        let executor = self
            .around
            .executor(&prepared.step, prepared.run.as_deref());
        let Some(executor) = executor else {
            let message = format!("nothing here carries out `{}`", prepared.step);
            let failure = StepFailure::unsent(FailureClass::Bug, message);
            self.inputs.push_back(Input::Reported {
                ticket: ticket.clone(),
                report: StepReport::Failed(failure),
            });
            return;
        };
        let desk = self.desk(ticket, prepared.effect);
        let call = call(prepared, desk.clone());
        let timeout = call.timeout;
        let work = begin(move || executor.start(call));
        self.spawn(ticket, desk, work, timeout);
    }

    fn poll(&mut self, ticket: &Ticket) -> Result<(), DriveError> {
        if self.live.contains_key(ticket) {
            return Ok(());
        }
        let prepared = self.prepare_again(ticket)?;
        let Some(job) = self.run.job(ticket, &self.values) else {
            return Ok(());
        };
        let executor = self
            .around
            .executor(&prepared.step, prepared.run.as_deref());
        let Some(executor) = executor else {
            return Ok(());
        };
        let desk = self.desk(ticket, prepared.effect);
        let call = call(&prepared, desk.clone());
        let timeout = call.timeout;
        self.granted.insert(ticket.clone(), prepared);
        let work = begin(move || executor.poll(call, job));
        self.spawn(ticket, desk, work, timeout);
        Ok(())
    }

    fn probe(&mut self, ticket: &Ticket) -> Result<(), DriveError> {
        if self.live.contains_key(ticket) {
            return Ok(());
        }
        let prepared = self.prepare_again(ticket)?;
        let executor = self
            .around
            .executor(&prepared.step, prepared.run.as_deref());
        let Some(executor) = executor else {
            return Ok(());
        };
        let desk = self.desk(ticket, prepared.effect);
        let call = call(&prepared, desk.clone());
        let limit = Wait::from_mins(1);
        let asked = ticket.clone();
        let task = async move {
            let found = tokio::time::timeout(limit, executor.probe(call)).await;
            Ended::Found(asked, found.unwrap_or(Found::CannotTell))
        };
        let abort = self.tasks.spawn(task);
        self.enter(ticket, desk, abort.id(), Kind::Probe);
        Ok(())
    }

    fn prepare_again(&self, ticket: &Ticket) -> Result<Box<Prepared>, DriveError> {
        let prepared = self.run.prepare_again(ticket, &self.values);
        prepared.map(Box::new).map_err(|_| DriveError::Diverged {
            run: self.run.id().to_string().into(),
            ticket: self.run.path(&ticket.at, &self.values).to_string().into(),
        })
    }

    fn desk(&self, ticket: &Ticket, effect: Effect) -> Arc<AttemptDesk> {
        let office = self.office.clone();
        let notes = self.notes.0.clone();
        Arc::new(AttemptDesk::new(office, ticket.clone(), effect, notes))
    }

    fn spawn(
        &mut self,
        ticket: &Ticket,
        desk: Arc<AttemptDesk>,
        work: Work<StepReport>,
        timeout: Option<Duration>,
    ) {
        let supervised = supervise(ticket.clone(), work, desk.clone(), timeout);
        let abort = self.tasks.spawn(supervised);
        self.enter(ticket, desk, abort.id(), Kind::Work);
    }

    fn enter(&mut self, ticket: &Ticket, desk: Arc<AttemptDesk>, task: Id, kind: Kind) {
        self.by_task.insert(task, ticket.clone());
        self.live.insert(ticket.clone(), Live { desk, kind });
    }

    /// Asks an attempt to stop.
    pub(super) fn stop(&mut self, ticket: &Ticket) {
        if let Some(live) = self.live.get(ticket) {
            live.desk.stop();
            return;
        }
        // It never began, or its job is asked for no more: nothing can come
        // back from it but what is known now.
        let is_draft = self
            .draft
            .actions
            .iter()
            .any(|action| matches!(action, Action::Start { ticket: other } if other == ticket));
        let sent = if is_draft { Sent::No } else { Sent::Maybe };
        self.inputs.push_back(Input::Reported {
            ticket: ticket.clone(),
            report: StepReport::Stopped { sent, bill: None },
        });
    }

    /// Tidies up behind attempts; the next needn't wait for that.
    pub(super) fn tidy(&mut self) {
        let folders = self.office.folders.clone();
        self.sweeps.spawn_blocking(move || folders.tidy());
    }

    /// A task came to its end.
    pub(super) fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some(ticket) = self.by_task.remove(&id) else {
            return;
        };
        let Some(live) = self.live.remove(&ticket) else {
            return;
        };
        if live.desk.leave() {
            self.tidy();
        }
        self.draft.kept.append(&mut live.desk.take_kept());
        self.inputs.push_back(match ended {
            Ok(Ended::Reported(ticket, report)) => Input::Reported {
                ticket,
                report: masked(&self.office.mask, *report),
            },
            Ok(Ended::Found(ticket, found)) => Input::Found {
                ticket,
                found: masked_found(&self.office.mask, found),
            },
            Err(_) if live.kind == Kind::Probe => Input::Found {
                ticket,
                found: Found::CannotTell,
            },
            Err(error) => Input::Reported {
                ticket,
                report: StepReport::Failed(panicked(&error, &live.desk)),
            },
        });
    }
}

/// A step that panics has failed, and nobody knows what it did before.
fn panicked(error: &JoinError, desk: &AttemptDesk) -> StepFailure {
    let sent = if desk.was_sent() {
        Sent::Maybe
    } else {
        Sent::No
    };
    let what = if error.is_panic() {
        "the step broke down"
    } else {
        "the step was ended"
    };
    StepFailure {
        class: FailureClass::Bug,
        // It may have sent something without saying so.
        sent: sent.max(Sent::Maybe),
        bill: None,
        retry_after: None,
        message: format!("{what}; this is a defect of flow").into(),
    }
}

/// Calls an executor inside of the task, so that a panic is the task's.
fn begin(work: impl FnOnce() -> Work<StepReport> + Send + 'static) -> Work<StepReport> {
    Box::pin(async move { work().await })
}

pub(crate) fn call(prepared: &Prepared, desk: Arc<dyn Desk>) -> StepCall {
    StepCall {
        ticket: prepared.ticket.clone(),
        step: prepared.step.clone(),
        path: prepared.path.clone(),
        args: prepared.args.clone(),
        types: prepared.types.clone(),
        result: prepared.result.clone(),
        type_arg: prepared.type_arg.clone(),
        run: prepared.run.clone(),
        effect: prepared.effect,
        tries: prepared.tries,
        idempotency: prepared.idempotency,
        seed: prepared.seed,
        timeout: prepared.timeout,
        bound: prepared.demand.amount,
        failure: prepared.failure.clone(),
        desk,
    }
}

async fn supervise(
    ticket: Ticket,
    mut work: Work<StepReport>,
    desk: Arc<AttemptDesk>,
    timeout: Option<Duration>,
) -> Ended {
    let limit =
        timeout.map(|limit| Wait::from_nanos(u64::try_from(limit.0.max(0)).unwrap_or(u64::MAX)));
    let report = tokio::select! {
        biased;
        report = &mut work => report,
        () = desk.stopped() => {
            let report = tokio::time::timeout(GRACE, &mut work).await;
            report.unwrap_or(StepReport::Stopped { sent: Sent::Maybe, bill: None })
        }
        () = sleep(limit) => {
            desk.stop();
            late(tokio::time::timeout(GRACE, &mut work).await.ok())
        }
    };
    if let Some(strays) = desk.take_strays() {
        // It has stopped once nothing of it is left.
        drop(tokio::task::spawn_blocking(move || strays.end()).await);
    }
    Ended::Reported(ticket, Box::new(report))
}

async fn sleep(limit: Option<Wait>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// What an attempt that took too long has come to.
pub(crate) fn late(report: Option<StepReport>) -> StepReport {
    let (sent, bill) = match report {
        Some(StepReport::Failed(failure)) => (failure.sent, failure.bill),
        Some(StepReport::Stopped { sent, bill }) => (sent, bill),
        // It was about to be done, and what is done is done.
        Some(report) => return report,
        None => (Sent::Maybe, None),
    };
    StepReport::Failed(StepFailure {
        class: FailureClass::Timeout,
        sent,
        bill,
        retry_after: None,
        message: "the attempt took longer than its `timeout`".into(),
    })
}
