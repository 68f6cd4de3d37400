//! Habits from other languages, recognised where reading stopped.

mod marks;
mod structure;
mod values;
mod words;

pub(super) use words::{lonely_word, named_value};

use super::Reader;
use super::lex::{self, Kind, Token};
use crate::diagnostic::Diagnostic;

/// The surroundings of the place where reading stopped.
#[derive(Debug)]
pub(super) struct Site<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// Where the statement begins.
    pub(super) start: usize,
    /// Where reading stopped.
    pub(super) at: usize,
    /// What stands there.
    pub(super) found: Token,
    /// What stands before it, the last one last.
    pub(super) before: Vec<Token>,
    /// The bracket of the statement that is open there.
    pub(super) open: Option<Token>,
}

impl<'a> Site<'a> {
    /// Looks at a statement from its beginning.
    pub(super) fn of(text: &'a str, start: usize, at: usize) -> Self {
        let mut before: Vec<Token> = Vec::new();
        let mut open: Vec<Token> = Vec::new();
        let mut next = lex::next_code(text, start);
        while next.start < at && next.kind != Kind::End {
            match next.of(text) {
                "(" | "[" | "{" | "${" => open.push(next),
                ")" | "]" | "}" => {
                    open.pop();
                }
                _ => {}
            }
            before.push(next);
            next = lex::next_code(text, next.end);
        }
        Self {
            text,
            start,
            at,
            found: lex::next_code(text, at),
            before,
            open: open.pop(),
        }
    }

    /// Returns what stands some tokens before the place; 0 is the last one.
    fn back(&self, steps: usize) -> Option<Token> {
        self.before.iter().rev().nth(steps).copied()
    }

    /// Returns what is written some tokens before the place.
    fn back_text(&self, steps: usize) -> &'a str {
        self.back(steps).map_or("", |token| token.of(self.text))
    }

    /// Returns what is written at the place.
    fn here(&self) -> &'a str {
        self.found.of(self.text)
    }

    /// Returns the token behind the place.
    fn after(&self) -> Token {
        lex::next_code(self.text, self.found.end)
    }

    /// Returns the bracket that is open.
    fn bracket(&self) -> &'a str {
        self.open.map_or("", |open| open.of(self.text))
    }

    /// Returns whether the place begins a line of its own.
    fn is_new_line(&self) -> bool {
        lex::begins_line(self.text.as_bytes(), self.found.start)
    }

    /// Says what was found, for a message.
    pub(super) fn found_words(&self) -> String {
        match self.found.kind {
            Kind::End => "the end of the file".to_owned(),
            Kind::Text => "a text".to_owned(),
            Kind::Word | Kind::Number | Kind::Comment | Kind::Mark | Kind::Fault(_) => {
                format!("`{}`", self.found.of(self.text))
            }
        }
    }
}

/// A habit: what it says of a place, if it is one.
type Habit = fn(&Reader<'_>, &Site<'_>) -> Option<Diagnostic>;

/// All habits, the surest first.
const HABITS: &[Habit] = &[
    marks::foreign_holes,
    words::at_start,
    structure::braces_and_then,
    structure::next_item,
    structure::unclosed,
    values::numbers,
    marks::unknown_marks,
    values::foreign_texts,
    marks::equals,
    marks::conditions,
    structure::clauses,
    structure::lists_of_values,
    structure::heads,
    marks::arms,
    marks::foreign_operators,
    structure::methods,
    structure::commas,
    words::keywords,
];

/// Recognises what the author is used to, if anything.
pub(super) fn explain(reader: &Reader<'_>, site: &Site<'_>) -> Option<Diagnostic> {
    HABITS.iter().find_map(|habit| habit(reader, site))
}

/// Returns whether a value can begin with a token.
fn begins_value(text: &str, token: Token) -> bool {
    match token.kind {
        Kind::Number | Kind::Text => true,
        Kind::Word => !matches!(
            token.of(text),
            "and" | "or" | "in" | "is" | "then" | "else" | "for" | "if"
        ),
        Kind::Mark => matches!(token.of(text), "[" | "{" | "(" | "..."),
        Kind::Comment | Kind::Fault(_) | Kind::End => false,
    }
}

/// Returns whether a value can end with a token.
fn ends_value(text: &str, token: Token) -> bool {
    match token.kind {
        Kind::Number | Kind::Text => true,
        Kind::Word => !matches!(
            token.of(text),
            "and"
                | "or"
                | "in"
                | "is"
                | "not"
                | "then"
                | "else"
                | "if"
                | "for"
                | "match"
                | "yield"
                | "return"
        ),
        Kind::Mark => matches!(token.of(text), ")" | "]" | "}"),
        Kind::Comment | Kind::Fault(_) | Kind::End => false,
    }
}
