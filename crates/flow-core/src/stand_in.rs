//! Plans in which calls of workflows are calls of steps, so that somebody can
//! play a workflow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::effect::Effect;
use crate::expr::Expr;
use crate::plan::{NodeId, NodeKind, Plan, Policies, Retry, Step, Workflow};
use crate::value::Value;

impl Plan {
    /// Returns the plan with some calls of workflows as steps of other names.
    /// What was inside of them does nothing any more.
    #[must_use]
    pub fn with_stand_ins(&self, names: &BTreeMap<NodeId, Arc<str>>) -> Self {
        let mut plan = self.clone();
        let mut inside = BTreeSet::new();
        // A parent comes before its children.
        for (id, node) in (0..).map(NodeId).zip(plan.graph.node_weights_mut()) {
            let is_inside = node.parent.as_ref().is_some_and(|parent| {
                // What is done if it fails is no part of a workflow.
                let is_body = names.contains_key(&parent.node) && parent.arm.is_none();
                is_body || inside.contains(&parent.node)
            });
            if is_inside {
                inside.insert(id);
                node.kind = NodeKind::Value(Expr::Const(Value::None));
            } else if let (Some(name), NodeKind::Workflow(workflow)) = (names.get(&id), &node.kind)
            {
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
