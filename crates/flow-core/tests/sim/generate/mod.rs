//! Plans by seed: small, odd and valid.
//!
//! They obey the language: a race has no acts, acts of a block are in order, an
//! approval has no fallback, a workflow that acts isn't retried. What is drawn
//! is mostly small, and sometimes wide.

mod exprs;
mod regions;
mod steps;

use std::sync::Arc;

use flow_core::amount::{Duration, Money};
use flow_core::effect::{Act, Effect};
use flow_core::expr::{Expr, Site};
use flow_core::plan::{
    Block, Budget, Edge, Exhausted, Input, Limits, Node, NodeId, NodeKind, Parent, Period, Plan,
    Policies, Workflow,
};
use flow_core::ty::Type;
use flow_core::value::Value;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::dice::Dice;

pub(crate) use steps::{APPROVE, ASK, WAIT};

/// What kind of plans are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taste {
    /// How many nodes there are, about.
    pub(crate) nodes: u32,
    /// How many items a list has at most.
    pub(crate) items: i64,
    /// Whether there are budgets.
    pub(crate) has_money: bool,
    /// Whether there are steps that ask people.
    pub(crate) has_people: bool,
    /// Whether there are timeouts and `within`s.
    pub(crate) has_time: bool,
}

impl Taste {
    /// Draws a taste: mostly small.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let (nodes, items) = match dice.below(100) {
            0..55 => (dice.below(6) + 1, 3),
            55..90 => (dice.below(14) + 3, 4),
            90..98 => (dice.below(40) + 6, 6),
            _ => (dice.below(3) + 2, 200),
        };
        Self {
            nodes: u32::try_from(nodes).unwrap(),
            items,
            has_money: dice.percent(60),
            has_people: dice.percent(40),
            has_time: dice.percent(50),
        }
    }
}

/// What a value is, as far as the generator cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Int,
    Bool,
    List,
    Maybe,
    Nothing,
}

impl Sort {
    pub(crate) fn ty(self) -> Option<Type> {
        match self {
            Self::Int => Some(Type::int()),
            Self::Bool => Some(Type::Bool),
            Self::List => Some(Type::list(Type::int())),
            Self::Maybe => Some(Type::int().optional()),
            Self::Nothing => None,
        }
    }
}

/// What can be named in a place.
#[derive(Debug, Clone)]
struct Seen {
    expr: Expr,
    sort: Sort,
}

/// A place where nodes are written.
#[derive(Debug, Clone)]
struct Place {
    parent: Parent,
    seen: Vec<Seen>,
    depth: u32,
    may_act: bool,
    may_ask: bool,
}

impl Place {
    /// A block of a node that is written here.
    fn inside(&self, owner: NodeId, arm: Option<&str>) -> Self {
        Self {
            parent: Parent {
                node: owner,
                arm: arm.map(Arc::from),
            },
            depth: self.depth + 1,
            ..self.clone()
        }
    }

    fn see(&mut self, expr: Expr, sort: Sort) {
        self.seen.push(Seen { expr, sort });
    }
}

/// A block that was written, and what its value is.
struct Written {
    block: Block,
    sort: Sort,
}

struct Writer<'a> {
    dice: &'a mut Dice,
    taste: Taste,
    graph: DiGraph<Node, Edge, u32>,
    /// How many nodes may still be made.
    left: u32,
    sites: u32,
}

/// How deep blocks nest.
const DEPTH_MAX: u32 = 4;

/// Draws a plan, and how many arguments it takes.
pub(crate) fn plan(dice: &mut Dice, taste: Taste) -> Plan {
    let mut writer = Writer {
        dice,
        taste,
        graph: DiGraph::default(),
        left: taste.nodes,
        sites: 0,
    };
    writer.root();
    writer.join();
    let plan = Plan {
        graph: writer.graph,
        templates: Vec::new(),
    };
    plan.validate().unwrap_or_else(|why| panic!("{why}"));
    plan
}

impl Writer<'_> {
    fn root(&mut self) {
        let id = self.reserve();
        let mut place = Place {
            parent: Parent {
                node: id,
                arm: None,
            },
            seen: Vec::new(),
            depth: 0,
            may_act: true,
            may_ask: self.taste.has_people,
        };
        let sorts = [Sort::Int, Sort::List];
        let mut params = Vec::new();
        for (at, sort) in (0..).zip(sorts) {
            params.push(Input {
                name: format!("p{at}").into(),
                ty: sort.ty().unwrap(),
                value: None,
                docs: "".into(),
            });
            place.see(Expr::Arg(id, at), sort);
        }
        let limits = self.limits(30);
        let count = 1 + self.dice.below(4);
        let written = self.block(&mut place, count, None);
        let kind = NodeKind::Workflow(Box::new(Workflow {
            workflow: "w".into(),
            params,
            limits,
            policies: Policies::default(),
            block: written.block,
            fallback: None,
        }));
        self.place(id, None, "w", written.sort, kind);
    }

    /// Keeps the number of a node whose parts are made first.
    fn reserve(&mut self) -> NodeId {
        let placeholder = Node {
            name: "".into(),
            parent: None,
            ty: None,
            effect: Effect::Pure,
            kind: NodeKind::Value(Expr::Const(Value::None)),
        };
        let index = self.graph.add_node(placeholder);
        self.left = self.left.saturating_sub(1);
        NodeId(u32::try_from(index.index()).unwrap())
    }

    fn place(
        &mut self,
        id: NodeId,
        parent: Option<Parent>,
        name: &str,
        sort: Sort,
        kind: NodeKind,
    ) {
        let own = match &kind {
            NodeKind::Step(step) => step.effect,
            NodeKind::Value(_)
            | NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => Effect::Pure,
        };
        let mut node = Node {
            name: name.into(),
            parent,
            ty: sort.ty(),
            effect: own,
            kind,
        };
        let parts: Vec<NodeId> = node
            .blocks()
            .into_iter()
            .flat_map(|(_, block)| block.nodes.clone())
            .collect();
        let effects = parts.iter().map(|part| self.effect(*part));
        node.effect = effects.fold(own, Effect::max);
        self.graph[index(id)] = node;
    }

    fn effect(&self, id: NodeId) -> Effect {
        self.graph[index(id)].effect
    }

    /// Writes some nodes and a value of a sort, of any sort if none is wanted.
    fn block(&mut self, place: &mut Place, count: u64, wanted: Option<Sort>) -> Written {
        let mut nodes = Vec::new();
        for _ in 0..count {
            if self.left == 0 && !nodes.is_empty() {
                break;
            }
            let (id, sort) = self.node(place);
            nodes.push(id);
            if sort != Sort::Nothing {
                place.see(Expr::Node(id), sort);
            }
        }
        let sort = wanted.unwrap_or_else(|| {
            self.dice
                .one(&[Sort::Int, Sort::Int, Sort::List, Sort::Nothing])
        });
        Written {
            block: Block {
                nodes,
                result: self.expr(place, sort),
            },
            sort,
        }
    }

    /// Writes a node, and returns its number and what it gives.
    fn node(&mut self, place: &Place) -> (NodeId, Sort) {
        let is_leaf = place.depth >= DEPTH_MAX || self.left < 3;
        let drawn = self.dice.below(if is_leaf { 62 } else { 100 });
        match drawn {
            0..54 => self.step(place),
            54..62 => self.value(place),
            62..68 => self.choice(place),
            68..74 => self.matching(place),
            74..84 => self.each(place),
            84..88 => self.repeat(place),
            88..92 => self.race(place),
            92..95 => self.parallel(place),
            _ => self.call(place),
        }
    }

    fn value(&mut self, place: &Place) -> (NodeId, Sort) {
        let id = self.reserve();
        let sort = self.dice.one(&[Sort::Int, Sort::Bool, Sort::List]);
        let expr = self.expr(place, sort).unwrap();
        let name = format!("v{}", id.0);
        let parent = Some(place.parent.clone());
        self.place(id, parent, &name, sort, NodeKind::Value(expr));
        (id, sort)
    }

    fn site(&mut self) -> Site {
        self.sites += 1;
        Site(self.sites)
    }

    /// Draws limits, a budget with so many percent.
    fn limits(&mut self, chance: u64) -> Limits {
        let mut limits = Limits::default();
        if self.taste.has_money && self.dice.percent(chance) {
            let cents = self.dice.one(&[3, 8, 20, 60, 200, 1000]);
            limits.budget = Some(Budget {
                amount: Expr::Const(Value::Money(Money(cents * 10_000_000))),
                per: self.dice.percent(12).then_some(Period::Day),
                or: self.dice.one(&[Exhausted::Stop, Exhausted::Ask]),
            });
        }
        if self.taste.has_time && self.dice.percent(chance / 2) {
            let seconds = self.dice.one(&[1, 5, 30, 600, 7200]);
            let within = Duration(seconds * Duration::SECOND.0);
            limits.within = Some(Expr::Const(Value::Duration(within)));
        }
        limits
    }

    /// Draws all edges: one for each value that is used, one between acts that
    /// follow each other, and some that `after` asks for.
    fn join(&mut self) {
        let mut edges: Vec<(NodeId, NodeId, Edge)> = Vec::new();
        for number in self.graph.node_indices() {
            let user = NodeId(u32::try_from(number.index()).unwrap());
            for expr in self.graph[number].exprs() {
                expr.walk(&mut |part| {
                    if let Expr::Node(used) = part
                        && let Some(waits) = self.sibling(user, *used)
                    {
                        edges.push((*used, waits, Edge::Data));
                    }
                });
            }
            let node = &self.graph[number];
            let is_ordered = !matches!(node.kind, NodeKind::Parallel(_) | NodeKind::Race(_));
            for (_, block) in node.blocks() {
                let acts: Vec<NodeId> = block
                    .nodes
                    .iter()
                    .copied()
                    .filter(|id| is_ordered && self.effect(*id).acts())
                    .collect();
                edges.extend(acts.windows(2).map(|pair| (pair[0], pair[1], Edge::Order)));
                for pair in block.nodes.windows(2) {
                    let is_race = matches!(node.kind, NodeKind::Race(_));
                    if !is_race && self.dice.percent(8) {
                        edges.push((pair[0], pair[1], Edge::After));
                    }
                }
            }
        }
        edges.sort_unstable();
        edges.dedup();
        for (from, to, why) in edges {
            self.graph.add_edge(index(from), index(to), why);
        }
    }

    /// Returns the node around another, or that itself, that is in the block of
    /// a third.
    fn sibling(&self, of: NodeId, other: NodeId) -> Option<NodeId> {
        let block = self.graph[index(other)].parent.clone();
        let mut here = of;
        loop {
            let parent = self.graph[index(here)].parent.clone();
            if parent == block && here != other {
                return Some(here);
            }
            here = parent?.node;
        }
    }
}

fn index(id: NodeId) -> NodeIndex<u32> {
    NodeIndex::new(id.0 as usize)
}

/// Returns how acts are kept from happening twice, each as likely.
fn act(dice: &mut Dice) -> Act {
    match dice.below(4) {
        0 => Act::Keyed(None),
        1 => Act::Keyed(Some(Duration(dice.from(30, 900) * Duration::SECOND.0))),
        2 => Act::Probed,
        _ => Act::Once,
    }
}
