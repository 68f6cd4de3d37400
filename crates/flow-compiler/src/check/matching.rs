//! `match`: arms that fit a value, all of them and each only once.

use std::collections::BTreeMap;

use flow_core::expr::Expr;
use flow_core::plan::{Arm, Match, NodeId, NodeKind, Pattern};
use flow_core::relation::{Fit, fit};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::Span;

use super::block::Made;
use super::region::parent;
use super::{Binding, Checker};
use crate::codes;

/// The patterns seen so far.
#[derive(Default)]
struct Seen {
    /// By how they are shown, for values have no order.
    patterns: BTreeMap<String, Span>,
}

impl Seen {
    fn key(pattern: &Pattern) -> String {
        format!("{pattern:?}")
    }

    fn add(&mut self, pattern: &Pattern, span: Span) {
        self.patterns.entry(Self::key(pattern)).or_insert(span);
    }

    fn covers(&self, pattern: &Pattern) -> Option<Span> {
        let some = matches!(pattern, Pattern::Is(_)).then_some(Pattern::Some);
        [Some(&Pattern::Any), some.as_ref(), Some(pattern)]
            .into_iter()
            .flatten()
            .find_map(|covering| self.patterns.get(&Self::key(covering)).copied())
    }

    fn has(&self, pattern: &Pattern) -> bool {
        self.covers(pattern).is_some()
    }
}

impl Checker<'_> {
    /// Makes a `match`'s node.
    pub(crate) fn match_node(
        &mut self,
        tree: &ast::Match,
        id: NodeId,
        wanted: Option<&Type>,
    ) -> Made {
        let subject = self.expr(&tree.subject, None);
        self.check_subject(tree, subject.ty.as_ref());
        let mut seen = Seen::default();
        let mut checked = Vec::new();
        let mut heads = Vec::new();
        for arm in &tree.arms {
            let mut patterns = Vec::new();
            let mut payload = None;
            for pattern in &arm.patterns {
                if let Some(read) = self.pattern(pattern, subject.ty.as_ref()) {
                    self.check_reachable(&read, pattern.span, &seen);
                    seen.add(&read, pattern.span);
                    patterns.push(read);
                }
                if let ast::PatternKind::Some(name) = &pattern.kind {
                    payload = Some(name);
                }
            }
            let name = arm.patterns.first().map_or("_", arm_name);
            self.scopes.push();
            if let Some(name) = payload {
                self.bind_payload(name, arm, id, subject.ty.as_ref());
            }
            let place = parent(id, Some(name));
            let block = self.arm(&arm.value, &place, wanted);
            self.scopes.pop();
            heads.push((name, patterns));
            checked.push((block, arm.value.span()));
        }
        if let Some(ty) = &subject.ty {
            self.check_exhaustive(tree, ty, &seen);
        }
        let (blocks, made) = self.join(checked);
        let arms = heads
            .into_iter()
            .zip(blocks)
            .map(|((name, patterns), block)| Arm {
                name: name.into(),
                patterns,
                block,
            })
            .collect();
        let kind = NodeKind::Match(Box::new(Match {
            subject: subject.expr,
            arms,
        }));
        self.fill(id, kind, &made);
        made
    }

    fn check_subject(&mut self, tree: &ast::Match, ty: Option<&Type>) {
        let Some(ty) = ty else { return };
        let fine = matches!(
            ty.present(),
            Type::Enum(_) | Type::Bool | Type::Int(_) | Type::Text(_)
        ) || matches!(ty, Type::Optional(_));
        if !fine {
            self.report(
                Self::error(
                    codes::TYPE_MISMATCH,
                    tree.subject.span,
                    format!("a `{ty}` can't be matched"),
                )
                .help("`match` takes an enum, a bool, an optional, a whole number or a text; for the rest there is `if`"),
            );
        }
    }

    fn bind_payload(&mut self, name: &ast::Name, arm: &ast::Arm, id: NodeId, ty: Option<&Type>) {
        if arm.patterns.len() > 1 {
            self.report(
                Self::error(
                    codes::PATTERN,
                    name.span,
                    "`some x` can't share an arm with other patterns",
                )
                .help("give it an arm of its own"),
            );
        }
        if let Some(outer) = self.scopes.bound(&name.text) {
            self.report_bound(name, outer);
        }
        self.scopes.bind(
            &name.text,
            Binding {
                expr: Expr::Payload(id),
                ty: ty.map(|ty| ty.present().clone()),
                empty: false,
                span: name.span,
                used: true,
            },
        );
    }

    fn pattern(&mut self, pattern: &ast::Pattern, ty: Option<&Type>) -> Option<Pattern> {
        let ty = ty?;
        match &pattern.kind {
            ast::PatternKind::Any => Some(Pattern::Any),
            ast::PatternKind::Some(_) | ast::PatternKind::None => {
                if !matches!(ty, Type::Optional(_)) {
                    self.report(
                        Self::error(
                            codes::PATTERN,
                            pattern.span,
                            format!("a `{ty}` is always there"),
                        )
                        .help("`some` and `none` are for optional values, `T?`"),
                    );
                    return None;
                }
                let is_none = matches!(pattern.kind, ast::PatternKind::None);
                Some(if is_none {
                    Pattern::None
                } else {
                    Pattern::Some
                })
            }
            ast::PatternKind::Name(path) => self.name_pattern(path, ty),
            ast::PatternKind::Literal(literal) => {
                let (value, found) = self.literal(literal, Some(ty.present()))?;
                if fit(&found, ty.present()) == Fit::No {
                    let message = format!("`{}` is no `{}`", literal.text, ty.present());
                    let diagnostic = Self::error(codes::PATTERN, pattern.span, message)
                        .help("an arm is a value of the type that is matched, or `_`");
                    self.report(diagnostic);
                    return None;
                }
                Some(Pattern::Is(value))
            }
        }
    }

    fn name_pattern(&mut self, path: &ast::Path, ty: &Type) -> Option<Pattern> {
        let word = path.text.rsplit('.').next().unwrap_or(&path.text);
        let Type::Enum(values) = ty.present() else {
            let mut diagnostic = Self::error(
                codes::PATTERN,
                path.span,
                format!("`{}` is no `{ty}`", path.text),
            );
            diagnostic = if matches!(ty.present(), Type::Text(_)) {
                let quoted = format!("\"{}\"", path.text);
                let message = format!("write `{quoted}`");
                diagnostic.fix(Certainty::Likely, message, path.span, quoted)
            } else {
                diagnostic.help("an arm is a value, `_`, `some x` or `none`")
            };
            self.report(diagnostic);
            return None;
        };
        if let Some(variant) = values.variant(word) {
            return Some(Pattern::Is(Value::Enum(variant.name.clone())));
        }
        let words = values.variants.iter().map(|variant| &*variant.name);
        let near = nearest(word, words.clone());
        let mut diagnostic = Self::error(
            codes::UNKNOWN_VARIANT,
            path.span,
            format!("`{ty}` has no value `{word}`"),
        );
        diagnostic = match near {
            Some(near) => diagnostic.fix(
                Certainty::Likely,
                format!("write `{near}`"),
                path.span,
                near,
            ),
            None => diagnostic.help(format!("it has {}", list_of(words))),
        };
        self.report(diagnostic);
        None
    }

    fn check_reachable(&mut self, pattern: &Pattern, span: Span, seen: &Seen) {
        if let Some(first) = seen.covers(pattern) {
            self.report(
                Self::error(codes::UNREACHABLE, span, "this is never reached")
                    .other(first, "this takes it already")
                    .help("the first arm that fits is taken; remove this one or write it first"),
            );
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the values of the others can't be counted"
    )]
    fn check_exhaustive(&mut self, tree: &ast::Match, ty: &Type, seen: &Seen) {
        if seen.has(&Pattern::Any) {
            return;
        }
        let mut missing: Vec<String> = Vec::new();
        if matches!(ty, Type::Optional(_)) && !seen.has(&Pattern::None) {
            missing.push("none".into());
        }
        if !seen.has(&Pattern::Some) {
            match ty.present() {
                Type::Enum(values) => missing.extend(
                    values
                        .variants
                        .iter()
                        .filter(|v| !seen.has(&Pattern::Is(Value::Enum(v.name.clone()))))
                        .map(|v| v.name.to_string()),
                ),
                Type::Bool => missing.extend(
                    [true, false]
                        .into_iter()
                        .filter(|v| !seen.has(&Pattern::Is(Value::Bool(*v))))
                        .map(|v| v.to_string()),
                ),
                _ if matches!(ty, Type::Optional(_)) => missing.push("some x".into()),
                _ => missing.push("_".into()),
            }
        }
        if missing.is_empty() {
            return;
        }
        let words = list_of(missing.iter().map(String::as_str));
        self.report(
            Self::error(
                codes::NOT_EXHAUSTIVE,
                tree.subject.span,
                format!("no arm for {words}"),
            )
            .help("write an arm for each, or one for the rest: `_ => …`"),
        );
    }
}

fn arm_name(pattern: &ast::Pattern) -> &str {
    match &pattern.kind {
        ast::PatternKind::Some(_) => "some",
        ast::PatternKind::None => "none",
        ast::PatternKind::Any => "_",
        ast::PatternKind::Name(path) => path.text.rsplit('.').next().unwrap_or(&path.text),
        ast::PatternKind::Literal(literal) => &literal.text,
    }
}

/// Writes words as `a`, `b` and `c`.
pub(crate) fn list_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
