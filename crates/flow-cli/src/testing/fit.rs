//! Which calls of a plan a stub can answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_compiler::{Called, Origins, Stub};
use flow_core::path::{Key, Segment};
use flow_core::plan::{NodeId, NodeKind, Plan};

use super::suite::Workflow;

/// Returns whether a node calls something.
pub(super) fn calls(plan: &Plan, origins: &Origins, id: NodeId, called: &Called) -> bool {
    match called {
        Called::Step(name) => {
            matches!(&plan.node(id).kind, NodeKind::Step(step) if step.step == *name)
        }
        Called::Workflow(workflow, _) => origins.calls.get(&id) == Some(workflow),
    }
}

/// Returns the nodes of a workflow that call something, with their paths.
pub(super) fn places(workflow: &Workflow, called: &Called) -> Vec<(NodeId, Vec<Segment>)> {
    let plan = &workflow.plan;
    let count = u32::try_from(plan.graph.node_count()).unwrap_or(u32::MAX);
    let nodes = (0..count).map(NodeId);
    // The root is what is run, and nobody calls it.
    let nodes = nodes.filter(|id| *id != NodeId(0) && calls(plan, &workflow.origins, *id, called));
    nodes.map(|id| (id, names(plan, id))).collect()
}

/// Returns the path of a node. Where there are several items, some key stands
/// for all of them.
fn names(plan: &Plan, id: NodeId) -> Vec<Segment> {
    let mut parts = Vec::new();
    let mut id = id;
    let mut is_item = false;
    loop {
        let node = plan.node(id);
        parts.push(Segment {
            name: node.name.clone(),
            key: is_item.then_some(Key::Index(0)),
        });
        let Some(parent) = &node.parent else { break };
        let arm = parent.arm.clone();
        parts.extend(arm.map(|name| Segment { name, key: None }));
        is_item = plan.node(parent.node).repeats();
        id = parent.node;
    }
    parts.reverse();
    parts
}

/// Writes such a path: `film/stills[…]/drafts`.
pub(super) fn written(names: &[Segment]) -> String {
    let parts = names.iter().map(|part| match part.key {
        Some(_) => format!("{}[…]", part.name),
        None => part.name.to_string(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Returns whether a stub can answer a call at a path.
pub(super) fn may_answer(stub: &Stub, names: &[Segment]) -> bool {
    stub.at.as_ref().is_none_or(|at| at.may_fit(names))
}

/// Returns the calls of workflows that stubs answer, with the names under which
/// they are steps then.
pub(super) fn stand_ins<'a>(
    workflow: &Workflow,
    stubs: impl Iterator<Item = &'a Stub> + Clone,
) -> BTreeMap<NodeId, Arc<str>> {
    let mut found = BTreeMap::new();
    for stub in stubs {
        if let Called::Step(_) = &stub.called {
            continue;
        }
        for (node, names) in places(workflow, &stub.called) {
            if may_answer(stub, &names) {
                found.insert(node, stand_in(stub.called.name()));
            }
        }
    }
    found
}

/// Returns the name of the step that stands for a workflow. No step that is
/// declared has a blank in its name.
pub(super) fn stand_in(name: &str) -> Arc<str> {
    format!("workflow {name}").into()
}
