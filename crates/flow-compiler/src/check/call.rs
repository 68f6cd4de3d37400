//! Calls of steps and workflows, with what governs them.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::effect::{Act, Effect};
use flow_core::expr::Expr;
use flow_core::plan::{Block, Input, Limits, NodeId, NodeKind, Step, Workflow};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::Span;

use super::block::{Gives, Made, asks};
use super::policies::Governing;
use super::{Checker, generic};
use crate::codes;
use crate::declare::{Param, ParamDefault, WorkflowId};
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

/// The arguments of a call, defaults included.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// What each parameter is.
    pub(crate) exprs: BTreeMap<Arc<str>, Expr>,
    /// Of which type it is here: of the argument, which may be narrower than
    /// the parameter's.
    pub(crate) types: BTreeMap<Arc<str>, Type>,
    /// What stands for the type parameter.
    pub(crate) type_arg: Option<Type>,
    /// Whether an argument that could tell the type parameter has an error.
    silent: bool,
}

impl<'a> Checker<'a> {
    /// Returns what an expression calls; nothing if it is no call, or one of a
    /// library function.
    pub(crate) fn callee_of(&self, expr: &ast::Expr) -> Option<Callee<'a>> {
        let ast::ExprKind::Call(call) = &expr.kind else {
            return None;
        };
        let callee = self.callee(&call.path.text);
        match callee {
            // A single word may be meant as a function; the expression tells.
            Callee::Unknown if !call.path.text.contains('.') => None,
            // So may what is called on a value.
            Callee::Unknown if self.is_bound(&call.path.text) => None,
            callee => Some(callee),
        }
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
                match signature.effects.iter().find(same) {
                    Some(effect) => *effect,
                    None => {
                        self.report_effect(signature, *asked, *span);
                        own
                    }
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
        let mut args = self.arguments_of(call, &head.params, None, &call.path.text);
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

    /// Checks the arguments of a call of something that has no type parameter.
    pub(crate) fn arguments(
        &mut self,
        call: &ast::Call,
        params: &[Param],
    ) -> BTreeMap<Arc<str>, Expr> {
        self.arguments_of(call, params, None, &call.path.text).exprs
    }

    fn step_arguments(
        &mut self,
        call: &ast::Call,
        signature: &Signature,
        wanted: Option<&Type>,
    ) -> Arguments {
        let name = &signature.name;
        let mut type_arg = None;
        match (&call.type_arg, &signature.type_param) {
            (Some(tree), Some(_)) => type_arg = self.type_expr(tree),
            (Some(tree), None) => self.report(
                Self::error(
                    codes::TYPE_ARGUMENT,
                    tree.span,
                    format!("`{name}` has no type parameter"),
                )
                .help("remove `<…>`"),
            ),
            (None, Some(_)) => {}
            (None, None) => {}
        }
        let explicit = call.type_arg.is_some();
        // What is expected of the result tells the parameter if nothing else
        // can: an argument that tells it better comes first.
        let from_args = signature
            .params
            .iter()
            .any(|param| param.ty.as_ref().is_some_and(generic::is_open));
        if !explicit
            && !from_args
            && let (Some(_), Some(wanted)) = (&signature.type_param, wanted)
        {
            type_arg = generic::infer(&signature.returns, wanted);
        }
        let mut args = self.arguments_of(call, &signature.params, type_arg, name);
        if args.type_arg.is_none()
            && let (Some(_), Some(wanted)) = (&signature.type_param, wanted)
        {
            args.type_arg = generic::infer(&signature.returns, wanted);
        }
        if let (None, Some(param)) = (&args.type_arg, &signature.type_param)
            && !(explicit || args.silent)
            && generic::is_open(&signature.returns)
        {
            self.report(
                Self::error(
                    codes::TYPE_ARGUMENT,
                    call.path.span,
                    format!("nothing tells what `{param}` is"),
                )
                .label(format!("`{name}<{param}>` gives a `{}`", signature.returns))
                .help(format!(
                    "say it: `{name}<text>(…)`, or give the name a type: `x: text = …`"
                )),
            );
        }
        args
    }

    /// Checks arguments against parameters, and fills defaults in.
    fn arguments_of(
        &mut self,
        call: &ast::Call,
        params: &[Param],
        type_arg: Option<Type>,
        callee: &str,
    ) -> Arguments {
        let mut args = Arguments {
            type_arg,
            ..Arguments::default()
        };
        let mut given: BTreeMap<&str, Span> = BTreeMap::new();
        for (at, arg) in call.args.iter().enumerate() {
            let param = match &arg.name {
                Some(name) => self.named_param(name, params, callee),
                None if at == 0 => params.first(),
                None => None,
            };
            let Some(param) = param else {
                if arg.name.is_none() {
                    self.report_unnamed(arg, at, params, callee);
                }
                self.expr(&arg.value, None);
                continue;
            };
            let span = arg.name.as_ref().map_or(arg.value.span, |name| name.span);
            if let Some(first) = given.insert(&param.name, span) {
                self.report(
                    Self::error(
                        codes::ARGUMENT_TWICE,
                        span,
                        format!("`{}` is given twice", param.name),
                    )
                    .other(first, "given here first")
                    .help("keep one of them"),
                );
                continue;
            }
            self.argument(&arg.value, param, &mut args, callee);
        }
        let mut missing = Vec::new();
        for param in params {
            if given.contains_key(&*param.name) {
                continue;
            }
            self.default(param, callee, call.path.span, &mut args, &mut missing);
        }
        self.report_missing(&missing, call, callee);
        args
    }

    fn argument(&mut self, tree: &ast::Expr, param: &Param, args: &mut Arguments, callee: &str) {
        if param.constant {
            self.check_constant(tree, param, callee);
        }
        let Some(ty) = &param.ty else {
            self.expr(tree, None);
            return;
        };
        let closed = match &args.type_arg {
            Some(arg) => generic::close(ty, arg),
            None => ty.clone(),
        };
        let typed = if generic::is_open(&closed) {
            let typed = self.expr(tree, None);
            match &typed.ty {
                Some(found) => args.type_arg = generic::infer(&closed, found),
                None => args.silent = true,
            }
            typed
        } else {
            self.expr(tree, Some(&closed))
        };
        let wanted = match &args.type_arg {
            Some(arg) => generic::close(ty, arg),
            None => closed,
        };
        if let Some(found) = &typed.ty {
            args.types.insert(param.name.clone(), found.clone());
        }
        let expr = if generic::is_open(&wanted) {
            if let Some(found) = &typed.ty {
                self.report(
                    Self::error(
                        codes::TYPE_MISMATCH,
                        tree.span,
                        format!("expected `{wanted}`, found `{found}`"),
                    )
                    .other(param.span, format!("`{}` is declared here", param.name)),
                );
            }
            typed.expr
        } else {
            let what = format!("`{}` of `{callee}`", param.name);
            self.coerce_tree(typed, &wanted, tree, &what, Some(param.span))
        };
        args.exprs.insert(param.name.clone(), expr);
    }

    /// Reports holes and computed texts where only a written text is allowed.
    fn check_constant(&mut self, tree: &ast::Expr, param: &Param, callee: &str) {
        let hole = match &tree.kind {
            ast::ExprKind::Text(text) => text.parts.iter().find_map(|part| match part {
                ast::TextPart::Hole(hole) => Some(hole.span),
                ast::TextPart::Str(_) => None,
            }),
            ast::ExprKind::Bare(_) | ast::ExprKind::Error | ast::ExprKind::None => None,
            _ => Some(tree.span),
        };
        if let Some(span) = hole {
            self.report(
                Self::error(
                    codes::CONST_HOLE,
                    span,
                    format!(
                        "`{}` of `{callee}` takes a written text, without values in it",
                        param.name
                    ),
                )
                .label("a value could change what the text does")
                .help("hand values over by other arguments, such as `env:`, `args:` or `data`")
                .other(param.span, "it is declared `const` here"),
            );
        }
    }

    fn default(
        &mut self,
        param: &Param,
        callee: &str,
        span: Span,
        args: &mut Arguments,
        missing: &mut Vec<String>,
    ) {
        match &param.default {
            ParamDefault::Required => missing.push(param.name.to_string()),
            ParamDefault::Value(expr) => {
                args.exprs.insert(param.name.clone(), expr.clone());
                if let Some(ty) = &param.ty {
                    args.types.insert(param.name.clone(), ty.clone());
                }
            }
            ParamDefault::Setting => {
                let setting = self.world.settings.default_of(callee, &param.name);
                let value = setting
                    .zip(param.ty.as_ref())
                    .map(|(text, ty)| (text.to_owned(), flow_core::scalar::read(text, ty)));
                match value {
                    Some((_, Ok(value))) => {
                        args.exprs.insert(param.name.clone(), Expr::Const(value));
                    }
                    Some((text, Err(error))) => self.report(
                        Self::error(
                            codes::NO_DEFAULT,
                            span,
                            format!("the project's default `{text}` for `{}` can't be read: {error}", param.name),
                        )
                        .help(format!("mend `\"{callee}.{}\"` in `[defaults]` of `flow.toml`", param.name)),
                    ),
                    None => self.report(
                        Self::error(
                            codes::NO_DEFAULT,
                            span,
                            format!("the project sets no default for `{}` of `{callee}`", param.name),
                        )
                        .help(format!(
                            "give it: `{}: …`, or set it once in `flow.toml`: `[defaults]` `\"{callee}.{}\" = \"…\"`",
                            param.name, param.name
                        )),
                    ),
                }
            }
        }
    }

    fn named_param<'p>(
        &mut self,
        name: &ast::Name,
        params: &'p [Param],
        callee: &str,
    ) -> Option<&'p Param> {
        let found = params.iter().find(|param| *param.name == *name.text);
        if found.is_some() {
            return found;
        }
        let names = || params.iter().map(|param| &*param.name);
        let mut diagnostic = Self::error(
            codes::UNKNOWN_ARGUMENT,
            name.span,
            format!("`{callee}` has no parameter `{}`", name.text),
        );
        diagnostic = match nearest(&name.text, names()) {
            Some(near) => diagnostic.fix(
                Certainty::Likely,
                format!("write `{near}`"),
                name.span,
                near,
            ),
            None if params.is_empty() => diagnostic.help("it takes none"),
            None => diagnostic.help(format!("it takes {}", super::matching::list_of(names()))),
        };
        self.report(diagnostic);
        None
    }

    fn report_unnamed(&mut self, arg: &ast::Arg, at: usize, params: &[Param], callee: &str) {
        let mut diagnostic = Self::error(
            codes::UNNAMED_ARGUMENT,
            arg.value.span,
            if params.is_empty() {
                format!("`{callee}` takes no arguments")
            } else {
                "only the first argument may stand without a name".to_owned()
            },
        );
        if let Some(param) = params.get(at) {
            diagnostic = diagnostic.fix(
                Certainty::Likely,
                format!("write `{}: …`", param.name),
                arg.value.span.before(),
                format!("{}: ", param.name),
            );
        }
        self.report(diagnostic);
    }

    fn report_missing(&mut self, missing: &[String], call: &ast::Call, callee: &str) {
        if missing.is_empty() {
            return;
        }
        let names = super::matching::list_of(missing.iter().map(String::as_str));
        self.report(
            Self::error(
                codes::MISSING_ARGUMENT,
                call.path.span,
                format!("`{callee}` needs {names}"),
            )
            .help(format!("add `{}: …`", missing[0])),
        );
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
        diagnostic = match near {
            Some(near) => diagnostic
                .fix(
                    Certainty::Likely,
                    format!("write `{near}`"),
                    path.span,
                    near,
                )
                .help(format!("did you mean `{near}`?")),
            None => diagnostic.help(
                "`flow steps` lists all of them; a project declares its own in `steps/*.flow`",
            ),
        };
        self.report(diagnostic);
    }
}

fn takes_steps(ty: &Type) -> bool {
    match ty {
        Type::Step => true,
        Type::List(list) => takes_steps(&list.item),
        Type::Optional(inner) => takes_steps(inner),
        _ => false,
    }
}
