//! Which runs need not be walked again: those whose result is a function of
//! their plan, their arguments and their files.

use crate::effect::Effect;
use crate::expr::Expr;
use crate::plan::{Cache, Node, NodeKind, Plan};
use crate::value::Value;

impl Plan {
    /// Returns whether an equal run gives an equal result, if nothing in it
    /// fails: all of it is pure, and nothing depends on the run itself, on what
    /// is drawn, or on who is first.
    pub fn is_recallable(&self) -> bool {
        let is_pure = self.root_node().effect == Effect::Pure;
        is_pure && self.graph.node_weights().all(is_recallable)
    }
}

fn is_recallable(node: &Node) -> bool {
    let is_alike = match &node.kind {
        NodeKind::Step(step) => {
            let seed = step.args.get("seed");
            let is_drawn = matches!(seed, None | Some(Expr::Const(Value::None)));
            let draws = is_drawn && step.params.contains_key("seed");
            let is_shared = matches!(step.policies.cache, None | Some(Cache::On));
            // What a program of somebody else does is known by its digest only.
            !draws && is_shared && step.run.is_none()
        }
        NodeKind::Race(_) => false,
        NodeKind::Value(_)
        | NodeKind::Workflow(_)
        | NodeKind::If(_)
        | NodeKind::Match(_)
        | NodeKind::For(_)
        | NodeKind::Repeat(_)
        | NodeKind::Parallel(_) => true,
    };
    is_alike && node.exprs().into_iter().all(is_alike_everywhere)
}

/// Returns whether an expression speaks of nothing but what is given.
fn is_alike_everywhere(expr: &Expr) -> bool {
    let mut is_alike = true;
    expr.walk(&mut |part| {
        let is_own = matches!(part, Expr::Run | Expr::Event | Expr::Call(_, _, _, Some(_)));
        is_alike &= !is_own;
    });
    is_alike
}
