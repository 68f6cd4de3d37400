//! Pieces of the workflow language inside YAML scalars.
//!
//! Each function reads the whole of a text. What can't be read is reported,
//! and the answer is an `Error` node, an empty list or `None`.

use crate::ast::{
    Cache, ClauseKind, EffectExpr, Expr, ExprKind, Field, Literal, Name, Path, Pattern,
    TriggerClauseKind, TypeExpr, Variant,
};
use crate::diagnostic::Diagnostics;
use crate::span::{SourceId, Span};

/// Maps offsets of a fragment to offsets of its source: the two differ where
/// YAML has escapes, folded lines or indentation.
#[derive(Debug, Clone)]
pub(crate) struct Offsets {
    source: SourceId,
    /// Offset in the fragment, offset in the source; both ascend, the first
    /// entry is for offset 0, and between entries offsets run in step.
    points: Vec<(u32, u32)>,
}

impl Offsets {
    /// A fragment that stands in its source byte for byte.
    pub(crate) fn linear(source: SourceId, base: u32) -> Self {
        Self {
            source,
            points: vec![(0, base)],
        }
    }

    /// A fragment with breaks.
    pub(crate) fn broken(source: SourceId, points: Vec<(u32, u32)>) -> Self {
        debug_assert!(points.first().is_some_and(|point| point.0 == 0));
        Self { source, points }
    }

    /// Returns the place in the source of a range of the fragment.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let find = |offset: usize| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            let last = self.points.partition_point(|point| point.0 <= offset) - 1;
            let (from, to) = self.points[last];
            (to + (offset - from)) as usize
        };
        Span::new(self.source, find(start), find(end))
    }
}

/// Reads an expression.
pub(crate) fn expr(text: &str, at: &Offsets, out: &mut Diagnostics) -> Expr {
    out.extend([]);
    Expr {
        kind: ExprKind::Error,
        span: at.span(0, text.len()),
    }
}

/// Reads a type.
pub(crate) fn type_expr(text: &str, at: &Offsets, out: &mut Diagnostics) -> TypeExpr {
    out.extend([]);
    error_type(text, at)
}

/// Reads what stands behind a parameter's name: `const text`, `text = "x"`. Gives
/// the place of `const`, the type and the default.
pub(crate) fn field_type(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> (Option<Span>, TypeExpr, Option<Expr>) {
    out.extend([]);
    (None, error_type(text, at), None)
}

/// Reads what stands behind `budget`: `$2 per day or ask`.
pub(crate) fn budget(text: &str, at: &Offsets, out: &mut Diagnostics) -> ClauseKind {
    out.extend([]);
    ClauseKind::Within(Expr {
        kind: ExprKind::Error,
        span: at.span(0, text.len()),
    })
}

/// Reads what stands behind `retry`: `3 backoff 1s..30s on timeout`.
pub(crate) fn retry(text: &str, at: &Offsets, out: &mut Diagnostics) -> ClauseKind {
    out.extend([]);
    ClauseKind::Within(Expr {
        kind: ExprKind::Error,
        span: at.span(0, text.len()),
    })
}

/// Reads what stands behind `cache`: `on`, `off`, `1h`.
pub(crate) fn cache(text: &str, at: &Offsets, out: &mut Diagnostics) -> Cache {
    let _ = (text, at);
    out.extend([]);
    Cache::Off
}

/// Reads one effect: `act once`.
pub(crate) fn effect(text: &str, at: &Offsets, out: &mut Diagnostics) -> Option<EffectExpr> {
    let _ = (text, at);
    out.extend([]);
    None
}

/// Reads a step's effects: `read | pure | act once`.
pub(crate) fn effects(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<EffectExpr> {
    let _ = (text, at);
    out.extend([]);
    Vec::new()
}

/// Reads what stands behind `for`: `x in xs`.
pub(crate) fn for_head(text: &str, at: &Offsets, out: &mut Diagnostics) -> (Name, Expr) {
    out.extend([]);
    (
        as_name(text, at),
        Expr {
            kind: ExprKind::Error,
            span: at.span(0, text.len()),
        },
    )
}

/// Reads a state's name and perhaps its type: `s: T`.
pub(crate) fn repeat_head(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> (Name, Option<TypeExpr>) {
    out.extend([]);
    (as_name(text, at), None)
}

/// Reads the patterns of an arm: `noir | neon`.
pub(crate) fn patterns(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<Pattern> {
    let _ = (text, at);
    out.extend([]);
    Vec::new()
}

/// Reads what is called: `gen.text<T>`.
pub(crate) fn call_head(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> (Path, Option<TypeExpr>) {
    out.extend([]);
    (
        Path {
            text: text.to_owned(),
            span: at.span(0, text.len()),
        },
        None,
    )
}

/// Reads parameters, with or without their parentheses.
pub(crate) fn params(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<Field> {
    let _ = (text, at);
    out.extend([]);
    Vec::new()
}

/// Reads the values of an enumeration: `wide "16:9" | tall`.
pub(crate) fn enum_variants(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<Variant> {
    let _ = (text, at);
    out.extend([]);
    Vec::new()
}

/// Reads a name; it has the text as written if it is none.
pub(crate) fn name(text: &str, at: &Offsets, out: &mut Diagnostics) -> Name {
    out.extend([]);
    as_name(text, at)
}

/// Reads a dotted name; it has the text as written if it is none.
pub(crate) fn path(text: &str, at: &Offsets, out: &mut Diagnostics) -> Path {
    out.extend([]);
    Path {
        text: text.to_owned(),
        span: at.span(0, text.len()),
    }
}

/// Reads words between commas: `failure, budget`.
pub(crate) fn words(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<Name> {
    let _ = (text, at);
    out.extend([]);
    Vec::new()
}

/// Reads what stands behind a trigger's `on`: `webhook "/x" body T`.
pub(crate) fn trigger_on(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> Option<TriggerClauseKind> {
    let _ = (text, at);
    out.extend([]);
    None
}

/// Reads what stands behind `catchup`: `all max 3`.
pub(crate) fn catchup(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> Option<TriggerClauseKind> {
    let _ = (text, at);
    out.extend([]);
    None
}

/// Reads what stands behind `notify`: `email "…" on failure`.
pub(crate) fn notify(text: &str, at: &Offsets, out: &mut Diagnostics) -> Option<TriggerClauseKind> {
    let _ = (text, at);
    out.extend([]);
    None
}

/// Reads a literal.
pub(crate) fn literal(text: &str, at: &Offsets, out: &mut Diagnostics) -> Option<Literal> {
    let _ = (text, at);
    out.extend([]);
    None
}

/// Reads a scalar with `${…}` in it. One hole and nothing else is the
/// expression itself; without holes it is an unquoted [`ExprKind::Bare`], with
/// `$${` written as `${`.
pub(crate) fn hole_text(text: &str, at: &Offsets, out: &mut Diagnostics) -> Expr {
    out.extend([]);
    Expr {
        kind: ExprKind::Error,
        span: at.span(0, text.len()),
    }
}

fn error_type(text: &str, at: &Offsets) -> TypeExpr {
    TypeExpr {
        base: crate::ast::TypeBase::Error,
        optional: None,
        refinements: Vec::new(),
        span: at.span(0, text.len()),
    }
}

fn as_name(text: &str, at: &Offsets) -> Name {
    Name {
        text: text.to_owned(),
        span: at.span(0, text.len()),
    }
}
