//! Shelves: results that are equal but for their places, and which of them is
//! the nearest to another place.

use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use crate::path::{Key, StepPath};

/// How near a place is to that of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    /// It is the same.
    Same,
    /// The other is no place of the plan any more, and the items are the same.
    Moved,
    /// The other is no place of the plan any more.
    Gone,
    /// The other is a place of the plan.
    Other,
}

/// Where a result was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) place: &'a StepPath,
    /// Whether the plan has no such place any more.
    pub(super) is_gone: bool,
}

/// Equal results, by their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    few: SmallVec<[usize; 2]>,
    many: Option<Box<Many>>,
}

/// So many are looked through one by one.
const FEW: usize = 16;

/// Many results, found by their places.
#[derive(Debug, Clone, Default)]
struct Many {
    same: BTreeMap<StepPath, usize>,
    moved: BTreeMap<Vec<Key>, BTreeSet<usize>>,
    gone: BTreeSet<usize>,
    other: BTreeSet<usize>,
}

impl Shelf {
    /// Adds a result. `spot` says where a result was made.
    pub(super) fn put<'a>(&mut self, at: usize, spot: &dyn Fn(usize) -> Spot<'a>) {
        if let Some(many) = &mut self.many {
            many.put(at, spot(at));
            return;
        }
        self.few.push(at);
        if self.few.len() > FEW {
            let mut many = Many::default();
            for at in self.few.drain(..) {
                many.put(at, spot(at));
            }
            self.many = Some(Box::new(many));
        }
    }

    /// Removes a result.
    pub(super) fn remove(&mut self, at: usize, spot: Spot<'_>) {
        self.few.retain(|other| *other != at);
        if let Some(many) = &mut self.many {
            many.remove(at, spot);
        }
    }

    /// Returns the nearest result; of several, the first.
    pub(super) fn nearest<'a>(
        &self,
        place: &StepPath,
        spot: &dyn Fn(usize) -> Spot<'a>,
    ) -> Option<(Nearness, usize)> {
        if let Some(many) = &self.many {
            return many.nearest(place);
        }
        let near = |at: &usize| (nearness(place, spot(*at)), *at);
        self.few.iter().map(near).min()
    }
}

fn nearness(place: &StepPath, spot: Spot<'_>) -> Nearness {
    if spot.place == place {
        Nearness::Same
    } else if !spot.is_gone {
        Nearness::Other
    } else if keys(spot.place) == keys(place) {
        Nearness::Moved
    } else {
        Nearness::Gone
    }
}

fn keys(place: &StepPath) -> Vec<Key> {
    let segments = place.segments().iter();
    segments.filter_map(|segment| segment.key.clone()).collect()
}

impl Many {
    fn put(&mut self, at: usize, spot: Spot<'_>) {
        self.same.insert(spot.place.clone(), at);
        if spot.is_gone {
            self.moved.entry(keys(spot.place)).or_default().insert(at);
            self.gone.insert(at);
        } else {
            self.other.insert(at);
        }
    }

    fn remove(&mut self, at: usize, spot: Spot<'_>) {
        self.same.remove(spot.place);
        if let Some(moved) = self.moved.get_mut(&keys(spot.place)) {
            moved.remove(&at);
        }
        self.gone.remove(&at);
        self.other.remove(&at);
    }

    fn nearest(&self, place: &StepPath) -> Option<(Nearness, usize)> {
        if let Some(at) = self.same.get(place) {
            return Some((Nearness::Same, *at));
        }
        let moved = self.moved.get(&keys(place)).and_then(BTreeSet::first);
        let found = moved.map(|at| (Nearness::Moved, *at));
        let gone = || self.gone.first().map(|at| (Nearness::Gone, *at));
        let other = || self.other.first().map(|at| (Nearness::Other, *at));
        found.or_else(gone).or_else(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, keys: &[u64]) -> StepPath {
        let mut place = StepPath::default().join(text);
        for key in keys {
            place = place.item(Key::Index(*key)).join("x");
        }
        place
    }

    /// Few results and many are found alike.
    #[test]
    fn the_nearest_is_found_among_few_and_many() {
        for more in [0, 100] {
            let mut places: Vec<(StepPath, bool)> = vec![
                (place("still", &[3]), false),
                (place("old", &[3]), true),
                (place("old", &[4]), true),
            ];
            places.extend((0..more).map(|at| (place("more", &[at]), false)));
            let spot = |at: usize| Spot {
                place: &places[at].0,
                is_gone: places[at].1,
            };
            let mut shelf = Shelf::default();
            for at in 0..places.len() {
                shelf.put(at, &spot);
            }
            let mut expect = |wanted: &StepPath, expected| {
                let found = shelf.nearest(wanted, &spot);
                assert_eq!(found, expected, "{wanted} of {}", places.len());
                if let Some((_, at)) = found {
                    shelf.remove(at, spot(at));
                }
            };
            expect(&place("still", &[3]), Some((Nearness::Same, 0)));
            expect(&place("new", &[4]), Some((Nearness::Moved, 2)));
            expect(&place("new", &[9]), Some((Nearness::Gone, 1)));
            let left = (more > 0).then_some((Nearness::Other, 3));
            expect(&place("new", &[9]), left);
        }
    }
}
