//! Refinements: what a type asks of its values.

use std::fmt::Display;
use std::sync::Arc;

use flow_core::amount::{Duration, Money};
use flow_core::check::pattern as compiled;
use flow_core::literal;
use flow_core::ty::{Bounds, ListType, TextRule, Type};
use flow_syntax::ast::{Literal, LiteralKind, Refinement, RefinementKind};
use flow_syntax::diagnostic::{Code, Diagnostic, Diagnostics};
use flow_syntax::span::Span;

use crate::codes;

/// Narrows a type. `None` if it can't be, which is reported.
pub(super) fn refine(ty: &Type, written: &Refinement, out: &mut Diagnostics) -> Option<Type> {
    let result = if let Type::Optional(inner) = ty {
        narrowed(inner, written).map(Type::optional)
    } else {
        narrowed(ty, written)
    };
    match result {
        Ok(ty) => Some(ty),
        Err(fault) => {
            let diagnostic = Diagnostic::new(fault.code, fault.span, fault.message);
            out.push(match fault.help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            });
            None
        }
    }
}

struct Fault {
    code: Code,
    span: Span,
    message: String,
    help: Option<String>,
}

impl Fault {
    fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

fn narrowed(ty: &Type, written: &Refinement) -> Result<Type, Fault> {
    if let (Type::Text(_) | Type::List(_), RefinementKind::In(min, max)) = (ty, &written.kind) {
        let message = "a length has no `in`";
        let fault = Fault::new(codes::BAD_REFINEMENT, written.span, message);
        return Err(fault.help(format!("write `min {} max {}`", min.text, max.text)));
    }
    if let RefinementKind::Matching(pattern) = &written.kind {
        let Type::Text(rule) = ty else {
            return Err(misfit(ty, written, "matching"));
        };
        return matching(rule, &pattern.text, pattern.span).map(Type::Text);
    }
    Ok(match ty {
        Type::Int(old) => Type::Int(bounds(*old, written, whole)?),
        Type::Float(old) => Type::Float(bounds(*old, written, number)?),
        Type::Money(old) => Type::Money(bounds(*old, written, money)?),
        Type::Duration(old) => Type::Duration(bounds(*old, written, duration)?),
        Type::Text(old) => Type::Text(TextRule {
            length: bounds(old.length, written, length)?,
            matching: old.matching.clone(),
        }),
        Type::List(old) => Type::List(ListType {
            length: bounds(old.length, written, length)?,
            item: Arc::clone(&old.item),
        }),
        Type::Bool
        | Type::Time
        | Type::Size
        | Type::Model
        | Type::Json
        | Type::Secret
        | Type::Step
        | Type::Media(_)
        | Type::Map(_)
        | Type::Optional(_)
        | Type::Record(_)
        | Type::Enum(_)
        | Type::Param
        | Type::None => {
            let word = match &written.kind {
                RefinementKind::In(..) => "in",
                RefinementKind::Min(_) => "min",
                RefinementKind::Max(_) => "max",
                RefinementKind::Matching(_) => "matching",
            };
            return Err(misfit(ty, written, word));
        }
    })
}

fn misfit(ty: &Type, written: &Refinement, word: &str) -> Fault {
    let message = format!("`{ty}` can't be refined by `{word}`");
    let help = if word == "matching" {
        "`matching` is for `text`"
    } else {
        "ranges are for `int`, `float`, `money` and `duration`; `min` and `max` also bound the length of `text` and `list<…>`"
    };
    Fault::new(codes::BAD_REFINEMENT, written.span, message).help(help)
}

fn matching(rule: &TextRule, pattern: &str, span: Span) -> Result<TextRule, Fault> {
    if rule.matching.is_some() {
        let fault = Fault::new(
            codes::BAD_REFINEMENT,
            span,
            "a text can fit one pattern only",
        );
        return Err(fault.help("write both as one: `matching \"a|b\"`"));
    }
    if let Err(error) = compiled(pattern) {
        let fault = Fault::new(codes::BAD_PATTERN, span, error.to_string());
        return Err(fault.help("in `'…'` a backslash needs no other before it: `'\\d+'`"));
    }
    Ok(TextRule {
        length: rule.length,
        matching: Some(pattern.into()),
    })
}

/// Narrows bounds by what is written: both old and new ones hold.
fn bounds<T: PartialOrd + Copy + Display>(
    old: Bounds<T>,
    written: &Refinement,
    read: fn(&Literal) -> Result<T, Fault>,
) -> Result<Bounds<T>, Fault> {
    let (min, max) = match &written.kind {
        RefinementKind::In(min, max) => (Some(read(min)?), Some(read(max)?)),
        RefinementKind::Min(min) => (Some(read(min)?), None),
        RefinementKind::Max(max) => (None, Some(read(max)?)),
        RefinementKind::Matching(_) => (None, None),
    };
    let higher = |a: T, b: T| if b > a { b } else { a };
    let lower = |a: T, b: T| if b < a { b } else { a };
    let bounds = Bounds {
        min: join(old.min, min, higher),
        max: join(old.max, max, lower),
    };
    if let (Some(min), Some(max)) = (bounds.min, bounds.max)
        && min > max
    {
        let message = format!("nothing lies between {min} and {max}");
        return Err(Fault::new(codes::EMPTY_RANGE, written.span, message)
            .help("the smaller one stands first, and both are allowed themselves"));
    }
    Ok(bounds)
}

fn join<T>(a: Option<T>, b: Option<T>, both: impl Fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(both(a, b)),
        (a, b) => a.or(b),
    }
}

fn wrong_kind(literal: &Literal, wanted: &str) -> Fault {
    Fault::new(
        codes::BAD_REFINEMENT,
        literal.span,
        format!("expected {wanted}, found `{}`", literal.text),
    )
}

fn wrong_text(literal: &Literal, error: &literal::LiteralError) -> Fault {
    Fault::new(codes::BAD_REFINEMENT, literal.span, error.to_string())
}

fn whole(literal: &Literal) -> Result<i64, Fault> {
    if literal.kind != LiteralKind::Int {
        return Err(wrong_kind(literal, "a whole number"));
    }
    literal::int(&literal.text).map_err(|error| wrong_text(literal, &error))
}

fn number(literal: &Literal) -> Result<f64, Fault> {
    if !matches!(literal.kind, LiteralKind::Int | LiteralKind::Float) {
        return Err(wrong_kind(literal, "a number"));
    }
    literal::float(&literal.text).map_err(|error| wrong_text(literal, &error))
}

fn money(literal: &Literal) -> Result<Money, Fault> {
    if literal.kind != LiteralKind::Money {
        return Err(wrong_kind(literal, "an amount, as in `$0.50`"));
    }
    literal
        .text
        .parse()
        .map_err(|error| wrong_text(literal, &error))
}

fn duration(literal: &Literal) -> Result<Duration, Fault> {
    if literal.kind != LiteralKind::Duration {
        return Err(wrong_kind(literal, "a duration, as in `30s`"));
    }
    literal
        .text
        .parse()
        .map_err(|error| wrong_text(literal, &error))
}

fn length(literal: &Literal) -> Result<u64, Fault> {
    let count = whole(literal)?;
    u64::try_from(count).map_err(|_| {
        Fault::new(
            codes::BAD_REFINEMENT,
            literal.span,
            format!("a length can't be {count}"),
        )
    })
}
