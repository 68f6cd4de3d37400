//! Texts: escapes, holes, indentation.

use super::Reader;
use super::grammar::{Pair, Rule, parts};
use crate::ast::{ExprKind, Name, Text, TextPart, TextStyle};
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic};

/// A part before escapes are resolved.
enum Piece<'a> {
    /// What is written, and where.
    Letters(&'a str, usize),
    /// `${ … }`
    Hole(Pair<'a>),
}

impl Reader<'_> {
    /// Reads a text of any style.
    pub(super) fn text(&mut self, pair: Pair<'_>, height: usize) -> Text {
        let start = pair.start();
        let rule = pair.as_rule();
        let (style, quotes) = if rule == Rule::lines {
            (TextStyle::Lines, 3)
        } else if rule == Rule::raw_lines {
            (TextStyle::RawLines, 3)
        } else if rule == Rule::raw {
            (TextStyle::Raw, 1)
        } else {
            (TextStyle::Plain, 1)
        };
        let mut pieces = Vec::new();
        if matches!(style, TextStyle::Raw | TextStyle::RawLines) {
            let whole = pair.as_str();
            let inside = &whole[quotes..whole.len() - quotes];
            pieces.push(Piece::Letters(inside, start + quotes));
        } else {
            for part in pair.into_inner() {
                let rule = part.as_rule();
                if rule == Rule::hole {
                    pieces.push(Piece::Hole(part));
                } else if matches!(rule, Rule::text_part | Rule::lines_part) {
                    pieces.push(Piece::Letters(part.as_str(), part.start()));
                }
            }
        }
        let parts = self.pieces(pieces, style, height);
        Text { parts, style }
    }

    fn pieces(&mut self, pieces: Vec<Piece<'_>>, style: TextStyle, height: usize) -> Vec<TextPart> {
        let is_raw = matches!(style, TextStyle::Raw | TextStyle::RawLines);
        let mut margin = Margin::default();
        if matches!(style, TextStyle::Lines | TextStyle::RawLines) {
            margin = Margin::of(&pieces);
            self.first_line(&pieces, margin.drops_first);
        }
        let count = pieces.len();
        let mut parts = Vec::with_capacity(count);
        for (index, piece) in pieces.into_iter().enumerate() {
            match piece {
                Piece::Hole(pair) => {
                    let is_foreign = self.foreign_hole(&pair);
                    let inner = super::grammar::parts(pair).next();
                    let inner = inner.expect("a hole holds an expression");
                    let mut hole = self.expr(inner, height + 1);
                    if is_foreign {
                        hole.kind = ExprKind::Error;
                    }
                    parts.push(TextPart::Hole(hole));
                }
                Piece::Letters(letters, at) => {
                    let mut text = String::with_capacity(letters.len());
                    let is_last = index + 1 == count;
                    self.letters(
                        letters,
                        at,
                        &margin,
                        (index == 0, is_last, is_raw),
                        &mut text,
                    );
                    if !is_raw {
                        self.foreign_braces(letters, at);
                    }
                    if !text.is_empty() {
                        parts.push(TextPart::Str(text));
                    }
                }
            }
        }
        parts
    }

    /// Refuses `${{ name }}`, which would be a record of one field.
    fn foreign_hole(&mut self, pair: &Pair<'_>) -> bool {
        let written = pair.as_str();
        let name = written
            .strip_prefix("${{")
            .and_then(|rest| rest.strip_suffix("}}"));
        let is_foreign = name.is_some_and(|name| name.trim().bytes().all(super::lex::is_word));
        if is_foreign {
            let start = pair.start();
            let fault = super::fragment::foreign_hole(written, 0, |from, to| {
                self.place(start + from, start + to)
            });
            self.report(fault);
        }
        is_foreign
    }

    /// Refuses a text of several lines that begins behind its quotes.
    fn first_line(&mut self, pieces: &[Piece<'_>], is_below: bool) {
        let breaks = |piece: &Piece<'_>| match piece {
            Piece::Letters(letters, _) => letters.contains('\n'),
            Piece::Hole(_) => false,
        };
        if is_below || !pieces.iter().any(breaks) {
            return;
        }
        let span = match pieces.first() {
            Some(Piece::Letters(_, at)) => self.place(*at, *at),
            Some(Piece::Hole(pair)) => self.span(pair).before(),
            None => return,
        };
        let message = "a text of several lines begins on the line after its quotes";
        let diagnostic = Diagnostic::new(codes::TEXT_INDENTATION, span, message)
            .help("break the line behind the opening quotes");
        self.report(diagnostic);
    }

    /// Removes the margin of every line and resolves escapes.
    fn letters(
        &mut self,
        letters: &str,
        at: usize,
        margin: &Margin<'_>,
        (is_first, is_last, is_raw): (bool, bool, bool),
        text: &mut String,
    ) {
        let mut offset = at;
        let count = letters.split('\n').count();
        for (index, line) in letters.split('\n').enumerate() {
            let is_last_line = index + 1 == count;
            let begins = index > 0;
            if begins && !(margin.drops_first && is_first && index == 1) {
                text.push('\n');
            }
            let is_dropped = margin.drops_first && is_first && index == 0;
            let mut rest = if is_dropped { "" } else { line };
            let mut rest_at = offset;
            if begins && margin.drops_first {
                if let Some(inside) = rest.strip_prefix(margin.indent) {
                    rest = inside;
                    rest_at += margin.indent.len();
                } else if !rest.trim().is_empty() || (is_last_line && !is_last) {
                    let length = rest.len() - rest.trim_start().len();
                    let span = self.place(offset, offset + length);
                    let message = "this line stands further left than the closing quotes";
                    let diagnostic = Diagnostic::new(codes::TEXT_INDENTATION, span, message)
                        .help("the blanks before the closing quotes are removed from every line: indent this one as far");
                    self.report(diagnostic);
                } else {
                    rest = "";
                }
            }
            if !is_last_line {
                rest = rest.strip_suffix('\r').unwrap_or(rest);
            }
            if is_raw {
                text.push_str(rest);
            } else {
                self.escapes(rest, rest_at, text);
            }
            offset += line.len() + 1;
        }
    }

    /// Resolves `\n`, `\u{…}` and `$${`.
    fn escapes(&mut self, letters: &str, at: usize, text: &mut String) {
        let mut rest = letters;
        while let Some(index) = rest.find(['\\', '$']) {
            text.push_str(&rest[..index]);
            let here = at + (letters.len() - rest.len()) + index;
            rest = &rest[index..];
            let length = if rest.starts_with("$${") {
                text.push_str("${");
                3
            } else if rest.starts_with('$') {
                text.push('$');
                1
            } else {
                self.escape(rest, here, text)
            };
            rest = &rest[length..];
        }
        text.push_str(rest);
    }

    /// Resolves the escape that a text begins with, and returns its length.
    fn escape(&mut self, rest: &str, at: usize, text: &mut String) -> usize {
        let letter = rest[1..].chars().next();
        let plain = match letter {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some(letter @ ('"' | '\\')) => Some(letter),
            _ => None,
        };
        if let Some(plain) = plain {
            text.push(plain);
            return 2;
        }
        if let Some(digits) = rest.strip_prefix("\\u{") {
            let end = digits.find('}').filter(|end| (1..=6).contains(end));
            let code = end.and_then(|end| u32::from_str_radix(&digits[..end], 16).ok());
            if let (Some(end), Some(letter)) = (end, code.and_then(char::from_u32)) {
                text.push(letter);
                return "\\u{}".len() + end;
            }
        }
        let length = 1 + letter.map_or(0, char::len_utf8);
        let span = self.place(at, at + length);
        let message = format!("`{}` is no escape", &rest[..length]);
        let mut diagnostic = Diagnostic::new(codes::BAD_ESCAPE, span, message).help(
            "the escapes are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\` and `\\u{1F3AC}`; `'…'` has none",
        );
        if letter != Some('u') {
            let fixed = format!("\\{}", &rest[..length]);
            diagnostic =
                diagnostic.fix(Certainty::Likely, "write the backslash twice", span, fixed);
        }
        self.report(diagnostic);
        text.push_str(&rest[..length]);
        length
    }

    /// Warns about `{{ name }}`, which means nothing here.
    fn foreign_braces(&mut self, letters: &str, at: usize) {
        let mut from = 0;
        while let Some(open) = letters[from..].find("{{") {
            let open = from + open;
            let inside = &letters[open + 2..];
            let Some(length) = inside.find("}}") else {
                return;
            };
            let name = inside[..length].trim();
            let name = name.strip_prefix('$').unwrap_or(name);
            from = open + length + 4;
            let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name
                    .bytes()
                    .all(|byte| super::lex::is_word(byte) || byte == b'.');
            if !is_name {
                continue;
            }
            let span = self.place(at + open, at + from);
            let message = format!("`{{{{ {name} }}}}` is only letters here");
            let diagnostic = Diagnostic::new(codes::TEMPLATE_BRACES, span, message)
                .help(
                    "a value in a text is written `${…}`; `'…'` holds braces without this warning",
                )
                .fix(
                    Certainty::Likely,
                    format!("write `${{{name}}}`"),
                    span,
                    format!("${{{name}}}"),
                );
            self.report(diagnostic);
        }
    }

    /// Reads a text that may have no holes.
    pub(super) fn plain_text(&mut self, pair: Pair<'_>) -> Name {
        let pair = if pair.as_rule() == Rule::pattern_literal {
            parts(pair).next().expect("a literal is not empty")
        } else {
            pair
        };
        let span = self.span(&pair);
        let mut text = String::new();
        for part in self.text(pair, 0).parts {
            match part {
                TextPart::Str(letters) => text.push_str(&letters),
                TextPart::Hole(expr) => {
                    let message = "a value can't be put into this text";
                    let diagnostic = Diagnostic::new(codes::UNEXPECTED_HOLE, expr.span, message)
                        .help("it is read before anything runs; write it out");
                    self.report(diagnostic);
                }
            }
        }
        Name { text, span }
    }
}

/// What is taken away from a text of several lines.
#[derive(Default)]
struct Margin<'a> {
    /// Whether the text begins after its first line's end.
    drops_first: bool,
    /// The blanks before the closing quotes' line.
    indent: &'a str,
}

impl<'a> Margin<'a> {
    fn of(pieces: &[Piece<'a>]) -> Self {
        let is_open = |piece: Option<&Piece<'a>>| match piece {
            Some(Piece::Letters(letters, _)) => letters
                .split_once('\n')
                .is_some_and(|(first, _)| first.trim().is_empty()),
            Some(Piece::Hole(_)) | None => false,
        };
        if !is_open(pieces.first()) {
            return Self::default();
        }
        // The last line begins in the last piece that has a line's end.
        let last = pieces.iter().rev().find_map(|piece| match piece {
            Piece::Letters(letters, _) => letters.rsplit_once('\n').map(|(_, last)| last),
            Piece::Hole(_) => None,
        });
        let last = last.unwrap_or("");
        let length = last.len() - last.trim_start_matches([' ', '\t']).len();
        Self {
            drops_first: true,
            indent: &last[..length],
        }
    }
}
