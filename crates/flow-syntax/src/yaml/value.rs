//! Values: scalars that are text unless they are wholly `${…}`, lists,
//! records, and the three literals that are written as mappings.

use super::events::Style;
use super::language::{hole_end, is_word};
use super::reader::Reader;
use super::scalar::Scalar;
use super::tree::{Entry, Kind, Node};
use crate::ast::{self, Arg, Bare, Call, Expr, ExprKind, Path};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::dsl::fragment;
use crate::span::Span;

impl<'s> Reader<'s> {
    /// Reads a value; `what` says what it is for.
    pub(super) fn expr_value(&mut self, node: Node<'s>, what: &str) -> Expr {
        let span = self.span_of(&node);
        let kind = match node.kind {
            Kind::Scalar(scalar) => return self.scalar_value(&scalar),
            Kind::Seq(items) => {
                let items = items.into_iter();
                ExprKind::List(
                    items
                        .map(|item| self.expr_value(item, "the item"))
                        .collect(),
                )
            }
            Kind::Map(entries) => match special(&entries) {
                Some(callee) => self.special_call(entries, callee),
                None => ExprKind::Record(self.record(entries)),
            },
            Kind::Absent => {
                self.out.push(
                    Diagnostic::new(
                        codes::MISSING_VALUE,
                        span,
                        format!("nothing is written for {what}"),
                    )
                    .help(
                        "write `\"\"` for an empty text, `none` for no value, or leave the key out",
                    ),
                );
                ExprKind::Error
            }
            Kind::Broken => ExprKind::Error,
        };
        Expr { kind, span }
    }

    fn record(&mut self, entries: Vec<Entry<'s>>) -> Vec<ast::Entry> {
        let entries = entries.into_iter();
        entries
            .map(|Entry { key, value }| {
                let whole = self.span(key.start, value.end.max(key.end));
                let what = format!("`{}`", key.text);
                let value = self.expr_value(value, &what);
                if key.text == "..." {
                    ast::Entry::Spread(value, whole)
                } else {
                    ast::Entry::Field(self.verbatim(&key), value)
                }
            })
            .collect()
    }

    /// Reads `{template: …, data: …}`, `{file: …}` and `{secret: …}` as the
    /// calls that the workflow language has for them.
    fn special_call(&mut self, entries: Vec<Entry<'s>>, callee: usize) -> ExprKind {
        let mut args = Vec::with_capacity(entries.len());
        let mut path = None;
        for (at, Entry { key, value }) in entries.into_iter().enumerate() {
            let what = format!("`{}`", key.text);
            let arg = Arg {
                name: None,
                value: self.expr_value(value, &what),
            };
            if at == callee {
                path = Some(Path {
                    text: key.text.into_owned(),
                    span: self.span(key.start, key.end),
                });
                args.insert(0, arg);
            } else {
                args.push(arg);
            }
        }
        path.map_or(ExprKind::Error, |path| {
            ExprKind::Call(Box::new(Call {
                path,
                type_arg: None,
                args,
            }))
        })
    }

    /// Reads a scalar as a value.
    pub(super) fn scalar_value(&mut self, scalar: &Scalar<'s>) -> Expr {
        let span = self.span(scalar.start, scalar.end);
        let text = &*scalar.text;
        let is_plain = scalar.style == Style::Plain;
        if is_plain && let Some(fault) = foreign_value(text, span) {
            self.out.push(fault);
            return Expr {
                kind: ExprKind::Error,
                span,
            };
        }
        let has_brace = text.as_bytes().contains(&b'{');
        if has_brace && text.contains("{{") && scalar.style != Style::Single {
            self.template_braces(scalar);
        }
        if !has_brace || !text.contains("${") {
            let kind = ExprKind::Bare(Bare {
                text: text.to_owned(),
                quoted: !is_plain,
            });
            return Expr { kind, span };
        }
        if text.starts_with("${")
            && let Some(found) = self.dotted(scalar)
        {
            return found;
        }
        self.with_holes(scalar, span)
    }

    fn with_holes(&mut self, scalar: &Scalar<'s>, span: Span) -> Expr {
        let piece = scalar.piece(self.text);
        let error = Expr {
            kind: ExprKind::Error,
            span,
        };
        if let Some(at) = open_hole(piece.text) {
            self.unclosed_hole(scalar, &piece, at);
            return error;
        }
        if let Some(at) = piece.text.find("${{") {
            let offsets = piece.offsets(self.source);
            let fault =
                fragment::foreign_hole(piece.text, at, |start, end| offsets.span(start, end));
            self.out.push(fault);
            return error;
        }
        let mut found = fragment::hole_text(piece.text, &piece.offsets(self.source), &mut self.out);
        if let ExprKind::Bare(bare) = &mut found.kind {
            bare.quoted = scalar.style != Style::Plain;
        }
        if matches!(found.kind, ExprKind::Bare(_) | ExprKind::Text(_)) {
            found.span = span;
        }
        found
    }

    /// Warns about `{{ name }}`, which means nothing here.
    fn template_braces(&mut self, scalar: &Scalar<'s>) {
        let piece = scalar.piece(self.text);
        let offsets = piece.offsets(self.source);
        let mut from = 0;
        while let Some(open) = piece.text[from..].find("{{") {
            let open = from + open;
            let Some(length) = piece.text[open + 2..].find("}}") else {
                return;
            };
            let name = piece.text[open + 2..open + 2 + length].trim();
            from = open + length + 4;
            if !is_dotted(name) || piece.text[..open].ends_with('$') {
                continue;
            }
            let span = offsets.span(open, from);
            let message = format!("`{{{{ {name} }}}}` is only letters here");
            let fault = Diagnostic::new(codes::TEMPLATE_BRACES, span, message).help(
                "a value in a text is written `${…}`; `'…'` holds braces without this warning",
            );
            let text = format!("${{{name}}}");
            self.out
                .push(fault.fix(Certainty::Likely, format!("write `{text}`"), span, text));
        }
    }
}

/// Answers what other tools write as unquoted values.
fn foreign_value(text: &str, span: Span) -> Option<Diagnostic> {
    if matches!(text, "~" | "null" | "Null" | "NULL") {
        let message = format!("there is no `{text}`");
        let fault = Diagnostic::new(codes::NULL_LITERAL, span, message)
            .help("write `none` where a value may be missing, or `\"\"` for an empty text");
        return Some(fault.fix(Certainty::Likely, "write `none`", span, "none"));
    }
    let path = text.strip_prefix("$.")?;
    let is_path = path.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && !path.contains(char::is_whitespace);
    is_path.then(|| {
        let message = format!("`{text}` is no reference here");
        let hole = format!("\"${{{path}}}\"");
        Diagnostic::new(codes::JSONPATH, span, message)
            .help(format!("write `${{{path}}}`; if it is a text, quote it"))
            .fix(Certainty::Likely, format!("write `{hole}`"), span, hole)
    })
}

/// Returns which entry names the function, if a mapping is a literal with
/// exactly its keys.
fn special(entries: &[Entry<'_>]) -> Option<usize> {
    let key = |at: usize| entries.get(at).map(|entry| &*entry.key.text);
    match (key(0)?, key(1), entries.len()) {
        ("template" | "file" | "secret", None, 1) | ("template", Some("data"), 2) => Some(0),
        ("data", Some("template"), 2) => Some(1),
        _ => None,
    }
}

/// Returns the offset of the first `${` that isn't closed.
fn open_hole(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find('$') {
        at += found;
        let rest = &text[at..];
        at = if rest.starts_with("$${") {
            at + 3
        } else if rest.starts_with("${") {
            match hole_end(text, at + 2) {
                Some(end) => end + 1,
                None => return Some(at),
            }
        } else {
            at + 1
        };
    }
    None
}

/// Returns whether a text is a name, perhaps with fields.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(is_word)
}
