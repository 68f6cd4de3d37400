//! Literals, scalars and negative numbers: read by the type that is expected.

use std::sync::Arc;

use flow_core::expr::Expr;
use flow_core::relation::{Fit, fit};
use flow_core::scalar::{self, Quoting, ScalarError};
use flow_core::ty::{Bounds, Type};
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind, LiteralKind};
use flow_syntax::diagnostic::{Certainty, Diagnostic, nearest};
use flow_syntax::span::Span;

use super::expr::article;
use super::{Checker, Typed};
use crate::codes;

impl Checker<'_> {
    /// Reads a literal. What is wrong with it is reported.
    pub(crate) fn literal(
        &mut self,
        literal: &ast::Literal,
        wanted: Option<&Type>,
    ) -> Option<(Value, Type)> {
        let ty = literal_type(literal.kind, wanted);
        match scalar::read(&literal.text, &ty) {
            Ok(value) => Some((value, ty)),
            Err(error) => {
                self.report_scalar(&error, &literal.text, &ty, literal.span);
                None
            }
        }
    }

    /// Reads a YAML scalar.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    pub(super) fn bare(&mut self, bare: &ast::Bare, span: Span, wanted: Option<&Type>) -> Typed {
        let quoting = if bare.quoted {
            Quoting::Quoted
        } else {
            Quoting::Plain
        };
        // Where a text may stand, `none` is that word; where anything may, it is
        // the language's.
        let anything = matches!(
            wanted.map(Type::present),
            None | Some(Type::Json | Type::Param)
        );
        if anything && !bare.quoted && bare.text == "none" {
            return Typed::new(Expr::Const(Value::None), Type::None);
        }
        let Some(wanted) = wanted else {
            return known(scalar::core_schema(&bare.text, quoting), None);
        };
        match wanted.present() {
            Type::Json | Type::Param => {
                known(scalar::core_schema(&bare.text, quoting), Some(&Type::Json))
            }
            Type::Step => self.step_reference(&bare.text, span),
            Type::Text(_) if bare.quoted => self.scalar(&bare.text, wanted.present(), span),
            _ => self.scalar(&bare.text, wanted, span),
        }
    }

    fn scalar(&mut self, text: &str, ty: &Type, span: Span) -> Typed {
        match scalar::read(text, ty) {
            Ok(Value::None) => Typed::new(Expr::Const(Value::None), Type::None),
            Ok(value) => Typed::new(Expr::Const(value), ty.present().clone()),
            Err(error) => {
                self.report_scalar(&error, text, ty.present(), span);
                Typed::unknown()
            }
        }
    }

    /// Reads a text of the language that has no holes.
    pub(super) fn plain_text(&mut self, text: &str, span: Span, wanted: Option<&Type>) -> Typed {
        let value = Value::text(text);
        let read = |value, ty| Typed::new(Expr::Const(value), ty);
        match wanted.map(Type::present) {
            Some(ty @ Type::Text(_)) => match ty.check(&value) {
                Ok(()) => read(value, ty.clone()),
                Err(error) => {
                    let message = format!("this doesn't fit `{ty}`");
                    let error = Self::error(codes::LITERAL, span, message).help(error.to_string());
                    self.report(error);
                    Typed::unknown()
                }
            },
            Some(ty @ Type::Model) => read(value, ty.clone()),
            // The language has no literal for instants.
            Some(ty @ Type::Time) => self.scalar(text, ty, span),
            _ => read(value, Type::text()),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    fn report_scalar(&mut self, error: &ScalarError, text: &str, ty: &Type, span: Span) {
        let mut diagnostic = Self::error(codes::LITERAL, span, error.to_string());
        match error {
            ScalarError::Literal(flow_core::literal::LiteralError::Near { cure, .. }) => {
                let title = format!("write `{cure}`");
                diagnostic = diagnostic.fix(Certainty::Likely, title, span, &**cure);
            }
            ScalarError::Bool {
                cure: Some(cure), ..
            } => {
                let title = format!("write `{cure}`");
                diagnostic = diagnostic.fix(Certainty::Likely, title, span, cure.to_string());
            }
            ScalarError::Word { candidates, .. } => {
                diagnostic = offer(diagnostic, text, candidates, span);
            }
            ScalarError::Unfit(_) => {
                diagnostic = diagnostic.label(format!("this must be {}", article(ty)));
            }
            _ => {}
        }
        if self.stands_for_value(text) {
            if let ScalarError::Compound { ty, text, .. } = error {
                diagnostic.message = format!("expected `{ty}`, found the word `{text}`");
            }
            diagnostic =
                diagnostic.help(format!("for the value of `{text}` write `\"${{{text}}}\"`"));
            if self.written(span) == Some(text) {
                let hole = format!("\"${{{text}}}\"");
                diagnostic =
                    diagnostic.fix(Certainty::Likely, format!("write `{hole}`"), span, hole);
            }
        }
        self.report(diagnostic);
    }

    /// Returns whether a word is a name that can be seen here, perhaps with
    /// fields.
    pub(super) fn stands_for_value(&self, text: &str) -> bool {
        let root = text.split('.').next().unwrap_or(text);
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        text.chars().all(is_path) && self.scopes.bound(root).is_some()
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    pub(super) fn negate(&mut self, tree: &ast::Expr, span: Span, wanted: Option<&Type>) -> Typed {
        if let ExprKind::Literal(literal) = &tree.kind
            && matches!(literal.kind, LiteralKind::Int | LiteralKind::Float)
        {
            let negative = ast::Literal {
                kind: literal.kind,
                text: format!("-{}", literal.text),
                span,
            };
            return match self.literal(&negative, wanted) {
                Some((value, ty)) => Typed::new(Expr::Const(value), ty),
                None => Typed::unknown(),
            };
        }
        let typed = self.expr(tree, wanted.filter(|ty| is_number(ty.present())));
        let Some(ty) = typed.ty else {
            return Typed::unknown();
        };
        let result = match ty {
            Type::Int(bounds) => Type::Int(Bounds {
                min: bounds.max.and_then(i64::checked_neg),
                max: bounds.min.and_then(i64::checked_neg),
            }),
            Type::Float(_) => Type::float(),
            Type::Money(_) => Type::Money(Bounds::default()),
            Type::Duration(_) => Type::Duration(Bounds::default()),
            other => {
                let diagnostic = Self::error(
                    codes::TYPE_MISMATCH,
                    tree.span,
                    format!(
                        "`-` takes a number, an amount or a duration, not {}",
                        article(&other)
                    ),
                )
                .label(format!("this is {}", article(&other)));
                self.report(diagnostic);
                return Typed::unknown();
            }
        };
        let site = self.site(span);
        Typed::new(Expr::Negate(Box::new(typed.expr), site), result)
    }

    /// Reads the name of a step, where a reference to one is wanted.
    pub(super) fn step_reference(&mut self, name: &str, span: Span) -> Typed {
        if self.world.signatures.steps.contains_key(name) {
            return Typed::new(Expr::Const(Value::text(name)), Type::Step);
        }
        let mut diagnostic = Self::error(
            codes::UNKNOWN_STEP,
            span,
            format!("there is no step `{name}`"),
        );
        let names = self.world.signatures.steps.keys().map(|name| &**name);
        if self.workflow_named(name) {
            diagnostic = diagnostic.help("it is a workflow; only declared steps can be given here");
        } else if let Some(near) = nearest(name, names) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                span,
                near,
            );
        }
        self.report(diagnostic);
        Typed::unknown()
    }
}

/// Offers the nearest word of an enumeration.
pub(super) fn offer(
    diagnostic: Diagnostic,
    text: &str,
    candidates: &[Arc<str>],
    span: Span,
) -> Diagnostic {
    match nearest(text, candidates.iter().map(|word| &**word)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
            Certainty::Likely,
            format!("write `{near}`"),
            span,
            near,
        ),
        None => diagnostic,
    }
}

/// Returns the type by which a literal is read.
fn literal_type(kind: LiteralKind, wanted: Option<&Type>) -> Type {
    let own = match kind {
        LiteralKind::Int => Type::int(),
        LiteralKind::Float => Type::float(),
        LiteralKind::Bool => Type::Bool,
        LiteralKind::Money => Type::Money(Bounds::default()),
        LiteralKind::Duration => Type::Duration(Bounds::default()),
        LiteralKind::Size => Type::Size,
        LiteralKind::Text => Type::text(),
    };
    let Some(wanted) = wanted.map(Type::present) else {
        return own;
    };
    match (&own, wanted) {
        (Type::Text(_), Type::Model) => wanted.clone(),
        _ if fit(&own, wanted) != Fit::No => wanted.clone(),
        _ => own,
    }
}

/// Makes an expression of a value that YAML's schema gave.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are alike here, and a new one is too"
)]
fn known(value: Value, wanted: Option<&Type>) -> Typed {
    let own = match &value {
        Value::None => Type::None,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::int(),
        Value::Float(_) => Type::float(),
        _ => Type::text(),
    };
    Typed::new(Expr::Const(value), wanted.cloned().unwrap_or(own))
}

/// Returns whether it can be negative.
pub(super) fn is_number(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Int(_) | Type::Float(_) | Type::Money(_) | Type::Duration(_)
    )
}
