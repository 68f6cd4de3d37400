//! Pieces of the workflow language inside YAML scalars.
//!
//! Each function reads the whole of a text. What can't be read is reported,
//! and the answer is an `Error` node, an empty list or `None`.

use super::Reader;
use super::grammar::{Pair, Parts, Read, Rule, parts};
use super::lex;
use super::recover::Mode;
use crate::ast::{
    Bare, Cache, ClauseKind, EffectExpr, Expr, ExprKind, Field, Literal, Name, Path, Pattern, Text,
    TextPart, TextStyle, TriggerClauseKind, TypeExpr, Variant,
};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic, Diagnostics};
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
        if let [(0, base)] = *self.points.as_slice() {
            let base = base as usize;
            return Span::new(self.source, base + start, base + end);
        }
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
    let read = whole(Rule::only_expr, text, at, out, |reader, mut inner| {
        inner.next().map(|expr| reader.expr(expr, 0))
    });
    read.unwrap_or_else(|| no_expr(text, at))
}

/// Reads a type.
pub(crate) fn type_expr(text: &str, at: &Offsets, out: &mut Diagnostics) -> TypeExpr {
    let read = whole(Rule::only_type, text, at, out, |reader, mut inner| {
        inner.next().map(|ty| reader.ty(ty, 0))
    });
    read.unwrap_or_else(|| Reader::type_error(at.span(0, text.len())))
}

/// Reads what stands behind a parameter's name: `const text`, `text = "x"`. Gives
/// the place of `const`, the type and the default.
pub(crate) fn field_type(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> (Option<Span>, TypeExpr, Option<Expr>) {
    let read = whole(Rule::only_parameter_type, text, at, out, |reader, inner| {
        let mut inner = inner.peekable();
        let constant = inner.next_if(|part| part.as_rule() == Rule::kw_const);
        let constant = constant.map(|word| reader.span(&word));
        let (ty, default) = reader.parameter_type(inner, 0);
        Some((constant, ty, default))
    });
    read.unwrap_or_else(|| (None, Reader::type_error(at.span(0, text.len())), None))
}

/// Reads what stands behind `budget`: `$2 per day or ask`.
pub(crate) fn budget(text: &str, at: &Offsets, out: &mut Diagnostics) -> ClauseKind {
    let read = whole(Rule::only_budget, text, at, out, |reader, inner| {
        Some(reader.budget(inner))
    });
    read.unwrap_or_else(|| ClauseKind::Budget {
        amount: no_expr(text, at),
        per: None,
        or: None,
    })
}

/// Reads what stands behind `retry`: `3 backoff 1s..30s on timeout`.
pub(crate) fn retry(text: &str, at: &Offsets, out: &mut Diagnostics) -> ClauseKind {
    let read = whole(Rule::only_retry, text, at, out, |reader, inner| {
        Some(reader.retry(inner))
    });
    read.unwrap_or_else(|| ClauseKind::Retry {
        attempts: no_expr(text, at),
        backoff: None,
        on: Vec::new(),
    })
}

/// Reads what stands behind `cache`: `on`, `off`, `1h`.
pub(crate) fn cache(text: &str, at: &Offsets, out: &mut Diagnostics) -> Cache {
    let read = whole(Rule::only_cache, text, at, out, |reader, inner| {
        Some(reader.cache(inner))
    });
    read.unwrap_or_else(|| Cache::For(no_expr(text, at)))
}

/// Reads one effect: `act once`.
pub(crate) fn effect(text: &str, at: &Offsets, out: &mut Diagnostics) -> Option<EffectExpr> {
    whole(Rule::only_effect, text, at, out, |reader, mut inner| {
        inner.next().map(|effect| reader.effect(effect))
    })
}

/// Reads a step's effects: `read | pure | act once`.
pub(crate) fn effects(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<EffectExpr> {
    list(Rule::only_effects, text, at, out, Reader::effect)
}

/// Reads what stands behind `for`: `x in xs`.
pub(crate) fn for_head(text: &str, at: &Offsets, out: &mut Diagnostics) -> (Name, Expr) {
    let read = whole(Rule::only_for, text, at, out, |reader, mut inner| {
        let var = reader.name(&inner.next()?);
        Some((var, reader.expr(inner.nth(1)?, 0)))
    });
    read.unwrap_or_else(|| (as_written(text, at), no_expr(text, at)))
}

/// Reads a state's name and perhaps its type: `s: T`.
pub(crate) fn repeat_head(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> (Name, Option<TypeExpr>) {
    let read = whole(Rule::only_state, text, at, out, |reader, mut inner| {
        let name = reader.name(&inner.next()?);
        Some((name, inner.next().map(|ty| reader.ty(ty, 0))))
    });
    read.unwrap_or_else(|| (as_written(text, at), None))
}

/// Reads the patterns of an arm: `noir | neon`.
pub(crate) fn patterns(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<Pattern> {
    list(Rule::only_patterns, text, at, out, Reader::pattern)
}

/// Reads what is called: `gen.text<T>`.
pub(crate) fn call_head(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> (Path, Option<TypeExpr>) {
    let read = whole(Rule::only_call_head, text, at, out, |reader, mut inner| {
        let path = reader.path(&inner.next()?);
        Some((path, inner.next().and_then(|args| reader.type_arg(args))))
    });
    read.unwrap_or_else(|| (as_path(text, at), None))
}

/// Reads parameters, with or without their parentheses.
pub(crate) fn params(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<Field> {
    let read = whole(Rule::only_parameters, text, at, out, |reader, inner| {
        let mut fields = Vec::new();
        for part in inner {
            if part.as_rule() == Rule::parameters {
                fields.extend(parts(part).map(|field| reader.field(field, 0)));
            } else {
                fields.push(reader.field(part, 0));
            }
        }
        Some(fields)
    });
    read.unwrap_or_default()
}

/// Reads the values of an enumeration: `wide "16:9" | tall`.
pub(crate) fn enum_variants(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<Variant> {
    list(Rule::only_variants, text, at, out, Reader::variant)
}

/// Reads a name; it has the text as written if it is none.
pub(crate) fn name(text: &str, at: &Offsets, out: &mut Diagnostics) -> Name {
    let read = whole(Rule::only_name, text, at, out, |reader, mut inner| {
        inner.next().map(|name| reader.name(&name))
    });
    read.unwrap_or_else(|| as_written(text, at))
}

/// Reads a dotted name; it has the text as written if it is none.
pub(crate) fn path(text: &str, at: &Offsets, out: &mut Diagnostics) -> Path {
    let read = whole(Rule::only_path, text, at, out, |reader, mut inner| {
        inner.next().map(|path| reader.path(&path))
    });
    read.unwrap_or_else(|| as_path(text, at))
}

/// Reads words between commas: `failure, budget`.
pub(crate) fn words(text: &str, at: &Offsets, out: &mut Diagnostics) -> Vec<Name> {
    list(Rule::only_words, text, at, out, |reader, word| {
        reader.name(&word)
    })
}

/// Reads what stands behind a trigger's `on`: `webhook "/x" body T`.
pub(crate) fn trigger_on(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> Option<TriggerClauseKind> {
    whole(Rule::only_trigger_on, text, at, out, |reader, mut inner| {
        inner.next().map(|part| reader.trigger_on(part))
    })
}

/// Reads what stands behind `catchup`: `all max 3`.
pub(crate) fn catchup(
    text: &str,
    at: &Offsets,
    out: &mut Diagnostics,
) -> Option<TriggerClauseKind> {
    whole(Rule::only_catchup, text, at, out, |reader, inner| {
        Some(reader.catchup(inner))
    })
}

/// Reads what stands behind `notify`: `email "…" on failure`.
pub(crate) fn notify(text: &str, at: &Offsets, out: &mut Diagnostics) -> Option<TriggerClauseKind> {
    whole(Rule::only_notify, text, at, out, |reader, inner| {
        Some(reader.notify(inner))
    })
}

/// Returns whether a word that begins with a digit or `$` is a literal.
pub(super) fn is_number(text: &str) -> bool {
    Read::fits(Rule::only_literal, text, 0)
}

/// Reads a literal.
pub(crate) fn literal(text: &str, at: &Offsets, out: &mut Diagnostics) -> Option<Literal> {
    whole(Rule::only_literal, text, at, out, |reader, mut inner| {
        inner.next().map(|literal| reader.literal(literal))
    })
}

/// Reads a scalar with `${…}` in it. One hole and nothing else is the
/// expression itself; without holes it is an unquoted [`ExprKind::Bare`], with
/// `$${` written as `${`.
pub(crate) fn hole_text(text: &str, at: &Offsets, out: &mut Diagnostics) -> Expr {
    let span = at.span(0, text.len());
    let bare = |text: String| {
        let kind = ExprKind::Bare(Bare {
            text,
            quoted: false,
        });
        Expr { kind, span }
    };
    if !text.contains("${") {
        return bare(text.to_owned());
    }
    let mut reader = Reader::piecewise(text, at, out);
    let Some(mut found) = reader.holes() else {
        return no_expr(text, at);
    };
    let is_text = |part: &TextPart| matches!(part, TextPart::Str(_));
    if found.iter().all(is_text) {
        return bare(text.replace("$${", "${"));
    }
    if let [TextPart::Hole(_)] = found.as_slice()
        && let Some(TextPart::Hole(expr)) = found.pop()
    {
        return expr;
    }
    let text = Text {
        parts: found,
        style: TextStyle::Plain,
    };
    Expr {
        kind: ExprKind::Text(text),
        span,
    }
}

impl<'a> Reader<'a> {
    /// A text whose letters are not looked over, since most are no language.
    fn piecewise(text: &'a str, at: &'a Offsets, out: &'a mut Diagnostics) -> Self {
        let mut reader = Self::new("", at, out, 0);
        reader.text = text;
        reader
    }

    /// Reads letters and holes in turn.
    fn holes(&mut self) -> Option<Vec<TextPart>> {
        let mut found = Vec::new();
        let mut letters = String::new();
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            if rest.starts_with("$${") {
                letters.push_str("${");
                self.at += 3;
            } else if rest.starts_with("${") {
                if !letters.is_empty() {
                    found.push(TextPart::Str(std::mem::take(&mut letters)));
                }
                found.push(TextPart::Hole(self.hole()?));
            } else {
                let length = match rest.find('$') {
                    Some(0) => 1,
                    Some(length) => length,
                    None => rest.len(),
                };
                letters.push_str(&rest[..length]);
                self.at += length;
            }
        }
        if !letters.is_empty() {
            found.push(TextPart::Str(letters));
        }
        Some(found)
    }

    fn hole(&mut self) -> Option<Expr> {
        let start = self.at;
        if let Err((fault, at)) = lex::hole_end(self.text, start) {
            let diagnostic = self.fault(fault, at, (at + 2).min(self.text.len()));
            self.report(diagnostic);
            return None;
        }
        match self.run(Rule::hole, start) {
            Ok(read) => {
                let hole = read.whole();
                self.at = hole.end();
                parts(hole).next().map(|inner| self.expr(inner, 0))
            }
            Err(failure) => {
                self.fail(start, &failure, 0, Mode::Fragment);
                None
            }
        }
    }
}

/// Reads a rule that takes a whole text.
fn whole<'a, T>(
    rule: Rule,
    text: &'a str,
    at: &'a Offsets,
    out: &'a mut Diagnostics,
    make: impl FnOnce(&mut Reader<'a>, Parts<'_>) -> Option<T>,
) -> Option<T> {
    let mut reader = Reader::new(text, at, out, 0);
    match reader.run(rule, 0) {
        Ok(read) => make(&mut reader, parts(read.whole())),
        Err(failure) => {
            reader.fail(0, &failure, 0, Mode::Fragment);
            None
        }
    }
}

fn list<'a, T>(
    rule: Rule,
    text: &'a str,
    at: &'a Offsets,
    out: &'a mut Diagnostics,
    mut make: impl FnMut(&mut Reader<'a>, Pair<'_>) -> T,
) -> Vec<T> {
    let read = whole(rule, text, at, out, |reader, inner| {
        Some(inner.map(|part| make(reader, part)).collect())
    });
    read.unwrap_or_default()
}

fn no_expr(text: &str, at: &Offsets) -> Expr {
    Expr {
        kind: ExprKind::Error,
        span: at.span(0, text.len()),
    }
}

fn as_written(text: &str, at: &Offsets) -> Name {
    Name {
        text: text.to_owned(),
        span: at.span(0, text.len()),
    }
}

fn as_path(text: &str, at: &Offsets) -> Path {
    Path {
        text: text.to_owned(),
        span: at.span(0, text.len()),
    }
}

/// Answers `${{ steps.x.outputs.y }}`, which begins at an offset of a text.
pub(crate) fn foreign_hole(
    text: &str,
    at: usize,
    place: impl Fn(usize, usize) -> Span,
) -> Diagnostic {
    const ROOTS: &[&str] = &[
        "env", "inputs", "jobs", "needs", "output", "outputs", "steps",
    ];
    let inside = &text[at + 3..];
    let length = inside.find("}}");
    let written = inside[..length.unwrap_or(inside.len())].trim();
    let ours: Vec<&str> = written
        .split('.')
        .filter(|word| !ROOTS.contains(word))
        .collect();
    let ours = ours.join(".");
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && word.bytes().all(lex::is_word)
    };
    let end = length.map_or(at + 3, |length| at + 3 + length + 2);
    let span = place(at, end);
    let fault = Diagnostic::new(
        codes::TEMPLATE_EXPRESSION,
        span,
        "a hole is written with one pair of braces",
    );
    if !ours.split('.').all(is_word) {
        return fault.help("write `${ expression }`");
    }
    let hole = format!("${{{ours}}}");
    let fault = fault.help(format!("write `{hole}`: a value is named, not looked up"));
    if length.is_none() {
        return fault;
    }
    let certainty = if ours == written {
        Certainty::Certain
    } else {
        Certainty::Likely
    };
    fault.fix(certainty, format!("write `{hole}`"), span, hole)
}
