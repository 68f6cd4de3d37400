//! Addresses inside a run: instances of nodes, and attempts at them.
//!
//! An address counts items and rounds by their positions, so it is short and
//! needs no values. What people, seeds and keys speak of is the
//! [`StepPath`](crate::path::StepPath), which has the keys of the items.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::plan::NodeId;

/// The name of a run: short, readable, unique in its store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub Arc<str>);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The positions of the items and rounds that an instance is in, outermost
/// first.
pub type Ords = SmallVec<[u32; 4]>;

/// The address of one instance of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct At {
    /// The node.
    pub node: NodeId,
    /// Which items and rounds of the enclosing `for`s and `repeat`s.
    pub ords: Ords,
}

impl At {
    /// Returns the address of the run's workflow.
    pub fn root() -> Self {
        Self::default()
    }

    /// Makes an address.
    pub fn new(node: NodeId, ords: impl IntoIterator<Item = u32>) -> Self {
        Self {
            node,
            ords: ords.into_iter().collect(),
        }
    }
}

impl fmt::Display for At {
    /// Writes `17` or `17[3,0]`, for messages about damage.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.node.0)?;
        for (at, ord) in self.ords.iter().enumerate() {
            f.write_str(if at == 0 { "[" } else { "," })?;
            write!(f, "{ord}")?;
        }
        f.write_str(if self.ords.is_empty() { "" } else { "]" })
    }
}

/// A part of a run: an instance, or one item or round of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Part {
    /// The instance; that of the workflow is all of the run.
    pub at: At,
    /// The item or round, if only that is meant.
    pub item: Option<u32>,
}

impl Part {
    /// Returns a whole instance.
    pub fn whole(at: At) -> Self {
        Self { at, item: None }
    }
}

/// One attempt at an instance. Unique in its run, for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket {
    /// The instance.
    pub at: At,
    /// How often the run has begun again at what the instance is in.
    pub generation: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}.{}", self.at, self.generation, self.attempt)
    }
}
