//! Plans in which calls of workflows are calls of steps, so that somebody can
//! play a workflow.

use std::collections::BTreeMap;
use std::sync::Arc;

use petgraph::graph::NodeIndex;

use crate::effect::Effect;
use crate::expr::Expr;
use crate::plan::{NodeId, NodeKind, Plan, Policies, Retry, Step, Workflow};
use crate::value::Value;

impl Plan {
    /// Returns the plan with some calls of workflows as steps of other names.
    /// What was inside of them stays in the plan, and nothing leads there.
    #[must_use]
    pub fn with_stand_ins(&self, names: &BTreeMap<NodeId, Arc<str>>) -> Self {
        let mut plan = self.clone();
        for (id, name) in names {
            let index = NodeIndex::new(id.0 as usize);
            let node = plan.graph.node_weight_mut(index);
            // The root is what is run, and nobody calls it.
            let Some(node) = node.filter(|_| *id != NodeId(0)) else {
                continue;
            };
            if let NodeKind::Workflow(workflow) = &node.kind {
                node.kind = NodeKind::Step(Box::new(stand_in(workflow, name)));
            }
        }
        plan
    }
}

fn stand_in(workflow: &Workflow, name: &Arc<str>) -> Step {
    let params = workflow.params.iter();
    let args = params.clone().filter_map(|param| {
        let value = param.value.clone()?;
        Some((param.name.clone(), value))
    });
    let types = params.map(|param| (param.name.clone(), param.ty.clone()));
    // A workflow is tried again only where somebody says so.
    let once = Retry {
        attempts: Expr::Const(Value::Int(1)),
        attempts_max: Some(1),
        backoff: None,
        on: Vec::new(),
    };
    let policies = Policies {
        retry: workflow.policies.retry.clone().or(Some(once)),
        ..workflow.policies.clone()
    };
    Step {
        step: name.clone(),
        type_arg: None,
        args: args.collect(),
        params: Arc::new(types.collect()),
        // What it does is not done; what depends on it waits for it all the same.
        effect: Effect::Read,
        signature: "".into(),
        run: None,
        price: None,
        pools: Vec::new(),
        policies,
        fallback: workflow.fallback.clone(),
    }
}
