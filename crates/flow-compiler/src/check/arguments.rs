//! The arguments of calls: given ones checked against parameters, defaults
//! filled in, the type parameter found.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::expr::Expr;
use flow_core::ty::Type;
use flow_syntax::ast;
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::{Span, Spelling};

use super::{Checker, Typed, generic};
use crate::codes;
use crate::declare::{Param, ParamDefault};
use crate::signature::Signature;

/// What stands behind a call, and is often sought among its arguments.
const POLICIES: &[&str] = &[
    "after", "assume", "budget", "cache", "effect", "label", "pool", "retry", "timeout", "within",
];

/// The arguments of a call, defaults included.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// What each parameter is.
    pub(crate) exprs: BTreeMap<Arc<str>, Expr>,
    /// Of which type each given argument is, which may be narrower than the
    /// parameter's. Kept only where a price is computed from them.
    pub(crate) types: BTreeMap<Arc<str>, Type>,
    /// What stands for the type parameter.
    pub(crate) type_arg: Option<Type>,
    /// Whether there is a type parameter at all.
    is_generic: bool,
    /// Whether the types are kept.
    is_priced: bool,
    /// Whether an argument that could tell the type parameter has an error.
    silent: bool,
}

impl Checker<'_> {
    /// Checks the arguments of a call of something that has no type parameter.
    pub(crate) fn arguments(
        &mut self,
        call: &ast::Call,
        params: &[Param],
    ) -> BTreeMap<Arc<str>, Expr> {
        self.arguments_of(call, params, Arguments::default(), &call.path.text)
            .exprs
    }

    pub(super) fn step_arguments(
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
        let is_open = |param: &Param| param.ty.as_ref().is_some_and(generic::is_open);
        if !explicit
            && let (Some(_), Some(wanted)) = (&signature.type_param, wanted)
            && !signature.params.iter().any(is_open)
        {
            type_arg = generic::infer(&signature.returns, wanted);
        }
        let args = Arguments {
            exprs: signature.defaults.clone(),
            type_arg,
            is_generic: signature.type_param.is_some(),
            is_priced: signature.cost.is_some(),
            ..Arguments::default()
        };
        let mut args = self.arguments_of(call, &signature.params, args, name);
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

    /// Checks arguments against parameters, and fills defaults in. Where there
    /// are some already, all that are written in the declaration are.
    pub(super) fn arguments_of(
        &mut self,
        call: &ast::Call,
        params: &[Param],
        mut args: Arguments,
        callee: &str,
    ) -> Arguments {
        let mut given: Vec<Option<Span>> = vec![None; params.len()];
        let is_prepared = !args.exprs.is_empty();
        for (at, arg) in call.args.iter().enumerate() {
            let param = match &arg.name {
                Some(name) => self.named_param(name, params, callee),
                None if at == 0 && !params.is_empty() => Some(0),
                None => {
                    self.report_unnamed(arg, at, params, callee);
                    // It was meant for the parameter in its place.
                    let is_free = |param: &Param| {
                        let mut names = call.args.iter().filter_map(|arg| arg.name.as_ref());
                        names.all(|name| *name.text != *param.name)
                    };
                    params.get(at).filter(|param| is_free(param)).map(|_| at)
                }
            };
            let Some(position) = param else {
                self.expr(&arg.value, None);
                continue;
            };
            let span = arg.name.as_ref().map_or(arg.value.span, |name| name.span);
            let param = &params[position];
            if let Some(first) = given[position].replace(span) {
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
            match self.argument(&arg.value, param, &mut args, callee) {
                Some(expr) => args.exprs.insert(param.name.clone(), expr),
                None => args.exprs.remove(&param.name),
            };
        }
        let mut missing = Vec::new();
        for (param, given) in params.iter().zip(given) {
            if given.is_some() {
                continue;
            }
            let ParamDefault::Value(expr) = &param.default else {
                self.setting(param, callee, call.path.span, &mut args, &mut missing);
                continue;
            };
            if !is_prepared {
                args.exprs.insert(param.name.clone(), expr.clone());
            }
            if let (true, Some(ty)) = (args.is_priced, &param.ty) {
                args.types.insert(param.name.clone(), ty.clone());
            }
        }
        args.silent |= !missing.is_empty();
        self.report_missing(&missing, call, callee);
        args
    }

    fn argument(
        &mut self,
        tree: &ast::Expr,
        param: &Param,
        args: &mut Arguments,
        callee: &str,
    ) -> Option<Expr> {
        if param.constant {
            self.check_constant(tree, param, callee);
        }
        let Some(ty) = &param.ty else {
            self.expr(tree, None);
            return None;
        };
        if !args.is_generic {
            let typed = self.expr(tree, Some(ty));
            if let (true, Some(found)) = (args.is_priced, &typed.ty) {
                args.types.insert(param.name.clone(), found.clone());
            }
            return Some(self.argument_as(typed, ty, tree, param, callee));
        }
        let closed = match &args.type_arg {
            Some(arg) => generic::close(ty, arg),
            None => ty.clone(),
        };
        let typed = if generic::is_open(&closed) {
            let typed = self.expr(tree, None);
            let typed = self.without_secrets(typed, tree.span);
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
        if let (true, Some(found)) = (args.is_priced, &typed.ty) {
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
            self.argument_as(typed, &wanted, tree, param, callee)
        };
        Some(expr)
    }

    fn argument_as(
        &mut self,
        typed: Typed,
        wanted: &Type,
        tree: &ast::Expr,
        param: &Param,
        callee: &str,
    ) -> Expr {
        let what = || format!("`{}` of `{callee}`", param.name);
        self.coerce_tree(typed, wanted, tree, what, Some(param.span))
    }

    /// Reports holes and computed texts where only a written text is allowed.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only these may be constants"
    )]
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

    /// Looks for what stands for an argument that has no written default.
    fn setting(
        &mut self,
        param: &Param,
        callee: &str,
        span: Span,
        args: &mut Arguments,
        missing: &mut Vec<String>,
    ) {
        match &param.default {
            ParamDefault::Required => missing.push(param.name.to_string()),
            ParamDefault::Value(_) => {}
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

    fn named_param(&mut self, name: &ast::Name, params: &[Param], callee: &str) -> Option<usize> {
        let found = params.iter().position(|param| *param.name == *name.text);
        if found.is_some() {
            return found;
        }
        let names = || params.iter().map(|param| &*param.name);
        let mut diagnostic = Self::error(
            codes::UNKNOWN_ARGUMENT,
            name.span,
            format!("`{callee}` has no parameter `{}`", name.text),
        );
        let is_policy = POLICIES.contains(&name.text.as_str());
        diagnostic = match nearest(&name.text, names()) {
            _ if is_policy => diagnostic.help(match self.spelling() {
                Spelling::Flow => format!(
                    "a policy stands behind the call: `{callee}(…) {} …`",
                    name.text
                ),
                Spelling::Yaml => format!(
                    "a policy stands beside `with`, not inside of it: `{}: …`",
                    name.text
                ),
            }),
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
}
