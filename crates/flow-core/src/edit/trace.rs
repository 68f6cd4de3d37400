//! Where instances are, by a log alone: an event counts items, and people, seeds
//! and keys name them.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::At;
use crate::event::Fact;
use crate::handle::{Handle, Values};
use crate::path::{Key, StepPath};
use crate::plan::{NodeId, NodeKind, Plan, Step};
use crate::run::keys_of;

/// Follows a log, and names its instances.
pub(super) struct Trace<'a> {
    pub(super) plan: Arc<Plan>,
    values: &'a dyn Values,
    /// The keys of the items of each `for`, since the run last began again.
    keys: BTreeMap<At, Words>,
}

/// Keys as they are stored, and read once they were asked for.
struct Words {
    stored: Option<Handle>,
    read: OnceCell<Option<Vec<Key>>>,
}

impl<'a> Trace<'a> {
    pub(super) fn new(plan: Arc<Plan>, values: &'a dyn Values) -> Self {
        Self {
            plan,
            values,
            keys: BTreeMap::new(),
        }
    }

    /// The run begins again, under a plan.
    pub(super) fn begin_again(&mut self, plan: Arc<Plan>) {
        self.plan = plan;
        self.keys.clear();
    }

    /// Takes note of what a fact says of items.
    pub(super) fn note(&mut self, fact: &Fact) {
        if let Fact::ItemsExpanded { at, keys, .. } = fact {
            let words = Words {
                stored: keys.clone(),
                read: OnceCell::new(),
            };
            self.keys.insert(at.clone(), words);
        }
    }

    /// Returns the step of a node.
    pub(super) fn step(&self, node: NodeId) -> Option<&Step> {
        let index = petgraph::graph::NodeIndex::new(node.0 as usize);
        step_of(&self.plan.graph.node_weight(index)?.kind)
    }

    /// Returns the place of an instance: its path without the name of the
    /// workflow.
    pub(super) fn place(&self, at: &At) -> StepPath {
        let mut chain = vec![at.node];
        while let Some(parent) = &self.plan.node(chain[chain.len() - 1]).parent {
            chain.push(parent.node);
        }
        let mut place = StepPath::default();
        let mut depth = 0;
        for pair in chain.windows(2).rev() {
            let [id, above] = [pair[0], pair[1]];
            if self.plan.node(above).repeats() {
                let ord = at.ords.get(depth).copied().unwrap_or_default();
                let region = At::new(above, at.ords.iter().take(depth).copied());
                place = place.item(self.key(&region, ord));
                depth += 1;
            }
            let node = self.plan.node(id);
            let arm = node.parent.as_ref().and_then(|parent| parent.arm.clone());
            if let Some(arm) = arm {
                place = place.join(arm);
            }
            place = place.join(node.name.clone());
        }
        place
    }

    fn key(&self, region: &At, ord: u32) -> Key {
        let key = self.keys.get(region).and_then(|words| {
            let read = words.read.get_or_init(|| match words.stored.as_ref()? {
                Handle::Small(value) => keys_of(value),
                Handle::Stored(digest) => keys_of(&self.values.get(digest)?),
                Handle::Listed(_) => None,
            });
            read.as_ref()?.get(ord as usize).cloned()
        });
        key.unwrap_or(Key::Index(u64::from(ord)))
    }
}

/// Returns the step that a node is.
pub(super) fn step_of(kind: &NodeKind) -> Option<&Step> {
    match kind {
        NodeKind::Step(step) => Some(step),
        NodeKind::Value(_)
        | NodeKind::Workflow(_)
        | NodeKind::If(_)
        | NodeKind::Match(_)
        | NodeKind::For(_)
        | NodeKind::Repeat(_)
        | NodeKind::Race(_)
        | NodeKind::Parallel(_) => None,
    }
}
