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
    patient: Vec<Wanted>,
    /// What nothing was found for.
    missed: Vec<Wanted>,
    arrivals: u64,
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
            patient: Vec::new(),
            missed: Vec::new(),
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
        let Some((made, nearness, what)) = self.find(&wanted) else {
            self.missed.push(wanted);
            return;
        };
        let is_shared = wanted.effect == Effect::Pure;
        if nearness == Nearness::Other && !is_shared {
            self.patient.push(wanted);
            return;
        }
        self.arrivals += 1;
        let turn = Turn {
            made,
            nearness,
            arrival: self.arrivals,
        };
        self.found.insert(turn, Found { wanted, what });
    }

    /// Finds what an attempt would give.
    fn find(&self, wanted: &Wanted) -> Option<(usize, Nearness, What)> {
        if self.anew.has(&wanted.place) {
            return None;
        }
        let result = |(nearness, at)| (at, nearness, What::Result(at));
        let pinned = self.pinned.get(&wanted.place).copied();
        if let Some(at) = pinned.filter(|at| self.is_there(*at)) {
            return Some(result((Nearness::Same, at)));
        }
        let key = wanted.key?;
        let spot = |at: usize| spot(&self.estate.results[at].place, &self.places);
        let nearest = |shelf: Option<&Shelf>| shelf?.nearest(&wanted.place, &spot);
        if let Some(best) = nearest(self.by_key.get(&key)) {
            return Some(result(best));
        }
        if let Some(at) = self.fallen.get(&key) {
            // It failed after all that was there then.
            let made = self.estate.results.len();
            return Some((made, Nearness::Same, What::Fallen(*at)));
        }
        // A step that was only renamed draws another number; nobody asked it to.
        let unseeded = wanted.unseeded?;
        let same_but_seed = nearest(self.by_unseeded.get(&unseeded));
        same_but_seed
            .filter(|(nearness, _)| *nearness < Nearness::Other)
            .map(result)
    }

    fn is_there(&self, at: usize) -> bool {
        self.estate.results[at].effect == Effect::Pure || !self.given.contains(&at)
    }

    /// Returns what is taken over next, as an input for the run.
    pub fn next(&mut self, run: &Run, values: &dyn Values) -> Option<Input> {
        while let Some((_, found)) = self.found.pop_first() {
            // Nobody wants it any more.
            if !run.is_admissible(&found.wanted.ticket) {
                continue;
            }
            match found.what {
                What::Result(at) if self.is_there(at) => {
                    return Some(self.adopt(found.wanted.ticket, at));
                }
                // Somebody nearer has it.
                What::Result(_) => self.look_for(found.wanted),
                What::Fallen(_) if !run.has_fallback(&found.wanted.ticket) => {
                    self.missed.push(found.wanted);
                }
                What::Fallen(at) => {
                    let failure = self.estate.fallen[at].failure.clone();
                    return Some(Input::Refused {
                        ticket: found.wanted.ticket,
                        why: Refusal::Never(failure),
                    });
                }
            }
        }
        // Nobody near wants what is left.
        while let Some(wanted) = self.patient.pop() {
            if !run.is_admissible(&wanted.ticket) {
                continue;
            }
            match self.find(&wanted) {
                Some((_, _, What::Result(at))) => return Some(self.adopt(wanted.ticket, at)),
                Some(_) | None => self.look_for(wanted),
            }
        }
        self.join(run, values)
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
        let leftovers = run.leftovers(values);
        for at in 0..self.missed.len() {
            let wanted = &self.missed[at];
            if !run.is_admissible(&wanted.ticket) || self.anew.has(&wanted.place) {
                continue;
            }
            let Some(left) = self.nearest(&leftovers, wanted) else {
                continue;
            };
            let left = left.ticket.clone();
            let wanted = self.missed.remove(at);
            return Some(Input::Joined {
                ticket: wanted.ticket,
                left,
            });
        }
        None
    }

    fn nearest<'a>(&self, leftovers: &'a [Leftover], wanted: &Wanted) -> Option<&'a Leftover> {
        let key = wanted.key?;
        let fitting = leftovers.iter().filter(|left| {
            let is_same = left.key == Some(key);
            // What has left can't be sent again, so it may have another seed.
            let is_moved = left.left == Left::Job
                && left.unseeded.is_some()
                && left.unseeded == wanted.unseeded
                && !self.places.contains(&names(&left.path.inside()));
            left.left != Left::Running && (is_same || is_moved)
        });
        let near = fitting.map(|left| {
            let is_elsewhere = left.path.inside() != wanted.place;
            (is_elsewhere, &left.ticket, left)
        });
        near.min_by_key(|(is_elsewhere, ticket, _)| (*is_elsewhere, *ticket))
            .map(|(_, _, left)| left)
    }

    /// Returns the attempts for which there is nothing. To be asked for when
    /// nothing more is taken over.
    pub fn rest(&mut self) -> Vec<Ticket> {
        let missed = std::mem::take(&mut self.missed);
        missed.into_iter().map(|wanted| wanted.ticket).collect()
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
