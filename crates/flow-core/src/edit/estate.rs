//! Estates: what a log leaves to whoever goes on from it.
//!
//! A run that begins again names its estate in the event that says so, and it
//! is kept as it was then. So what may be taken over is decided once, also for
//! later versions, and after a crash it is the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{At, RunId, Ticket};
use crate::amount::Money;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::event::{Event, Fact, Failure, Origin, Started, Status, Then, Timer, Verdict};
use crate::handle::{Handle, Values};
use crate::path::StepPath;
use crate::plan::Plan;
use crate::run::Corrupt;
use crate::step::{Bill, Sent};

use super::trace::Trace;

/// What may be taken over.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Estate {
    /// Results, in the order in which they were made.
    pub results: Vec<Legacy>,
    /// Calls that have failed for good, and whose fallback was taken.
    pub fallen: Vec<Fallen>,
    /// Places that are made again, whatever there is; a part without a key
    /// stands for all items.
    pub anew: Vec<StepPath>,
}

/// A result that may be taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct Legacy {
    /// Its key.
    pub key: Digest,
    /// The key without the seed, if the step draws from one and can't simply be
    /// made again.
    pub unseeded: Option<Digest>,
    /// Where it was made: a path without the name of the workflow.
    pub place: StepPath,
    /// The step.
    pub step: Arc<str>,
    /// What the step may do.
    pub effect: Effect,
    /// The value.
    pub value: Handle,
    /// The event that has it.
    pub from: Origin,
    /// What it cost.
    pub bill: Money,
    /// Whether it was part of the run as it stood last, or could still become so.
    pub is_current: bool,
    /// Whether it stays at its place whatever it would be made of now.
    pub is_pinned: bool,
}

/// A call that has failed for good, and whose fallback was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Fallen {
    /// The key of the result that it doesn't have.
    pub key: Digest,
    /// Where it was.
    pub place: StepPath,
    /// Why it failed.
    pub failure: Failure,
}

/// An act of which nobody will ever know whether it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// Where it was.
    pub place: StepPath,
    /// The step.
    pub step: Arc<str>,
    /// Whether somebody may still say what became of it.
    pub is_open: bool,
}

/// All that a log says of results.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Collected {
    /// What may be taken over.
    pub estate: Estate,
    /// Acts that may have happened all the same.
    pub doubtful: Vec<Doubtful>,
    /// Where something was tried that has no result, and what was wrong the
    /// last time.
    pub tried: BTreeMap<StepPath, Option<Failure>>,
}

/// Where what a log names is found.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it is functions")]
pub struct Sources<'a> {
    /// Plans.
    pub plans: &'a dyn Fn(&Digest) -> Option<Arc<Plan>>,
    /// Estates.
    pub estates: &'a dyn Fn(&Digest) -> Option<Estate>,
    /// Values.
    pub values: &'a dyn Values,
}

/// Reads what a log leaves.
pub fn collect(
    sources: Sources<'_>,
    events: impl IntoIterator<Item = Event>,
) -> Result<Collected, Corrupt> {
    let mut events = (0..).zip(events);
    let Some((
        _,
        Event {
            fact: Fact::RunStarted(start),
            ..
        },
    )) = events.next()
    else {
        return Err(Corrupt::NoStart);
    };
    let plan = (sources.plans)(&start.plan).ok_or(Corrupt::NoPlan(start.plan))?;
    let mut collector = Collector {
        sources,
        run: start.run.clone(),
        trace: Trace::new(plan, sources.values),
        begun: BTreeMap::new(),
        promised: BTreeMap::new(),
        by_origin: BTreeMap::new(),
        by_place: BTreeMap::new(),
        pending: BTreeMap::new(),
        found: Collected::default(),
    };
    collector.inherit(start.estate.as_ref());
    for (seq, event) in events {
        collector.note(seq, &event.fact)?;
    }
    collector.leave_open();
    // What was replaced has no place any more.
    let nowhere = StepPath::default();
    collector
        .found
        .estate
        .retain(|legacy| legacy.place != nowhere);
    Ok(collector.found)
}

/// An attempt that has no result yet.
struct Begun {
    key: Option<Digest>,
    unseeded: Option<Digest>,
    place: StepPath,
    step: Arc<str>,
    effect: Effect,
    /// It is an act that may have happened.
    is_open: bool,
}

struct Collector<'a> {
    sources: Sources<'a>,
    run: RunId,
    trace: Trace<'a>,
    begun: BTreeMap<Ticket, Begun>,
    /// What a wait or a question gives when its time is over.
    promised: BTreeMap<Ticket, Handle>,
    by_origin: BTreeMap<(RunId, u64), usize>,
    by_place: BTreeMap<(StepPath, Digest), usize>,
    /// Results that were part of the run when it last began again, by their
    /// places; they are as long as nothing else is known.
    pending: BTreeMap<StepPath, usize>,
    found: Collected,
}

impl Collector<'_> {
    /// Takes what may be taken over from here on, instead of what was found.
    fn inherit(&mut self, estate: Option<&Digest>) {
        if let Some(estate) = estate.and_then(self.sources.estates) {
            self.found.estate = Estate {
                results: Vec::with_capacity(estate.results.len()),
                fallen: estate.fallen,
                anew: Vec::new(),
            };
            self.by_origin.clear();
            self.by_place.clear();
            self.pending.clear();
            for legacy in estate.results {
                self.add(Legacy {
                    is_pinned: false,
                    ..legacy
                });
            }
        }
        let results = self.found.estate.results.iter().enumerate();
        let pending = results.filter(|(_, legacy)| legacy.is_current);
        self.pending = pending
            .map(|(at, legacy)| (legacy.place.clone(), at))
            .collect();
    }

    /// Adds a result. One of the same place and key is replaced.
    fn add(&mut self, legacy: Legacy) {
        let at = self.found.estate.results.len();
        let results = &mut self.found.estate.results;
        self.found.tried.remove(&legacy.place);
        if let Some(pending) = self.pending.remove(&legacy.place) {
            results[pending].is_current = false;
        }
        let spot = (legacy.place.clone(), legacy.key);
        if let Some(old) = self.by_place.insert(spot, at) {
            results[old].place = StepPath::default();
        }
        let origin = (legacy.from.run.clone(), legacy.from.seq);
        self.by_origin.insert(origin, at);
        results.push(legacy);
    }

    /// What was not asked for until the end belongs to the run no more.
    fn succeeded(&mut self) {
        for at in std::mem::take(&mut self.pending).into_values() {
            self.found.estate.results[at].is_current = false;
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other facts say nothing of results"
    )]
    fn note(&mut self, seq: u64, fact: &Fact) -> Result<(), Corrupt> {
        self.trace.note(fact);
        match fact {
            Fact::PlanReplaced { plan, estate, .. } => {
                let next = (self.sources.plans)(plan).ok_or(Corrupt::NoPlan(*plan))?;
                self.begin_again(next, estate.as_ref());
            }
            Fact::Reset { estate, .. } => {
                self.begin_again(self.trace.plan.clone(), estate.as_ref());
            }
            Fact::Joined { at, ticket } => {
                let place = self.trace.place(at);
                if let Some(begun) = self.begun.get_mut(ticket) {
                    begun.place = place;
                }
            }
            Fact::AttemptStarted(started) => self.begin(started),
            Fact::RunSettled {
                status: Status::Succeeded,
                ..
            } => self.succeeded(),
            Fact::Reused { at, key, value, .. } => {
                let place = self.trace.place(at);
                self.take(seq, at, place, *key, value);
            }
            Fact::Adopted {
                at,
                value,
                from,
                key,
            } => self.adopt(at, from, *key, value),
            _ => self.note_outcome(seq, fact),
        }
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other facts say nothing of results"
    )]
    fn note_outcome(&mut self, seq: u64, fact: &Fact) {
        match fact {
            Fact::Waits { ticket, value, .. } => {
                self.promised.insert(ticket.clone(), value.clone());
            }
            Fact::Asked {
                ticket,
                otherwise: Some(value),
                ..
            } => {
                self.promised.insert(ticket.clone(), value.clone());
            }
            Fact::Elapsed(Timer::Wait(ticket) | Timer::Expiry(ticket)) => {
                if let Some(value) = self.promised.remove(ticket) {
                    self.succeed(seq, ticket, &value, Bill::None);
                }
            }
            Fact::Succeeded {
                ticket,
                value,
                bill,
            } => self.succeed(seq, ticket, value, *bill),
            Fact::Answered { ticket, value, .. }
            | Fact::Probed {
                ticket,
                found: Some(value),
                ..
            } => self.succeed(seq, ticket, value, Bill::None),
            Fact::Resolved {
                ticket, verdict, ..
            } => self.resolve(seq, ticket, verdict),
            Fact::Failed {
                ticket,
                failure,
                sent,
                then,
                ..
            } => {
                self.fail(ticket, failure, *then);
                match sent {
                    Sent::No => self.not_sent(ticket),
                    Sent::Refused => self.know(ticket),
                    Sent::Maybe => {}
                }
            }
            Fact::Stopped {
                ticket,
                sent: Sent::Refused,
                ..
            }
            | Fact::Probed {
                ticket,
                found: None,
                then: Then::Again { .. } | Then::Fail | Then::FallBack | Then::Cut,
            } => self.know(ticket),
            Fact::Stopped {
                ticket,
                sent: Sent::No,
                ..
            } => self.not_sent(ticket),
            Fact::Refused {
                at, failure, then, ..
            } if !matches!(then, Then::Hold | Then::HoldUntil { .. }) => {
                let place = self.trace.place(at);
                self.found.tried.insert(place, Some(failure.clone()));
            }
            _ => {}
        }
    }

    fn begin_again(&mut self, plan: Arc<Plan>, estate: Option<&Digest>) {
        self.trace.begin_again(plan);
        self.inherit(estate);
    }

    fn begin(&mut self, started: &Started) {
        let at = &started.ticket.at;
        let Some(step) = self.trace.step(at.node).map(|step| step.step.clone()) else {
            return;
        };
        let place = self.trace.place(at);
        self.found.tried.entry(place.clone()).or_default();
        let begun = Begun {
            key: started.key,
            unseeded: started.unseeded,
            place,
            step,
            effect: started.effect,
            is_open: started.effect.acts(),
        };
        self.begun.insert(started.ticket.clone(), begun);
    }

    /// A result was there already, in another run.
    fn take(&mut self, seq: u64, at: &At, place: StepPath, key: Digest, value: &Handle) {
        let Some(step) = self.trace.step(at.node) else {
            return;
        };
        let legacy = Legacy {
            key,
            unseeded: None,
            place,
            step: step.step.clone(),
            effect: step.effect,
            value: value.clone(),
            from: self.origin(seq),
            bill: Money(0),
            is_current: true,
            is_pinned: false,
        };
        self.add(legacy);
    }

    /// A result was taken over: it has another place now.
    fn adopt(&mut self, at: &At, from: &Origin, key: Option<Digest>, value: &Handle) {
        let place = self.trace.place(at);
        let known = self.by_origin.get(&(from.run.clone(), from.seq)).copied();
        let known = known.map(|known| self.found.estate.results[known].clone());
        let step = self.trace.step(at.node);
        let legacy = match (known, step, key) {
            (Some(known), _, _) => Legacy {
                key: key.unwrap_or(known.key),
                place,
                is_current: true,
                ..known
            },
            (None, Some(step), Some(key)) => Legacy {
                key,
                unseeded: None,
                place,
                step: step.step.clone(),
                effect: step.effect,
                value: value.clone(),
                from: from.clone(),
                bill: Money(0),
                is_current: true,
                is_pinned: false,
            },
            (None, ..) => return,
        };
        if let Some(old) = self.by_origin.get(&(from.run.clone(), from.seq)).copied() {
            self.move_away(old);
        }
        self.add(legacy);
    }

    /// A result is elsewhere now; or also elsewhere, since what is pure is shared.
    fn move_away(&mut self, at: usize) {
        let old = &mut self.found.estate.results[at];
        let is_pending = self.pending.get(&old.place) == Some(&at);
        if !old.is_current || is_pending {
            if is_pending {
                self.pending.remove(&old.place);
            }
            let spot = (std::mem::take(&mut old.place), old.key);
            if self.by_place.get(&spot) == Some(&at) {
                self.by_place.remove(&spot);
            }
        }
    }

    fn origin(&self, seq: u64) -> Origin {
        Origin {
            run: self.run.clone(),
            seq,
        }
    }

    fn succeed(&mut self, seq: u64, ticket: &Ticket, value: &Handle, bill: Bill) {
        self.know(ticket);
        let Some(begun) = self.begun.remove(ticket) else {
            return;
        };
        let Some(key) = begun.key else { return };
        let legacy = Legacy {
            key,
            unseeded: begun.unseeded,
            place: begun.place,
            step: begun.step,
            effect: begun.effect,
            value: value.clone(),
            from: self.origin(seq),
            bill: bill.amount(),
            is_current: true,
            is_pinned: false,
        };
        self.add(legacy);
    }

    /// Notes the acts of which nobody knows whether they happened.
    fn leave_open(&mut self) {
        let open = self.begun.values().filter(|begun| begun.is_open);
        let open = open.map(|begun| Doubtful {
            place: begun.place.clone(),
            step: begun.step.clone(),
            is_open: true,
        });
        self.found.doubtful.extend(open);
    }

    fn resolve(&mut self, seq: u64, ticket: &Ticket, verdict: &Verdict) {
        match verdict {
            Verdict::Happened(value) => self.succeed(seq, ticket, value, Bill::None),
            Verdict::DidNot => self.know(ticket),
            Verdict::GiveUp => {
                self.know(ticket);
                if let Some(begun) = self.begun.remove(ticket)
                    && begun.effect.acts()
                {
                    self.found.doubtful.push(Doubtful {
                        place: begun.place.clone(),
                        step: begun.step.clone(),
                        is_open: false,
                    });
                }
            }
        }
    }

    /// An attempt didn't get out; that says nothing of those before it.
    fn not_sent(&mut self, ticket: &Ticket) {
        if let Some(begun) = self.begun.get_mut(ticket) {
            begun.is_open = false;
        }
    }

    /// It is known what became of an act.
    fn know(&mut self, ticket: &Ticket) {
        for begun in self.same_act(ticket) {
            begun.is_open = false;
        }
    }

    /// Returns what is known of an attempt and of those before it.
    fn same_act(&mut self, ticket: &Ticket) -> impl Iterator<Item = &mut Begun> {
        let first = Ticket {
            attempt: 0,
            ..ticket.clone()
        };
        let attempts = self.begun.range_mut(first..=ticket.clone());
        attempts.map(|(_, begun)| begun)
    }

    fn fail(&mut self, ticket: &Ticket, failure: &Failure, then: Then) {
        let Some(begun) = self.begun.get(ticket) else {
            return;
        };
        let (key, place) = (begun.key, begun.place.clone());
        self.found
            .tried
            .insert(place.clone(), Some(failure.clone()));
        if then == Then::FallBack
            && let Some(key) = key
        {
            self.found.estate.fallen.push(Fallen {
                key,
                place,
                failure: failure.clone(),
            });
        }
    }
}

impl Estate {
    /// Keeps what a check says of each result.
    pub fn retain(&mut self, keeps: impl FnMut(&Legacy) -> bool) {
        self.results.retain(keeps);
    }

    /// Returns it without the results that are made again.
    #[must_use]
    pub fn without_anew(mut self) -> Self {
        let anew = Anew::of(&self.anew);
        self.results.retain(|legacy| !anew.has(&legacy.place));
        self
    }
}

/// Places that are made again, found by their names.
#[derive(Debug, Clone, Default)]
pub(super) struct Anew(BTreeMap<Vec<Arc<str>>, Vec<StepPath>>);

impl Anew {
    pub(super) fn of(places: &[StepPath]) -> Self {
        let mut anew: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for place in places {
            anew.entry(names(place)).or_default().push(place.clone());
        }
        Self(anew)
    }

    /// Returns whether a place is one of them or inside of one.
    pub(super) fn has(&self, place: &StepPath) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let names = names(place);
        (1..=names.len()).any(|length| {
            let again = self.0.get(&names[..length]);
            again.is_some_and(|again| again.iter().any(|again| place.is_within(again)))
        })
    }
}

/// Returns the names in a place.
pub(super) fn names(place: &StepPath) -> Vec<Arc<str>> {
    let segments = place.segments().iter();
    segments.map(|segment| segment.name.clone()).collect()
}
