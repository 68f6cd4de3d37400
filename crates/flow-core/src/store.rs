//! The stored form of a plan: JSON with a version, written the same way always.
//!
//! What is loaded is checked for what every user of a plan relies on: ids that
//! exist, parents before children, edges inside one block and no cycles.

use std::collections::BTreeSet;
use std::sync::Arc;

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use serde::{Deserialize, Serialize};

use crate::expr::Expr;
use crate::plan::{Edge, Node, NodeId, NodeKind, Plan, Template, VERSION};

/// How deep the stored form may nest.
const NESTING_MAX: usize = 400;

/// Why a stored plan can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It isn't JSON, or isn't what a plan is made of.
    #[error("this is no stored plan: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It comes from another version.
    #[error(
        "the plan has version {found}, this flow knows version {VERSION}: use the flow that made it, or compile the workflow again"
    )]
    Version {
        /// Its version.
        found: u64,
    },
    /// It nests too deep to be one of ours.
    #[error("this is no stored plan: it nests deeper than {NESTING_MAX} levels")]
    Deep,
    /// Its first node isn't a workflow.
    #[error("the plan is damaged: it doesn't begin with a workflow")]
    Root,
    /// A node refers to one that isn't there, or isn't of the right kind.
    #[error("the plan is damaged: node {} refers to {to}", from.0)]
    Dangling {
        /// The node that refers.
        from: NodeId,
        /// What it refers to.
        to: Box<str>,
    },
    /// A node isn't where its parent says.
    #[error("the plan is damaged: node {} is not in a block of its parent", node.0)]
    Misplaced {
        /// The node.
        node: NodeId,
    },
    /// Two nodes of a block have one name.
    #[error("the plan is damaged: two nodes have the path of `{name}`")]
    Twins {
        /// The name.
        name: Arc<str>,
    },
    /// An edge doesn't join two nodes of one block.
    #[error("the plan is damaged: the edge from node {} to node {} leaves its block", from.0, to.0)]
    Crossing {
        /// Where it begins.
        from: NodeId,
        /// Where it ends.
        to: NodeId,
    },
    /// The plan waits for itself.
    #[error("the plan is damaged: node {} waits for itself", node.0)]
    Cycle {
        /// A node of the cycle.
        node: NodeId,
    },
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    nodes: Vec<&'a Node>,
    edges: Vec<(u32, u32, Edge)>,
    templates: &'a [Template],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "version")]
    _version: u32,
    nodes: Vec<Node>,
    edges: Vec<(u32, u32, Edge)>,
    templates: Vec<Template>,
}

/// What is read first, of any version.
#[derive(Deserialize)]
struct Head {
    version: u64,
}

impl Plan {
    /// Writes the stored form. Equal plans have equal ones.
    pub fn to_json(&self) -> String {
        let id = |index: NodeIndex| u32::try_from(index.index()).unwrap_or(u32::MAX);
        let mut edges: Vec<_> = self
            .graph
            .edge_references()
            .map(|edge| (id(edge.source()), id(edge.target()), *edge.weight()))
            .collect();
        edges.sort_unstable();
        edges.dedup();
        let written = Written {
            version: VERSION,
            nodes: self.graph.node_weights().collect(),
            edges,
            templates: &self.templates,
        };
        serde_json::to_string(&written).expect("a plan has text keys only")
    }

    /// Reads the stored form.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        if nesting(text) > NESTING_MAX {
            return Err(PlanError::Deep);
        }
        let head: Head = read(text)?;
        if head.version != u64::from(VERSION) {
            return Err(PlanError::Version {
                found: head.version,
            });
        }
        let read: Read = read(text)?;
        let mut graph = DiGraph::with_capacity(read.nodes.len(), read.edges.len());
        for node in read.nodes {
            graph.add_node(node);
        }
        for (from, to, edge) in read.edges {
            for (one, other) in [(from, to), (to, from)] {
                if one as usize >= graph.node_count() {
                    return Err(dangling(NodeId(other), format!("node {one}")));
                }
            }
            graph.add_edge(
                NodeIndex::new(from as usize),
                NodeIndex::new(to as usize),
                edge,
            );
        }
        let plan = Self {
            graph,
            templates: read.templates,
        };
        plan.validate()?;
        Ok(plan)
    }

    /// Checks what every user of a plan relies on.
    pub fn validate(&self) -> Result<(), PlanError> {
        let Some(root) = self.graph.node_weight(NodeIndex::new(0)) else {
            return Err(PlanError::Root);
        };
        if root.parent.is_some() || !matches!(root.kind, NodeKind::Workflow(_)) {
            return Err(PlanError::Root);
        }
        self.validate_blocks()?;
        for edge in self.graph.edge_references() {
            let (from, to) = (edge.source(), edge.target());
            if self.graph[from].parent != self.graph[to].parent || self.graph[from].parent.is_none()
            {
                return Err(PlanError::Crossing {
                    from: node_id(from),
                    to: node_id(to),
                });
            }
        }
        for index in self.graph.node_indices() {
            for expr in self.graph[index].exprs() {
                self.validate_expr(node_id(index), expr)?;
            }
        }
        match toposort(&self.graph, None) {
            Ok(_) => Ok(()),
            Err(cycle) => Err(PlanError::Cycle {
                node: node_id(cycle.node_id()),
            }),
        }
    }

    /// Checks that every node but the root is in one block, that of its parent.
    fn validate_blocks(&self) -> Result<(), PlanError> {
        let mut placed = vec![false; self.graph.node_count()];
        for index in self.graph.node_indices() {
            let owner = node_id(index);
            for (arm, block) in self.graph[index].blocks() {
                let mut names = BTreeSet::new();
                for id in &block.nodes {
                    let Some(node) = self.graph.node_weight(NodeIndex::new(id.0 as usize)) else {
                        return Err(dangling(owner, format!("node {}", id.0)));
                    };
                    let parent = node.parent.as_ref();
                    let here = parent.is_some_and(|p| p.node == owner && p.arm.as_deref() == arm);
                    let again = std::mem::replace(&mut placed[id.0 as usize], true);
                    if !here || again || *id <= owner {
                        return Err(PlanError::Misplaced { node: *id });
                    }
                    if !names.insert(&node.name) {
                        return Err(PlanError::Twins {
                            name: node.name.clone(),
                        });
                    }
                }
            }
        }
        match placed.iter().skip(1).position(|placed| !placed) {
            Some(at) => Err(PlanError::Misplaced {
                node: node_id(NodeIndex::new(at + 1)),
            }),
            None => Ok(()),
        }
    }

    fn validate_expr(&self, from: NodeId, expr: &Expr) -> Result<(), PlanError> {
        let mut wrong: Option<String> = None;
        expr.walk(&mut |part| {
            if let Some(to) = self.missing(part) {
                wrong = Some(to);
            }
        });
        wrong.map_or(Ok(()), |to| Err(dangling(from, to)))
    }

    /// Returns what an expression refers to, if that isn't there.
    fn missing(&self, expr: &Expr) -> Option<String> {
        let kind = |id: NodeId| {
            let node = self.graph.node_weight(NodeIndex::new(id.0 as usize));
            node.map(|node| &node.kind)
        };
        let (id, is_there) = match expr {
            Expr::Node(id) => (*id, kind(*id).is_some()),
            Expr::Arg(id, at) => (*id, kind(*id).is_some_and(|kind| has_argument(kind, *at))),
            Expr::Item(id) => (*id, matches!(kind(*id), Some(NodeKind::For(_)))),
            Expr::State(id) => (*id, matches!(kind(*id), Some(NodeKind::Repeat(_)))),
            Expr::Payload(id) => (*id, matches!(kind(*id), Some(NodeKind::Match(_)))),
            Expr::Template(number, _, _) => {
                let is_there = (*number as usize) < self.templates.len();
                return (!is_there).then(|| format!("template {number}"));
            }
            Expr::Const(_)
            | Expr::Local(_)
            | Expr::Run
            | Expr::Event
            | Expr::File(..)
            | Expr::Field(..)
            | Expr::Index(..)
            | Expr::Not(_)
            | Expr::Negate(..)
            | Expr::Widen(_)
            | Expr::IsSome(_)
            | Expr::Binary(..)
            | Expr::If(_)
            | Expr::Call(..)
            | Expr::List(_)
            | Expr::Comprehension(_)
            | Expr::Record(_)
            | Expr::Text(_)
            | Expr::Outside(..)
            | Expr::Check(..) => return None,
        };
        (!is_there).then(|| format!("node {}", id.0))
    }
}

/// Returns whether a node has an argument at a position.
fn has_argument(kind: &NodeKind, at: u32) -> bool {
    let count = match kind {
        NodeKind::Workflow(workflow) => workflow.params.len(),
        NodeKind::Step(step) => step.args.len(),
        NodeKind::Value(_)
        | NodeKind::If(_)
        | NodeKind::Match(_)
        | NodeKind::For(_)
        | NodeKind::Repeat(_)
        | NodeKind::Race(_)
        | NodeKind::Parallel(_) => 0,
    };
    (at as usize) < count
}

fn node_id(index: NodeIndex) -> NodeId {
    NodeId(u32::try_from(index.index()).unwrap_or(u32::MAX))
}

fn dangling(from: NodeId, to: String) -> PlanError {
    PlanError::Dangling {
        from,
        to: to.into(),
    }
}

fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, PlanError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    // An expression takes several levels of JSON; `nesting` has its own limit.
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Returns how deep brackets nest in a JSON text.
fn nesting(text: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

#[cfg(test)]
pub(crate) mod tests;
