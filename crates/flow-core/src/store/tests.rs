//! Plans are drawn at random, stored, loaded and damaged.

use std::collections::BTreeMap;

use super::*;
use crate::amount::Money;
use crate::effect::Effect;
use crate::expr::{Op, Site};
use crate::plan::{Block, For, If, Limits, Parent, Policies, Price, Race, Step, Workflow};
use crate::ty::Type;
use crate::value::Value;

/// Draws numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

struct Maker {
    dice: Dice,
    nodes: Vec<Node>,
    edges: Vec<(u32, u32, Edge)>,
}

impl Maker {
    fn add(&mut self, name: &str, parent: Option<Parent>, depth: u32) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let blank = Node {
            name: name.into(),
            parent,
            ty: Some(Type::float().optional()),
            effect: Effect::Paid,
            kind: NodeKind::Value(Expr::Run),
        };
        self.nodes.push(blank);
        let kind = self.kind(id, depth);
        self.nodes[id.0 as usize].kind = kind;
        id
    }

    fn kind(&mut self, id: NodeId, depth: u32) -> NodeKind {
        let choice = if id.0 == 0 {
            4
        } else if depth > 3 {
            self.dice.below(2)
        } else {
            self.dice.below(6)
        };
        match choice {
            0 => NodeKind::Value(self.expr(3)),
            1 => self.step(id, depth),
            2 => NodeKind::If(Box::new(If {
                cond: self.expr(1),
                then: self.block(id, Some("then"), depth),
                otherwise: depth
                    .is_multiple_of(2)
                    .then(|| self.block(id, Some("else"), depth)),
            })),
            3 => NodeKind::For(Box::new(For {
                var: "x".into(),
                list: Expr::List(vec![self.expr(1)]),
                by: Some(Expr::Item(id)),
                max: None,
                items_max: Some(self.dice.below(9)),
                parallel: self.expr(0),
                keep_ok: depth.is_multiple_of(2),
                limits: Limits::default(),
                body: self.block(id, None, depth),
            })),
            4 => NodeKind::Workflow(Box::new(Workflow {
                workflow: "poster".into(),
                params: Vec::new(),
                limits: Limits::default(),
                policies: Policies::default(),
                block: self.block(id, None, depth),
                fallback: None,
            })),
            _ => NodeKind::Race(Box::new(Race {
                limits: Limits::default(),
                block: self.block(id, None, depth),
                fallback: Some(self.block(id, Some("else"), depth)),
            })),
        }
    }

    fn step(&mut self, id: NodeId, depth: u32) -> NodeKind {
        let args = [("prompt", self.expr(2)), ("count", self.expr(1))];
        NodeKind::Step(Box::new(Step {
            step: "gen.images".into(),
            type_arg: None,
            args: args.map(|(name, expr)| (name.into(), expr)).into(),
            params: BTreeMap::from([("count".into(), Type::int())]).into(),
            effect: Effect::Paid,
            signature: "s".into(),
            run: None,
            price: Some(Price {
                formula: Expr::Arg(id, 0),
                bound: Some(Money(40_000_000)),
                reason: "$0.04".into(),
            }),
            pools: Vec::new(),
            policies: Policies::default(),
            fallback: (depth < 3).then(|| self.block(id, Some("else"), depth)),
        }))
    }

    fn block(&mut self, owner: NodeId, arm: Option<&str>, depth: u32) -> Block {
        let mut nodes: Vec<NodeId> = Vec::new();
        for at in 0..self.dice.below(4) {
            let parent = Parent {
                node: owner,
                arm: arm.map(Into::into),
            };
            let id = self.add(&format!("n{at}"), Some(parent), depth + 1);
            for before in &nodes {
                if self.dice.below(2) == 0 {
                    self.edges.push((before.0, id.0, Edge::Data));
                }
            }
            nodes.push(id);
        }
        let result = nodes.last().map(|id| Expr::Node(*id));
        Block { nodes, result }
    }

    fn expr(&mut self, depth: u32) -> Expr {
        if depth == 0 {
            // Bits make numbers that are hard to print.
            let bits = 0x3FE0_0000_0000_0000 | (self.dice.below(u64::MAX) >> 12);
            return Expr::Const(Value::Float(f64::from_bits(bits)));
        }
        let left = Box::new(self.expr(depth - 1));
        let right = Box::new(self.expr(depth - 1));
        Expr::Binary(Op::Add, left, right, Site(0))
    }
}

fn parts(seed: u64) -> (Vec<Node>, Vec<(u32, u32, Edge)>) {
    let mut maker = Maker {
        dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
        nodes: Vec::new(),
        edges: Vec::new(),
    };
    maker.add("poster", None, 0);
    (maker.nodes, maker.edges)
}

fn assemble(nodes: &[Node], edges: impl IntoIterator<Item = (u32, u32, Edge)>) -> Plan {
    let mut graph = DiGraph::default();
    for node in nodes {
        graph.add_node(node.clone());
    }
    for (from, to, edge) in edges {
        graph.add_edge(
            NodeIndex::new(from as usize),
            NodeIndex::new(to as usize),
            edge,
        );
    }
    Plan {
        graph,
        templates: Vec::new(),
    }
}

/// Draws a plan.
pub(crate) fn plan(seed: u64) -> Plan {
    let (nodes, edges) = parts(seed);
    assemble(&nodes, edges)
}

#[test]
fn a_plan_is_loaded_as_it_was_stored() {
    let mut nodes = 0;
    for seed in 0..300 {
        let plan = plan(seed);
        nodes += plan.graph.node_count();
        let text = plan.to_json();
        let loaded = Plan::from_json(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(
            loaded.graph.node_weights().eq(plan.graph.node_weights()),
            "seed {seed}"
        );
        assert_eq!(loaded.to_json(), text, "seed {seed}");
        assert_eq!(loaded.digest(), plan.digest(), "seed {seed}");
    }
    assert!(nodes > 3000, "{nodes} nodes are too few to say much");
}

#[test]
fn the_digest_does_not_depend_on_the_order_of_edges() {
    for seed in 0..100 {
        let (nodes, edges) = parts(seed);
        let one = assemble(&nodes, edges.iter().copied());
        let other = assemble(&nodes, edges.iter().rev().copied());
        assert_eq!(one.digest(), other.digest(), "seed {seed}");
    }
}

#[test]
fn the_digest_depends_on_what_is_done() {
    let digests: BTreeSet<_> = (0..100).map(|seed| plan(seed).to_json()).collect();
    let plans: BTreeSet<_> = (0..100).map(|seed| plan(seed).digest()).collect();
    assert_eq!(digests.len(), plans.len());
}

fn error(text: &str) -> String {
    Plan::from_json(text)
        .expect_err("a damaged plan")
        .to_string()
}

#[test]
fn a_newer_version_is_refused_with_its_cure() {
    let text = r#"{"version":99,"what":"ever"}"#;
    assert_eq!(
        error(text),
        "the plan has version 99, this flow knows version 1: use the flow that made it, or compile the workflow again"
    );
}

#[test]
fn unknown_fields_are_refused() {
    let text = plan(1).to_json();
    let outer = text.replacen('{', r#"{"more":1,"#, 1);
    assert!(error(&outer).contains("unknown field `more`"));
    let inner = text.replacen(r#"{"name":"#, r#"{"more":1,"name":"#, 1);
    assert!(error(&inner).contains("unknown field `more`"));
}

fn value(id: u32, parent: Option<u32>) -> Node {
    let parent = parent.map(|node| Parent {
        node: NodeId(node),
        arm: None,
    });
    Node {
        name: format!("v{id}").into(),
        parent,
        ty: None,
        effect: Effect::Pure,
        kind: NodeKind::Value(Expr::Run),
    }
}

fn root(ids: &[u32]) -> Node {
    let block = Block {
        nodes: ids.iter().copied().map(NodeId).collect(),
        result: None,
    };
    let workflow = Workflow {
        workflow: "poster".into(),
        params: Vec::new(),
        limits: Limits::default(),
        policies: Policies::default(),
        block,
        fallback: None,
    };
    Node {
        kind: NodeKind::Workflow(Box::new(workflow)),
        ..value(0, None)
    }
}

#[test]
fn damage_is_found() {
    let check = |nodes: &[Node], edges: &[(u32, u32, Edge)], message: &str| {
        let text = assemble(nodes, edges.iter().copied()).to_json();
        let error = error(&text);
        assert!(error.contains(message), "{error}");
    };
    let good = [root(&[1, 2]), value(1, Some(0)), value(2, Some(0))];
    assert!(assemble(&good, [(1, 2, Edge::Data)]).validate().is_ok());
    check(&[], &[], "doesn't begin with a workflow");
    check(&good[1..2], &[], "doesn't begin with a workflow");
    check(&[root(&[7])], &[], "node 0 refers to node 7");
    check(
        &[root(&[1]), value(1, Some(0)), value(2, Some(0))],
        &[],
        "node 2 is not in a block",
    );
    check(
        &[root(&[1, 1]), value(1, Some(0))],
        &[],
        "node 1 is not in a block",
    );
    check(
        &[root(&[1]), value(1, Some(5))],
        &[],
        "node 1 is not in a block",
    );
    check(
        &good,
        &[(1, 2, Edge::Data), (2, 1, Edge::After)],
        "waits for itself",
    );
    check(&good, &[(0, 1, Edge::Data)], "leaves its block");
    let mut lost = good.clone();
    lost[1].kind = NodeKind::Value(Expr::Not(Box::new(Expr::Node(NodeId(9)))));
    check(&lost, &[], "node 1 refers to node 9");
    lost[1].kind = NodeKind::Value(Expr::Template(0, Box::new(Expr::Run), Site(0)));
    check(&lost, &[], "node 1 refers to template 0");
    lost[1].kind = NodeKind::Value(Expr::Item(NodeId(0)));
    check(&lost, &[], "node 1 refers to node 0");
    let mut twins = good.clone();
    twins[2].name = twins[1].name.clone();
    check(&twins, &[], "two nodes have the path of `v1`");
    let text = assemble(&good, [(1, 2, Edge::Data)]).to_json();
    assert!(error(&text.replace("[1,2,\"data\"]", "[1,8,\"data\"]")).contains("refers to node 8"));
}

#[test]
fn depth_is_bounded() {
    let with = |depth: usize| {
        let (mut nodes, _) = parts(1);
        let mut expr = Expr::Run;
        for _ in 0..depth {
            expr = Expr::Record(vec![("a".into(), expr)]);
        }
        let NodeKind::Workflow(root) = &mut nodes[0].kind else {
            panic!("node 0 is a workflow");
        };
        root.block.result = Some(expr);
        assemble(&nodes, []).to_json()
    };
    assert!(Plan::from_json(&with(100)).is_ok());
    assert!(matches!(Plan::from_json(&with(200)), Err(PlanError::Deep)));
    assert!(matches!(
        Plan::from_json(&"[".repeat(1_000_000)),
        Err(PlanError::Deep)
    ));
}
