//! How played attempts are carried out: who plays says when they answer, and
//! what.

use std::sync::Arc;

use flow_core::address::Ticket;
use flow_core::amount::{Duration, Timestamp};
use flow_core::effect::FailureClass;
use flow_core::run::{Action, Input, Prepared};
use flow_core::step::{Found, Sent, StepCall, StepFailure, StepReport, Work};

use super::props::PropDesk;
use super::{Answer, Playing};
use crate::driver::{call, late};

/// What happens at an instant.
pub(super) enum Due {
    /// An attempt answers.
    Answer(Ticket, Box<StepReport>),
    /// The work of an attempt is done.
    Work(Ticket, Work<StepReport>),
    /// An attempt has taken longer than it may.
    Late(Ticket),
    /// A target answers.
    Found(Ticket, Box<Found>),
    /// A target is asked by real work.
    Search(Ticket, Work<Found>),
}

impl Playing<'_> {
    pub(super) fn carry_out(&mut self, action: Action) {
        match action {
            Action::Start { ticket } => self.start(&ticket),
            Action::Poll { ticket } => self.poll(&ticket),
            Action::Probe { ticket } => self.probe(&ticket),
            other @ (Action::Evaluate { .. }
            | Action::Admit { .. }
            | Action::Stop { .. }
            | Action::Ask { .. }) => self.wish(other),
        }
    }

    fn start(&mut self, ticket: &Ticket) {
        if self.live.contains_key(ticket) {
            return;
        }
        let Some(prepared) = self.granted.get(ticket) else {
            return;
        };
        let call = self.call(prepared);
        let timeout = call.timeout;
        let answer = self.cast.start(call);
        self.expect(ticket, answer, timeout);
    }

    fn poll(&mut self, ticket: &Ticket) {
        if self.live.contains_key(ticket) {
            return;
        }
        let Some(prepared) = self.prepare_again(ticket) else {
            return;
        };
        let Some(job) = self.run.job(ticket, &self.stage.values) else {
            return;
        };
        let call = self.call(&prepared);
        let timeout = call.timeout;
        self.granted.insert(ticket.clone(), prepared);
        let answer = self.cast.poll(call, job);
        self.expect(ticket, answer, timeout);
    }

    fn probe(&mut self, ticket: &Ticket) {
        if self.live.contains_key(ticket) {
            return;
        }
        let Some(prepared) = self.prepare_again(ticket) else {
            return;
        };
        let call = self.call(&prepared);
        match self.cast.probe(call) {
            Answer::After(length, found) => {
                let due = Due::Found(ticket.clone(), Box::new(found));
                self.later(ticket, length, due);
            }
            Answer::Work(work) => {
                let due = Due::Search(ticket.clone(), work);
                self.later(ticket, Duration(0), due);
            }
            Answer::Never => {
                self.live.insert(ticket.clone(), None);
            }
        }
    }

    fn prepare_again(&self, ticket: &Ticket) -> Option<Box<Prepared>> {
        let prepared = self.run.prepare_again(ticket, &self.stage.values);
        prepared.ok().map(Box::new)
    }

    fn call(&self, prepared: &Prepared) -> StepCall {
        call(prepared, Arc::new(PropDesk(self.stage.props.clone())))
    }

    /// Waits for an answer, and no longer than the attempt may take.
    fn expect(&mut self, ticket: &Ticket, answer: Answer<StepReport>, timeout: Option<Duration>) {
        match answer {
            Answer::After(length, report) => match timeout {
                Some(timeout) if length > timeout => {
                    self.later(ticket, timeout, Due::Late(ticket.clone()));
                }
                Some(_) | None => {
                    let due = Due::Answer(ticket.clone(), Box::new(report));
                    self.later(ticket, length, due);
                }
            },
            Answer::Work(work) => {
                let due = Due::Work(ticket.clone(), work);
                self.later(ticket, Duration(0), due);
            }
            Answer::Never => {
                self.live.insert(ticket.clone(), None);
            }
        }
    }

    fn later(&mut self, ticket: &Ticket, length: Duration, due: Due) {
        let now = self.stage.clock.get();
        let at = now.checked_add(length).unwrap_or(Timestamp(i64::MAX));
        let key = (at, self.turns);
        // No two things are begun in one turn.
        debug_assert!(!self.due.contains_key(&key), "one turn begins one thing");
        self.live.insert(ticket.clone(), Some(key));
        self.due.insert(key, due);
    }

    /// Asks an attempt to stop. It does so at once.
    pub(super) fn stop(&mut self, ticket: &Ticket) {
        let is_begun = match self.live.remove(ticket) {
            Some(key) => {
                if let Some(key) = key {
                    self.due.remove(&key);
                }
                true
            }
            // What is in nobody's hands may be a job elsewhere.
            None => !self
                .actions
                .iter()
                .any(|action| matches!(action, Action::Start { ticket: other } if other == ticket)),
        };
        let sent = if is_begun { Sent::Maybe } else { Sent::No };
        self.inputs.push_back(Input::Reported {
            ticket: ticket.clone(),
            report: StepReport::Stopped { sent, bill: None },
        });
    }

    pub(super) async fn happen(&mut self, due: Due) {
        let input = match due {
            Due::Answer(ticket, report) => reported(ticket, *report),
            Due::Late(ticket) => reported(ticket, late(None)),
            Due::Found(ticket, found) => Input::Found {
                ticket,
                found: *found,
            },
            // A panic is the attempt's, and the task catches it.
            Due::Work(ticket, work) => match tokio::spawn(work).await {
                Ok(report) => reported(ticket, report),
                Err(_) => reported(ticket, StepReport::Failed(broken())),
            },
            Due::Search(ticket, work) => Input::Found {
                ticket,
                found: tokio::spawn(work).await.unwrap_or(Found::CannotTell),
            },
        };
        if let Input::Reported { ticket, .. } | Input::Found { ticket, .. } = &input {
            self.live.remove(ticket);
        }
        self.inputs.push_back(input);
    }
}

fn reported(ticket: Ticket, report: StepReport) -> Input {
    Input::Reported { ticket, report }
}

fn broken() -> StepFailure {
    StepFailure {
        class: FailureClass::Bug,
        sent: Sent::Maybe,
        bill: None,
        retry_after: None,
        message: "the step broke down; this is a defect of flow".into(),
    }
}
