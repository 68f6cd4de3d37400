//! Plans: the narrow waist between the compiler and everything that runs.
//!
//! A plan is a DAG of nodes in dense ids. Regions are nodes that own blocks of
//! further nodes; an edge joins two nodes of one block. A plan holds no source
//! positions, no paths of files that were compiled and no secrets, so it can be
//! stored and loaded back years later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::graph::DiGraph;
use serde::{Deserialize, Serialize};

use crate::amount::{Duration, Money};
use crate::effect::{Effect, FailureClass};
use crate::expr::Expr;
use crate::ty::Type;
use crate::value::Value;

/// The version of the stored form.
pub const VERSION: u32 = 1;

/// Names a node of a plan: its index in the graph.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// A workflow, checked, priced and ready to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All nodes, dense, a parent before its children. Node 0 is the workflow.
    pub graph: DiGraph<Node, Edge, u32>,
    /// The templates it renders.
    pub templates: Vec<Template>,
}

/// Why one node waits for another of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// It uses the other's value.
    Data,
    /// Both act, and this one is written later.
    Order,
    /// `after` says so.
    After,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its part of the path. Unique inside its block.
    pub name: Arc<str>,
    /// Where it belongs; the root belongs nowhere.
    pub parent: Option<Parent>,
    /// The type of its value; nothing for one without a value.
    pub ty: Option<Type>,
    /// The strongest effect of it and of everything in it.
    pub effect: Effect,
    /// What it does.
    pub kind: NodeKind,
}

/// The place of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// The node that owns its block.
    pub node: NodeId,
    /// The block, if the owner's paths name it: `then`, `else`, `noir`.
    pub arm: Option<Arc<str>>,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// An expression under a name.
    Value(Expr),
    /// A declared step.
    Step(Box<Step>),
    /// A workflow: the root, or a call of one.
    Workflow(Box<Workflow>),
    /// A choice by a condition.
    If(Box<If>),
    /// A choice by a value.
    Match(Box<Match>),
    /// One body for each item of a list.
    For(Box<For>),
    /// A body that hands a state to itself.
    Repeat(Box<Repeat>),
    /// The first node of a block that succeeds; `fallback` if none does.
    Race(Box<Race>),
    /// A block whose acts are not ordered.
    Parallel(Box<Parallel>),
}

/// Nodes that share a scope, and their value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Its nodes, in the order in which they are written.
    pub nodes: Vec<NodeId>,
    /// Its value.
    pub result: Option<Expr>,
}

/// A call of a declared step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The step's name.
    pub step: Arc<str>,
    /// What stands for its type parameter.
    pub type_arg: Option<Type>,
    /// Every parameter with a value, defaults included, by name.
    pub args: BTreeMap<Arc<str>, Expr>,
    /// The types its parameters and its result have here.
    pub params: Arc<BTreeMap<Arc<str>, Type>>,
    /// What it may do, the call's own choice applied.
    pub effect: Effect,
    /// The digest of its declaration, which is part of its cache keys.
    pub signature: Arc<str>,
    /// The command of a plugin.
    pub run: Option<Arc<str>>,
    /// What one attempt costs at most.
    pub price: Option<Price>,
    /// The pools it takes a slot of.
    pub pools: Vec<Expr>,
    /// What governs it.
    pub policies: Policies,
    /// What happens instead if it fails; its nodes have the arm `else`.
    pub fallback: Option<Block>,
}

/// What one attempt costs at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The amount, from the call's arguments, which stand for `Arg`s of the
    /// node itself in the order of `Step::args`.
    pub formula: Expr,
    /// The greatest amount that the types of the arguments allow.
    pub bound: Option<Money>,
    /// How the bound comes about, for people: `$0.04 × count ≤ 8`.
    pub reason: Arc<str>,
}

/// What governs a call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// How often it is tried, and when again.
    pub retry: Option<Retry>,
    /// The longest an attempt may take.
    pub timeout: Option<Expr>,
    /// Its own limits.
    pub limits: Limits,
    /// Whether results are shared between runs.
    pub cache: Option<Cache>,
    /// What happens when a paid attempt is lost.
    pub on_lost: Option<OnLost>,
    /// A name for people.
    pub label: Option<Expr>,
}

/// How often a call is tried, and when again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// All attempts, the first included.
    pub attempts: Expr,
    /// The most attempts that its type allows.
    pub attempts_max: Option<u32>,
    /// The first and the longest pause.
    pub backoff: Option<(Duration, Duration)>,
    /// The classes that are tried again; empty means the default ones.
    pub on: Vec<FailureClass>,
}

/// How many attempts a call has that says nothing.
pub const ATTEMPTS_DEFAULT: u32 = 3;

/// Limits of a workflow, a region or a call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How much it may cost.
    pub budget: Option<Budget>,
    /// How long it may take, waiting for people not counted.
    pub within: Option<Expr>,
}

/// How much may be spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The amount.
    pub amount: Expr,
    /// In which period; without one, in this run.
    pub per: Option<Period>,
    /// What happens when a call doesn't fit.
    pub or: Exhausted,
}

/// A period of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A day of the project's time zone.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
}

/// What happens when a call doesn't fit into a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exhausted {
    /// The run pauses.
    #[default]
    Stop,
    /// A person is asked.
    Ask,
}

/// Whether results are shared between runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    /// Yes.
    On,
    /// No.
    Off,
    /// For so long.
    For(Expr),
}

/// What happens when nobody knows whether a paid attempt was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLost {
    /// It is made again, once.
    #[default]
    Again,
    /// A person is asked.
    Ask,
    /// It fails.
    Fail,
}

/// A workflow: the root, or a call of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// The workflow's own name.
    pub workflow: Arc<str>,
    /// Its parameters, in order.
    pub params: Vec<Input>,
    /// Its budget and its time.
    pub limits: Limits,
    /// What governs the call; the root has none.
    pub policies: Policies,
    /// Its steps.
    pub block: Block,
    /// What happens instead if it fails; its nodes have the arm `else`.
    pub fallback: Option<Block>,
}

/// A parameter of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// The argument of a call; for the root, what it is if nothing is given.
    pub value: Option<Expr>,
    /// What it is for.
    pub docs: Arc<str>,
}

/// A choice by a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct If {
    /// The condition.
    pub cond: Expr,
    /// If it holds; its nodes have the arm `then`.
    pub then: Block,
    /// If it doesn't; its nodes have the arm `else`.
    pub otherwise: Option<Block>,
}

/// A choice by a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The value.
    pub subject: Expr,
    /// The arms; the first that fits is taken.
    pub arms: Vec<Arm>,
}

/// An arm of a `match`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Its name in paths: the first pattern.
    pub name: Arc<str>,
    /// What it fits.
    pub patterns: Vec<Pattern>,
    /// What is done.
    pub block: Block,
}

/// A pattern of an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// A value that is there.
    Some,
    /// No value.
    None,
    /// Anything.
    Any,
    /// This value.
    Is(Value),
}

/// One body for each item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct For {
    /// The item's name.
    pub var: Arc<str>,
    /// The list.
    pub list: Expr,
    /// What identifies an item, computed from it.
    pub by: Option<Expr>,
    /// The most items there may be at run time.
    pub max: Option<Expr>,
    /// The most items there can be: from `max`, the type or the source.
    pub items_max: Option<u64>,
    /// The most items that are open at once.
    pub parallel: Expr,
    /// Failed items are left out.
    pub keep_ok: bool,
    /// Its budget and its time.
    pub limits: Limits,
    /// What is done for each.
    pub body: Block,
}

/// How many items are open at once if nothing is said and nothing acts.
pub const PARALLEL_DEFAULT: u32 = 8;

/// A body that hands a state to itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// The state's name.
    pub state: Arc<str>,
    /// The state's type.
    pub ty: Type,
    /// The first state.
    pub from: Expr,
    /// The most rounds.
    pub max: Expr,
    /// The most rounds that its type allows.
    pub rounds_max: Option<u64>,
    /// When to end, asked of the new state.
    pub until: Option<Expr>,
    /// Its budget and its time.
    pub limits: Limits,
    /// One round.
    pub body: Block,
}

/// The first that succeeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Race {
    /// Its budget and its time.
    pub limits: Limits,
    /// The contenders, a node each; the block has no result of its own.
    pub block: Block,
    /// What happens if all fail; its nodes have the arm `else`.
    pub fallback: Option<Block>,
}

/// A block whose acts are not ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parallel {
    /// Its budget and its time.
    pub limits: Limits,
    /// What is done.
    pub block: Block,
}

/// A template, with the texts that it includes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its text.
    pub text: Arc<str>,
    /// The texts it includes, by the name it includes them with.
    pub includes: BTreeMap<Arc<str>, Arc<str>>,
}

impl Plan {
    /// Returns a node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph[petgraph::graph::NodeIndex::new(id.0 as usize)]
    }

    /// Returns the node of the workflow that the plan runs.
    pub fn root_node(&self) -> &Node {
        self.node(NodeId(0))
    }

    /// Returns the files of the project that it names, each with what it is
    /// taken for.
    pub fn files(&self) -> Vec<(Arc<str>, crate::ty::Media)> {
        let mut found = Vec::new();
        for node in self.graph.node_weights() {
            for expr in node.exprs() {
                expr.walk(&mut |part| {
                    if let Expr::File(path, media) = part {
                        found.push((path.clone(), *media));
                    }
                });
            }
        }
        found
    }

    /// Returns the names of the secrets that it names, in order.
    pub fn secrets(&self) -> BTreeSet<Arc<str>> {
        let mut found = BTreeSet::new();
        for node in self.graph.node_weights() {
            for expr in node.exprs() {
                expr.walk(&mut |part| {
                    if let Expr::Const(value) = part {
                        value.secrets(&mut found);
                    }
                });
            }
        }
        found
    }

    /// Returns the workflow that the plan runs.
    pub fn root(&self) -> &Workflow {
        match &self.root_node().kind {
            NodeKind::Workflow(workflow) => workflow,
            NodeKind::Value(_)
            | NodeKind::Step(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => panic!("node 0 of a plan is a workflow"),
        }
    }
}
