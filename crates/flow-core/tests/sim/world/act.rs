//! Wishes are carried out, and what is in progress goes on.

use flow_core::address::Ticket;
use flow_core::amount::{Duration, Timestamp};
use flow_core::arbiter::{HoldId, period_day};
use flow_core::event::{Fact, Origin};
use flow_core::handle::Values;
use flow_core::plan::Period;
use flow_core::run::{Action, Input, Prepared, Refusal, Shared};
use flow_core::step::{Bill, Sent, StepReport};
use flow_core::value::Value;

use super::{Doing, Pending, World};
use crate::gate::Reply;
use crate::mutants::Mutant;
use crate::oracle::{Check, Fault};
use crate::script::Call;

impl World {
    pub(super) fn hold(&self, number: usize, ticket: Ticket) -> HoldId {
        HoldId {
            run: self.lives[number].run.id().clone(),
            ticket,
        }
    }

    pub(super) fn happen(&mut self, pending: Pending) -> Result<(), Fault> {
        match pending {
            Pending::Wish(number, action) => self.carry_out(number, action),
            Pending::Grant(number, hold, demand, reply) => {
                self.granted(number, &hold, demand, *reply)
            }
            Pending::Depart(call) => self.depart(*call),
            Pending::Arrive(call) => {
                self.arrive(&call);
                Ok(())
            }
            Pending::Reply(number, ticket, report) => self.reply(number, ticket, *report),
            Pending::TimeOut(number, ticket) => {
                if self.lives[number].doing.remove(&ticket).is_some() {
                    self.feed(number, Input::TimedOut { ticket })?;
                }
                Ok(())
            }
            Pending::Find(number, ticket) => self.find(number, ticket),
            Pending::Answer(number, ticket) => self.answer(number, &ticket),
            Pending::Meddle(number) => self.meddle(number),
            Pending::Crash => self.crash(),
        }
    }

    fn carry_out(&mut self, number: usize, action: Action) -> Result<(), Fault> {
        if !self.lives[number].wished.contains(&action) {
            return Ok(());
        }
        match action {
            Action::Evaluate { at, item } => self.feed(number, Input::Evaluate { at, item }),
            Action::Admit { ticket } => self.admit(number, ticket),
            Action::Start { ticket } => self.start(number, ticket),
            Action::Poll { ticket } => {
                let job = self.job(number, &ticket);
                let (at, report) = self.outside.poll(&job, self.now);
                let delay = at.0 - self.now.0;
                self.soon(delay, Pending::Reply(number, ticket, Box::new(report)));
                Ok(())
            }
            Action::Probe { ticket } => {
                let delay = self.dice.from(1, 300);
                self.soon(delay, Pending::Find(number, ticket));
                Ok(())
            }
            Action::Stop { ticket } => self.stop(number, ticket),
            Action::Ask { ticket } => {
                let call = self.call(number, &ticket)?;
                if self.outside.answer(&call).is_some() {
                    let delay = self.dice.from(10, 30_000);
                    self.soon(delay, Pending::Answer(number, ticket));
                }
                Ok(())
            }
        }
    }

    // Admission.

    fn admit(&mut self, number: usize, ticket: Ticket) -> Result<(), Fault> {
        let now = self.now;
        let day = move |period: Period| period_day(period, now, &jiff::tz::TimeZone::UTC);
        let live = &self.lives[number];
        let prepared = match live.run.prepare(&ticket, &day, &self.vault) {
            Ok(prepared) => prepared,
            Err(failure) => {
                let why = Refusal::Unready(failure);
                return self.feed(number, Input::Refused { ticket, why });
            }
        };
        if let Some(key) = prepared
            .key
            .as_ref()
            .filter(|_| prepared.shared != Shared::No)
            && let Some(value) = self.cache.get(&key.digest)
        {
            let value = self.vault.put(value);
            let from = Origin {
                run: live.run.id().clone(),
                seq: 0,
            };
            let reused = Input::Reused {
                ticket,
                key: key.digest,
                value,
                from,
            };
            return self.feed(number, reused);
        }
        if let Some(adopted) = self.adopted(number, &prepared.ticket) {
            return self.feed(number, adopted);
        }
        // What it was granted and hasn't used yet may not fit any more.
        let hold = prepared.demand.hold.clone();
        self.release_unless_begun(number, hold.ticket.clone());
        self.gate.ask(prepared.demand.clone(), self.now);
        self.sequence += 1;
        let asked = (self.sequence, Box::new(prepared));
        self.lives[number].asking.insert(hold, asked);
        Ok(())
    }

    /// After a reset, some results are taken over from before.
    fn adopted(&mut self, number: usize, ticket: &Ticket) -> Option<Input> {
        let is_fresh = ticket.generation > 0 && ticket.attempt == 1;
        if !is_fresh || !self.dice.percent(40) {
            return None;
        }
        let log = &self.lives[number].log;
        let made = (0..).zip(log).filter_map(|(seq, event)| match &event.fact {
            Fact::Succeeded {
                ticket: before,
                value,
                ..
            } if before.at == ticket.at => Some((seq, value.clone())),
            _ => None,
        });
        let (seq, value) = made.last()?;
        Some(Input::Adopted {
            ticket: ticket.clone(),
            key: None,
            value,
            from: Origin {
                run: self.lives[number].run.id().clone(),
                seq,
            },
        })
    }

    /// Lets the gate answer.
    pub(super) fn serve_gate(&mut self) {
        for (hold, reply) in self.gate.answers(self.now) {
            let mut lives = self.lives.iter();
            let Some(number) = lives.position(|live| *live.run.id() == hold.run) else {
                continue;
            };
            if self.traits.mutant == Some(Mutant::EffectBeforeIntent)
                && let Some((_, prepared)) = self.lives[number].asking.get(&hold)
                && prepared.effect.costs()
            {
                let call = call_of(number, prepared);
                self.outside.depart(&call, false);
            }
            // Kept apart, the intent comes later than the hold.
            let delay = if self.traits.is_split {
                self.dice.from(0, 5)
            } else {
                0
            };
            let asked = self.lives[number].asking.get(&hold);
            let demand = asked.map_or(0, |(demand, _)| *demand);
            self.soon(delay, Pending::Grant(number, hold, demand, Box::new(reply)));
        }
    }

    fn granted(
        &mut self,
        number: usize,
        hold: &HoldId,
        demand: u64,
        reply: Reply,
    ) -> Result<(), Fault> {
        let asked = self.lives[number].asking.get(hold);
        if asked.is_some_and(|(asked, _)| *asked != demand) {
            // It was asked again since.
            return Ok(());
        }
        let Some((_, prepared)) = self.lives[number].asking.remove(hold) else {
            self.release_unless_begun(number, hold.ticket.clone());
            return Ok(());
        };
        let ticket = hold.ticket.clone();
        match reply {
            Reply::Granted(grant) => {
                let call = call_of(number, &prepared);
                self.lives[number].calls.insert(ticket.clone(), call);
                let started = prepared.intent(grant);
                self.feed(number, Input::Granted(Box::new(started)))
            }
            Reply::Never(why) => self.feed(number, Input::Refused { ticket, why }),
            Reply::Again => self.admit(number, ticket),
        }
    }

    // Attempts.

    /// Returns what a step gets, made again if that was forgotten.
    pub(super) fn call(&mut self, number: usize, ticket: &Ticket) -> Result<Call, Fault> {
        let live = &mut self.lives[number];
        if let Some(call) = live.calls.get(ticket) {
            return Ok(call.clone());
        }
        let prepared = live.run.prepare_again(ticket, &self.vault);
        let prepared = prepared
            .map_err(|why| Fault::new(Check::Replay, format!("run {number}: {ticket}: {why:?}")))?;
        let call = call_of(number, &prepared);
        live.calls.insert(ticket.clone(), call.clone());
        Ok(call)
    }

    fn start(&mut self, number: usize, ticket: Ticket) -> Result<(), Fault> {
        if self.lives[number].doing.contains_key(&ticket) {
            return Ok(());
        }
        let call = self.call(number, &ticket)?;
        self.lives[number]
            .doing
            .insert(ticket.clone(), Doing::Begun);
        let [depart, ..] = self.outside.manner(&call).delays;
        if let Some(Duration(nanos)) = call.timeout {
            let millis = nanos / Duration::MILLISECOND.0;
            self.soon(millis, Pending::TimeOut(number, ticket));
        }
        if self.traits.mutant == Some(Mutant::SentTwice) && call.effect.acts() {
            self.soon(depart, Pending::Arrive(Box::new(call.clone())));
        }
        self.soon(depart, Pending::Depart(Box::new(call)));
        Ok(())
    }

    fn depart(&mut self, call: Call) -> Result<(), Fault> {
        let number = call.run;
        let ticket = call.ticket.clone();
        let live = &mut self.lives[number];
        // It was stopped or timed out before.
        let Some(doing) = live.doing.get_mut(&ticket) else {
            return Ok(());
        };
        *doing = Doing::Sent;
        let intent = live.log.iter().position(|event| match &event.fact {
            Fact::AttemptStarted(started) => started.ticket == ticket,
            _ => false,
        });
        let is_announced = intent.is_some_and(|at| at < live.durable);
        self.outside.depart(&call, is_announced);
        let [_, arrive, _] = self.outside.manner(&call).delays;
        self.soon(arrive, Pending::Arrive(Box::new(call)));
        if self.dice.percent(50) {
            self.feed(number, Input::Sent(ticket))?;
        }
        Ok(())
    }

    fn arrive(&mut self, call: &Call) {
        let number = call.run;
        let ticket = call.ticket.clone();
        let report = self.outside.arrive(call, self.now);
        if let Some(doing) = self.lives[number].doing.get_mut(&ticket) {
            *doing = Doing::Arrived;
        }
        let Some(report) = report else { return };
        let [.., back] = self.outside.manner(call).delays;
        let report = Box::new(report);
        if self.dice.percent(5) {
            let later = back + self.dice.from(0, 2_000);
            self.soon(
                later,
                Pending::Reply(number, ticket.clone(), report.clone()),
            );
        }
        self.soon(back, Pending::Reply(number, ticket, report));
    }

    fn reply(&mut self, number: usize, ticket: Ticket, report: StepReport) -> Result<(), Fault> {
        self.lives[number].doing.remove(&ticket);
        self.remember(number, &ticket, &report);
        self.feed(number, Input::Reported { ticket, report })
    }

    /// Keeps a result that may be shared.
    fn remember(&mut self, number: usize, ticket: &Ticket, report: &StepReport) {
        let StepReport::Done { value, .. } = report else {
            return;
        };
        let started = self.lives[number].log.iter().find_map(|event| {
            let Fact::AttemptStarted(started) = &event.fact else {
                return None;
            };
            (started.ticket == *ticket).then_some(started)
        });
        // An outcome of a script depends on its run, so it isn't shared with
        // others; in its own run it may be met again after a reset.
        if let Some(key) = started.and_then(|started| started.key)
            && self.lives.len() == 1
        {
            self.cache.insert(key, value.clone());
        }
    }

    fn find(&mut self, number: usize, ticket: Ticket) -> Result<(), Fault> {
        let key = self.lives[number].log.iter().find_map(|event| {
            let Fact::AttemptStarted(started) = &event.fact else {
                return None;
            };
            (started.ticket == ticket).then_some(started.idempotency)
        });
        let Some(key) = key else { return Ok(()) };
        let can_tell = self.dice.percent(90);
        let found = self.outside.probe(key, self.now, can_tell);
        self.feed(number, Input::Found { ticket, found })
    }

    fn job(&self, number: usize, ticket: &Ticket) -> Value {
        let log = self.lives[number].log.iter().rev();
        let mut handle = log.filter_map(|event| match &event.fact {
            Fact::Submitted {
                ticket: own, job, ..
            } if own == ticket => Some(job),
            _ => None,
        });
        let handle = handle.next().expect("what is polled was submitted");
        match handle {
            flow_core::handle::Handle::Small(value) => value.clone(),
            flow_core::handle::Handle::Stored(digest) => self.vault.get(digest).unwrap(),
            flow_core::handle::Handle::Listed(_) => panic!("no event has a list of handles"),
        }
    }

    /// An attempt should stop: it does, or it goes on to its end.
    fn stop(&mut self, number: usize, ticket: Ticket) -> Result<(), Fault> {
        let is_remote = self.lives[number].log.iter().any(
            |event| matches!(&event.fact, Fact::Submitted { ticket: own, .. } if *own == ticket),
        );
        if is_remote {
            let job = self.job(number, &ticket);
            let report = if self.dice.percent(50) {
                self.outside.cancel(&job)
            } else {
                self.outside.poll(&job, self.now).1
            };
            return self.reply(number, ticket, report);
        }
        let doing = self.lives[number].doing.get(&ticket).copied();
        let call = self.call(number, &ticket)?;
        // What never answers has to be stopped.
        let has_answer = !matches!(
            self.outside.manner(&call).temper,
            crate::script::Temper::Silent { .. }
        );
        let report = match doing {
            None | Some(Doing::Begun) => StepReport::Stopped {
                sent: Sent::No,
                bill: self.dice.percent(50).then_some(Bill::None),
            },
            Some(Doing::Sent | Doing::Arrived) if has_answer && self.dice.percent(50) => {
                return Ok(());
            }
            Some(Doing::Sent) => StepReport::Stopped {
                sent: Sent::Maybe,
                bill: None,
            },
            Some(Doing::Arrived) => {
                let charged = self.outside.charge_of(number, &ticket);
                StepReport::Stopped {
                    sent: Sent::Maybe,
                    bill: self.dice.percent(50).then_some(Bill::Exact(charged)),
                }
            }
        };
        self.reply(number, ticket, report)
    }
}

fn call_of(number: usize, prepared: &Prepared) -> Call {
    Call {
        run: number,
        ticket: prepared.ticket.clone(),
        path: prepared.path.to_string(),
        step: prepared.step.clone(),
        args: prepared.args.clone(),
        ty: prepared.result.clone(),
        effect: prepared.effect,
        idempotency: prepared.idempotency,
        bound: prepared.demand.amount,
        timeout: prepared.timeout,
    }
}

/// The time of a day in milliseconds.
pub(super) fn later(now: Timestamp, millis: i64) -> Timestamp {
    Timestamp(now.0 + millis)
}
