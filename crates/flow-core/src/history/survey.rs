//! How instances stand: what a run holds, and for what it has let go of what
//! its history says.

use std::sync::Arc;

use petgraph::Direction;
use petgraph::visit::EdgeRef;

use crate::address::At;
use crate::event::Failure;
use crate::plan::{Block, Edge, Node, NodeId, NodeKind};
use crate::run::{Run, Stance};

use super::{Choice, End, Entry, History};

/// How an instance stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// An attempt is in progress; of a region, something in it is.
    Running,
    /// A job of it runs elsewhere.
    Remote,
    /// Its target is asked whether it happened.
    Probing,
    /// It can begin, and waits for its turn.
    Ready,
    /// A person is asked.
    Asking,
    /// Nobody knows what became of it.
    Unknown,
    /// It doesn't fit into a budget.
    Held,
    /// It is tried again later.
    Pausing,
    /// It is over at an instant.
    Sleeping,
    /// Something it requires isn't there yet.
    Pending,
    /// It failed.
    Failed,
    /// Something it requires failed.
    Blocked,
    /// It isn't wanted any more.
    Cut,
    /// Another arm was taken.
    Skipped,
    /// It has a value that was there already.
    Reused,
    /// It has a value.
    Succeeded,
}

/// An instance, and whether the run may hold it still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its address.
    pub at: At,
    /// Whether what it is in may be held by the run.
    pub is_live: bool,
}

/// A block of an instance that was begun.
#[derive(Debug, Clone)]
pub struct Arm<'a> {
    /// Its position among the blocks of the node.
    pub number: u32,
    /// How it is told from others: `then`, `else`, `noir`.
    pub name: Option<Arc<str>>,
    /// What is in it.
    pub block: &'a Block,
    /// How many items or rounds were begun; nothing if it is done once.
    pub items: Option<u32>,
    /// Whether the run may hold it still.
    pub is_live: bool,
    /// Whether it is what is done instead of the others.
    pub is_fallback: bool,
}

/// How the parts of something stand, without their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts(u16);

/// A run and its history.
#[derive(Debug, Clone, Copy)]
pub struct Survey<'a> {
    run: &'a Run,
    history: &'a History,
}

/// What an instance says of itself.
enum Own {
    /// That is all.
    Known(State),
    /// It depends on what is inside.
    Inside,
    /// It never began.
    NotBegun,
}

impl State {
    /// All states, in the order in which people want to know of them.
    pub const ALL: [Self; 16] = [
        Self::Running,
        Self::Remote,
        Self::Probing,
        Self::Ready,
        Self::Asking,
        Self::Unknown,
        Self::Held,
        Self::Pausing,
        Self::Sleeping,
        Self::Pending,
        Self::Failed,
        Self::Blocked,
        Self::Cut,
        Self::Skipped,
        Self::Reused,
        Self::Succeeded,
    ];

    /// Returns the word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Remote => "submitted",
            Self::Probing => "probing",
            Self::Ready => "ready",
            Self::Asking => "asking",
            Self::Unknown => "unknown",
            Self::Held => "over_budget",
            Self::Pausing => "retrying",
            Self::Sleeping => "sleeping",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Cut => "cancelled",
            Self::Skipped => "skipped",
            Self::Reused => "reused",
            Self::Succeeded => "succeeded",
        }
    }

    /// Returns whether nothing more happens to it.
    pub fn is_over(self) -> bool {
        match self {
            Self::Failed
            | Self::Blocked
            | Self::Cut
            | Self::Skipped
            | Self::Reused
            | Self::Succeeded => true,
            Self::Running
            | Self::Remote
            | Self::Probing
            | Self::Ready
            | Self::Asking
            | Self::Unknown
            | Self::Held
            | Self::Pausing
            | Self::Sleeping
            | Self::Pending => false,
        }
    }

    /// Returns whether it has a value.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Reused | Self::Succeeded)
    }
}

impl Parts {
    /// Adds a part.
    pub fn add(&mut self, part: State) {
        self.0 |= 1 << part as u16;
    }

    /// Returns whether any part stands so.
    pub fn has(self, state: State) -> bool {
        self.0 & (1 << state as u16) != 0
    }

    fn without(self, state: State) -> Self {
        Self(self.0 & !(1 << state as u16))
    }

    /// Returns how the whole stands.
    pub fn state(self) -> State {
        let busy = [State::Running, State::Remote, State::Probing];
        if busy.into_iter().any(|state| self.has(state)) {
            return State::Running;
        }
        let others = [
            State::Ready,
            State::Asking,
            State::Unknown,
            State::Held,
            State::Pausing,
            State::Sleeping,
            State::Failed,
            State::Blocked,
            State::Cut,
        ];
        if let Some(state) = others.into_iter().find(|state| self.has(*state)) {
            return state;
        }
        let [is_pending, is_made, is_reused] =
            [State::Pending, State::Succeeded, State::Reused].map(|state| self.has(state));
        match (is_pending, is_made, is_reused) {
            (true, false, false) => State::Pending,
            // Between two of them.
            (true, _, _) => State::Running,
            (false, false, true) => State::Reused,
            (false, _, _) => State::Succeeded,
        }
    }
}

impl FromIterator<State> for Parts {
    fn from_iter<Of: IntoIterator<Item = State>>(parts: Of) -> Self {
        let mut all = Self::default();
        for part in parts {
            all.add(part);
        }
        all
    }
}

impl<'a> Survey<'a> {
    /// Looks at a run and its history together.
    pub fn new(run: &'a Run, history: &'a History) -> Self {
        Self { run, history }
    }

    /// Returns the run.
    pub fn run(&self) -> &'a Run {
        self.run
    }

    /// Returns its history.
    pub fn history(&self) -> &'a History {
        self.history
    }

    /// Returns the workflow itself.
    pub fn root(&self) -> Instance {
        Instance {
            at: At::root(),
            is_live: true,
        }
    }

    /// Returns an instance of a node in a block that was begun.
    pub fn child(&self, of: &Instance, arm: &Arm<'_>, node: NodeId, item: Option<u32>) -> Instance {
        let mut ords = of.at.ords.clone();
        ords.extend(item);
        Instance {
            at: At { node, ords },
            is_live: arm.is_live,
        }
    }

    /// Returns how an instance stands.
    pub fn state(&self, instance: &Instance) -> State {
        self.state_with(instance, || {
            let arms = self.arms(instance);
            // What is done instead counts instead of what it replaces.
            let last = arms.iter().rfind(|arm| arm.is_fallback);
            let arms = last.map_or(&arms[..], std::slice::from_ref);
            let items = arms.iter().flat_map(|arm| {
                let items = items_of(arm);
                items.flat_map(move |item| self.in_block(instance, arm, item))
            });
            items.collect()
        })
    }

    /// Returns how an instance stands, if it is known how what is in it does.
    pub fn state_with(&self, instance: &Instance, inside: impl FnOnce() -> Parts) -> State {
        match self.own(instance) {
            Own::Known(state) => state,
            Own::NotBegun => self.not_begun(instance),
            Own::Inside => {
                let state = self.of_parts(instance, inside());
                let is_held = instance.is_live && self.run.stance(&instance.at).is_some();
                if is_held && state.is_over() {
                    // All in it is over, and it is about to be.
                    State::Running
                } else if !is_held && state == State::Pending {
                    State::Cut
                } else {
                    state
                }
            }
        }
    }

    fn of_parts(&self, instance: &Instance, parts: Parts) -> State {
        match &self.node(&instance.at).kind {
            NodeKind::For(each) if each.keep_ok => {
                parts.without(State::Failed).without(State::Blocked).state()
            }
            NodeKind::Race(_) if parts.has(State::Succeeded) || parts.has(State::Reused) => {
                State::Succeeded
            }
            NodeKind::For(_)
            | NodeKind::Value(_)
            | NodeKind::Step(_)
            | NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => parts.state(),
        }
    }

    /// Returns how the instances in a block stand, those of expressions left
    /// out.
    fn in_block(
        &self,
        of: &Instance,
        arm: &Arm<'_>,
        item: Option<u32>,
    ) -> impl Iterator<Item = State> {
        let nodes = arm.block.nodes.iter();
        let nodes = nodes.filter(|node| self.is_shown(**node));
        nodes.map(move |node| self.state(&self.child(of, arm, *node, item)))
    }

    /// Returns whether a node is more than an expression under a name.
    pub fn is_shown(&self, node: NodeId) -> bool {
        !matches!(self.history.plan.node(node).kind, NodeKind::Value(_))
    }

    fn node(&self, at: &At) -> &'a Node {
        self.history.plan.node(at.node)
    }

    /// Returns whether nothing was walked: an equal run had the result.
    pub fn is_recalled(&self) -> bool {
        self.run.started().recalled.is_some() && self.history.edits.is_empty()
    }

    fn own(&self, instance: &Instance) -> Own {
        if instance.at == At::root() && self.is_recalled() {
            return Own::Known(State::Reused);
        }
        let entry = self.history.entry(&instance.at);
        let stance = if instance.is_live {
            self.run.stance(&instance.at)
        } else {
            None
        };
        match stance {
            Some(stance) => of_stance(&stance, entry),
            None => self.of_entry(instance, entry),
        }
    }

    /// What the run has let go of.
    fn of_entry(&self, instance: &Instance, entry: Option<&Entry>) -> Own {
        if let Some(entry) = entry {
            match &entry.end {
                Some(End::Done(_)) => return Own::Known(good(Some(entry))),
                Some(End::Failed(_)) => return Own::Known(State::Failed),
                Some(End::Cut) => return Own::Known(State::Cut),
                None if entry.fell_back.is_some() => return Own::Inside,
                None if entry.is_late => return Own::Known(State::Failed),
                None => {}
            }
        }
        let choice = entry.and_then(|entry| entry.choice.as_ref());
        match &self.node(&instance.at).kind {
            NodeKind::Value(_) if self.not_begun(instance) == State::Blocked => {
                Own::Known(State::Blocked)
            }
            NodeKind::Value(_) => Own::Known(State::Succeeded),
            NodeKind::Step(_) => {
                let was_begun = entry.is_some_and(|entry| !entry.attempts.is_empty());
                if was_begun {
                    Own::Known(State::Cut)
                } else {
                    Own::NotBegun
                }
            }
            NodeKind::Workflow(_) | NodeKind::Race(_) | NodeKind::Parallel(_) => {
                if self.was_touched(&instance.at) {
                    Own::Inside
                } else {
                    Own::NotBegun
                }
            }
            NodeKind::If(_) | NodeKind::Match(_) | NodeKind::For(_) | NodeKind::Repeat(_) => {
                match choice {
                    None => Own::NotBegun,
                    Some(Choice::Arm { arm: None, .. }) => Own::Known(State::Succeeded),
                    Some(
                        Choice::Arm { .. }
                        | Choice::Items(_)
                        | Choice::Rounds { .. }
                        | Choice::Won(_),
                    ) => Own::Inside,
                }
            }
        }
    }

    /// Returns whether anything ever happened to an instance or in it.
    fn was_touched(&self, at: &At) -> bool {
        let mut open = vec![at.node];
        while let Some(node) = open.pop() {
            let mut entries = self.history.nodes[node.0 as usize].range(at.ords.clone()..);
            if entries
                .next()
                .is_some_and(|(ords, _)| ords.starts_with(&at.ords))
            {
                return true;
            }
            let blocks = self.history.plan.node(node).blocks().into_iter();
            open.extend(blocks.flat_map(|(_, block)| block.nodes.iter().copied()));
        }
        // One without steps is over as soon as it begins.
        self.history
            .plan
            .node(at.node)
            .blocks()
            .iter()
            .all(|(_, block)| block.nodes.iter().all(|node| !self.is_shown(*node)))
    }

    /// Why something never began, in what the run has let go of.
    fn not_begun(&self, instance: &Instance) -> State {
        let mut before = self.before(&instance.at);
        let is_blocked = before.any(|(before, _)| {
            let instance = Instance {
                at: before,
                is_live: instance.is_live,
            };
            matches!(self.state(&instance), State::Failed | State::Blocked)
        });
        if is_blocked {
            State::Blocked
        } else {
            State::Cut
        }
    }

    /// Returns the instances that an instance waits for, and why.
    pub fn before(&self, at: &At) -> impl Iterator<Item = (At, Edge)> + 'a {
        let graph = &self.history.plan.graph;
        let node = petgraph::graph::NodeIndex::new(at.node.0 as usize);
        let ords = at.ords.clone();
        let mut before: Vec<(u32, Edge)> = graph
            .edges_directed(node, Direction::Incoming)
            .map(|edge| {
                let from = u32::try_from(edge.source().index()).unwrap_or(u32::MAX);
                (from, *edge.weight())
            })
            .collect();
        before.sort_unstable();
        before.dedup_by_key(|(from, _)| *from);
        before.into_iter().map(move |(node, edge)| {
            let ords = ords.clone();
            let node = NodeId(node);
            (At { node, ords }, edge)
        })
    }

    /// Returns the blocks of an instance that were begun, in the order of the
    /// plan, what is done instead last.
    pub fn arms(&self, instance: &Instance) -> Vec<Arm<'a>> {
        let at = &instance.at;
        if *at == At::root() && self.is_recalled() {
            return Vec::new();
        }
        let entry = self.history.entry(at);
        let stance = if instance.is_live {
            self.run.stance(at)
        } else {
            None
        };
        // What ended well was let go of, and so was what isn't wanted any more.
        let is_live = matches!(stance, Some(Stance::Inside | Stance::Failed(_)));
        let is_begun = match stance {
            Some(
                Stance::Waiting
                | Stance::Blocked
                | Stance::Ready
                | Stance::Deciding
                | Stance::Pausing(_),
            ) => false,
            Some(_) => true,
            None => !matches!(self.own(instance), Own::NotBegun),
        };
        if !is_begun {
            return Vec::new();
        }
        let fell_back = entry.is_some_and(|entry| entry.fell_back.is_some());
        let choice = entry.and_then(|entry| entry.choice.as_ref());
        let node = self.node(at);
        let taken = Taken::of(&node.kind, choice);
        let has_fallback = has_fallback(&node.kind);
        let blocks = node.blocks();
        let last = blocks.len().saturating_sub(1);
        let numbered = (0_u32..).zip(blocks);
        numbered
            .filter_map(|(number, (name, block))| {
                let is_fallback = has_fallback && number as usize == last;
                let is_taken = if is_fallback {
                    fell_back
                } else {
                    taken.has(number)
                };
                is_taken.then(|| Arm {
                    number,
                    name: name.map(Arc::from),
                    block,
                    items: self.opened(at, is_live),
                    is_live: is_live && (is_fallback || !fell_back),
                    is_fallback,
                })
            })
            .collect()
    }

    /// Returns how many items or rounds of a region were begun.
    fn opened(&self, at: &At, is_live: bool) -> Option<u32> {
        let node = self.node(at);
        if !node.repeats() {
            return None;
        }
        let entry = self.history.entry(at);
        Some(match entry.and_then(|entry| entry.choice.as_ref()) {
            Some(Choice::Items(items)) => {
                let now = if is_live {
                    self.run.items_now(at)
                } else {
                    None
                };
                now.map_or(items.count, |now| now.opened)
            }
            Some(Choice::Rounds { opened, .. }) => *opened,
            Some(Choice::Arm { .. } | Choice::Won(_)) | None => 0,
        })
    }

    /// Returns why an instance failed, if it did: by itself, or by what is in
    /// it.
    pub fn failure(&self, instance: &Instance) -> Option<Failure> {
        if instance.is_live
            && let Some(Stance::Failed(failure)) = self.run.stance(&instance.at)
        {
            return Some(failure);
        }
        match &self.history.entry(&instance.at)?.end {
            Some(End::Failed(failure)) => Some(failure.clone()),
            Some(End::Done(_) | End::Cut) | None => None,
        }
    }
}

/// Returns the numbers of the items of an arm; one nothing if it is done once.
pub(super) fn items_of(arm: &Arm<'_>) -> impl Iterator<Item = Option<u32>> + use<> {
    let count = arm.items.unwrap_or(1);
    let is_once = arm.items.is_none();
    (0..count).map(move |item| (!is_once).then_some(item))
}

fn of_stance(stance: &Stance, entry: Option<&Entry>) -> Own {
    Own::Known(match stance {
        Stance::Waiting => State::Pending,
        Stance::Value => State::Succeeded,
        Stance::Ready => State::Ready,
        Stance::Held => State::Held,
        Stance::Running | Stance::Deciding => State::Running,
        Stance::Remote => State::Remote,
        Stance::Asking { .. } => State::Asking,
        Stance::Sleeping(_) => State::Sleeping,
        Stance::Pausing(_) => State::Pausing,
        Stance::Probing(_) => State::Probing,
        Stance::Unknown => State::Unknown,
        Stance::Inside => return Own::Inside,
        Stance::Done(_) => good(entry),
        Stance::Failed(_) => State::Failed,
        Stance::Blocked => State::Blocked,
        Stance::Cut => State::Cut,
    })
}

fn good(entry: Option<&Entry>) -> State {
    match entry.and_then(|entry| entry.source.as_ref()) {
        Some(_) => State::Reused,
        None => State::Succeeded,
    }
}

/// Which blocks of a node are done.
#[derive(Clone, Copy)]
enum Taken {
    All,
    One(u32),
    None,
}

impl Taken {
    fn of(kind: &NodeKind, choice: Option<&Choice>) -> Self {
        match (kind, choice) {
            (NodeKind::If(_) | NodeKind::Match(_), Some(Choice::Arm { arm: Some(arm), .. })) => {
                Self::One(*arm)
            }
            (NodeKind::If(_) | NodeKind::Match(_), _) => Self::None,
            (
                NodeKind::Value(_)
                | NodeKind::Step(_)
                | NodeKind::Workflow(_)
                | NodeKind::For(_)
                | NodeKind::Repeat(_)
                | NodeKind::Race(_)
                | NodeKind::Parallel(_),
                _,
            ) => Self::All,
        }
    }

    fn has(self, number: u32) -> bool {
        match self {
            Self::All => true,
            Self::One(taken) => taken == number,
            Self::None => false,
        }
    }
}

fn has_fallback(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Step(step) => step.fallback.is_some(),
        NodeKind::Workflow(workflow) => workflow.fallback.is_some(),
        NodeKind::Race(race) => race.fallback.is_some(),
        NodeKind::Value(_)
        | NodeKind::If(_)
        | NodeKind::Match(_)
        | NodeKind::For(_)
        | NodeKind::Repeat(_)
        | NodeKind::Parallel(_) => false,
    }
}
