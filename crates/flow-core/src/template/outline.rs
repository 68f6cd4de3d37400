//! What a template says: a tree of our own, with places.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::expr::Op;
use crate::template::filter::{Filter, Test};
use crate::template::parse;
use crate::value::Value;

/// A template that was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outline {
    /// Its parts, in order.
    pub pieces: Vec<Piece>,
    /// The names of what it includes, each once, in order of first use.
    pub includes: Vec<Name>,
}

/// A word and its place in the template, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// The word.
    pub text: Arc<str>,
    /// Where it is.
    pub span: Range<usize>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Letters, blank control applied.
    Text(Arc<str>),
    /// `{{ term }}`
    Emit(Term),
    /// `{% for a in term if term %}`
    For(Box<Loop>),
    /// `{% if %}` and its `elif`s, then its `else`.
    If(Vec<(Term, Vec<Piece>)>, Vec<Piece>),
    /// `{% set name = term %}`
    Set(Name, Term),
    /// `{% include "name" %}`
    Include(Name),
}

/// A loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    /// The item's name, or those of a map's key and value.
    pub names: Vec<Name>,
    /// The list or map.
    pub over: Term,
    /// Which items are taken.
    pub cond: Option<Term>,
    /// What is written for each.
    pub body: Vec<Piece>,
    /// What is written if there is none.
    pub otherwise: Vec<Piece>,
}

/// An expression and its place in the template, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// What it is.
    pub kind: TermKind,
    /// Where it is.
    pub span: Range<usize>,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum TermKind {
    /// A literal.
    Const(Value),
    /// A name.
    Var(Arc<str>),
    /// `a.b`
    Field(Box<Term>, Name),
    /// `a[b]`
    Index(Box<Term>, Box<Term>),
    /// `not a`
    Not(Box<Term>),
    /// `-a`
    Negate(Box<Term>),
    /// `a + b`; never `??`, which templates say with `default`.
    Binary(Op, Box<Term>, Box<Term>),
    /// `a ~ b`
    Concat(Box<Term>, Box<Term>),
    /// `b if a else c`, the condition first.
    If(Box<[Term; 3]>),
    /// `a | filter(…)`
    Filter(Box<Term>, Filter, Vec<Term>),
    /// `a is test`
    Test(Box<Term>, Test, Vec<Term>),
    /// `[a, b]`
    List(Vec<Term>),
}

impl Term {
    /// Returns the dotted path that this is, if it is one: `shot.prompt`.
    pub fn path(&self) -> Option<String> {
        match &self.kind {
            TermKind::Var(name) => Some(name.to_string()),
            TermKind::Field(base, name) => {
                let mut path = base.path()?;
                path.push('.');
                path.push_str(&name.text);
                Some(path)
            }
            TermKind::Const(_)
            | TermKind::Index(..)
            | TermKind::Not(_)
            | TermKind::Negate(_)
            | TermKind::Binary(..)
            | TermKind::Concat(..)
            | TermKind::If(_)
            | TermKind::Filter(..)
            | TermKind::Test(..)
            | TermKind::List(_) => None,
        }
    }
}

/// Something wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The included template it is in; nothing for the outermost.
    pub file: Option<Arc<str>>,
    /// Where it is, in bytes.
    pub span: Range<usize>,
    /// What sort of fault it is.
    pub kind: FaultKind,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The names that would be known in its place, for an unknown one.
    pub candidates: Vec<String>,
}

/// A sort of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// It can't be read.
    Syntax,
    /// A part of minijinja's language that isn't of ours.
    Unsupported,
    /// A name that nothing has.
    UnknownName,
    /// A filter or a test that doesn't exist.
    UnknownFilter,
    /// A value of the wrong type for its place.
    Type,
    /// A value that may be missing.
    Missing,
    /// Something that can't be written into a text.
    Emit,
    /// An `include` of nothing, or of itself.
    Include,
}

impl FaultKind {
    /// Returns its word, for messages and codes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Unsupported => "unsupported",
            Self::UnknownName => "unknown-name",
            Self::UnknownFilter => "unknown-filter",
            Self::Type => "type",
            Self::Missing => "missing",
            Self::Emit => "emit",
            Self::Include => "include",
        }
    }
}

impl TemplateFault {
    pub(super) fn new(kind: FaultKind, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            file: None,
            span,
            kind,
            message: message.into(),
            help: None,
            candidates: Vec::new(),
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateFault {}

/// Reads a template. All faults are returned, in their order in the text.
pub fn outline(text: &str) -> Result<Outline, Vec<TemplateFault>> {
    parse::outline(text)
}
