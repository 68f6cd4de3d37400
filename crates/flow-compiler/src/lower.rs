//! Checked workflows to plans: calls are followed, ids made dense.

use std::collections::BTreeMap;

use flow_core::expr::{Comprehension, Expr, Part, Site};
use flow_core::plan::{
    Block, Cache, Edge, Limits, Node, NodeId, NodeKind, Plan, Policies, Template,
};
use flow_syntax::span::Span;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::declare::WorkflowId;
use crate::hir;

/// Where the parts of a plan come from: its debug information, kept beside it.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The place of each node, by its id.
    pub nodes: Vec<Span>,
    /// The places of expressions that can fail.
    pub sites: BTreeMap<(NodeId, Site), Span>,
    /// The places of budgets, by the node that has one.
    pub budgets: BTreeMap<NodeId, Span>,
    /// The workflows that are called, by the node that calls one.
    pub calls: BTreeMap<NodeId, WorkflowId>,
}

impl Origins {
    /// Returns the place of a node's budget, or of the node if that is not
    /// known.
    pub fn budget(&self, node: NodeId) -> Span {
        let own = self.nodes.get(node.0 as usize).copied();
        let budget = self.budgets.get(&node).copied();
        budget.or(own).unwrap_or_default()
    }
}

/// The most nodes that the plans of a file may have together.
pub(crate) const NODES_MAX: usize = 1_000_000;

/// Returns how many nodes the plan of each workflow has. In `order`, callees
/// come before their callers.
pub(crate) fn sizes(order: &[WorkflowId], bodies: &[Option<hir::Workflow>]) -> Vec<usize> {
    let mut sizes = vec![0_usize; bodies.len()];
    for id in order {
        let Some(body) = &bodies[id.0] else { continue };
        // The node of a call and the first one of what it calls are one.
        let called = body
            .calls
            .iter()
            .map(|(_, callee)| sizes[callee.0].saturating_sub(1));
        sizes[id.0] = called.fold(body.nodes.len(), usize::saturating_add);
    }
    sizes
}

/// Makes the plan of a workflow. All that it calls has been checked, and there
/// is room for it.
///
/// A body that nobody calls is taken, not copied: it makes one plan.
pub(crate) fn lower(
    id: WorkflowId,
    bodies: &mut [Option<hir::Workflow>],
    is_called: bool,
) -> (Plan, Origins) {
    let root = if is_called {
        bodies[id.0].clone()
    } else {
        bodies[id.0].take()
    };
    let mut lowering = Lowering {
        graph: DiGraph::default(),
        templates: Vec::new(),
        origins: Origins::default(),
        pending: Vec::new(),
    };
    lowering.inline(root.unwrap_or_default(), None);
    // A call is followed after its caller is whole, so that a parent comes
    // before its children and nothing here recurses.
    while let Some((node, callee)) = lowering.pending.pop() {
        lowering.origins.calls.insert(node, callee);
        let body = bodies[callee.0].clone().unwrap_or_default();
        lowering.inline(body, Some(node));
    }
    let plan = Plan {
        graph: lowering.graph,
        templates: lowering.templates,
    };
    (plan, lowering.origins)
}

struct Lowering {
    graph: DiGraph<Node, Edge, u32>,
    templates: Vec<Template>,
    origins: Origins,
    pending: Vec<(NodeId, WorkflowId)>,
}

/// How ids of a checked body become ids of the plan.
#[derive(Clone, Copy)]
struct Shift {
    /// What node 0 of the body becomes.
    root: u32,
    /// What is added to the others.
    by: u32,
    /// What is added to the numbers of templates.
    templates: u32,
    /// What is added to the numbers of sites and draws: a call's own node has
    /// some already when it gets the head of what it calls.
    sites: u32,
}

/// More than an expression of 16 MiB can have.
const SITES_OF_CALL: u32 = 1 << 24;

impl Shift {
    fn id(self, id: NodeId) -> NodeId {
        match id.0 {
            0 => NodeId(self.root),
            other => NodeId(other + self.by),
        }
    }
}

impl Lowering {
    /// Puts a body into the plan; its node 0 is the call, if there is one.
    fn inline(&mut self, body: hir::Workflow, call: Option<NodeId>) {
        let before = self.graph.node_count();
        assert!(
            before + body.nodes.len() <= NODES_MAX,
            "plans that are too large are not made"
        );
        let length =
            |count: usize| u32::try_from(count).expect("a plan has at most 1,000,000 nodes");
        let shift = match call {
            None => Shift {
                root: 0,
                by: 0,
                templates: 0,
                sites: 0,
            },
            Some(call) => Shift {
                root: call.0,
                by: length(before) - 1,
                templates: length(self.templates.len()),
                sites: 0,
            },
        };
        self.templates.extend(body.templates);
        for (at, (mut node, span)) in body.nodes.into_iter().zip(body.spans).enumerate() {
            match call {
                Some(call) if at == 0 => {
                    let head = Shift {
                        sites: SITES_OF_CALL,
                        ..shift
                    };
                    head.node(&mut node);
                    self.complete(call, node);
                }
                _ => {
                    shift.node(&mut node);
                    self.graph.add_node(node);
                    self.origins.nodes.push(span);
                }
            }
        }
        self.graph.reserve_edges(body.edges.len());
        let mut edges: Vec<(NodeId, NodeId, Edge)> = body
            .edges
            .into_iter()
            .map(|(from, to, why)| (shift.id(from), shift.id(to), why))
            .collect();
        edges.sort_unstable();
        edges.dedup();
        for (from, to, why) in edges {
            let index = |id: NodeId| NodeIndex::new(id.0 as usize);
            self.graph.add_edge(index(from), index(to), why);
        }
        for (node, site, span) in body.sites {
            let site = match (call, node.0) {
                (Some(_), 0) => Site(site.0 + SITES_OF_CALL),
                _ => site,
            };
            self.origins.sites.insert((shift.id(node), site), span);
        }
        for (node, span) in body.budgets {
            // A call may have a budget of its own besides its callee's.
            self.origins.budgets.entry(shift.id(node)).or_insert(span);
        }
        let calls = body.calls.into_iter();
        self.pending
            .extend(calls.map(|(node, callee)| (shift.id(node), callee)));
    }

    /// Gives a call the limits and the block of what it calls.
    fn complete(&mut self, call: NodeId, callee: Node) {
        let NodeKind::Workflow(callee) = callee.kind else {
            return;
        };
        let node = &mut self.graph[NodeIndex::new(call.0 as usize)];
        if let NodeKind::Workflow(own) = &mut node.kind {
            own.limits = callee.limits;
            own.block = callee.block;
        }
    }
}

impl Shift {
    fn node(self, node: &mut Node) {
        if let Some(parent) = &mut node.parent {
            parent.node = self.id(parent.node);
        }
        match &mut node.kind {
            NodeKind::Value(expr) => self.expr(expr),
            NodeKind::Step(step) => {
                step.args.values_mut().for_each(|arg| self.expr(arg));
                step.pools.iter_mut().for_each(|pool| self.expr(pool));
                if let Some(price) = &mut step.price {
                    self.expr(&mut price.formula);
                }
                self.policies(&mut step.policies);
                self.maybe_block(step.fallback.as_mut());
            }
            NodeKind::Workflow(workflow) => {
                for param in &mut workflow.params {
                    self.maybe(param.value.as_mut());
                }
                self.limits(&mut workflow.limits);
                self.policies(&mut workflow.policies);
                self.block(&mut workflow.block);
                self.maybe_block(workflow.fallback.as_mut());
            }
            NodeKind::If(region) => {
                self.expr(&mut region.cond);
                self.block(&mut region.then);
                self.maybe_block(region.otherwise.as_mut());
            }
            NodeKind::Match(region) => {
                self.expr(&mut region.subject);
                for arm in &mut region.arms {
                    self.block(&mut arm.block);
                }
            }
            NodeKind::For(region) => {
                self.expr(&mut region.list);
                self.maybe(region.by.as_mut());
                self.maybe(region.max.as_mut());
                self.expr(&mut region.parallel);
                self.limits(&mut region.limits);
                self.block(&mut region.body);
            }
            NodeKind::Repeat(region) => {
                self.expr(&mut region.from);
                self.expr(&mut region.max);
                self.maybe(region.until.as_mut());
                self.limits(&mut region.limits);
                self.block(&mut region.body);
            }
            NodeKind::Race(region) => {
                self.limits(&mut region.limits);
                self.block(&mut region.block);
                self.maybe_block(region.fallback.as_mut());
            }
            NodeKind::Parallel(region) => {
                self.limits(&mut region.limits);
                self.block(&mut region.block);
            }
        }
    }

    fn block(self, block: &mut Block) {
        for node in &mut block.nodes {
            *node = self.id(*node);
        }
        self.maybe(block.result.as_mut());
    }

    fn maybe_block(self, block: Option<&mut Block>) {
        if let Some(block) = block {
            self.block(block);
        }
    }

    fn limits(self, limits: &mut Limits) {
        if let Some(budget) = &mut limits.budget {
            self.expr(&mut budget.amount);
        }
        self.maybe(limits.within.as_mut());
    }

    fn policies(self, policies: &mut Policies) {
        self.limits(&mut policies.limits);
        self.maybe(policies.timeout.as_mut());
        self.maybe(policies.label.as_mut());
        if let Some(retry) = &mut policies.retry {
            self.expr(&mut retry.attempts);
        }
        if let Some(Cache::For(time)) = &mut policies.cache {
            self.expr(time);
        }
    }

    fn maybe(self, expr: Option<&mut Expr>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    fn all(self, exprs: &mut [Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn expr(self, expr: &mut Expr) {
        match expr {
            Expr::Node(id)
            | Expr::Arg(id, _)
            | Expr::Item(id)
            | Expr::State(id)
            | Expr::Payload(id) => *id = self.id(*id),
            Expr::Template(index, data, site) => {
                *index += self.templates;
                site.0 += self.sites;
                self.expr(data);
            }
            Expr::Const(_) | Expr::Local(_) | Expr::Run | Expr::Event | Expr::File(..) => {}
            Expr::Field(inner, _)
            | Expr::Outside(inner, _)
            | Expr::Not(inner)
            | Expr::Widen(inner)
            | Expr::IsSome(inner) => {
                self.expr(inner);
            }
            Expr::Negate(inner, site) | Expr::Check(inner, _, site) => {
                site.0 += self.sites;
                self.expr(inner);
            }
            Expr::Index(left, right, site) | Expr::Binary(_, left, right, site) => {
                site.0 += self.sites;
                self.expr(left);
                self.expr(right);
            }
            Expr::If(parts) => self.all(parts.as_mut_slice()),
            Expr::Call(_, args, site, draw) => {
                site.0 += self.sites;
                if let Some(draw) = draw {
                    *draw += self.sites;
                }
                self.all(args);
            }
            Expr::List(items) => self.all(items),
            Expr::Comprehension(list) => {
                let Comprehension {
                    local: _,
                    body,
                    list,
                    cond,
                    site,
                } = list.as_mut();
                site.0 += self.sites;
                self.expr(body);
                self.expr(list);
                self.maybe(cond.as_mut());
            }
            Expr::Record(fields) => {
                for (_, value) in fields {
                    self.expr(value);
                }
            }
            Expr::Text(parts) => {
                for part in parts {
                    if let Part::Hole(hole) = part {
                        self.expr(hole);
                    }
                }
            }
        }
    }
}
