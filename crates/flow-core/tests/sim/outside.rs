//! The outside world: what really happened there, and what it cost.
//!
//! It survives every crash. It keeps what it promises: a target with keys knows
//! them for their window, one that can be asked answers truly as soon as it has
//! stored what happened. Where it breaks a promise, it says so in its record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow_core::address::Ticket;
use flow_core::amount::{Money, Timestamp};
use flow_core::digest::Digest;
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::step::{Bill, Found, Question, Sent, StepFailure, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;

use crate::dice::Dice;
use crate::script::{Billing, Call, Manner, Mood, Temper, after, manner, value};

/// An effect that took place.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) run: usize,
    /// The attempt whose request caused it.
    pub(crate) ticket: Ticket,
    pub(crate) effect: Effect,
    pub(crate) key: Digest,
    pub(crate) value: Value,
    /// From when on the target answers truly about it.
    pub(crate) visible: Timestamp,
    /// The target had said that it didn't happen.
    pub(crate) was_denied: bool,
}

/// Money that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) run: usize,
    pub(crate) ticket: Ticket,
    pub(crate) amount: Money,
    pub(crate) bound: Money,
}

/// A request that left.
#[derive(Debug, Clone)]
pub(crate) struct Departure {
    pub(crate) run: usize,
    pub(crate) ticket: Ticket,
    pub(crate) args: BTreeMap<Arc<str>, Value>,
    pub(crate) effect: Effect,
    /// Whether its intent was in the log of its run, and safe there.
    pub(crate) is_announced: bool,
}

/// What a target remembers under a key.
#[derive(Debug, Clone)]
struct Kept {
    since: Timestamp,
    /// The value, or the error that it replays.
    answer: Result<Value, FailureClass>,
}

/// A job that was handed in.
#[derive(Debug, Clone)]
struct Job {
    call: Call,
    over: Timestamp,
    bill: Bill,
    fails: bool,
}

#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) seed: u64,
    pub(crate) mood: Mood,
    pub(crate) happened: Vec<Happening>,
    pub(crate) charged: Vec<Charge>,
    pub(crate) departed: Vec<Departure>,
    kept: BTreeMap<Digest, Kept>,
    /// How often a step has failed by its script.
    failures: BTreeMap<(usize, String), u32>,
    jobs: Vec<Job>,
    denied: BTreeSet<Digest>,
}

impl Outside {
    pub(crate) fn new(seed: u64, mood: Mood) -> Self {
        Self {
            seed,
            mood,
            happened: Vec::new(),
            charged: Vec::new(),
            departed: Vec::new(),
            kept: BTreeMap::new(),
            failures: BTreeMap::new(),
            jobs: Vec::new(),
            denied: BTreeSet::new(),
        }
    }

    pub(crate) fn manner(&self, call: &Call) -> Manner {
        manner(self.seed, self.mood, call)
    }

    /// A request leaves.
    pub(crate) fn depart(&mut self, call: &Call, is_announced: bool) {
        self.departed.push(Departure {
            run: call.run,
            ticket: call.ticket.clone(),
            args: call.args.clone(),
            effect: call.effect,
            is_announced,
        });
    }

    /// A request arrives. Gives what is answered, if anything.
    pub(crate) fn arrive(&mut self, call: &Call, now: Timestamp) -> Option<StepReport> {
        let manner = self.manner(call);
        if self.is_cut_off(call) {
            let message = "there was no way to get through";
            let failure = StepFailure::unsent(FailureClass::Transient, message);
            return Some(StepReport::Failed(failure));
        }
        if let Some(kept) = self.known(call, now) {
            return Some(match kept.answer {
                Ok(value) => StepReport::Done {
                    value,
                    bill: Bill::None,
                },
                Err(class) => refused(class),
            });
        }
        match manner.temper {
            Temper::Fine => Some(self.done(call, &manner, now)),
            Temper::Failing {
                times,
                class,
                sent,
                happens,
                patience,
            } => {
                if self.count(call) >= times {
                    return Some(self.done(call, &manner, now));
                }
                let count = self.tally(call);
                // Not all of its failures are alike.
                let (sent, happens) = match (manner.is_fickle, count % 3) {
                    (true, 1) => (Sent::No, false),
                    (true, 2) => (Sent::Maybe, false),
                    (_, _) => (sent, happens),
                };
                if happens {
                    drop(self.done(call, &manner, now));
                }
                if sent == Sent::Refused {
                    self.keep(call, now, Err(class));
                }
                Some(StepReport::Failed(StepFailure {
                    class,
                    sent,
                    bill: None,
                    retry_after: patience,
                    message: "by its script".into(),
                }))
            }
            Temper::Silent { times, happens } => {
                if self.count(call) >= times || call.timeout.is_none() {
                    return Some(self.done(call, &manner, now));
                }
                self.tally(call);
                if happens {
                    drop(self.done(call, &manner, now));
                }
                None
            }
            Temper::Job { takes, fails } => Some(self.submit(call, &manner, now, takes, fails)),
            Temper::Asks { expires, .. } => Some(Self::question(call, now, expires)),
            Temper::Waits(millis) => Some(StepReport::Wait {
                until: after(now, millis),
                value: value(self.seed, call),
            }),
        }
    }

    /// Whether an attempt never gets through, whatever became of those before.
    fn is_cut_off(&self, call: &Call) -> bool {
        let Ticket {
            generation,
            attempt,
            ..
        } = call.ticket;
        let name = (call.run, &call.path, generation, attempt, "line");
        self.mood == Mood::Rough && Dice::named(self.seed, name).percent(7)
    }

    fn count(&self, call: &Call) -> u32 {
        let key = (call.run, call.path.clone());
        self.failures.get(&key).copied().unwrap_or_default()
    }

    /// Counts a failure; gives how many there were before.
    fn tally(&mut self, call: &Call) -> u32 {
        let count = self
            .failures
            .entry((call.run, call.path.clone()))
            .or_default();
        *count += 1;
        *count - 1
    }

    /// Returns what a target with keys says to a key that it knows.
    fn known(&self, call: &Call, now: Timestamp) -> Option<Kept> {
        let Effect::Act(Act::Keyed(window)) = call.effect else {
            return None;
        };
        let kept = self.kept.get(&call.idempotency)?;
        let age = now.since(kept.since)?;
        window
            .is_none_or(|window| age <= window)
            .then(|| kept.clone())
    }

    fn keep(&mut self, call: &Call, now: Timestamp, answer: Result<Value, FailureClass>) {
        let kept = Kept { since: now, answer };
        self.kept.insert(call.idempotency, kept);
    }

    fn charge(&mut self, call: &Call, manner: &Manner) -> Bill {
        let bound = call.bound;
        let percent = |percent: i64| Money(bound.0 / 100 * percent);
        let (amount, bill) = match manner.billing {
            Billing::Exact => (bound, Bill::Exact(bound)),
            Billing::Less => (percent(40), Bill::Exact(percent(40))),
            Billing::More(more) => (percent(100 + more), Bill::Exact(percent(100 + more))),
            Billing::Free => (Money(0), Bill::None),
            Billing::Open => (percent(80), Bill::Presumed(bound)),
        };
        if bound == Money(0) {
            return Bill::None;
        }
        if amount > Money(0) {
            self.charged.push(Charge {
                run: call.run,
                ticket: call.ticket.clone(),
                amount,
                bound,
            });
        }
        bill
    }

    /// It happens, and is charged.
    fn done(&mut self, call: &Call, manner: &Manner, now: Timestamp) -> StepReport {
        let bill = self.charge(call, manner);
        let value = value(self.seed, call);
        if call.effect.acts() {
            self.happened.push(Happening {
                run: call.run,
                ticket: call.ticket.clone(),
                effect: call.effect,
                key: call.idempotency,
                value: value.clone(),
                visible: after(now, manner.stores_after),
                was_denied: self.denied.contains(&call.idempotency),
            });
            self.keep(call, now, Ok(value.clone()));
        }
        StepReport::Done { value, bill }
    }

    fn submit(
        &mut self,
        call: &Call,
        manner: &Manner,
        now: Timestamp,
        takes: i64,
        fails: bool,
    ) -> StepReport {
        let bill = self.charge(call, manner);
        let number = i64::try_from(self.jobs.len()).unwrap();
        self.jobs.push(Job {
            call: call.clone(),
            over: after(now, takes),
            bill,
            fails,
        });
        StepReport::Submitted {
            job: Value::Int(number),
            expires: None,
        }
    }

    /// A job is asked for: when it answers, and what.
    pub(crate) fn poll(&self, job: &Value, now: Timestamp) -> (Timestamp, StepReport) {
        let Some(job) = self.job(job) else {
            let forgotten = StepReport::Failed(StepFailure {
                class: FailureClass::Expired,
                sent: Sent::Refused,
                bill: None,
                retry_after: None,
                message: "nobody knows this job".into(),
            });
            return (after(now, 1), forgotten);
        };
        let report = if job.fails {
            StepReport::Failed(StepFailure {
                class: FailureClass::Policy,
                sent: Sent::Refused,
                bill: Some(job.bill),
                retry_after: None,
                message: "the job failed by its script".into(),
            })
        } else {
            StepReport::Done {
                value: value(self.seed, &job.call),
                bill: job.bill,
            }
        };
        (job.over.max(after(now, 1)), report)
    }

    /// A job is not wanted any more. It is charged all the same.
    pub(crate) fn cancel(&self, job: &Value) -> StepReport {
        StepReport::Stopped {
            sent: Sent::Maybe,
            bill: self.job(job).map(|job| job.bill),
        }
    }

    fn job(&self, name: &Value) -> Option<&Job> {
        let Value::Int(number) = name else {
            panic!("a job's name is what an outside gave: {name:?}")
        };
        self.jobs.get(usize::try_from(*number).unwrap())
    }

    fn question(call: &Call, now: Timestamp, expires: Option<i64>) -> StepReport {
        let answer = call.ty.clone().unwrap_or(Type::Bool);
        let otherwise = (answer == Type::Bool).then_some(Value::Bool(false));
        let form = Value::text(format!("{:?}", call.args));
        StepReport::Ask(Question {
            shown: Digest::of(format!("{form:?}").as_bytes()),
            form,
            answer,
            expires: expires.map(|millis| after(now, millis)),
            otherwise,
        })
    }

    /// What a person answers, if there is one who does.
    pub(crate) fn answer(&self, call: &Call) -> Option<Value> {
        match self.manner(call).temper {
            Temper::Asks { answers: true, .. } => Some(value(self.seed, call)),
            Temper::Asks { answers: false, .. }
            | Temper::Fine
            | Temper::Failing { .. }
            | Temper::Silent { .. }
            | Temper::Job { .. }
            | Temper::Waits(_) => None,
        }
    }

    /// A target is asked whether an act happened.
    pub(crate) fn probe(&mut self, key: Digest, now: Timestamp, can_tell: bool) -> Found {
        if !can_tell {
            return Found::CannotTell;
        }
        let mut known = self.happened.iter().filter(|done| done.key == key);
        if let Some(done) = known.clone().find(|done| done.visible <= now) {
            return Found::Yes(done.value.clone());
        }
        self.denied.insert(key);
        if known.next().is_some() {
            for done in self.happened.iter_mut().filter(|done| done.key == key) {
                done.was_denied = true;
            }
        }
        Found::No
    }

    /// Whether the act of an attempt happened, and what it gave.
    pub(crate) fn truth(&self, run: usize, ticket: &Ticket) -> Option<Value> {
        let same = |done: &&Happening| {
            done.run == run
                && done.ticket.at == ticket.at
                && done.ticket.generation == ticket.generation
        };
        self.happened
            .iter()
            .find(same)
            .map(|done| done.value.clone())
    }

    /// What an attempt was charged.
    pub(crate) fn charge_of(&self, run: usize, ticket: &Ticket) -> Money {
        let own = self.charged.iter();
        let own = own.filter(|charge| charge.run == run && charge.ticket == *ticket);
        Money(own.map(|charge| charge.amount.0).sum())
    }
}

fn refused(class: FailureClass) -> StepReport {
    StepReport::Failed(StepFailure {
        class,
        sent: Sent::Refused,
        bill: None,
        retry_after: None,
        message: "known by its key, and refused before".into(),
    })
}
