//! What an input means: the events that it makes. The only place where events
//! are made.

use std::sync::Arc;

use crate::address::{At, Ticket};
use crate::amount::Timestamp;
use crate::arbiter::LedgerId;
use crate::effect::{Act, Effect, FailureClass};
use crate::event::{Event, Fact, Failure, Started, Then, Timer};
use crate::handle::Values;
use crate::plan::Exhausted;
use crate::step::{Bill, Found, Sent, StepFailure, StepReport};
use crate::value::Value;

use super::Run;
use super::fold::late;
use super::outcome::{Ended, Known, is_inside};
use super::state::{CellId, Phase, RegionPhase, State};
use super::wish::{Fits, Input, Refusal};

impl Run {
    /// Returns the events that an input makes; none if it came too late or
    /// doesn't apply.
    pub fn decide(&self, input: Input, now: Timestamp, values: &dyn Values) -> Vec<Event> {
        let now = now.max(self.last_at);
        let facts = self.facts(input, now, values);
        facts
            .into_iter()
            .map(|fact| Event { at: now, fact })
            .collect()
    }

    fn facts(&self, input: Input, now: Timestamp, values: &dyn Values) -> Vec<Fact> {
        match input {
            Input::Take { epoch, binary } => self.take(epoch, binary, now),
            Input::Programs(programs) => self.programs_found(programs),
            Input::Evaluate { at, item } => self.evaluate(&at, item, now, values),
            Input::Granted(started) => self.granted(*started, now),
            Input::Reused {
                ticket,
                key,
                value,
                from,
            } => self.if_admissible(&ticket, |at| Fact::Reused {
                at,
                key,
                value,
                from,
            }),
            Input::Adopted {
                ticket,
                key,
                value,
                from,
            } => self.if_admissible(&ticket, |at| Fact::Adopted {
                at,
                value,
                from,
                key,
            }),
            Input::Joined { ticket, left } => self.joins(&ticket, &left),
            Input::Refused { ticket, why } => self.refused(&ticket, why),
            Input::Sent(ticket) => self.if_running(&ticket, |ticket| Fact::WasSent { ticket }),
            Input::Reported { ticket, report } => self.reported(&ticket, report, now, values),
            Input::TimedOut { ticket } => {
                let message = "the attempt took longer than its `timeout`";
                let failure = StepFailure {
                    class: FailureClass::Timeout,
                    sent: Sent::Maybe,
                    bill: None,
                    retry_after: None,
                    message: message.into(),
                };
                self.reported(&ticket, StepReport::Failed(failure), now, values)
            }
            Input::Found { ticket, found } => self.found(ticket, found, now, values),
            Input::Tick => self.tick(now),
            Input::Answer { .. }
            | Input::Resolve { .. }
            | Input::Rebill { .. }
            | Input::Pause { .. }
            | Input::Resume { .. }
            | Input::Cancel { .. }
            | Input::Limit { .. }
            | Input::Reopen { .. }
            | Input::Reset { .. }
            | Input::Replan(_) => self.ordered(input, now, values).into_iter().collect(),
        }
    }

    // Owners.

    fn take(&self, epoch: u64, binary: Arc<str>, now: Timestamp) -> Vec<Fact> {
        if epoch <= self.epoch {
            return Vec::new();
        }
        let mut facts = vec![Fact::OwnerTook { epoch, binary }];
        let running = self.cells_where(
            |state| matches!(state, State::Step(step) if matches!(step.phase, Phase::Running(_))),
        );
        for cell in running {
            let attempt = self.step(cell).map_or(0, |step| step.attempt);
            let (bill, then) = self.after_loss(cell, now);
            facts.push(Fact::AttemptLost {
                ticket: self.ticket_of(cell, attempt),
                bill,
                then,
            });
        }
        let orphans = self.orphans.values();
        for orphan in orphans {
            let Phase::Running(running) = &orphan.step.phase else {
                continue;
            };
            let then = if running.effect.acts() {
                Then::Unknown
            } else {
                Then::Cut
            };
            facts.push(Fact::AttemptLost {
                ticket: orphan.ticket.clone(),
                bill: Self::bill_of(running, Sent::Maybe, None),
                then,
            });
        }
        facts
    }

    // Admission.

    fn if_admissible(&self, ticket: &Ticket, make: impl FnOnce(At) -> Fact) -> Vec<Fact> {
        // What may have happened has to be found out, not replaced.
        let is_open = |cell: &CellId| self.step(*cell).is_some_and(|step| step.open.is_some());
        let cell = self.admissible(ticket);
        let cell = cell.filter(|cell| self.paused.is_none() && !is_open(cell));
        let fact = cell.map(|_| make(ticket.at.clone()));
        fact.into_iter().collect()
    }

    fn granted(&self, started: Started, now: Timestamp) -> Vec<Fact> {
        // A pause between the wish and the grant takes it back; so does a cut.
        let Some(cell) = self
            .admissible(&started.ticket)
            .filter(|_| self.paused.is_none())
        else {
            return Vec::new();
        };
        if let Some(step) = self.step(cell)
            && step.open.is_some()
            && let Effect::Act(Act::Keyed(window)) = started.effect
            && !is_inside(window, step, now)
        {
            // While it waited, the target has forgotten the key.
            let message = "the target may have forgotten the key of the last attempt";
            return vec![Fact::Refused {
                at: started.ticket.at,
                failure: Failure::new(FailureClass::UnknownOutcome, message),
                ledger: None,
                missing: None,
                then: Then::Unknown,
            }];
        }
        vec![Fact::AttemptStarted(Box::new(started))]
    }

    fn refused(&self, ticket: &Ticket, why: Refusal) -> Vec<Fact> {
        let Some(cell) = self.admissible(ticket) else {
            return Vec::new();
        };
        let at = ticket.at.clone();
        match why {
            Refusal::Unready(failure) | Refusal::Never(failure) => vec![Fact::Refused {
                then: self.way_out_of_step(cell, &failure),
                at,
                failure,
                ledger: None,
                missing: None,
            }],
            Refusal::Budget {
                ledger,
                left,
                needs,
                fits_empty,
                until,
            } => {
                let failure = Failure::new(
                    FailureClass::Budget,
                    format!("it may cost {needs}, and {left} is left"),
                );
                let or = self.exhausted(&ledger);
                let then = match fits_empty {
                    Fits::No if or == Exhausted::Stop => self.way_out_of_step(cell, &failure),
                    // A new period gives no more than an empty ledger has.
                    Fits::No => Then::Hold,
                    Fits::Yes => until.map_or(Then::Hold, |wake| Then::HoldUntil { wake }),
                };
                let is_held = matches!(then, Then::Hold | Then::HoldUntil { .. });
                let stops = is_held && or == Exhausted::Stop && self.paused.is_none();
                let mut facts = vec![Fact::Refused {
                    at,
                    failure,
                    ledger: Some(ledger),
                    missing: needs.checked_sub(left),
                    then,
                }];
                facts.extend(stops.then(|| Fact::PauseAsked {
                    by: "budget".into(),
                }));
                facts
            }
        }
    }

    /// Returns what is to happen when a budget is used up.
    fn exhausted(&self, ledger: &LedgerId) -> Exhausted {
        match ledger {
            LedgerId::Instance(_, at) => self.budgets.get(at).map_or(Exhausted::Stop, |set| set.or),
            LedgerId::Place(_, place) => {
                let mut sets = self.budgets.values();
                let found = sets.find(|set| set.place.as_ref() == Some(place));
                found.map_or(Exhausted::Stop, |set| set.or)
            }
            LedgerId::Scope { path, .. } => {
                let found = self
                    .budgets
                    .iter()
                    .find(|(at, set)| set.per.is_some() && self.plan_path(at.node) == *path);
                found.map_or(Exhausted::Stop, |(_, set)| set.or)
            }
            LedgerId::Project
            | LedgerId::ProjectPeriod { .. }
            | LedgerId::Provider(_)
            | LedgerId::Trigger { .. }
            | LedgerId::Run(_) => Exhausted::Stop,
        }
    }

    // Answers of steps.

    fn if_running(&self, ticket: &Ticket, make: impl FnOnce(Ticket) -> Fact) -> Vec<Fact> {
        let is_known = self.attempt(ticket).is_some() || self.orphans.contains_key(ticket);
        let fact = is_known.then(|| make(ticket.clone()));
        fact.into_iter().collect()
    }

    fn reported(
        &self,
        ticket: &Ticket,
        report: StepReport,
        now: Timestamp,
        values: &dyn Values,
    ) -> Vec<Fact> {
        let Some(cell) = self.attempt(ticket) else {
            return self.orphan_reported(ticket, report, values);
        };
        let phase = self.step(cell).map(|step| &step.phase);
        if !matches!(phase, Some(Phase::Running(_) | Phase::Remote(..))) {
            return Vec::new();
        }
        let is_stopping = (self.step(cell))
            .and_then(|step| step.phase.running())
            .is_some_and(|running| running.stop.is_some() || self.is_unwanted(cell, running));
        let ticket = ticket.clone();
        let fact = match report {
            // Nobody is asked, and nothing waited for, in vain.
            StepReport::Wait { .. } | StepReport::Ask(_) if is_stopping => {
                self.stopped(cell, ticket, Sent::No, None, now, values)
            }
            StepReport::Done { value, bill } => {
                return vec![self.done(cell, ticket, value, bill, values)];
            }
            StepReport::Failed(failure) => self.failed(cell, ticket, &failure, now, values),
            StepReport::Stopped { sent, bill } => {
                self.stopped(cell, ticket, sent, bill, now, values)
            }
            StepReport::Submitted { job, expires } => Fact::Submitted {
                ticket,
                job: values.put(&job),
                expires,
            },
            StepReport::Wait { until, value } => Fact::Waits {
                ticket,
                until,
                value: values.put(&value),
            },
            StepReport::Ask(question) => Fact::Asked {
                ticket,
                form: values.put(&question.form),
                shown: question.shown,
                expires: question.expires,
                otherwise: question.otherwise.map(|value| values.put(&value)),
            },
        };
        vec![fact]
    }

    fn done(
        &self,
        cell: CellId,
        ticket: Ticket,
        value: Value,
        bill: Bill,
        values: &dyn Values,
    ) -> Fact {
        let node = self.plan.node(self.node_of(cell));
        let value = match &node.ty {
            None => Value::None,
            Some(ty) => match ty.check(&value) {
                Ok(()) => value,
                Err(mismatch) => {
                    let message = format!("the step gave what it doesn't promise: {mismatch}");
                    let failure = Failure::new(FailureClass::Bug, message);
                    return Fact::Failed {
                        ticket,
                        failure,
                        // What it did, it did.
                        sent: Sent::Refused,
                        bill,
                        then: Then::Fail,
                    };
                }
            },
        };
        Fact::Succeeded {
            ticket,
            value: values.put(&value),
            bill,
        }
    }

    fn failed(
        &self,
        cell: CellId,
        ticket: Ticket,
        failure: &StepFailure,
        now: Timestamp,
        values: &dyn Values,
    ) -> Fact {
        // Who says that nobody knows can't say that it was refused.
        let sent = if failure.class == FailureClass::UnknownOutcome {
            Sent::Maybe
        } else {
            failure.sent
        };
        let kept = Failure::new(failure.class, failure.message.clone());
        let ended = Ended {
            failure: &kept,
            sent,
            retry_after: failure.retry_after,
        };
        let then = self.after(cell, &ended, now, values);
        let bill = self.bill(cell, sent, failure.bill);
        Fact::Failed {
            ticket,
            failure: kept,
            sent,
            bill,
            then,
        }
    }

    fn stopped(
        &self,
        cell: CellId,
        ticket: Ticket,
        sent: Sent,
        bill: Option<Bill>,
        now: Timestamp,
        values: &dyn Values,
    ) -> Fact {
        let ended = Ended {
            failure: &late(),
            sent,
            retry_after: None,
        };
        Fact::Stopped {
            then: self.after(cell, &ended, now, values),
            bill: self.bill(cell, sent, bill),
            ticket,
            sent,
        }
    }

    fn bill(&self, cell: CellId, sent: Sent, bill: Option<Bill>) -> Bill {
        let running = self.step(cell).and_then(|step| step.phase.running());
        running.map_or(Bill::None, |running| Self::bill_of(running, sent, bill))
    }

    /// The step of an attempt was edited away; only its bill still matters.
    fn orphan_reported(
        &self,
        ticket: &Ticket,
        report: StepReport,
        values: &dyn Values,
    ) -> Vec<Fact> {
        let phase = self.orphans.get(ticket).map(|orphan| &orphan.step.phase);
        let Some(Phase::Running(running) | Phase::Remote(running, _)) = phase else {
            return Vec::new();
        };
        let ticket = ticket.clone();
        let closed = |sent, bill| {
            let is_open = sent == Sent::Maybe && running.effect.acts();
            Fact::Stopped {
                ticket: ticket.clone(),
                sent,
                bill: Self::bill_of(running, sent, bill),
                then: if is_open { Then::Unknown } else { Then::Cut },
            }
        };
        vec![match report {
            StepReport::Done { value, bill } => Fact::Succeeded {
                ticket,
                value: values.put(&value),
                bill,
            },
            StepReport::Failed(failure) => closed(failure.sent, failure.bill),
            StepReport::Stopped { sent, bill } => closed(sent, bill),
            StepReport::Submitted { job, expires } => Fact::Submitted {
                ticket,
                job: values.put(&job),
                expires,
            },
            StepReport::Wait { .. } | StepReport::Ask(_) => closed(Sent::No, None),
        }]
    }

    fn found(
        &self,
        ticket: Ticket,
        found: Found,
        now: Timestamp,
        values: &dyn Values,
    ) -> Vec<Fact> {
        let Some(cell) = self.attempt(&ticket) else {
            return Vec::new();
        };
        let phase = self.step(cell).map(|step| &step.phase);
        if !matches!(phase, Some(Phase::Probing(..))) {
            return Vec::new();
        }
        let (found, then) = match found {
            Found::Yes(value) => (Some(values.put(&value)), Then::Cut),
            Found::No => (None, self.after_probe(cell, Known::Not, now, values)),
            Found::CannotTell => (None, self.after_probe(cell, Known::CannotTell, now, values)),
        };
        vec![Fact::Probed {
            ticket,
            found,
            then,
        }]
    }

    // Time.

    fn tick(&self, now: Timestamp) -> Vec<Fact> {
        let mut facts = Vec::new();
        if self.settled.is_some() {
            return facts;
        }
        let due = self.timers.iter().take_while(|(at, _)| *at <= now);
        for (_, timer) in due {
            match timer {
                Timer::Expiry(ticket) => facts.push(self.expired(ticket)),
                Timer::Within(at) => self.too_late(at, &mut facts),
                Timer::Pause(_) | Timer::Wait(_) => facts.push(Fact::Elapsed(timer.clone())),
            }
        }
        facts
    }

    /// A question is too old.
    fn expired(&self, ticket: &Ticket) -> Fact {
        let cell = self.attempt(ticket);
        let step = cell.and_then(|cell| self.step(cell));
        let otherwise = step.and_then(|step| {
            let Phase::Asking(_, asking) = &step.phase else {
                return None;
            };
            asking.otherwise.as_ref()
        });
        match (otherwise, cell) {
            (None, Some(cell)) => {
                let failure = Failure::new(FailureClass::Expired, "nobody answered in time");
                Fact::Failed {
                    ticket: ticket.clone(),
                    then: self.way_out_of_step(cell, &failure),
                    failure,
                    sent: Sent::No,
                    bill: Bill::None,
                }
            }
            _ => Fact::Elapsed(Timer::Expiry(ticket.clone())),
        }
    }

    /// An instance was active for longer than it may be.
    fn too_late(&self, at: &At, facts: &mut Vec<Fact>) {
        let elapsed = Fact::Elapsed(Timer::Within(at.clone()));
        let Some(cell) = self.find(at) else {
            facts.push(elapsed);
            return;
        };
        let is_pausing = self
            .region(cell)
            .is_some_and(|region| matches!(region.phase, RegionPhase::Pausing(_)));
        if is_pausing {
            let failure = late();
            let then = self.way_out_of_step(cell, &failure);
            facts.push(Fact::Broke {
                at: at.clone(),
                item: None,
                failure,
                then,
            });
            return;
        }
        let Some(step) = self.step(cell) else {
            facts.push(elapsed);
            return;
        };
        // One fact, so that no log ends between two.
        let failure = late();
        let then = self.way_out_of_step(cell, &failure);
        if step.phase.running().is_none() {
            facts.push(Fact::Refused {
                at: at.clone(),
                failure,
                ledger: None,
                missing: None,
                then,
            });
        } else if matches!(step.phase, Phase::Asking(..) | Phase::Sleeping(..)) {
            // There is nothing to stop.
            facts.push(Fact::Stopped {
                ticket: self.ticket_of(cell, step.attempt),
                sent: Sent::No,
                bill: Bill::None,
                then,
            });
        } else {
            facts.push(elapsed);
        }
    }
}
