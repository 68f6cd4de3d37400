//! How events of attempts change the state, and the run's own accounts.

use crate::address::Ticket;
use crate::amount::Money;
use crate::event::{Counts, Event, Fact, Same, Started, Then, Verdict};
use crate::step::Bill;

use super::Run;
use super::fold::{given_up, late, lost, stopped};
use super::state::{Asking, CellId, Intent, Phase, Running, State};

impl Run {
    /// Finds the cell of an attempt, if that is the one in progress.
    pub(super) fn attempt(&self, ticket: &Ticket) -> Option<CellId> {
        let cell = self.cell_of(ticket)?;
        let is_in_progress = self.step(cell)?.phase.running().is_some();
        is_in_progress.then_some(cell)
    }

    pub(super) fn fold_attempt(&mut self, event: &Event) {
        if let Fact::AttemptStarted(started) = &event.fact {
            self.fold_started(started);
            return;
        }
        if let Fact::Rebilled { ticket, bill } = &event.fact {
            self.rebill(ticket, *bill);
            return;
        }
        let (Fact::WasSent { ticket }
        | Fact::Submitted { ticket, .. }
        | Fact::Succeeded { ticket, .. }
        | Fact::Failed { ticket, .. }
        | Fact::Stopped { ticket, .. }
        | Fact::AttemptLost { ticket, .. }
        | Fact::Probed { ticket, .. }
        | Fact::Resolved { ticket, .. }
        | Fact::Waits { ticket, .. }
        | Fact::Asked { ticket, .. }
        | Fact::Answered { ticket, .. }) = &event.fact
        else {
            return;
        };
        match self.attempt(ticket) {
            Some(cell) => {
                self.account(cell, &event.fact);
                self.fold_outcome(cell, &event.fact);
            }
            None => self.fold_orphan(ticket, &event.fact),
        }
    }

    fn fold_started(&mut self, started: &Started) {
        let Some(cell) = self.find(&started.ticket.at) else {
            return;
        };
        let is_next = self.step(cell).is_some_and(|step| {
            step.attempt + 1 == started.ticket.attempt && step.phase == Phase::Ready
        });
        let generation = self.frames.get(cell.frame).generation;
        if !is_next || generation != started.ticket.generation {
            return;
        }
        self.costs.held = self.costs.held.saturating_add(started.grant.hold);
        let now = self.last_at;
        self.edit_step(cell, |step| {
            step.attempt += 1;
            step.era_since.get_or_insert(now);
            step.intent = Some(Box::new(Intent {
                key: started.key,
                unseeded: started.unseeded,
                idempotency: started.idempotency,
                era: step.era,
            }));
            step.phase = Phase::Running(Box::new(Running {
                effect: started.effect,
                hold: started.grant.hold,
                input: started.input,
                idempotency: started.idempotency,
                stop: None,
            }));
        });
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only facts of attempts come here"
    )]
    fn fold_outcome(&mut self, cell: CellId, fact: &Fact) {
        match fact {
            Fact::Succeeded { value, .. }
            | Fact::Answered { value, .. }
            | Fact::Probed {
                found: Some(value), ..
            } => self.settle(cell, State::Done(value.clone())),
            Fact::Failed { failure, then, .. } => self.follow(cell, failure, *then),
            Fact::Stopped { then, .. } => self.follow(cell, &stopped(), *then),
            Fact::AttemptLost { then, .. } => self.follow(cell, &lost(), *then),
            Fact::Probed {
                found: None, then, ..
            } => {
                let failure = self.step(cell).and_then(|step| step.failure.clone());
                self.follow(cell, &failure.unwrap_or_else(lost), *then);
            }
            Fact::Resolved { verdict, .. } => self.fold_verdict(cell, verdict),
            Fact::Submitted { ticket, job, .. } => {
                self.edit_step(cell, |step| {
                    if let Some(running) = step.phase.running().cloned() {
                        step.phase = Phase::Remote(Box::new(running), job.clone());
                    }
                });
                // The same wish again, with another meaning: now it is the job.
                let is_stopping = (self.step(cell))
                    .and_then(|step| step.phase.running())
                    .is_some_and(|running| running.stop.is_some());
                if is_stopping {
                    self.wish(super::Action::Stop {
                        ticket: ticket.clone(),
                    });
                }
            }
            Fact::Waits { until, value, .. } => self.edit_step(cell, |step| {
                if let Some(running) = step.phase.running().cloned() {
                    step.phase = Phase::Sleeping(Box::new(running), *until, value.clone());
                }
            }),
            Fact::Asked {
                form,
                shown,
                expires,
                otherwise,
                ..
            } => {
                let asking = Box::new(Asking {
                    form: form.clone(),
                    shown: *shown,
                    expires: *expires,
                    otherwise: otherwise.clone(),
                });
                self.edit_step(cell, |step| {
                    if let Some(running) = step.phase.running().cloned() {
                        step.phase = Phase::Asking(Box::new(running), asking);
                    }
                });
            }
            _ => {}
        }
    }

    /// Somebody said what became of an attempt.
    fn fold_verdict(&mut self, cell: CellId, verdict: &Verdict) {
        let Some(running) = self.step(cell).and_then(|step| step.phase.running()) else {
            return;
        };
        let is_unwanted = self.is_unwanted(cell, running);
        let is_late = running.stop.is_some();
        match verdict {
            Verdict::Happened(value) => self.settle(cell, State::Done(value.clone())),
            Verdict::DidNot | Verdict::GiveUp if is_unwanted => self.settle(cell, State::Cut),
            Verdict::DidNot if is_late => {
                let then = self.way_out_of_step(cell, &late());
                self.follow(cell, &late(), then);
            }
            Verdict::DidNot => {
                let then = Then::Again {
                    wake: self.last_at,
                    same: Same::No,
                    counts: Counts::No,
                };
                self.follow(cell, &lost(), then);
            }
            Verdict::GiveUp => {
                self.follow(cell, &given_up(), Then::Fail);
            }
        }
    }

    // Money.

    fn account(&mut self, cell: CellId, fact: &Fact) {
        let Some(hold) = self
            .step(cell)
            .and_then(|step| Some(step.phase.running()?.hold))
        else {
            return;
        };
        let ticket = self.ticket_of(cell, self.step(cell).map_or(0, |step| step.attempt));
        self.book(&ticket, hold, fact);
        if fact.settlement().is_some() {
            // The hold is gone, whatever follows.
            self.edit_step(cell, |step| step.phase.release());
        }
    }

    pub(super) fn book(&mut self, ticket: &Ticket, hold: Money, fact: &Fact) {
        let Some((_, bill)) = fact.settlement() else {
            return;
        };
        if self.presumed.contains_key(ticket) {
            self.rebill(ticket, bill);
            return;
        }
        self.costs.held = minus(self.costs.held, hold);
        match bill {
            Bill::None => {}
            Bill::Exact(amount) => self.costs.spent = self.costs.spent.saturating_add(amount),
            Bill::Presumed(amount) => {
                self.costs.presumed = self.costs.presumed.saturating_add(amount);
                self.presumed.insert(ticket.clone(), amount);
            }
        }
    }

    fn rebill(&mut self, ticket: &Ticket, bill: Bill) {
        let Some(amount) = self.presumed.get(ticket).copied() else {
            return;
        };
        match bill {
            Bill::Presumed(_) => {}
            Bill::None | Bill::Exact(_) => {
                self.presumed.remove(ticket);
                self.costs.presumed = minus(self.costs.presumed, amount);
                self.costs.spent = self.costs.spent.saturating_add(bill.amount());
            }
        }
    }
}

fn minus(amount: Money, other: Money) -> Money {
    amount.checked_sub(other).unwrap_or_default().max(Money(0))
}
