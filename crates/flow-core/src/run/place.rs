//! Where an instance is, in the words of people: paths with the keys of items.

use std::sync::Arc;

use crate::address::At;
use crate::handle::{Handle, Values};
use crate::path::{Key, StepPath};
use crate::plan::{NodeId, NodeKind, Plan};
use crate::value::Value;

use super::Run;
use super::scope::load;
use super::state::{CellId, Items, RegionPhase, State};

impl Run {
    /// Returns the path of an instance. Items of what is forgotten are counted
    /// instead of named.
    pub fn path(&self, at: &At, values: &dyn Values) -> StepPath {
        path_in(&self.plan, at, &|region, ord| {
            self.key_of(region, ord, values)
        })
    }

    fn key_of(&self, region: &At, ord: u32, values: &dyn Values) -> Key {
        let cell = self.find(region);
        let key = cell.and_then(|cell| match &self.frames.cell(cell).state {
            State::Region(region) => word(&region.phase, ord, values),
            State::Failed(failed) => word(&failed.region.as_ref()?.phase, ord, values),
            State::Done(Handle::Listed(listed)) => {
                let keys = load(listed.keys.as_ref()?, values).ok()?;
                keys_of(&keys)?.get(ord as usize).cloned()
            }
            State::Done(Handle::Small(_) | Handle::Stored(_))
            | State::Waiting
            | State::Value(_)
            | State::Step(_)
            | State::Blocked
            | State::Cut => None,
        });
        key.unwrap_or(Key::Index(u64::from(ord)))
    }

    pub(super) fn items(&self, cell: CellId) -> Option<&Items> {
        match &self.region(cell)?.phase {
            RegionPhase::Items(items) => Some(items),
            RegionPhase::Deciding
            | RegionPhase::Body(_)
            | RegionPhase::Winning(..)
            | RegionPhase::Closing(_)
            | RegionPhase::Pausing(_)
            | RegionPhase::Resting => None,
        }
    }

    /// Returns the path of an instance as its plan has it, without items.
    pub fn plan_path(&self, node: NodeId) -> Arc<str> {
        let mut parts = Vec::new();
        let mut id = node;
        loop {
            let node = self.plan.node(id);
            parts.push(node.name.clone());
            let Some(parent) = &node.parent else { break };
            parts.extend(parent.arm.clone());
            id = parent.node;
        }
        parts.reverse();
        parts.join("/").into()
    }

    /// Returns the name of the workflow that the run is of.
    pub fn workflow(&self) -> &Arc<str> {
        match &self.plan.node(NodeId(0)).kind {
            NodeKind::Workflow(workflow) => &workflow.workflow,
            NodeKind::Value(_)
            | NodeKind::Step(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => &self.plan.node(NodeId(0)).name,
        }
    }
}

/// Returns the path of an instance of a plan, with keys that somebody knows: of
/// a region and the position of an item or a round.
pub(crate) fn path_in(plan: &Plan, at: &At, key: &dyn Fn(&At, u32) -> Key) -> StepPath {
    let mut chain = vec![at.node];
    while let Some(parent) = &plan.node(chain[chain.len() - 1]).parent {
        chain.push(parent.node);
    }
    let mut path = StepPath::default();
    let mut depth = 0;
    let mut above: Option<NodeId> = None;
    for id in chain.iter().rev() {
        let node = plan.node(*id);
        if let Some(above) = above.filter(|above| plan.node(*above).repeats()) {
            let ord = at.ords.get(depth).copied().unwrap_or_default();
            let region = At::new(above, at.ords.iter().take(depth).copied());
            path = path.item(key(&region, ord));
            depth += 1;
        }
        let arm = node.parent.as_ref().and_then(|parent| parent.arm.clone());
        if let Some(arm) = arm {
            path = path.join(arm);
        }
        path = path.join(node.name.clone());
        above = Some(*id);
    }
    path
}

/// Returns the key of an item, if it has one.
fn word(phase: &RegionPhase, ord: u32, values: &dyn Values) -> Option<Key> {
    let RegionPhase::Items(items) = phase else {
        return None;
    };
    words(items, values)?.get(ord as usize).cloned()
}

/// Returns the keys of items, read once.
fn words(items: &Items, values: &dyn Values) -> Option<Arc<Vec<Key>>> {
    let stored = items.keys.as_ref()?;
    let words = items.words.get_or_init(|| {
        let keys = load(stored, values).ok().and_then(|value| keys_of(&value));
        Arc::new(keys.unwrap_or_default())
    });
    Some(words.clone())
}

/// Reads keys as they are stored: texts, and positions as whole numbers.
pub(crate) fn keys_of(value: &Value) -> Option<Vec<Key>> {
    let Value::List(list) = value else {
        return None;
    };
    let keys = list.items.iter().map(|item| match item {
        Value::Text(word) => Some(Key::Word(word.clone())),
        Value::Int(index) => u64::try_from(*index).ok().map(Key::Index),
        Value::None
        | Value::Bool(_)
        | Value::Float(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Time(_)
        | Value::Size(_)
        | Value::Enum(_)
        | Value::List(_)
        | Value::Record(_)
        | Value::Artifact(_)
        | Value::Secret(_) => None,
    });
    keys.collect()
}

/// Writes keys as they are stored.
pub(super) fn stored_keys(keys: &[Key]) -> Value {
    let keys = keys.iter().map(|key| match key {
        Key::Word(word) => Value::Text(word.clone()),
        Key::Index(index) => Value::Int(i64::try_from(*index).unwrap_or(i64::MAX)),
    });
    Value::list(keys.collect())
}
