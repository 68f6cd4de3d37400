//! Regions of a plan.

use flow_core::expr::{Expr, Op};
use flow_core::plan::{
    Arm, For, If, Input, Limits, Match, NodeId, NodeKind, Parallel, Pattern, Policies, Race,
    Repeat, Workflow,
};
use flow_core::value::Value;

use super::{Place, Sort, Writer, Written};

impl Writer<'_> {
    fn some(&mut self) -> u64 {
        self.dice.below(3)
    }

    fn name(
        &mut self,
        id: NodeId,
        place: &Place,
        name: &str,
        sort: Sort,
        kind: NodeKind,
    ) -> (NodeId, Sort) {
        let name = format!("{name}{}", id.0);
        self.place(id, Some(place.parent.clone()), &name, sort, kind);
        (id, sort)
    }

    pub(super) fn choice(&mut self, place: &Place) -> (NodeId, Sort) {
        let id = self.reserve();
        let cond = self.truth(place);
        let count = 1 + self.some();
        let is_whole = self.dice.percent(60);
        // What is missing without an `else` must be a sort that may be missing.
        let wanted = (!is_whole).then(|| self.dice.one(&[Sort::Int, Sort::Nothing]));
        let then = self.block(&mut place.inside(id, Some("then")), count, wanted);
        let (otherwise, sort) = if is_whole {
            let count = self.some();
            let mut inner = place.inside(id, Some("else"));
            let written = self.block(&mut inner, count, Some(then.sort));
            (Some(written.block), then.sort)
        } else {
            (None, optional(then.sort))
        };
        let kind = NodeKind::If(Box::new(If {
            cond,
            then: then.block,
            otherwise,
        }));
        self.name(id, place, "if", sort, kind)
    }

    pub(super) fn matching(&mut self, place: &Place) -> (NodeId, Sort) {
        let id = self.reserve();
        let sort = self.dice.one(&[Sort::Int, Sort::Nothing]);
        let (subject, patterns): (Expr, [(&str, Pattern); 3]) = if self.dice.percent(50) {
            (
                self.maybe(place),
                [
                    ("some", Pattern::Some),
                    ("none", Pattern::None),
                    ("rest", Pattern::Any),
                ],
            )
        } else {
            (
                self.int(place),
                [
                    ("zero", Pattern::Is(Value::Int(0))),
                    ("three", Pattern::Is(Value::Int(3))),
                    ("rest", Pattern::Any),
                ],
            )
        };
        let mut arms = Vec::new();
        for (name, pattern) in patterns {
            let mut inner = place.inside(id, Some(name));
            if pattern == Pattern::Some {
                inner.see(Expr::Payload(id), Sort::Int);
            }
            let count = self.some();
            let written = self.block(&mut inner, count, Some(sort));
            arms.push(Arm {
                name: name.into(),
                patterns: vec![pattern],
                block: written.block,
            });
        }
        let kind = NodeKind::Match(Box::new(Match { subject, arms }));
        self.name(id, place, "match", sort, kind)
    }

    pub(super) fn each(&mut self, place: &Place) -> (NodeId, Sort) {
        let id = self.reserve();
        let is_keyed = self.dice.percent(25);
        // Keys must differ; sometimes they don't, and the `for` breaks.
        let list = if is_keyed && self.dice.percent(85) {
            let count = self.dice.from(0, self.taste.items);
            self.range(count)
        } else {
            self.list(place)
        };
        let max = self
            .dice
            .percent(15)
            .then(|| Expr::Const(Value::Int(self.dice.from(1, self.taste.items + 2))));
        let limits = self.limits(15);
        let mut inner = place.inside(id, None);
        inner.see(Expr::Item(id), Sort::Int);
        let count = 1 + self.dice.below(2);
        let wanted = self.dice.one(&[Sort::Int, Sort::Int, Sort::Nothing]);
        let body = self.block(&mut inner, count, Some(wanted));
        let acts = body.block.nodes.iter().any(|id| self.effect(*id).acts());
        let parallel = if acts && self.dice.percent(70) {
            1
        } else {
            self.dice.one(&[1, 2, 3, 8])
        };
        let kind = NodeKind::For(Box::new(For {
            var: "x".into(),
            list,
            by: is_keyed.then_some(Expr::Item(id)),
            max,
            items_max: Some(1000),
            parallel: Expr::Const(Value::Int(parallel)),
            keep_ok: self.dice.percent(35),
            limits,
            body: body.block,
        }));
        let sort = match wanted {
            Sort::Int => Sort::List,
            Sort::Bool | Sort::List | Sort::Maybe | Sort::Nothing => Sort::Nothing,
        };
        self.name(id, place, "for", sort, kind)
    }

    pub(super) fn repeat(&mut self, place: &Place) -> (NodeId, Sort) {
        let id = self.reserve();
        let from = self.int(place);
        let limits = self.limits(15);
        let mut inner = place.inside(id, None);
        inner.see(Expr::State(id), Sort::Int);
        let count = 1 + self.some();
        let body = self.block(&mut inner, count, Some(Sort::Int));
        let max = self.dice.from(1, 4);
        let until = self.dice.percent(60).then(|| {
            let limit = Expr::Const(Value::Int(self.dice.one(&[3, 300, 700])));
            Expr::Binary(
                Op::Greater,
                Expr::State(id).into(),
                limit.into(),
                self.site(),
            )
        });
        let kind = NodeKind::Repeat(Box::new(Repeat {
            state: "s".into(),
            ty: Sort::Int.ty().unwrap(),
            from,
            max: Expr::Const(Value::Int(max)),
            rounds_max: u64::try_from(max).ok(),
            until,
            limits,
            body: body.block,
        }));
        self.name(id, place, "repeat", Sort::Int, kind)
    }

    pub(super) fn race(&mut self, place: &Place) -> (NodeId, Sort) {
        let id = self.reserve();
        let limits = self.limits(15);
        let mut inner = place.inside(id, None);
        inner.may_act = false;
        let count = 2 + self.dice.below(2);
        let mut nodes = Vec::new();
        for _ in 0..count {
            let is_call = self.left > 4 && place.depth < super::DEPTH_MAX && self.dice.percent(30);
            nodes.push(if is_call {
                self.call_of(&inner, Some(Sort::Int)).0
            } else {
                self.contender(&inner, Sort::Int)
            });
        }
        let (fallback, sort) = if self.dice.percent(30) {
            self.fallback(place, id, Sort::Int)
        } else {
            (None, Sort::Int)
        };
        // A contender may give nothing where the others give a number.
        let loose = nodes
            .iter()
            .any(|id| self.graph[super::index(*id)].ty != Sort::Int.ty());
        let sort = if loose { Sort::Maybe } else { sort };
        let kind = NodeKind::Race(Box::new(Race {
            limits,
            block: flow_core::plan::Block {
                nodes,
                result: None,
            },
            fallback,
        }));
        self.name(id, place, "race", sort, kind)
    }

    pub(super) fn parallel(&mut self, place: &Place) -> (NodeId, Sort) {
        let id = self.reserve();
        let limits = self.limits(15);
        let count = 2 + self.some();
        let written = self.block(&mut place.inside(id, None), count, None);
        let kind = NodeKind::Parallel(Box::new(Parallel {
            limits,
            block: written.block,
        }));
        self.name(id, place, "parallel", written.sort, kind)
    }

    pub(super) fn call(&mut self, place: &Place) -> (NodeId, Sort) {
        self.call_of(place, None)
    }

    fn call_of(&mut self, place: &Place, wanted: Option<Sort>) -> (NodeId, Sort) {
        let id = self.reserve();
        let argument = self.int(place);
        // A workflow sees its own parameters and nothing else.
        let mut inner = place.inside(id, None);
        inner.seen.clear();
        inner.see(Expr::Arg(id, 0), Sort::Int);
        let count = 1 + self.some();
        let Written { block, sort } = self.block(&mut inner, count, wanted);
        let acts = block.nodes.iter().any(|id| self.effect(*id).acts());
        let mut policies = Policies {
            limits: self.limits(15),
            ..Policies::default()
        };
        let (fallback, sort) = if self.dice.percent(25) {
            self.fallback(place, id, sort)
        } else {
            (None, sort)
        };
        let fallback_acts = fallback
            .iter()
            .flat_map(|block| &block.nodes)
            .any(|id| self.effect(*id).acts());
        if !acts && !fallback_acts && self.dice.percent(30) {
            policies.retry = Some(self.retry());
        }
        let limits = if self.dice.percent(50) {
            self.limits(30)
        } else {
            Limits::default()
        };
        let kind = NodeKind::Workflow(Box::new(Workflow {
            workflow: "sub".into(),
            params: vec![Input {
                name: "x".into(),
                ty: Sort::Int.ty().unwrap(),
                value: Some(argument),
                docs: "".into(),
            }],
            limits,
            policies,
            block,
            fallback,
        }));
        self.name(id, place, "sub", sort, kind)
    }
}

/// What a choice gives that may not be taken.
fn optional(sort: Sort) -> Sort {
    match sort {
        Sort::Int | Sort::Maybe => Sort::Maybe,
        // Lists and truths that may be missing are not used by anything.
        Sort::Bool | Sort::List | Sort::Nothing => Sort::Nothing,
    }
}
