//! A checked workflow: nodes with ids of their own, calls not yet followed.

use flow_core::expr::Site;
use flow_core::plan::{Edge, Node, NodeId, Template};
use flow_syntax::span::Span;

use crate::declare::WorkflowId;

/// A checked workflow. Its node 0 is the workflow itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workflow {
    /// Its nodes, a parent before its children.
    pub(crate) nodes: Vec<Node>,
    /// Where they come from.
    pub(crate) spans: Vec<Span>,
    /// Which waits for which: from, to, why.
    pub(crate) edges: Vec<(NodeId, NodeId, Edge)>,
    /// The nodes that call workflows; their blocks are empty here.
    pub(crate) calls: Vec<(NodeId, WorkflowId)>,
    /// The templates of its expressions.
    pub(crate) templates: Vec<Template>,
    /// Where expressions that can fail come from.
    pub(crate) sites: Vec<(NodeId, Site, Span)>,
    /// Where nodes are given a budget.
    pub(crate) budgets: Vec<(NodeId, Span)>,
}

impl Workflow {
    /// Notes that a node waits for another. Saying it twice in a row is free.
    pub(crate) fn edge(&mut self, from: NodeId, to: NodeId, why: Edge) {
        let edge = (from, to, why);
        if self.edges.last() != Some(&edge) {
            self.edges.push(edge);
        }
    }
}
