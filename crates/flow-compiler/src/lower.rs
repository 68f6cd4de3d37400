//! Checked workflows to plans: calls are followed, ids made dense.

use std::collections::BTreeMap;

use flow_core::expr::Site;
use flow_core::plan::NodeId;
use flow_syntax::span::Span;

/// Where the parts of a plan come from: its debug information, kept beside it.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The place of each node, by its id.
    pub nodes: Vec<Span>,
    /// The places of expressions that can fail.
    pub sites: BTreeMap<(NodeId, Site), Span>,
}
