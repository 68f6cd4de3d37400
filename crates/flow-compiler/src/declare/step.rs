//! Declared steps: `step gen.image(…) -> image effect paid cost … pool …`.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use flow_core::command;
use flow_core::effect::{Act, Effect};
use flow_core::expr::Function;
use flow_core::ty::Type;
use flow_syntax::ast::{self, Call, Entry, ExprKind, StepDecl, TextPart};
use flow_syntax::diagnostic::{Certainty, Diagnostic, Diagnostics, nearest};
use flow_syntax::span::Span;

use super::param::params;
use super::types::{Role, TypeScope, read};
use super::{Param, RESERVED_CALLS};
use crate::codes;
use crate::signature::Signature;

/// Who declares a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The standard library, which brings its own code.
    Library,
    /// A project, which says what to run.
    Project,
}

/// Reads the declaration of a step, its defaults left out. `None` if what it
/// gives can't be read.
pub(crate) fn signature(
    decl: &StepDecl,
    docs: &str,
    scope: &TypeScope<'_>,
    origin: Origin,
    out: &mut Diagnostics,
) -> Option<Signature> {
    check_name(&decl.path, out);
    if let Some(param) = &decl.type_param {
        check_type_param(param, scope, out);
    }
    let scope = TypeScope {
        param: decl.type_param.as_ref().map(|name| name.text.as_str()),
        ..*scope
    };
    let params = params(&decl.params, &scope, Role::StepInput, out);
    let returns = read(&decl.returns, &scope, Role::Value, out);
    let effects = effects(decl, out);
    check_cost(decl, &params, &effects, out);
    let run = run(decl, origin, out);
    let types = params
        .iter()
        .filter_map(|param| Some((param.name.clone(), param.ty.clone()?)));
    Some(Signature {
        types: Arc::new(types.collect()),
        defaults: BTreeMap::new(),
        name: decl.path.text.as_str().into(),
        docs: docs.into(),
        type_param: decl
            .type_param
            .as_ref()
            .map(|name| name.text.as_str().into()),
        params,
        returns: returns?,
        effects,
        cost: decl.cost.clone(),
        pool: decl.pool.clone(),
        run,
        run_span: decl.run.as_ref().map_or(decl.path.span, |run| run.span),
        digest: Arc::from(""),
        span: decl.path.span,
    })
}

fn check_name(path: &ast::Path, out: &mut Diagnostics) {
    let name = path.text.as_str();
    if Function::from_name(name).is_some() || RESERVED_CALLS.contains(&name) {
        let message = format!("`{name}` is a function of the language");
        out.push(
            Diagnostic::new(codes::DUPLICATE_NAME, path.span, message)
                .help(format!("give it a family, as in `my.{name}`")),
        );
    } else if name
        .split('.')
        .any(|word| word.starts_with(char::is_uppercase))
    {
        let message = format!("the name of a step begins with a small letter, found `{name}`");
        out.push(
            Diagnostic::new(codes::NAME_STYLE, path.span, message)
                .help("only types begin with a capital"),
        );
    }
}

fn check_type_param(name: &ast::Name, scope: &TypeScope<'_>, out: &mut Diagnostics) {
    if !name.text.starts_with(char::is_uppercase) {
        let message = format!(
            "a type parameter begins with a capital, found `{}`",
            name.text
        );
        out.push(
            Diagnostic::new(codes::NAME_STYLE, name.span, message)
                .help("it is called `T` as a rule"),
        );
    }
    let file = scope.files.get(scope.file.0);
    let declared = file.and_then(|file| file.types.get(&name.text));
    if declared.is_some() || scope.library.contains_key(name.text.as_str()) {
        let message = format!("`{}` is a type already", name.text);
        let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, name.span, message)
            .help("give the parameter another name");
        out.push(match declared {
            Some(declared) => diagnostic.other(declared.span, "it is declared here"),
            None => diagnostic,
        });
    }
}

fn run(decl: &StepDecl, origin: Origin, out: &mut Diagnostics) -> Option<Arc<str>> {
    match (&decl.run, origin) {
        (Some(run), Origin::Library) => {
            let message = "a step of the library runs no command";
            out.push(Diagnostic::new(codes::BAD_RUN, run.span, message));
            None
        }
        (Some(run), Origin::Project) => match command::read(&run.text) {
            Ok(_) => Some(run.text.as_str().into()),
            Err(fault) => {
                let diagnostic = Diagnostic::new(codes::BAD_RUN, run.span, fault.to_string());
                out.push(diagnostic.help(fault.help()));
                None
            }
        },
        (None, Origin::Library) => None,
        (None, Origin::Project) => {
            let message = format!("nothing says what does `{}`", decl.path.text);
            out.push(
                Diagnostic::new(codes::BAD_RUN, decl.path.span, message)
                    .help("name its command: `run \"./steps/it\"`"),
            );
            None
        }
    }
}

fn effects(decl: &StepDecl, out: &mut Diagnostics) -> Vec<Effect> {
    if decl.effects.is_empty() {
        let message = format!("nothing says what `{}` may do", decl.path.text);
        out.push(
            Diagnostic::new(codes::BAD_EFFECT, decl.path.span, message).help(
                "write `effect pure`, `read`, `paid`, or `act keyed 24h`, `act probed` or `act once`",
            ),
        );
        return vec![Effect::Act(Act::Once)];
    }
    let mut effects = Vec::new();
    for written in &decl.effects {
        let Some(effect) = effect(written, out) else {
            continue;
        };
        if effects.contains(&effect) {
            let message = format!("`{effect}` is said twice");
            out.push(Diagnostic::new(codes::BAD_EFFECT, written.span, message));
            continue;
        }
        effects.push(effect);
    }
    if effects.is_empty() {
        effects.push(Effect::Act(Act::Once));
    }
    effects
}

/// Reads one effect; also of a call. `None` if it is none, which is reported.
pub(crate) fn effect(written: &ast::EffectExpr, out: &mut Diagnostics) -> Option<Effect> {
    let effect = match written.word.text.as_str() {
        "pure" => Effect::Pure,
        "read" => Effect::Read,
        "paid" => Effect::Paid,
        "act" => return act(written, out).map(Effect::Act),
        other => {
            let words = ["pure", "read", "paid", "act"];
            let message = format!("there is no effect `{other}`");
            let diagnostic = Diagnostic::new(codes::BAD_EFFECT, written.word.span, message);
            out.push(match nearest(other, words) {
                Some(word) => diagnostic.fix(
                    Certainty::Likely,
                    format!("write `{word}`"),
                    written.word.span,
                    word,
                ),
                None => diagnostic.help("it is `pure`, `read`, `paid` or `act`"),
            });
            return None;
        }
    };
    if let Some(manner) = &written.manner {
        let message = format!("`{}` stands behind `act` only", manner.text);
        out.push(
            Diagnostic::new(codes::BAD_EFFECT, manner.span, message).fix(
                Certainty::Likely,
                format!("write `{effect}`"),
                written.span,
                effect.to_string(),
            ),
        );
        return None;
    }
    Some(effect)
}

fn act(written: &ast::EffectExpr, out: &mut Diagnostics) -> Option<Act> {
    let bad = |span: Span, message: String| Diagnostic::new(codes::BAD_EFFECT, span, message);
    let Some(manner) = &written.manner else {
        let message = "`act` says not how it is kept from happening twice".to_owned();
        out.push(bad(written.span, message).help(
            "write `act keyed 24h` if the target knows keys, `act probed` if it can be asked, else `act once`",
        ));
        return None;
    };
    if let Some(window) = &written.window
        && manner.text != "keyed"
    {
        let message = format!("`act {}` has no window", manner.text);
        out.push(bad(window.span, message).help("only a key is remembered for a time"));
        return None;
    }
    match manner.text.as_str() {
        "keyed" => match written.window.as_ref().map(|window| window.text.parse()) {
            None => Some(Act::Keyed(None)),
            Some(Ok(window)) => Some(Act::Keyed(Some(window))),
            Some(Err(error)) => {
                let span = written
                    .window
                    .as_ref()
                    .map_or(written.span, |window| window.span);
                let error: flow_core::literal::LiteralError = error;
                out.push(bad(span, error.to_string()));
                None
            }
        },
        "probed" => Some(Act::Probed),
        "once" => Some(Act::Once),
        other => {
            let message = format!("there is no `act {other}`");
            out.push(bad(manner.span, message).help("it is `keyed`, `probed` or `once`"));
            None
        }
    }
}

/// Checks that cost and pool fit the effects, and what stands in them. Each
/// call checks them again, with its arguments.
fn check_cost(decl: &StepDecl, params: &[Param], effects: &[Effect], out: &mut Diagnostics) {
    match &decl.cost {
        None if effects.contains(&Effect::Paid) => {
            let message = format!("`{}` is paid, and nothing says how much", decl.path.text);
            out.push(
                Diagnostic::new(codes::MISSING_COST, decl.path.span, message).help(
                    "write the most that one attempt can cost: `cost $0.02`, or `cost price(model, image)`",
                ),
            );
        }
        Some(cost) if !effects.iter().any(|effect| effect.costs()) => {
            let effect = effects.first().copied().unwrap_or_default();
            let message = format!("a step that is `{effect}` costs nothing");
            out.push(
                Diagnostic::new(codes::BAD_COST, cost.span, message)
                    .help("a step with a cost is `paid`"),
            );
        }
        None | Some(_) => {}
    }
    let names: BTreeSet<&str> = params.iter().map(|param| &*param.name).collect();
    for formula in decl.cost.iter().chain(&decl.pool) {
        Formula { names: &names }.check(formula, out);
    }
}

/// What a cost or a pool may be made of.
struct Formula<'a> {
    names: &'a BTreeSet<&'a str>,
}

impl Formula<'_> {
    fn check(&self, formula: &ast::Expr, out: &mut Diagnostics) {
        match &formula.kind {
            ExprKind::Literal(_) | ExprKind::Bare(_) | ExprKind::None | ExprKind::Error => {}
            ExprKind::Text(text) => {
                for part in &text.parts {
                    if let TextPart::Hole(hole) = part {
                        self.check(hole, out);
                    }
                }
            }
            ExprKind::Name(name) => self.check_name(name, formula.span, out),
            ExprKind::Field(of, _) | ExprKind::Unary(_, of) | ExprKind::Is(of, _) => {
                self.check(of, out);
            }
            ExprKind::Index(of, at) => {
                self.check(of, out);
                self.check(at, out);
            }
            ExprKind::Binary(binary) => {
                self.check(&binary.left, out);
                self.check(&binary.right, out);
            }
            ExprKind::If(choice) => {
                self.check(&choice.cond, out);
                self.check(&choice.then, out);
                self.check(&choice.otherwise, out);
            }
            ExprKind::List(items) => {
                for item in items {
                    self.check(item, out);
                }
            }
            ExprKind::Record(entries) => {
                for entry in entries {
                    match entry {
                        Entry::Field(_, value) | Entry::Spread(value, _) => self.check(value, out),
                        Entry::Short(name) => self.check_name(&name.text, name.span, out),
                    }
                }
            }
            ExprKind::Call(call) => self.check_call(call, out),
            ExprKind::Comprehension(_) => {
                let message = "a comprehension can't stand in a cost";
                out.push(Diagnostic::new(codes::BAD_COST, formula.span, message));
            }
        }
    }

    fn check_name(&self, name: &str, span: Span, out: &mut Diagnostics) {
        if self.names.contains(name) {
            return;
        }
        let message = format!("the step has no parameter `{name}`");
        let diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, span, message);
        out.push(match nearest(name, self.names.iter().copied()) {
            Some(near) => diagnostic.fix(Certainty::Likely, format!("write `{near}`"), span, near),
            None => diagnostic.help("a cost is computed from the step's own parameters"),
        });
    }

    fn check_call(&self, call: &Call, out: &mut Diagnostics) {
        let (least, most) = match call.path.text.as_str() {
            "price" => (2, 3),
            "provider" => (1, 1),
            name if Function::from_name(name).is_some_and(|function| !function.draws()) => {
                (0, usize::MAX)
            }
            name => {
                let message = format!("`{name}` can't be called in a cost");
                out.push(
                    Diagnostic::new(codes::BAD_COST, call.path.span, message).help(
                        "use `price(model, unit, size)`, `provider(model)` and library functions",
                    ),
                );
                return;
            }
        };
        if !(least..=most).contains(&call.args.len()) {
            let message = format!(
                "`{}` has the wrong number of arguments: {}",
                call.path.text,
                call.args.len()
            );
            out.push(
                Diagnostic::new(codes::BAD_COST, call.path.span, message).help(
                    "it is `price(model, unit)`, `price(model, unit, size)` or `provider(model)`",
                ),
            );
            return;
        }
        for (at, arg) in call.args.iter().enumerate() {
            // The unit is a word of the price list.
            if call.path.text == "price" && at == 1 {
                check_unit(&arg.value, out);
            } else {
                self.check(&arg.value, out);
            }
        }
    }
}

/// The unit of a price is a word of the price list.
fn check_unit(unit: &ast::Expr, out: &mut Diagnostics) {
    match &unit.kind {
        ExprKind::Name(_) | ExprKind::Bare(_) | ExprKind::Error => {}
        ExprKind::Literal(_)
        | ExprKind::Text(_)
        | ExprKind::None
        | ExprKind::Field(..)
        | ExprKind::Index(..)
        | ExprKind::Unary(..)
        | ExprKind::Binary(_)
        | ExprKind::Is(..)
        | ExprKind::If(_)
        | ExprKind::Call(_)
        | ExprKind::List(_)
        | ExprKind::Comprehension(_)
        | ExprKind::Record(_) => {
            let message = "the unit of a price is a word";
            out.push(
                Diagnostic::new(codes::BAD_COST, unit.span, message)
                    .help("such as `image`, `second`, `input` or `output`"),
            );
        }
    }
}

/// Returns what identifies a declaration: what a call of it means, without
/// documentation, prices, pools and defaults, which change no result.
pub(crate) fn canonical(signature: &Signature) -> String {
    let plain = |ty: &Type| {
        serde_json::to_string(&super::types::plain(ty)).expect("a type can be written as JSON")
    };
    let mut lines = vec![format!("step {}", signature.name)];
    if signature.type_param.is_some() {
        lines.push("of T".to_owned());
    }
    for param in &signature.params {
        let word = if param.constant { "const" } else { "param" };
        let ty = param.ty.as_ref().map(plain).unwrap_or_default();
        lines.push(format!("{word} {}: {ty}", param.name));
    }
    lines.push(format!("gives {}", plain(&signature.returns)));
    for effect in &signature.effects {
        let effect = serde_json::to_string(effect).expect("an effect can be written as JSON");
        lines.push(format!("effect {effect}"));
    }
    lines.extend(signature.run.iter().map(|run| format!("run {run}")));
    lines.join("\n")
}
