//! Calls of steps and workflows, with what governs them.

use std::sync::Arc;

use flow_core::effect::{Act, Effect};
use flow_core::expr::Expr;
use flow_core::plan::{Block, Input, Limits, NodeId, NodeKind, Step, Workflow};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::Span;

use super::arguments::Arguments;
use super::block::{Gives, Made, asks};
use super::policies::Governing;
use super::{Checker, generic};
use crate::codes;
use crate::declare::WorkflowId;
use crate::signature::Signature;

/// What a call calls.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Callee<'a> {
    /// A declared step.
    Step(&'a Signature),
    /// A workflow.
    Workflow(WorkflowId),
    /// Nothing that exists; not reported yet.
    Unknown,
}

impl<'a> Checker<'a> {
    /// Returns what an expression calls; nothing if it is no call, or one of a
    /// library function.
    pub(crate) fn callee_of(&self, expr: &ast::Expr) -> Option<Callee<'a>> {
        let ast::ExprKind::Call(call) = &expr.kind else {
            return None;
        };
        let callee = self.callee(&call.path.text);
        // A single word may be meant as a function, and so may what is called on
        // a value; the expression tells.
        let is_open = matches!(callee, Callee::Unknown)
            && (!call.path.text.contains('.') || self.is_bound(&call.path.text));
        (!is_open).then_some(callee)
    }

    /// Returns whether a dotted path begins with a name that has a value.
    fn is_bound(&self, path: &str) -> bool {
        let root = path.split('.').next().unwrap_or(path);
        self.scopes.bound(root).is_some()
    }

    /// Looks a step or a workflow up.
    pub(crate) fn callee(&self, path: &str) -> Callee<'a> {
        let world = self.world;
        let file = world.program.file(self.file);
        if let Some(workflow) = file.workflows.get(path) {
            return Callee::Workflow(workflow.what);
        }
        if let Some((alias, name)) = path.split_once('.')
            && let Some(used) = file.uses.get(alias)
            && let Some(used) = used.what
            && let Some(workflow) = world.program.file(used).workflows.get(name)
        {
            return Callee::Workflow(workflow.what);
        }
        match world.signatures.steps.get(path) {
            Some(signature) => Callee::Step(signature),
            None => Callee::Unknown,
        }
    }

    /// Makes the node of a call.
    pub(crate) fn call_node(
        &mut self,
        governed: &ast::Governed,
        callee: Callee<'a>,
        id: NodeId,
        wanted: Option<&Type>,
    ) -> Made {
        let ast::ExprKind::Call(call) = &governed.expr.kind else {
            return Made::unknown();
        };
        let mut made = match callee {
            Callee::Step(signature) => self.step_node(governed, call, signature, id, wanted),
            Callee::Workflow(workflow) => self.workflow_node(governed, call, workflow, id),
            Callee::Unknown => {
                self.report_unknown_step(&call.path);
                for arg in &call.args {
                    self.expr(&arg.value, None);
                }
                self.governing(&governed.clauses);
                Made::unknown()
            }
        };
        if let Some(tree) = &governed.fallback {
            let (block, joined) = self.fallback(tree, id, made.gives.clone(), wanted);
            made = Made {
                effect: made.effect.max(joined.effect),
                gives: joined.gives,
            };
            self.give_fallback(id, block, &made);
        }
        made
    }

    fn give_fallback(&mut self, id: NodeId, block: Block, made: &Made) {
        let node = &mut self.body.nodes[id.0 as usize];
        node.ty = made.gives.ty().cloned();
        node.effect = made.effect;
        if let NodeKind::Step(step) = &mut node.kind {
            step.fallback = Some(block);
        } else if let NodeKind::Workflow(workflow) = &mut node.kind {
            workflow.fallback = Some(block);
        }
    }

    fn step_node(
        &mut self,
        governed: &ast::Governed,
        call: &ast::Call,
        signature: &'a Signature,
        id: NodeId,
        wanted: Option<&Type>,
    ) -> Made {
        let args = self.step_arguments(call, signature, wanted);
        let mut governing = self.governing(&governed.clauses);
        let effect = self.step_effect(signature, &governing, &args);
        self.check_policies(&governed.clauses, &call.path.text, effect);
        let price = self.price(signature, &args, governing.assume.take());
        let mut pools: Vec<Expr> = self.pool(signature, &args).into_iter().collect();
        pools.extend(governing.pool.take());
        let returns = match &args.type_arg {
            Some(arg) => Some(generic::close(&signature.returns, arg)),
            None if generic::is_open(&signature.returns) => None,
            None => Some(signature.returns.clone()),
        };
        let made = Made {
            gives: returns.map_or(Gives::Unknown, Gives::Value),
            effect,
        };
        let params = match &args.type_arg {
            None => signature.types.clone(),
            Some(arg) => {
                let types = signature.types.iter();
                let closed = types.map(|(name, ty)| (name.clone(), generic::close(ty, arg)));
                Arc::new(closed.collect())
            }
        };
        let kind = NodeKind::Step(Box::new(Step {
            step: signature.name.clone(),
            params,
            type_arg: args.type_arg,
            args: args.exprs,
            effect,
            signature: signature.digest.clone(),
            run: signature.run.clone(),
            price,
            pools,
            policies: governing.policies,
            fallback: None,
        }));
        self.fill(id, kind, &made);
        made
    }

    /// Returns what a call may do: what its step does, what it asks for
    /// instead, and what the steps that it hands over do.
    fn step_effect(
        &mut self,
        signature: &Signature,
        governing: &Governing,
        args: &Arguments,
    ) -> Effect {
        let own = signature.effects.first().copied().unwrap_or_default();
        let effect = match &governing.effect {
            None => own,
            Some((asked, span)) => {
                let same = |effect: &&Effect| match (effect, asked) {
                    (Effect::Act(Act::Keyed(_)), Effect::Act(Act::Keyed(_))) => true,
                    (effect, asked) => *effect == asked,
                };
                if let Some(effect) = signature.effects.iter().find(same) {
                    *effect
                } else {
                    self.report_effect(signature, *asked, *span);
                    own
                }
            }
        };
        let mut tools = Effect::Pure;
        for (name, expr) in &args.exprs {
            let param = signature.params.iter().find(|param| param.name == *name);
            if param
                .and_then(|param| param.ty.as_ref())
                .is_some_and(takes_steps)
            {
                tools = tools.max(self.strongest(expr));
            }
        }
        effect.max(tools)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only these hold steps")]
    fn strongest(&self, expr: &Expr) -> Effect {
        match expr {
            Expr::Const(Value::Text(name)) => match self.callee(name) {
                Callee::Step(signature) => signature.effects.first().copied().unwrap_or_default(),
                Callee::Workflow(id) => self.world.facts[id.0]
                    .as_ref()
                    .map_or(Effect::Pure, |facts| facts.effect),
                Callee::Unknown => Effect::Pure,
            },
            Expr::List(items) => items
                .iter()
                .map(|item| self.strongest(item))
                .max()
                .unwrap_or_default(),
            _ => Effect::Pure,
        }
    }

    fn report_effect(&mut self, signature: &Signature, asked: Effect, span: Span) {
        let choices: Vec<String> = signature
            .effects
            .iter()
            .map(|effect| format!("`{effect}`"))
            .collect();
        let help = match choices.len() {
            1 => format!("it is {}, always", choices[0]),
            _ => format!("a call may choose between {}", choices.join(", ")),
        };
        self.report(
            Self::error(
                codes::EFFECT,
                span,
                format!("`{}` can't be `{asked}`", signature.name),
            )
            .help(help),
        );
    }

    /// Reports policies that make no sense for what is called.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others fit every step")]
    fn check_policies(&mut self, clauses: &[ast::Clause], name: &str, effect: Effect) {
        for clause in clauses {
            let (code, message, help) = match &clause.kind {
                ast::ClauseKind::Cache(ast::Cache::On | ast::Cache::For(_)) if effect.acts() => (
                    codes::CLAUSE,
                    format!("`{name}` acts, so its result can't be shared"),
                    "what was done once is not done by another run; remove `cache`",
                ),
                ast::ClauseKind::Timeout(_) if asks(name) => (
                    codes::CLAUSE,
                    format!("`{name}` waits for a person"),
                    "say how long with its own `expires:`",
                ),
                _ => continue,
            };
            self.report(Self::error(code, clause.span, message).help(help));
        }
    }

    fn workflow_node(
        &mut self,
        governed: &ast::Governed,
        call: &ast::Call,
        workflow: WorkflowId,
        id: NodeId,
    ) -> Made {
        let world = self.world;
        let head = &world.program.workflows[workflow.0];
        if let Some(ty) = &call.type_arg {
            self.report(
                Self::error(
                    codes::TYPE_ARGUMENT,
                    ty.span,
                    "a workflow has no type parameter",
                )
                .help("remove `<…>`"),
            );
        }
        let mut args = self.arguments_of(call, &head.params, Arguments::default(), &call.path.text);
        let governing = self.governing(&governed.clauses);
        let facts = world.facts[workflow.0].as_ref();
        let effect = facts.map_or(Effect::Pure, |facts| facts.effect);
        self.check_policies(&governed.clauses, &call.path.text, effect);
        self.check_workflow_policies(&governed.clauses, &call.path.text, effect);
        let gives = match facts {
            Some(facts) if !facts.broken => {
                facts.returns.clone().map_or(Gives::Nothing, Gives::Value)
            }
            _ => head.returns.clone().map_or(Gives::Unknown, Gives::Value),
        };
        let params = head.params.iter().map(|param| Input {
            name: param.name.clone(),
            ty: param.ty.clone().unwrap_or(Type::Json),
            value: args.exprs.remove(&param.name),
            docs: param.docs.clone(),
        });
        let kind = NodeKind::Workflow(Box::new(Workflow {
            workflow: head.tree.name.text.as_str().into(),
            params: params.collect(),
            limits: Limits::default(),
            policies: governing.policies,
            block: Block::default(),
            fallback: None,
        }));
        let made = Made { gives, effect };
        self.fill(id, kind, &made);
        self.body.calls.push((id, workflow));
        made
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others fit every call")]
    fn check_workflow_policies(&mut self, clauses: &[ast::Clause], name: &str, effect: Effect) {
        for clause in clauses {
            let (message, help) = match &clause.kind {
                ast::ClauseKind::Retry { .. } if effect.acts() => (
                    format!("`{name}` acts, so it can't be tried again as a whole"),
                    "what it did the first time would be done again; put `retry` on the calls in it",
                ),
                ast::ClauseKind::Effect(_) => (
                    format!("the effect of `{name}` follows from its steps"),
                    "remove `effect`",
                ),
                ast::ClauseKind::Pool(_) => (
                    format!("`{name}` is a workflow, which takes no slot of a pool"),
                    "put `pool` on the calls in it, or bound it with `parallel`",
                ),
                ast::ClauseKind::Assume(_) | ast::ClauseKind::OnLost(_) => (
                    format!("`{}` is for calls of steps", clause.kind.keyword()),
                    "put it on the calls in the workflow",
                ),
                _ => continue,
            };
            self.report(Self::error(codes::CLAUSE, clause.span, message).help(help));
        }
    }

    fn report_unknown_step(&mut self, path: &ast::Path) {
        let world = self.world;
        let file = world.program.file(self.file);
        if let Some((alias, name)) = path.text.split_once('.')
            && let Some(used) = file.uses.get(alias)
        {
            let Some(used) = used.what else { return };
            let workflows = &world.program.file(used).workflows;
            let mut diagnostic = Self::error(
                codes::UNKNOWN_STEP,
                path.span,
                format!("`{alias}` declares no workflow `{name}`"),
            );
            if let Some(near) = nearest(name, workflows.keys().map(String::as_str)) {
                let text = format!("{alias}.{near}");
                diagnostic = diagnostic.fix(
                    Certainty::Likely,
                    format!("write `{text}`"),
                    path.span,
                    text,
                );
            }
            self.report(diagnostic);
            return;
        }
        let steps = world.signatures.steps.keys().map(|name| &**name);
        let workflows = file.workflows.keys().map(String::as_str);
        let mut diagnostic = Self::error(
            codes::UNKNOWN_STEP,
            path.span,
            format!("no step named `{}`", path.text),
        );
        let near = nearest(&path.text, steps.chain(workflows));
        diagnostic = if let Some(near) = near {
            diagnostic
                .fix(
                    Certainty::Likely,
                    format!("write `{near}`"),
                    path.span,
                    near,
                )
                .help(format!("did you mean `{near}`?"))
        } else {
            let family = path.text.split_once('.').map_or("", |(family, _)| family);
            let steps = world.signatures.steps.keys();
            let same: Vec<String> = steps
                .filter(|name| name.split_once('.').is_some_and(|name| name.0 == family))
                .take(6)
                .map(|name| format!("`{name}`"))
                .collect();
            let diagnostic = if same.is_empty() {
                diagnostic
            } else {
                diagnostic.help(format!("there is {}", same.join(", ")))
            };
            diagnostic.help(
                "`flow steps` lists all of them; a project declares its own in `steps/*.flow`",
            )
        };
        self.report(diagnostic);
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "steps are given alone or in lists"
)]
fn takes_steps(ty: &Type) -> bool {
    match ty {
        Type::Step => true,
        Type::List(list) => takes_steps(&list.item),
        Type::Optional(inner) => takes_steps(inner),
        _ => false,
    }
}
