//! What to say where the YAML parser stops, and what to cut out so that it can
//! go on to the next fault.

use super::events::FaultKind;
use super::foreign::{self, end_of_value};
use super::tree::Stop;
use crate::codes;
use crate::diagnostic::{Certainty, Diagnostic, Edit};
use crate::span::{SourceId, Span};

/// A text of which the parser read a part.
pub(super) struct Stopped<'t> {
    /// The text.
    pub(super) text: &'t str,
    /// Its source.
    pub(super) source: SourceId,
    /// Where it stopped.
    pub(super) stop: Stop,
}

/// What to replace so that reading can go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// These bytes become one scalar that stands for something broken.
    Value(usize, usize),
    /// These bytes become blanks.
    Blank(usize, usize),
    /// Every tab of an indentation becomes a blank.
    Tabs,
}

impl Stopped<'_> {
    /// Says what is wrong, and what to cut out.
    pub(super) fn explain(&self) -> (Diagnostic, Option<Cut>) {
        let at = self.stop.fault.at;
        match self.stop.fault.kind {
            FaultKind::TooDeep => (self.too_deep(), None),
            FaultKind::Tab => self.tab(),
            FaultKind::Directive => (self.directive(), self.blank_line(at)),
            FaultKind::Tag => {
                let end = end_of_value(self.text, at).max(at);
                let word = self.text[at..end].split(' ').next().map_or(0, str::len);
                let fault = foreign::tag(self.text, at, self.span(at, at + word));
                (fault, self.cut_value(at))
            }
            FaultKind::OpenQuote | FaultKind::AfterQuote | FaultKind::Escape => self.quotes(),
            _ if self.stop.bracket.is_some() => self.brackets(),
            FaultKind::StrayBracket => {
                let fault = self.fault(at, at + 1, "this bracket closes nothing");
                (
                    fault.help("if it belongs to a text, quote the text"),
                    self.cut_value(at),
                )
            }
            FaultKind::ColonInValue => self.colon(),
            FaultKind::NoColon => (self.no_colon(), self.blank_line(at)),
            FaultKind::Indentation => (self.indentation(), self.blank_line(at)),
            FaultKind::Indicator | FaultKind::Character => (self.character(), self.cut_value(at)),
            FaultKind::ListHere => {
                let fault = self.fault(at, at + 1, "a list can't begin on the line of its key");
                let fault = fault.help("begin it on the next line, or quote the text");
                (fault, self.cut_value(at))
            }
            FaultKind::OpenBracket | FaultKind::Separator | FaultKind::Other => {
                let fault = self.fault(at, at, "the YAML can't be read at this place");
                (
                    fault.help("check quotes, brackets and indentation"),
                    self.cut_value(at),
                )
            }
        }
    }

    fn too_deep(&self) -> Diagnostic {
        let at = self.stop.fault.at;
        Diagnostic::new(
            codes::TOO_DEEP,
            self.span(at, at),
            "lists and mappings nest more than 64 deep here",
        )
        .help("give a part of it a name of its own")
    }

    fn tab(&self) -> (Diagnostic, Option<Cut>) {
        let mut edits = Vec::new();
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
            if line[..indent].contains('\t') && edits.len() < 1000 {
                edits.push(Edit {
                    span: self.span(at, at + indent),
                    text: line[..indent].replace('\t', "  "),
                });
            }
            at += line.len();
        }
        let place = self.stop.fault.at;
        let message = "YAML is not indented by tabs";
        let Some(first) = edits.first() else {
            let fault = Diagnostic::new(codes::YAML_TAB, self.span(place, place), message);
            return (
                fault.help("write blanks instead of the tab"),
                self.blank_line(place),
            );
        };
        let fault = Diagnostic::new(codes::YAML_TAB, first.span, message)
            .help("indent by two blanks")
            .fix_all(Certainty::Likely, "write two blanks for each tab", edits);
        (fault, Some(Cut::Tabs))
    }

    fn directive(&self) -> Diagnostic {
        let at = self.stop.fault.at;
        let end = end_of_value(self.text, at);
        let written = &self.text[at..end];
        Diagnostic::new(
            codes::YAML_DIRECTIVE,
            self.span(at, end),
            format!("`{written}`: there are no YAML directives here"),
        )
        .help("leave the line out")
    }

    /// A quote that isn't closed, or text behind one that is.
    fn quotes(&self) -> (Diagnostic, Option<Cut>) {
        let at = self.stop.fault.at;
        let from = self.stop.last.map_or(0, |last| last.1).min(at);
        let quote = self.text[from..]
            .find(['"', '\''])
            .map_or(at, |found| from + found);
        let cut = self.cut_value(quote);
        let end = end_of_value(self.text, quote);
        let written = &self.text[quote..end];
        if self.stop.fault.kind == FaultKind::Escape {
            let escape = wrong_escape(self.text, quote);
            let letters = self.text[escape..].chars().take(2);
            let shown = letters.map(char::len_utf8).sum::<usize>();
            let fault = self
                .fault(escape, escape + shown, "this is no escape of `\"…\"`")
                .help("write `\\\\` for a backslash, or the whole in `'…'`");
            return (fault, cut);
        }
        if self.stop.fault.kind == FaultKind::OpenQuote {
            let fault = self.fault(quote, quote + 1, "this quote is never closed");
            return (
                fault.help("write the same quote at the end of the text"),
                cut,
            );
        }
        let fault = Diagnostic::new(
            codes::YAML_QUOTE,
            self.span(at, end.max(at)),
            "the quoted text ends before this",
        )
        .other(self.span(quote, quote + 1), "it begins here");
        let is_whole = written.len() > 1
            && written.starts_with('"')
            && written.ends_with('"')
            && written.contains("${");
        if is_whole {
            let inner = &written[1..written.len() - 1];
            let text = format!("\"{}\"", inner.replace('"', "'"));
            let fault = fault
                .help("inside `\"…\"` write texts of an expression with `'…'`")
                .fix(
                    Certainty::Likely,
                    format!("write `{text}`"),
                    self.span(quote, end),
                    text,
                );
            return (fault, cut);
        }
        if self.stop.bracket.is_some() {
            return (fault.help("separate by `,`, or quote the whole"), cut);
        }
        let text = format!("'{}'", written.replace('\'', "''"));
        let fault = fault.help("quote the whole").fix(
            Certainty::Likely,
            format!("write `{text}`"),
            self.span(quote, end),
            text,
        );
        (fault, cut)
    }

    /// Something between brackets.
    fn brackets(&self) -> (Diagnostic, Option<Cut>) {
        let at = self.stop.fault.at;
        let open = self.stop.bracket.unwrap_or(at);
        if let Some(start) = self.hole_before(at) {
            let end = self.hole_line_end(start);
            let fault = foreign::quote(
                self.text,
                self.span(start, end),
                "a `${…}` between brackets must be quoted".to_owned(),
            );
            return (fault, Some(Cut::Value(start, end)));
        }
        let line = line_start(self.text, at);
        let is_later = open < line;
        let indent = |start: usize| indent_of(self.text, start);
        let begins_line = self.text[line..at]
            .trim_start()
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let is_open = self.stop.fault.kind == FaultKind::OpenBracket
            || is_later && begins_line && indent(line) <= indent(line_start(self.text, open));
        if is_open {
            let fault = self.fault(open, open + 1, "this bracket is never closed");
            let fault = fault.help("close it, or quote it if it belongs to a text");
            return (fault, self.cut_value(open));
        }
        let fault = match self.stop.fault.kind {
            FaultKind::ColonInValue => self
                .fault(at, at + 1, "a `:` can't stand here")
                .help("quote the text, or separate entries by `,`"),
            FaultKind::Character | FaultKind::Indicator => self.character(),
            FaultKind::StrayBracket => self
                .fault(at, at + 1, "this bracket is closed by one of another kind")
                .help("`{` is closed by `}`, `[` by `]`"),
            FaultKind::Separator
            | FaultKind::AfterQuote
            | FaultKind::OpenQuote
            | FaultKind::OpenBracket
            | FaultKind::Tab
            | FaultKind::Directive
            | FaultKind::Tag
            | FaultKind::NoColon
            | FaultKind::Indentation
            | FaultKind::Escape
            | FaultKind::ListHere
            | FaultKind::TooDeep
            | FaultKind::Other => {
                let message = if self.text[open..].starts_with('{') {
                    "expected `,` or `}`"
                } else {
                    "expected `,` or `]`"
                };
                let width = self.text[at..].chars().next().map_or(0, char::len_utf8);
                self.fault(at, at + width, message)
                    .help("quote a text that holds brackets, commas or `: `")
            }
        };
        (fault, self.cut_value(open))
    }

    /// Returns the start of the unquoted `${` that a place between brackets
    /// lies at or in.
    fn hole_before(&self, at: usize) -> Option<usize> {
        let (start, end) = self.stop.last?;
        if self.text.get(start..)?.starts_with("${") {
            return Some(start);
        }
        let is_hole = self.text[..end.min(at)].ends_with('$') && self.text[end..].starts_with('{');
        is_hole.then_some(start)
    }

    /// Returns the end of an unquoted text with holes between brackets.
    fn hole_line_end(&self, start: usize) -> usize {
        let line = end_of_value(self.text, start);
        let mut depth = 0_usize;
        for (offset, byte) in self.text[start..line].bytes().enumerate() {
            match byte {
                b'{' | b'(' | b'[' => depth += 1,
                b'}' | b')' | b']' | b',' if depth == 0 => {
                    return start + self.text[start..start + offset].trim_end().len();
                }
                b'}' | b')' | b']' => depth -= 1,
                _ => {}
            }
        }
        line
    }

    fn colon(&self) -> (Diagnostic, Option<Cut>) {
        let at = self.stop.fault.at;
        let line = line_start(self.text, at);
        let line_above = self
            .stop
            .last
            .is_some_and(|last| last.0 < line && last.1 > line);
        if line_above {
            let start = line + indent_of(self.text, line);
            let key = &self.text[start..at];
            let fault = self
                .fault(
                    start,
                    at,
                    format!("`{key}:` is indented further than its neighbours"),
                )
                .help("indent it like the line above");
            return (fault, self.blank_line(at));
        }
        let (value, _) = self.value_of(at);
        let start = match self.stop.last {
            Some(last) if last.0 >= line && last.0 > value => value.max(line),
            Some(last) if last.0 >= line => last.0,
            _ => value,
        };
        let end = end_of_value(self.text, start);
        if start >= at || end <= at {
            let fault = self.fault(at, at + 1, "a `:` can't stand here");
            return (fault.help("quote the text"), self.cut_value(at));
        }
        let message = "a `: ` in an unquoted value would begin a mapping".to_owned();
        let fault = foreign::quote(self.text, self.span(start, end), message);
        (fault, self.cut_value(at))
    }

    fn no_colon(&self) -> Diagnostic {
        let at = self.stop.fault.at;
        let end = end_of_value(self.text, at);
        let written = &self.text[at..end];
        let fault = self.fault(at, end, format!("`{written}` has no `:`"));
        match written.split_once(|c: char| c == '=' || c.is_whitespace()) {
            Some((key, value)) if !key.is_empty() => {
                let value = value.trim_start_matches([' ', '=']);
                fault.help(format!("write `{key}: {value}`"))
            }
            _ => fault.help("write `key: value`"),
        }
    }

    /// Returns how far a line is indented that is so like none above it.
    pub(super) fn stray_column(&self) -> Option<usize> {
        let line = line_start(self.text, self.stop.fault.at);
        matches!(self.stop.fault.kind, FaultKind::Indentation).then(|| indent_of(self.text, line))
    }

    fn indentation(&self) -> Diagnostic {
        let line = line_start(self.text, self.stop.fault.at);
        let start = line + indent_of(self.text, line);
        let end = end_of_value(self.text, start);
        self.fault(
            start,
            end,
            "this line is indented like none of those above it",
        )
        .help("entries of one mapping, and items of one list, begin in the same column")
    }

    fn character(&self) -> Diagnostic {
        let at = self.stop.fault.at;
        let (value, _) = self.value_of(at);
        // `*/5 * * * *` stops at its second star.
        let starred = self.text[value..].starts_with('*') && value <= at;
        let start = if starred { value } else { at };
        let Some(first) = self.text[start..].chars().next() else {
            return self.fault(at, at, "the YAML can't be read at this place");
        };
        let end = end_of_value(self.text, start).max(start);
        let message = if first == '*' {
            "a value that begins with `*` is a YAML alias".to_owned()
        } else {
            format!("an unquoted value can't begin with `{first}`")
        };
        foreign::quote(self.text, self.span(start, end), message)
    }

    /// Cuts the value that holds a place, or the line if it has none.
    fn cut_value(&self, at: usize) -> Option<Cut> {
        let (start, column) = self.value_of(at);
        let end = self.end_below(start, column);
        let content = self.text[start..end].trim_end();
        let line = line_start(self.text, start);
        let leads = start > line + indent_of(self.text, line);
        if !leads || start > at || content.is_empty() || content == "x" {
            return self.blank_line(at);
        }
        Some(Cut::Value(start, end))
    }

    /// Cuts the line that holds a place, with what is indented below it; the
    /// last line before it that isn't empty if there is nothing on it.
    fn blank_line(&self, at: usize) -> Option<Cut> {
        let head = &self.text[..line_end(self.text, at)];
        let last = head.trim_end().len();
        if last == 0 {
            return None;
        }
        let line = line_start(self.text, last);
        let column = indent_of(self.text, line);
        Some(Cut::Blank(line + column, self.end_below(line, column)))
    }

    /// Returns where the value on the line of a place begins, and the column of
    /// its key or dash.
    fn value_of(&self, at: usize) -> (usize, usize) {
        let line = line_start(self.text, at);
        let text = &self.text[line..line_end(self.text, at)];
        let mut start = indent_of(self.text, line);
        let mut column = start;
        while text[start..].starts_with("- ") {
            column = start;
            start += 2;
            start += text[start..].len() - text[start..].trim_start_matches(' ').len();
        }
        let key = text[start..].find(": ").map(|found| start + found);
        if let Some(key) = key
            && line + key < at
            && is_key(&text[start..key])
        {
            column = start;
            start = key + 1;
            start += text[start..].len() - text[start..].trim_start_matches(' ').len();
        }
        (line + start, column)
    }

    /// Returns the end of a line and of the lines below that are indented
    /// further than a column.
    fn end_below(&self, start: usize, column: usize) -> usize {
        let mut end = line_end(self.text, start);
        let mut at = end;
        while at < self.text.len() {
            let line = at + 1;
            at = line_end(self.text, line);
            let text = self.text[line..at].trim_end();
            if text.is_empty() {
                continue;
            }
            let indent = text.len() - text.trim_start().len();
            let closes = indent == column && text.trim_start().starts_with(['}', ']']);
            if indent <= column && !closes {
                break;
            }
            end = line + text.len();
        }
        end
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    fn fault(&self, start: usize, end: usize, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(codes::YAML_SYNTAX, self.span(start, end), message)
    }
}

/// Makes a cut in a text without moving anything; gives its place.
pub(super) fn apply(cut: &Cut, text: &str) -> (String, Option<usize>) {
    let (start, end, mark) = match *cut {
        Cut::Tabs => return (tabs_to_blanks(text), None),
        Cut::Value(start, end) => (start, end, 'x'),
        Cut::Blank(start, end) => (start, end, ' '),
    };
    let mut next = String::with_capacity(text.len());
    next.push_str(&text[..start]);
    for (at, byte) in text[start..end].bytes().enumerate() {
        next.push(match byte {
            b'\n' | b'\r' => char::from(byte),
            _ if at == 0 => mark,
            _ => ' ',
        });
    }
    next.push_str(&text[end..]);
    (next, Some(start))
}

fn tabs_to_blanks(text: &str) -> String {
    let mut next = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        next.extend(std::iter::repeat_n(' ', indent));
        next.push_str(&line[indent..]);
    }
    next
}

/// Returns the first escape behind a `"` that YAML doesn't have.
fn wrong_escape(text: &str, quote: usize) -> usize {
    let mut letters = text[quote..].char_indices();
    let mut numeric = quote;
    while let Some((at, letter)) = letters.next() {
        if letter != '\\' {
            continue;
        }
        match letters.next() {
            Some((_, 'x' | 'u' | 'U')) if numeric == quote => numeric = quote + at,
            Some((_, known)) if "0abtnvfre \"/\\N_LPxuU\t\r\n".contains(known) => {}
            _ => return quote + at,
        }
    }
    numeric
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['{', '['])
        && text.chars().all(|c| {
            c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'' | '<' | '>' | ' ' | '|')
        })
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

/// Returns how many blanks a line begins with.
fn indent_of(text: &str, line: usize) -> usize {
    let rest = &text[line..];
    rest.len() - rest.trim_start_matches(' ').len()
}
