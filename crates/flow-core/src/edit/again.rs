//! Making again: what of a run is not taken over, because somebody wants it
//! anew.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use crate::path::StepPath;
use crate::plan::{NodeId, Plan};

use super::estate::{Anew, Collected, names};

/// What is to be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// Places, without the name of the workflow; a part without a key stands for
    /// all items.
    pub from: Vec<StepPath>,
    /// What else.
    pub extent: Extent,
}

/// What else is made again if something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// What would be made of something else.
    Changed,
    /// All that depends on it, whatever comes out.
    Downstream,
    /// Nothing: everything else stays as it is.
    Only,
}

/// There is no such place in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// What was asked for.
    pub place: StepPath,
    /// The places that there are, without items.
    pub known: Vec<String>,
}

impl fmt::Display for Unplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the run has no step `{}`", self.place)
    }
}

impl Again {
    /// Takes out of what a log leaves what is to be made again.
    pub fn forget(&self, plan: &Plan, collected: &mut Collected) -> Result<(), Unplaced> {
        let places = Places::of(plan);
        let mut anew = Vec::new();
        for place in &self.from {
            let (place, node) = places.find(place)?;
            if self.extent == Extent::Downstream {
                anew.extend(places.after(plan, node, &place));
            }
            anew.push(place);
        }
        anew.sort();
        anew.dedup();
        let estate = &mut collected.estate;
        let index = Anew::of(&anew);
        estate.fallen.retain(|fallen| !index.has(&fallen.place));
        if self.extent == Extent::Only {
            for legacy in &mut estate.results {
                legacy.is_pinned = legacy.is_current && !index.has(&legacy.place);
            }
        }
        // What is forgotten is told of, but found no more.
        estate.anew = anew;
        Ok(())
    }
}

/// The places of a plan, by their nodes.
struct Places<'a> {
    root: &'a str,
    all: Vec<Vec<Arc<str>>>,
}

impl<'a> Places<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut all: Vec<Vec<Arc<str>>> = Vec::with_capacity(plan.graph.node_count());
        for node in plan.graph.node_weights() {
            let place = node.parent.as_ref().map_or_else(Vec::new, |parent| {
                let mut place = all[parent.node.0 as usize].clone();
                place.extend(parent.arm.clone());
                place.push(node.name.clone());
                place
            });
            all.push(place);
        }
        Self {
            root: &plan.root().workflow,
            all,
        }
    }

    /// Finds a place, which may begin with the name of the workflow.
    fn find(&self, place: &StepPath) -> Result<(StepPath, NodeId), Unplaced> {
        let position = |place: &StepPath| {
            let wanted = names(place);
            let at = self.all.iter().skip(1).position(|known| *known == wanted)?;
            Some(NodeId(u32::try_from(at + 1).ok()?))
        };
        if let Some(node) = position(place) {
            return Ok((place.clone(), node));
        }
        let first = place.segments().first();
        let is_whole = first.is_some_and(|first| *first.name == *self.root);
        let inside = place.inside();
        match position(&inside).filter(|_| is_whole) {
            Some(node) => Ok((inside, node)),
            None => Err(Unplaced {
                place: place.clone(),
                known: self.known(),
            }),
        }
    }

    fn known(&self) -> Vec<String> {
        let known = self.all.iter().skip(1);
        known.map(|place| place.join("/")).collect()
    }

    /// Returns the places of all that depends on a node, in its own items where
    /// it is in some.
    fn after(&self, plan: &Plan, node: NodeId, place: &StepPath) -> Vec<StepPath> {
        let mut found = Vec::new();
        let mut here = node;
        // The place of what is around it, up to the workflow.
        let mut place = place.clone();
        loop {
            for id in followers(plan, here) {
                found.push(place.sibling(&self.all[here.0 as usize], &self.all[id.0 as usize]));
            }
            let Some(parent) = &plan.node(here).parent else {
                return found;
            };
            place = place.around(self.all[parent.node.0 as usize].len());
            here = parent.node;
        }
    }
}

/// Returns the nodes of a block that come after another, at any distance.
fn followers(plan: &Plan, node: NodeId) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    let mut open = vec![node];
    while let Some(id) = open.pop() {
        let index = NodeIndex::<u32>::new(id.0 as usize);
        for next in plan.graph.neighbors_directed(index, Direction::Outgoing) {
            let next = NodeId(u32::try_from(next.index()).unwrap_or(u32::MAX));
            if found.insert(next) {
                open.push(next);
            }
        }
    }
    found
}

impl StepPath {
    /// Returns the first parts, without a key of the last.
    fn around(&self, count: usize) -> Self {
        let mut segments = self.segments()[..count].to_vec();
        if let Some(last) = segments.last_mut() {
            last.key = None;
        }
        Self::of(segments)
    }

    /// Returns the place of another node of the same block: what both have in
    /// common, and the rest of the other.
    fn sibling(&self, own: &[Arc<str>], other: &[Arc<str>]) -> Self {
        let common = own.iter().zip(other).take_while(|(one, two)| one == two);
        let common = common.count().min(own.len() - 1);
        let mut place = Self::of(self.segments()[..common].to_vec());
        for name in &other[common..] {
            place = place.join(name.clone());
        }
        place
    }
}
