//! A first look at the tokens of a template.

use std::ops::Range;

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::{DEPTH_MAX, Faults, range, syntax};
use crate::template::outline::{FaultKind, TemplateFault};

/// How many tokens may stand between one pair of delimiters.
const TOKENS_MAX: usize = 512;

/// A first look at the tokens: which statements, how deep, how long.
#[derive(Default)]
struct Survey {
    faults: Faults,
    /// The open statements, each with the levels it counts for.
    open: Vec<(&'static str, Range<usize>, usize)>,
    depth: usize,
    /// Since the last opening delimiter.
    tokens: usize,
    brackets: usize,
    /// The statement word, if a `{%` was the last thing of interest.
    at_word: bool,
    /// A `set` that hasn't had its `=`.
    set: Option<Range<usize>>,
}

/// Returns what can be seen to be wrong without reading expressions.
pub(super) fn faults(text: &str) -> Faults {
    Survey::default().run(text)
}

impl Survey {
    fn run(mut self, text: &str) -> Faults {
        for token in tokenize(text, false, SyntaxConfig::default()) {
            match token {
                Ok((token, span)) => self.token(&token, &range(span)),
                Err(error) => {
                    self.faults.push(syntax(text, &error));
                    return self.faults;
                }
            }
            // Whatever follows would only repeat it.
            if self.depth > DEPTH_MAX || self.brackets > DEPTH_MAX || self.tokens > TOKENS_MAX {
                return self.faults;
            }
        }
        for (word, span, _) in self.open {
            let message = format!("this `{word}` has no `end{word}`");
            self.faults
                .push(TemplateFault::new(FaultKind::Syntax, span, message));
        }
        self.faults
    }

    fn token(&mut self, token: &Token<'_>, span: &Range<usize>) {
        let at_word = std::mem::take(&mut self.at_word);
        self.tokens += 1;
        if self.tokens > TOKENS_MAX {
            self.too_much(span, "this expression is too long");
            return;
        }
        match token {
            Token::VariableStart => (self.tokens, self.brackets) = (0, 0),
            Token::BlockStart => {
                (self.tokens, self.brackets) = (0, 0);
                self.at_word = true;
            }
            Token::Ident(word) if at_word => self.statement(word, span),
            Token::BlockEnd => {
                if let Some(set) = self.set.take() {
                    self.faults.push(
                        TemplateFault::new(FaultKind::Unsupported, set, "this `set` has no value")
                            .help("write `{% set name = value %}`"),
                    );
                }
            }
            Token::Assign => self.set = None,
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                self.brackets += 1;
                if self.brackets > DEPTH_MAX {
                    self.too_much(span, "this nests too deeply");
                }
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.brackets = self.brackets.saturating_sub(1);
            }
            _ => {}
        }
    }

    fn too_much(&mut self, span: &Range<usize>, message: &str) {
        let fault = TemplateFault::new(FaultKind::Syntax, span.clone(), message);
        self.faults
            .push(fault.help("compute it in the workflow and give it as data"));
    }

    fn statement(&mut self, word: &str, span: &Range<usize>) {
        match word {
            "for" => self.open("for", span),
            "if" => self.open("if", span),
            "elif" => match self.open.last_mut() {
                Some((_, _, levels)) => {
                    *levels += 1;
                    self.deeper(span);
                }
                None => self.stray(word, span),
            },
            "else" if self.open.is_empty() => self.stray(word, span),
            "else" | "include" => {}
            "set" => self.set = Some(span.clone()),
            "endfor" => self.close("for", span),
            "endif" => self.close("if", span),
            _ => self.unsupported(word, span),
        }
    }

    fn open(&mut self, word: &'static str, span: &Range<usize>) {
        self.open.push((word, span.clone(), 1));
        self.deeper(span);
    }

    fn deeper(&mut self, span: &Range<usize>) {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            self.too_much(span, "statements nest too deeply here");
        }
    }

    fn close(&mut self, word: &'static str, span: &Range<usize>) {
        match self.open.pop() {
            Some((opened, _, levels)) if opened == word => self.depth -= levels,
            Some((opened, _, levels)) => {
                self.depth -= levels;
                let message = format!("expected `end{opened}`, found `end{word}`");
                self.faults
                    .push(TemplateFault::new(FaultKind::Syntax, span.clone(), message));
            }
            None => self.stray(&format!("end{word}"), span),
        }
    }

    fn stray(&mut self, word: &str, span: &Range<usize>) {
        let message = format!("this `{word}` belongs to nothing");
        self.faults
            .push(TemplateFault::new(FaultKind::Syntax, span.clone(), message));
    }

    fn unsupported(&mut self, word: &str, span: &Range<usize>) {
        // The end of a statement that was complained about already.
        if word.starts_with("end") && !self.faults.is_empty() {
            return;
        }
        let help = match word {
            "macro" | "call" | "import" | "from" => {
                "put the part into a file of its own and `include` it"
            }
            "extends" | "block" => "`include` the common parts instead",
            "with" => "use `set`",
            "filter" | "endset" => "apply the filter to a value: `{{ value | upper }}`",
            "autoescape" => "templates write text and escape nothing",
            "break" | "continue" => "filter the loop: `{% for x in xs if … %}`",
            _ => "templates know `for`, `if`, `set` and `include`",
        };
        let message = format!("templates have no `{word}`");
        self.faults
            .push(TemplateFault::new(FaultKind::Unsupported, span.clone(), message).help(help));
    }
}
