//! Scalars that hold text of the workflow language: expressions, types, heads.

use super::foreign;
use super::reader::Reader;
use super::scalar::{Piece, Scalar};
use super::tree::{Kind, Node};
use crate::ast::{Expr, ExprKind, Name, Path, TypeExpr};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic, Diagnostics};
use crate::dsl::fragment::{self, Offsets};
use crate::span::{SourceId, Span};

/// How deep texts and holes may nest in each other.
const DEPTH_MAX: usize = 64;

const NAME_HELP: &str = "a name is a letter or `_`, then letters, digits and `_`";

/// A function that reads a fragment.
type Read<T> = fn(&str, &Offsets, &mut Diagnostics) -> T;

const RESERVED: &[&str] = &[
    "if", "then", "else", "match", "for", "in", "is", "and", "or", "not", "yield", "return",
    "true", "false", "none", "some",
];

/// Returns whether a text is wholly one `${{ … }}`.
fn is_foreign_hole(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("${{") && text.ends_with("}}")
}

impl<'s> Reader<'s> {
    /// Reads a scalar as text of the language.
    pub(super) fn language<T>(&mut self, node: &Node<'s>, what: &str, read: Read<T>) -> Option<T> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong_shape(node, what, "a text");
            return None;
        };
        let scalar = scalar.clone();
        self.fragment(&scalar, read)
    }

    /// Reads a scalar as text of the language, without superfluous `${…}`.
    pub(super) fn fragment<T>(&mut self, scalar: &Scalar<'s>, read: Read<T>) -> Option<T> {
        let piece = scalar.piece(self.text);
        let piece = self.bare_piece(scalar, &piece)?;
        if piece.text.starts_with('{') && is_foreign_hole(scalar.piece(self.text).text) {
            let whole = scalar.piece(self.text);
            let at = whole.text.find("${{").unwrap_or_default();
            let offsets = whole.offsets(self.source);
            let fault =
                fragment::foreign_hole(whole.text, at, |start, end| offsets.span(start, end));
            self.out.push(fault);
            return None;
        }
        let mut out = Diagnostics::default();
        let found = read(piece.text, &piece.offsets(self.source), &mut out);
        let comment = if out.has_errors() {
            self.comment_behind(scalar)
        } else {
            None
        };
        for diagnostic in out {
            self.out.push(match comment {
                Some(at) => diagnostic
                    .other(at, "a YAML comment begins here")
                    .help("if the `#` belongs to the text, quote the text"),
                None => diagnostic,
            });
        }
        Some(found)
    }

    /// Takes a superfluous `${…}` away; reports one that isn't closed.
    fn bare_piece<'t>(&mut self, scalar: &Scalar<'s>, piece: &Piece<'t>) -> Option<Piece<'t>> {
        let piece = piece.trim();
        if !piece.text.starts_with("${") {
            return Some(piece);
        }
        match hole_end(piece.text, 2) {
            Some(end) if end + 1 == piece.text.len() => Some(piece.part(2, end).trim()),
            Some(_) => Some(piece),
            None => {
                self.unclosed_hole(scalar, &piece, 0);
                None
            }
        }
    }

    /// Reads an expression.
    pub(super) fn expression(&mut self, node: &Node<'s>, what: &str) -> Expr {
        let error = Expr {
            kind: ExprKind::Error,
            span: self.span_of(node),
        };
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong_shape(node, what, "a text");
            return error;
        };
        let scalar = scalar.clone();
        if let Some(found) = self.dotted(&scalar) {
            return found;
        }
        self.fragment(&scalar, fragment::expr).unwrap_or(error)
    }

    /// Reads a name.
    pub(super) fn name(&mut self, node: &Node<'s>, what: &str) -> Option<Name> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong_shape(node, what, "a name");
            return None;
        };
        let scalar = scalar.clone();
        self.scalar_name(&scalar)
    }

    /// Reads a scalar, a key perhaps, as a name.
    pub(super) fn scalar_name(&mut self, scalar: &Scalar<'s>) -> Option<Name> {
        if is_word(&scalar.text) && !RESERVED.contains(&&*scalar.text) {
            return Some(self.verbatim(scalar));
        }
        // The grammar decides what a name is; what it says is too general here.
        let offsets = scalar.piece(self.text).offsets(self.source);
        let mut faults = Diagnostics::default();
        let name = fragment::name(&scalar.text, &offsets, &mut faults);
        if faults.is_empty() {
            return Some(name);
        }
        let span = self.span(scalar.start, scalar.end);
        let shown = foreign::shown(&scalar.text);
        self.out.push(if is_word(&scalar.text) {
            let message = format!("`{shown}` is a word of the language");
            Diagnostic::new(codes::KEYWORD_AS_NAME, span, message).help("take another name")
        } else {
            let message = format!("`{shown}` is no name");
            Diagnostic::new(codes::BAD_NAME, span, message).help(NAME_HELP)
        });
        None
    }

    /// Reads a key as the name of a parameter or a field: any word.
    pub(super) fn field_name(&mut self, scalar: &Scalar<'s>) -> Name {
        if !is_word(&scalar.text) {
            let span = self.span(scalar.start, scalar.end);
            let message = format!("`{}` is no name", scalar.text);
            let fault = Diagnostic::new(codes::BAD_NAME, span, message);
            self.out.push(fault.help(NAME_HELP));
        }
        self.verbatim(scalar)
    }

    /// Takes a scalar's text as it is.
    pub(super) fn verbatim(&self, scalar: &Scalar<'_>) -> Name {
        Name {
            text: scalar.text.clone().into_owned(),
            span: self.span(scalar.start, scalar.end),
        }
    }

    /// Reads a node whose text is taken as it is.
    pub(super) fn verbatim_text(&mut self, node: &Node<'s>, what: &str) -> Option<Name> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong_shape(node, what, "a text");
            return None;
        };
        let mut name = self.verbatim(scalar);
        name.text.truncate(name.text.trim_end_matches('\n').len());
        Some(name)
    }

    /// Reads what is called.
    pub(super) fn call_head(&mut self, node: &Node<'s>) -> Option<(Path, Option<TypeExpr>)> {
        if let Kind::Scalar(scalar) = &node.kind
            && scalar
                .text
                .split('.')
                .all(|word| is_word(word) && !RESERVED.contains(&word))
        {
            let Name { text, span } = self.verbatim(scalar);
            return Some((Path { text, span }, None));
        }
        if let Kind::Scalar(scalar) = &node.kind
            && scalar.text.contains('(')
            && scalar.text.trim_end().ends_with(')')
        {
            let span = self.span_of(node);
            let message = format!("`{}` has arguments", foreign::shown(&scalar.text));
            let fault = Diagnostic::new(codes::WRONG_SHAPE, span, message);
            self.out
                .push(fault.help("write them under `with:`, the one without a name as `of:`"));
            return None;
        }
        self.language(node, "`step`", fragment::call_head)
    }

    /// Reads a scalar that is a dotted name, with or without `${}`, by hand:
    /// most are.
    pub(super) fn dotted(&self, scalar: &Scalar<'_>) -> Option<Expr> {
        let text = &*scalar.text;
        let inner = match text.strip_prefix("${") {
            Some(rest) => rest.strip_suffix('}')?,
            None => text,
        };
        let mut words = inner.split('.');
        let first = words.next().filter(|word| is_word(word))?;
        if RESERVED.contains(&first) || !words.all(is_word) {
            return None;
        }
        let start = usize::from(text.len() != inner.len()) * 2;
        let raw = self.text.get(scalar.start as usize..scalar.end as usize)?;
        let quotes = (raw.len() - text.len().min(raw.len())) / 2;
        if raw.get(quotes..quotes + text.len()) != Some(text) {
            return None;
        }
        let base = scalar.start as usize + quotes + start;
        Some(dotted_expr(inner, base, self.source))
    }

    /// Says that a `${` at an offset of a piece is never closed.
    pub(super) fn unclosed_hole(&mut self, scalar: &Scalar<'s>, piece: &Piece<'_>, at: usize) {
        let span = piece.offsets(self.source).span(at, at + 2);
        let Some(comment) = self.comment_behind(scalar) else {
            self.out.push(
                Diagnostic::new(codes::YAML_UNCLOSED_HOLE, span, "this `${` is never closed").help(
                    "write `}` behind the expression, or `$${` for the characters themselves",
                ),
            );
            return;
        };
        let whole = self.span(scalar.start, comment.end);
        let fault = foreign::quote(
            self.text,
            whole,
            "this `${` is not closed before the comment".to_owned(),
        );
        let fault = Diagnostic {
            code: codes::YAML_UNCLOSED_HOLE,
            ..fault
        };
        let mut fault = fault.other(comment, "a ` #` starts a YAML comment here");
        fault.primary.span = span;
        // The language takes a `#` outside of its texts for a comment too.
        if let Some(fix) = &mut fault.fix {
            fix.certainty = Certainty::Likely;
        }
        self.out.push(fault);
    }

    /// Returns the comment that follows a plain scalar on its line.
    fn comment_behind(&self, scalar: &Scalar<'_>) -> Option<Span> {
        let end = scalar.end as usize;
        let rest = self.text.get(end..)?;
        let comment = rest.trim_start_matches([' ', '\t']);
        if !comment.starts_with('#') || comment.len() == rest.len() {
            return None;
        }
        let line = comment.lines().next().unwrap_or("").trim_end();
        let start = end + rest.len() - comment.len();
        Some(Span::new(self.source, start, start + line.len()))
    }
}

fn dotted_expr(text: &str, base: usize, source: SourceId) -> Expr {
    let mut expr: Option<Expr> = None;
    let mut at = base;
    for word in text.split('.') {
        let span = Span::new(source, at, at + word.len());
        at += word.len() + 1;
        let text = word.to_owned();
        expr = Some(match expr {
            None => Expr {
                kind: ExprKind::Name(text),
                span,
            },
            Some(of) => Expr {
                span: of.span.to(span),
                kind: ExprKind::Field(Box::new(of), Name { text, span }),
            },
        });
    }
    expr.unwrap_or(Expr {
        kind: ExprKind::Error,
        span: Span::new(source, base, base),
    })
}

/// Returns whether a text is one word of the language.
pub(super) fn is_word(text: &str) -> bool {
    let mut letters = text.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
}

/// Returns the offset of the `}` that closes a hole, whose `${` ends at an
/// offset.
pub(super) fn hole_end(text: &str, from: usize) -> Option<usize> {
    hole_end_at(text.as_bytes(), from, 0)
}

fn hole_end_at(bytes: &[u8], from: usize, depth: usize) -> Option<usize> {
    if depth > DEPTH_MAX {
        return None;
    }
    let mut open = 0_usize;
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            b'\'' => at = raw_end(bytes, at)?,
            b'"' => at = text_end(bytes, at, depth)?,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns the offset of the last quote of a raw text.
fn raw_end(bytes: &[u8], from: usize) -> Option<usize> {
    let quote: &[u8] = if bytes[from..].starts_with(b"'''") {
        b"'''"
    } else {
        b"'"
    };
    let start = from + quote.len();
    let found = bytes[start..]
        .windows(quote.len())
        .position(|window| window == quote)?;
    Some(start + found + quote.len() - 1)
}

/// Returns the offset of the last quote of a text with holes.
fn text_end(bytes: &[u8], from: usize, depth: usize) -> Option<usize> {
    let quote: &[u8] = if bytes[from..].starts_with(b"\"\"\"") {
        b"\"\"\""
    } else {
        b"\""
    };
    let mut at = from + quote.len();
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(quote) {
            return Some(at + quote.len() - 1);
        }
        at = if rest.starts_with(b"$${") {
            at + 3
        } else if rest.starts_with(b"${") {
            hole_end_at(bytes, at + 2, depth + 1)? + 1
        } else if rest[0] == b'\\' {
            at + 2
        } else {
            at + 1
        };
    }
    None
}
