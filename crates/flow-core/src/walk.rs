//! What a node owns and what it computes: its blocks and its expressions.
//!
//! Whoever has to look at all of a plan does it through these, so that a new
//! kind of node is added in one place.

use crate::expr::{Expr, Part};
use crate::plan::{Block, Cache, Limits, Node, NodeKind, Policies};

impl Node {
    /// Returns its blocks, each with the arm that its nodes have.
    pub fn blocks(&self) -> Vec<(Option<&str>, &Block)> {
        let mut blocks: Vec<(Option<&str>, &Block)> = Vec::new();
        let fallback = match &self.kind {
            NodeKind::Value(_) => None,
            NodeKind::Step(step) => step.fallback.as_ref(),
            NodeKind::Workflow(workflow) => {
                blocks.push((None, &workflow.block));
                workflow.fallback.as_ref()
            }
            NodeKind::If(choice) => {
                blocks.push((Some("then"), &choice.then));
                choice.otherwise.as_ref()
            }
            NodeKind::Match(choice) => {
                let arms = choice.arms.iter();
                blocks.extend(arms.map(|arm| (Some(&*arm.name), &arm.block)));
                None
            }
            NodeKind::For(each) => {
                blocks.push((None, &each.body));
                None
            }
            NodeKind::Repeat(repeat) => {
                blocks.push((None, &repeat.body));
                None
            }
            NodeKind::Race(race) => {
                blocks.push((None, &race.block));
                race.fallback.as_ref()
            }
            NodeKind::Parallel(parallel) => {
                blocks.push((None, &parallel.block));
                None
            }
        };
        blocks.extend(fallback.map(|block| (Some("else"), block)));
        blocks
    }

    /// Returns whether the last of its blocks is what happens instead.
    pub fn has_fallback(&self) -> bool {
        match &self.kind {
            NodeKind::Step(step) => step.fallback.is_some(),
            NodeKind::Workflow(workflow) => workflow.fallback.is_some(),
            NodeKind::Race(race) => race.fallback.is_some(),
            NodeKind::Value(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Parallel(_) => false,
        }
    }

    /// Returns whether its blocks run several times, each under a key.
    pub fn repeats(&self) -> bool {
        matches!(self.kind, NodeKind::For(_) | NodeKind::Repeat(_))
    }

    /// Returns its own expressions, the results of its blocks included.
    pub fn exprs(&self) -> Vec<&Expr> {
        let mut out: Vec<&Expr> = Vec::new();
        match &self.kind {
            NodeKind::Value(expr) => out.push(expr),
            NodeKind::Step(step) => {
                out.extend(step.args.values());
                out.extend(step.price.as_ref().map(|price| &price.formula));
                out.extend(&step.pools);
                policies(&step.policies, &mut out);
            }
            NodeKind::Workflow(workflow) => {
                let params = workflow.params.iter();
                out.extend(params.filter_map(|param| param.value.as_ref()));
                limits(&workflow.limits, &mut out);
                policies(&workflow.policies, &mut out);
            }
            NodeKind::If(choice) => out.push(&choice.cond),
            NodeKind::Match(choice) => out.push(&choice.subject),
            NodeKind::For(each) => {
                out.extend([&each.list, &each.parallel]);
                out.extend(&each.by);
                out.extend(&each.max);
                limits(&each.limits, &mut out);
            }
            NodeKind::Repeat(repeat) => {
                out.extend([&repeat.from, &repeat.max]);
                out.extend(&repeat.until);
                limits(&repeat.limits, &mut out);
            }
            NodeKind::Race(race) => limits(&race.limits, &mut out),
            NodeKind::Parallel(parallel) => limits(&parallel.limits, &mut out),
        }
        let blocks = self.blocks().into_iter();
        out.extend(blocks.filter_map(|(_, block)| block.result.as_ref()));
        out
    }
}

fn limits<'a>(limits: &'a Limits, out: &mut Vec<&'a Expr>) {
    out.extend(limits.budget.as_ref().map(|budget| &budget.amount));
    out.extend(&limits.within);
}

fn policies<'a>(policies: &'a Policies, out: &mut Vec<&'a Expr>) {
    out.extend(policies.retry.as_ref().map(|retry| &retry.attempts));
    out.extend(&policies.timeout);
    limits(&policies.limits, out);
    match &policies.cache {
        Some(Cache::For(length)) => out.push(length),
        Some(Cache::On | Cache::Off) | None => {}
    }
    out.extend(&policies.label);
}

impl Expr {
    /// Returns the expressions that it is made of, in the order of writing.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Const(_)
            | Self::Node(_)
            | Self::Arg(..)
            | Self::Item(_)
            | Self::State(_)
            | Self::Payload(_)
            | Self::Local(_)
            | Self::Run
            | Self::Event
            | Self::File(..) => Vec::new(),
            Self::Field(of, _)
            | Self::Not(of)
            | Self::Negate(of, _)
            | Self::Widen(of)
            | Self::IsSome(of)
            | Self::Template(_, of, _)
            | Self::Outside(of, _)
            | Self::Check(of, _, _) => vec![of],
            Self::Index(of, by, _) => vec![of, by],
            Self::Binary(_, left, right, _) => vec![left, right],
            Self::If(parts) => parts.iter().collect(),
            Self::Call(_, args, _, _) => args.iter().collect(),
            Self::List(items) => items.iter().collect(),
            Self::Comprehension(made) => {
                let mut parts = vec![&made.list];
                parts.extend(&made.cond);
                parts.push(&made.body);
                parts
            }
            Self::Record(fields) => fields.iter().map(|(_, value)| value).collect(),
            Self::Text(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Str(_) => None,
                    Part::Hole(hole) => Some(hole),
                })
                .collect(),
        }
    }

    /// Calls a function with it and with everything that it is made of.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        let mut open = vec![self];
        while let Some(expr) = open.pop() {
            visit(expr);
            open.extend(expr.parts());
        }
    }
}
