//! The names of all instances that a run ever had: where a path leads, and
//! which path an address has, whether or not it is still in progress.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::address::{At, Part};
use crate::event::{Event, Fact};
use crate::handle::{Handle, Values};
use crate::path::{Key, Segment, StepPath};
use crate::plan::{NodeId, Plan};

use super::place::keys_of;
use super::scope::load;

/// How many names are said where one is wrong.
const SAID_MAX: usize = 1000;

/// The names of the instances of a run.
#[derive(Debug, Clone)]
pub struct Names {
    plan: Arc<Plan>,
    /// The parts of each node, in the order of the plan.
    parts: Vec<Vec<NodeId>>,
    items: BTreeMap<At, Items>,
}

#[derive(Debug, Clone)]
struct Items {
    count: u32,
    keys: Option<Handle>,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPlace {
    /// There is no part of this name.
    Name {
        /// The path up to there; nothing at the beginning.
        before: StepPath,
        /// The name.
        name: Arc<str>,
        /// The parts that there are.
        there: Vec<Arc<str>>,
    },
    /// It has items or rounds, and none is named.
    NoKey {
        /// The path up to there.
        path: StepPath,
    },
    /// It has no items.
    NoItems {
        /// The path up to there, without the key.
        path: StepPath,
    },
    /// There is no such item or round.
    Item {
        /// The path up to there, without the key.
        path: StepPath,
        /// The key.
        key: Key,
        /// Some of those that there are; none if nothing is known of them yet.
        there: Vec<Key>,
    },
    /// Several places end like this.
    Several {
        /// Some of them.
        there: Vec<Arc<str>>,
    },
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { before, name, .. } if before.segments().is_empty() => {
                write!(f, "the run has no step `{name}`")
            }
            Self::Name { before, name, .. } => write!(f, "there is no `{name}` in `{before}`"),
            Self::NoKey { path } => write!(f, "`{path}` has several items"),
            Self::NoItems { path } => write!(f, "`{path}` has no items"),
            Self::Item { path, key, .. } => write!(f, "`{path}` has no item `{key}`"),
            Self::Several { .. } => f.write_str("several steps of the run are called so"),
        }
    }
}

impl Names {
    /// Learns the names of a run from its plan and its events.
    pub fn of<'a>(plan: &Arc<Plan>, events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut parts = vec![Vec::new(); plan.graph.node_count()];
        for (at, node) in (0..).zip(plan.graph.node_weights()) {
            if let Some(parent) = &node.parent {
                parts[parent.node.0 as usize].push(NodeId(at));
            }
        }
        let mut names = Self {
            plan: plan.clone(),
            parts,
            items: BTreeMap::new(),
        };
        for event in events {
            names.learn(&event.fact);
        }
        names
    }

    /// Learns what an event says.
    #[expect(clippy::wildcard_enum_match_arm, reason = "others name nothing")]
    pub fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::ItemsExpanded {
                at, count, keys, ..
            } => {
                let keys = keys.clone();
                let items = Items {
                    count: *count,
                    keys,
                };
                self.items.insert(at.clone(), items);
            }
            Fact::RoundOpened { at, round, .. } => {
                let items = Items {
                    count: round + 1,
                    keys: None,
                };
                self.items.insert(at.clone(), items);
            }
            _ => {}
        }
    }

    /// Returns the path of an instance.
    pub fn path(&self, at: &At, values: &dyn Values) -> StepPath {
        let mut path = StepPath::default();
        let mut depth = 0;
        let mut above: Option<NodeId> = None;
        for id in self.chain(at.node) {
            let node = self.plan.node(id);
            if let Some(above) = above.filter(|above| self.plan.node(*above).repeats()) {
                let region = At::new(above, at.ords.iter().take(depth).copied());
                let ord = at.ords.get(depth).copied().unwrap_or_default();
                path = path.item(self.key(&region, ord, values));
                depth += 1;
            }
            if let Some(arm) = node.parent.as_ref().and_then(|parent| parent.arm.clone()) {
                path = path.join(arm);
            }
            path = path.join(node.name.clone());
            above = Some(id);
        }
        path
    }

    /// Finds the part that a path leads to. The name of the workflow may be left
    /// out, and so may everything before a name that is there once.
    pub fn find(&self, path: &StepPath, values: &dyn Values) -> Result<Part, NoPlace> {
        let segments = path.segments();
        let name = &self.plan.node(NodeId(0)).name;
        let is_root = |first: &Segment| first.name == *name && first.key.is_none();
        let from_root = match segments.split_first() {
            Some((first, below)) if is_root(first) => Some(self.below_root(below, values)),
            Some(_) | None => None,
        };
        // A step that is called like its workflow is meant before that.
        let is_alone = segments.len() == 1;
        match from_root {
            Some(Ok(part)) if !is_alone => return Ok(part),
            Some(_) | None => {}
        }
        let wrong = match (self.below_root(segments, values), from_root) {
            (Ok(part), _) | (Err(_), Some(Ok(part))) => return Ok(part),
            (Err(_), Some(Err(wrong))) | (Err(wrong), None) => wrong,
        };
        self.by_its_end(segments, values).unwrap_or(Err(wrong))
    }

    /// Returns the shortest path that leads to an instance: without the name of
    /// the workflow, if that isn't needed.
    pub fn short(&self, at: &At, values: &dyn Values) -> StepPath {
        let path = self.path(at, values);
        let Some(short) = path.below() else {
            return path;
        };
        let part = Part {
            at: at.clone(),
            item: None,
        };
        match self.find(&short, values) {
            Ok(found) if found == part => short,
            Ok(_) | Err(_) => path,
        }
    }

    fn below_root(&self, segments: &[Segment], values: &dyn Values) -> Result<Part, NoPlace> {
        let name = self.plan.node(NodeId(0)).name.clone();
        let mut walk = Walk {
            names: self,
            values,
            done: StepPath::root(name),
            part: Part::default(),
        };
        walk.go(segments)?;
        Ok(walk.part)
    }

    /// Finds the one place whose path ends so; nothing if there is none.
    fn by_its_end(
        &self,
        segments: &[Segment],
        values: &dyn Values,
    ) -> Option<Result<Part, NoPlace>> {
        let first = segments.first()?;
        let mut found = Vec::new();
        for (at, node) in (0..).zip(self.plan.graph.node_weights()).skip(1) {
            let arm = node.parent.as_ref().and_then(|parent| parent.arm.as_ref());
            if node.name != first.name && arm != Some(&first.name) {
                continue;
            }
            let parent = node.parent.as_ref().map_or(NodeId(0), |parent| parent.node);
            // Which item it would be in is not said.
            let chain = self.chain(parent);
            if chain.iter().any(|id| self.plan.node(*id).repeats()) {
                continue;
            }
            let mut walk = Walk {
                names: self,
                values,
                done: self.path(&At::new(parent, []), values),
                part: Part {
                    at: At::new(parent, []),
                    item: None,
                },
            };
            let starts_here = arm.is_none_or(|arm| *arm == first.name);
            let went = if starts_here {
                walk.go(segments)
            } else {
                walk.enter(NodeId(at));
                let behind = &segments[1..];
                walk.after(first, behind).and_then(|()| walk.go(behind))
            };
            if went.is_ok() && !found.iter().any(|(part, _)| *part == walk.part) {
                found.push((walk.part, walk.done));
            }
        }
        match found.len() {
            0 => None,
            1 => found.pop().map(|(part, _)| Ok(part)),
            _ => {
                let there = found.iter().take(SAID_MAX);
                let there = there.map(|(_, path)| path.to_string().into()).collect();
                Some(Err(NoPlace::Several { there }))
            }
        }
    }

    /// Returns the nodes around a node and itself, the outermost first.
    fn chain(&self, node: NodeId) -> Vec<NodeId> {
        let mut chain = vec![node];
        while let Some(parent) = &self.plan.node(chain[chain.len() - 1]).parent {
            chain.push(parent.node);
        }
        chain.reverse();
        chain
    }

    fn key(&self, region: &At, ord: u32, values: &dyn Values) -> Key {
        let words = self.words(region, values);
        let word = words.and_then(|words| words.get(ord as usize).cloned());
        word.unwrap_or(Key::Index(u64::from(ord)))
    }

    fn words(&self, region: &At, values: &dyn Values) -> Option<Vec<Key>> {
        let keys = self.items.get(region)?.keys.as_ref()?;
        keys_of(&load(keys, values).ok()?)
    }

    /// Returns the position of an item.
    fn ord(&self, region: &At, key: &Key, values: &dyn Values) -> Result<u32, Vec<Key>> {
        let Some(items) = self.items.get(region) else {
            return Err(Vec::new());
        };
        let words = self.words(region, values);
        let found = match (&words, key) {
            (Some(words), key) => words.iter().position(|word| word == key),
            (None, Key::Index(index)) => usize::try_from(*index).ok(),
            (None, Key::Word(_)) => None,
        };
        let ord = found.and_then(|ord| u32::try_from(ord).ok());
        ord.filter(|ord| *ord < items.count).ok_or_else(|| {
            let positions = (0..u64::from(items.count)).map(Key::Index);
            match words {
                Some(words) => words.into_iter().take(SAID_MAX).collect(),
                None => positions.take(SAID_MAX).collect(),
            }
        })
    }
}

/// A walk along a path.
struct Walk<'a> {
    names: &'a Names,
    values: &'a dyn Values,
    /// The path so far.
    done: StepPath,
    part: Part,
}

impl Walk<'_> {
    /// Goes down to the last of these parts.
    fn go(&mut self, segments: &[Segment]) -> Result<(), NoPlace> {
        let mut rest = segments;
        while let Some((first, behind)) = rest.split_first() {
            rest = self.down(first, behind)?;
        }
        Ok(())
    }

    /// Goes down by a name, or by an arm and a name; returns what is left.
    fn down<'b>(
        &mut self,
        first: &Segment,
        behind: &'b [Segment],
    ) -> Result<&'b [Segment], NoPlace> {
        let names = self.names;
        let plan = &names.plan;
        let here = self.part.at.node;
        let is_named = self
            .done
            .segments()
            .last()
            .is_some_and(|last| last.key.is_some());
        if plan.node(here).repeats() && !is_named {
            let path = self.done.clone();
            return Err(NoPlace::NoKey { path });
        }
        let parts = &names.parts[here.0 as usize];
        let arm = |id: &&NodeId| {
            plan.node(**id)
                .parent
                .as_ref()
                .and_then(|parent| parent.arm.as_ref())
        };
        let named = parts
            .iter()
            .find(|id| arm(id).is_none() && plan.node(**id).name == first.name);
        if let Some(id) = named {
            self.enter(*id);
            return self.after(first, behind).map(|()| behind);
        }
        let mut in_arm = parts
            .iter()
            .filter(|id| arm(id) == Some(&first.name))
            .peekable();
        if in_arm.peek().is_some()
            && let Some((second, rest)) = behind.split_first()
        {
            if let Some(id) = in_arm.find(|id| plan.node(**id).name == second.name) {
                self.enter(*id);
                return self.after(second, rest).map(|()| rest);
            }
            let before = self.done.join(first.name.clone());
            let there = parts.iter().filter(|id| arm(id) == Some(&first.name));
            return Err(NoPlace::Name {
                before,
                name: second.name.clone(),
                there: there
                    .map(|id| plan.node(*id).name.clone())
                    .take(SAID_MAX)
                    .collect(),
            });
        }
        let there = parts.iter().take(SAID_MAX).map(|id| match arm(&id) {
            Some(arm) => format!("{arm}/{}", plan.node(*id).name).into(),
            None => plan.node(*id).name.clone(),
        });
        let is_first = self.done.segments().len() == 1;
        Err(NoPlace::Name {
            before: if is_first {
                StepPath::default()
            } else {
                self.done.clone()
            },
            name: first.name.clone(),
            there: there.collect(),
        })
    }

    /// Goes into a part.
    fn enter(&mut self, id: NodeId) {
        let node = self.names.plan.node(id);
        if let Some(arm) = node.parent.as_ref().and_then(|parent| parent.arm.clone()) {
            self.done = self.done.join(arm);
        }
        self.done = self.done.join(node.name.clone());
        self.part.at.node = id;
    }

    /// Goes to the item that a part names, if it names one.
    fn after(&mut self, segment: &Segment, behind: &[Segment]) -> Result<(), NoPlace> {
        let Some(key) = &segment.key else {
            return Ok(());
        };
        if !self.names.plan.node(self.part.at.node).repeats() {
            let path = self.done.clone();
            return Err(NoPlace::NoItems { path });
        }
        let ord = self.names.ord(&self.part.at, key, self.values);
        let ord = ord.map_err(|there| NoPlace::Item {
            path: self.done.clone(),
            key: key.clone(),
            there,
        })?;
        self.done = self.done.item(key.clone());
        if behind.is_empty() {
            self.part.item = Some(ord);
        } else {
            self.part.at.ords.push(ord);
        }
        Ok(())
    }
}
