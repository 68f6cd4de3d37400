//! Taking over: which of the results that there are an instance gets.
//!
//! Whoever drives a run offers every first attempt before it is admitted. What
//! is taken over comes back one by one, in the order in which it was made, so
//! that a race has the winner that it had; and only when nothing more can be
//! taken over may the rest begin.
//!
//! A result that computes is for everybody who would compute the same. What was
//! looked up, paid for or done is there once, and is given once: to its own
//! place if that still wants it, else to whoever wants the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::Ticket;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::event::Origin;
use crate::handle::Values;
use crate::path::StepPath;
use crate::plan::{NodeId, Plan};
use crate::run::{Input, Left, Leftover, Prepared, Refusal, Run};

use super::estate::{Anew, Estate, names};
use super::shelf::{Nearness, Shelf, Spot};
use super::trace::step_of;

/// Gives out an estate.
#[derive(Debug, Clone)]
pub struct Takeover {
    estate: Estate,
    by_key: BTreeMap<Digest, Shelf>,
    by_unseeded: BTreeMap<Digest, Shelf>,
    /// Results that stay at their places.
    pinned: BTreeMap<StepPath, usize>,
    fallen: BTreeMap<Digest, usize>,
    by_origin: BTreeMap<Origin, usize>,
    /// What was given and is there only once.
    given: BTreeSet<usize>,
    anew: Anew,
    /// The names of all places that the plan has.
    places: BTreeSet<Vec<Arc<str>>>,
    /// What something was found for, in the order in which it was made.
    found: BTreeMap<Turn, Found>,
    /// What could have the result of a place that may still want it itself.
    patient: BTreeMap<(Likeness, Turn), Wanted>,
    /// What nothing was found for.
    missed: Vec<Wanted>,
    /// The keys of attempts that may be taken over, once they were asked for.
    left: Option<BTreeSet<Digest>>,
    arrivals: u64,
}

/// How alike a result is to what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// It is made of the same.
    Same,
    /// It is, but for the number that it was drawn from.
    Redrawn,
}

/// When something is taken over: in the order of making; of several that want
/// the same, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    made: usize,
    nearness: Nearness,
    arrival: u64,
}

#[derive(Debug, Clone)]
struct Found {
    wanted: Wanted,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Result(usize),
    Fallen(usize),
}

/// What an attempt would give.
#[derive(Debug, Clone, Copy)]
struct Near {
    likeness: Likeness,
    nearness: Nearness,
    made: usize,
    what: What,
}

/// An attempt that could begin.
#[derive(Debug, Clone)]
struct Wanted {
    ticket: Ticket,
    key: Option<Digest>,
    unseeded: Option<Digest>,
    place: StepPath,
    effect: Effect,
}

impl Takeover {
    /// Begins to give out an estate to a run of a plan.
    pub fn new(estate: Estate, plan: &Plan) -> Self {
        let mut takeover = Self {
            by_key: BTreeMap::new(),
            by_unseeded: BTreeMap::new(),
            pinned: BTreeMap::new(),
            fallen: BTreeMap::new(),
            by_origin: BTreeMap::new(),
            given: BTreeSet::new(),
            anew: Anew::of(&estate.anew),
            places: places(plan),
            found: BTreeMap::new(),
            patient: BTreeMap::new(),
            missed: Vec::new(),
            left: None,
            arrivals: 0,
            estate,
        };
        let (results, places) = (&takeover.estate.results, &takeover.places);
        let spot = |at: usize| spot(&results[at].place, places);
        for (at, legacy) in results.iter().enumerate() {
            if takeover.anew.has(&legacy.place) {
                continue;
            }
            let shelf = takeover.by_key.entry(legacy.key).or_default();
            shelf.put(at, &spot);
            if let Some(unseeded) = legacy.unseeded {
                let shelf = takeover.by_unseeded.entry(unseeded).or_default();
                shelf.put(at, &spot);
            }
            if legacy.is_pinned {
                takeover.pinned.insert(legacy.place.clone(), at);
            }
            takeover.by_origin.insert(legacy.from.clone(), at);
        }
        for (at, fallen) in takeover.estate.fallen.iter().enumerate() {
            takeover.fallen.insert(fallen.key, at);
        }
        takeover
    }

    /// Returns whether what is at a place is made again, whatever there is.
    pub fn is_anew(&self, place: &StepPath) -> bool {
        self.anew.has(place)
    }

    /// Returns the number of a result by where it was made.
    pub(super) fn number(&self, from: &Origin) -> Option<usize> {
        self.by_origin.get(from).copied()
    }

    /// Returns the results that were given to somebody.
    pub(super) fn given(&self) -> &BTreeSet<usize> {
        &self.given
    }

    /// Takes note that a result was taken over before.
    pub fn note(&mut self, from: &Origin) {
        if let Some(at) = self.by_origin.get(from) {
            self.give(*at);
        }
    }

    /// A result is given away; what computes stays for others.
    fn give(&mut self, at: usize) {
        if !self.given.insert(at) || self.estate.results[at].effect == Effect::Pure {
            return;
        }
        let legacy = &self.estate.results[at];
        let spot = spot(&legacy.place, &self.places);
        if let Some(shelf) = self.by_key.get_mut(&legacy.key) {
            shelf.remove(at, spot);
        }
        if let Some(unseeded) = legacy.unseeded
            && let Some(shelf) = self.by_unseeded.get_mut(&unseeded)
        {
            shelf.remove(at, spot);
        }
    }

    /// Takes an attempt that could begin. It comes back as an input or among
    /// the rest.
    pub fn offer(&mut self, prepared: &Prepared) {
        let key = prepared.key.as_ref();
        let wanted = Wanted {
            ticket: prepared.ticket.clone(),
            key: key.map(|key| key.digest),
            unseeded: key.and_then(|key| key.unseeded),
            place: prepared.path.inside(),
            effect: prepared.effect,
        };
        self.look_for(wanted);
    }

    fn look_for(&mut self, wanted: Wanted) {
        let Some(near) = self.find(&wanted) else {
            self.missed.push(wanted);
            return;
        };
        self.arrivals += 1;
        let turn = Turn {
            made: near.made,
            nearness: near.nearness,
            arrival: self.arrivals,
        };
        let is_shared = wanted.effect == Effect::Pure;
        if near.nearness == Nearness::Other && !is_shared {
            self.patient.insert((near.likeness, turn), wanted);
            return;
        }
        let what = near.what;
        self.found.insert(turn, Found { wanted, what });
    }

    /// Finds what an attempt would give.
    fn find(&self, wanted: &Wanted) -> Option<Near> {
        if self.anew.has(&wanted.place) {
            return None;
        }
        let result = |likeness, (nearness, at)| Near {
            likeness,
            nearness,
            made: at,
            what: What::Result(at),
        };
        let pinned = self.pinned.get(&wanted.place).copied();
        if let Some(at) = pinned.filter(|at| self.is_there(*at)) {
            return Some(result(Likeness::Same, (Nearness::Same, at)));
        }
        let key = wanted.key?;
        let spot = |at: usize| spot(&self.estate.results[at].place, &self.places);
        let nearest = |shelf: Option<&Shelf>| shelf?.nearest(&wanted.place, &spot);
        if let Some(best) = nearest(self.by_key.get(&key)) {
            return Some(result(Likeness::Same, best));
        }
        if let Some(at) = self.fallen.get(&key) {
            return Some(Near {
                likeness: Likeness::Same,
                nearness: Nearness::Same,
                // It failed after all that was there then.
                made: self.estate.results.len(),
                what: What::Fallen(*at),
            });
        }
        // What is at another place now draws another number; nobody asked it to.
        let unseeded = wanted.unseeded?;
        let redrawn = nearest(self.by_unseeded.get(&unseeded))?;
        Some(result(Likeness::Redrawn, redrawn))
    }

    fn is_there(&self, at: usize) -> bool {
        self.estate.results[at].effect == Effect::Pure || !self.given.contains(&at)
    }

    /// Returns what is taken over next, as an input for the run.
    pub fn next(&mut self, run: &Run, values: &dyn Values) -> Option<Input> {
        loop {
            if let Some((_, found)) = self.found.pop_first() {
                match self.take(found, run) {
                    Some(input) => return Some(input),
                    None => continue,
                }
            }
            // Nobody near wants what is left.
            let Some(((likeness, _), wanted)) = self.patient.pop_first() else {
                return self.join(run, values);
            };
            if !run.is_admissible(&wanted.ticket) {
                continue;
            }
            match self.find(&wanted) {
                Some(Near {
                    what: What::Result(at),
                    likeness: still,
                    ..
                }) if still == likeness => return Some(self.adopt(wanted.ticket, at)),
                // What it waited for is gone.
                Some(_) | None => self.look_for(wanted),
            }
        }
    }

    /// Gives what was found, if it is still there and wanted.
    fn take(&mut self, found: Found, run: &Run) -> Option<Input> {
        if !run.is_admissible(&found.wanted.ticket) {
            return None;
        }
        match found.what {
            What::Result(at) if self.is_there(at) => Some(self.adopt(found.wanted.ticket, at)),
            // Somebody nearer has it.
            What::Result(_) => {
                self.look_for(found.wanted);
                None
            }
            What::Fallen(_) if !run.has_fallback(&found.wanted.ticket) => {
                self.missed.push(found.wanted);
                None
            }
            What::Fallen(at) => {
                let failure = self.estate.fallen[at].failure.clone();
                Some(Input::Refused {
                    ticket: found.wanted.ticket,
                    why: Refusal::Never(failure),
                })
            }
        }
    }

    fn adopt(&mut self, ticket: Ticket, at: usize) -> Input {
        self.give(at);
        let legacy = &self.estate.results[at];
        Input::Adopted {
            ticket,
            key: Some(legacy.key),
            value: legacy.value.clone(),
            from: legacy.from.clone(),
        }
    }

    /// Finds an instance for an attempt that is still open.
    fn join(&mut self, run: &Run, values: &dyn Values) -> Option<Input> {
        if self.missed.is_empty() || !run.has_leftovers() {
            return None;
        }
        let keys = |left: &Leftover| left.key.into_iter().chain(left.unseeded);
        let known = self.left.get_or_insert_with(|| {
            let leftovers = run.leftovers(values);
            leftovers.iter().flat_map(keys).collect()
        });
        let is_known = |key: Option<Digest>| key.is_some_and(|key| known.contains(&key));
        let fits = |wanted: &Wanted| is_known(wanted.key) || is_known(wanted.unseeded);
        if !self.missed.iter().any(fits) {
            return None;
        }
        let leftovers = run.leftovers(values);
        let leftovers: Vec<Candidate<'_>> = leftovers.iter().filter_map(Candidate::of).collect();
        let missed = self.missed.iter().enumerate();
        let pairs = missed.filter_map(|(at, wanted)| {
            if !run.is_admissible(&wanted.ticket) || self.anew.has(&wanted.place) {
                return None;
            }
            let fitting = leftovers.iter().filter_map(|left| left.rank(wanted));
            let (rank, left) = fitting.min()?;
            Some((rank, at, left.clone()))
        });
        let (_, at, left) = pairs.min()?;
        let wanted = self.missed.remove(at);
        Some(Input::Joined {
            ticket: wanted.ticket,
            left,
        })
    }

    /// Returns the attempts for which there is nothing. To be asked for when
    /// nothing more is taken over.
    pub fn rest(&mut self) -> Vec<Ticket> {
        let missed = std::mem::take(&mut self.missed);
        missed.into_iter().map(|wanted| wanted.ticket).collect()
    }
}

/// An attempt that an instance may take over.
struct Candidate<'a> {
    left: &'a Leftover,
    place: StepPath,
}

impl<'a> Candidate<'a> {
    fn of(left: &'a Leftover) -> Option<Self> {
        (left.left != Left::Running).then(|| Self {
            left,
            place: left.path.inside(),
        })
    }

    /// Returns how well it fits to what is wanted: the less the better.
    fn rank(&self, wanted: &Wanted) -> Option<((Likeness, bool), &'a Ticket)> {
        let key = wanted.key?;
        let is_redrawn = || {
            // What has left can't be sent again, so it may have another seed.
            let is_job = self.left.left == Left::Job;
            is_job && self.left.unseeded.is_some() && self.left.unseeded == wanted.unseeded
        };
        let likeness = if self.left.key == Some(key) {
            Likeness::Same
        } else if is_redrawn() {
            Likeness::Redrawn
        } else {
            return None;
        };
        let is_elsewhere = self.place != wanted.place;
        Some(((likeness, is_elsewhere), &self.left.ticket))
    }
}

/// Returns the names of the places that a plan has for steps.
pub(super) fn places(plan: &Plan) -> BTreeSet<Vec<Arc<str>>> {
    let mut of_nodes: Vec<Vec<Arc<str>>> = Vec::with_capacity(plan.graph.node_count());
    let mut places = BTreeSet::new();
    for (at, node) in (0..).zip(plan.graph.node_weights()) {
        let place = match &node.parent {
            None => Vec::new(),
            Some(parent) => {
                let mut place = of_nodes[parent.node.0 as usize].clone();
                place.extend(parent.arm.clone());
                place.push(node.name.clone());
                place
            }
        };
        if step_of(&plan.node(NodeId(at)).kind).is_some() {
            places.insert(place.clone());
        }
        of_nodes.push(place);
    }
    places
}

fn spot<'a>(place: &'a StepPath, places: &BTreeSet<Vec<Arc<str>>>) -> Spot<'a> {
    Spot {
        place,
        is_gone: !places.contains(&names(place)),
    }
}
