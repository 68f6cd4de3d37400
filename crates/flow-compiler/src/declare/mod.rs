//! What files declare: names for types, enumerations and workflows.

pub(crate) mod defaults;
mod files;
mod foreign;
mod named;
mod param;
mod program;
mod refine;
mod step;
#[cfg(test)]
pub(crate) mod tests;
mod types;

pub(crate) use files::load;
pub(crate) use named::{Declarations, Naming, declare};
pub(crate) use param::asks_settings;
pub(crate) use step::{Origin, canonical, effect, signature};
pub(crate) use types::{TypeScope, twice};

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::effect::Effect;
use flow_core::expr::Expr;
use flow_core::ty::Type;
use flow_syntax::ast;
use flow_syntax::span::{SourceId, Span};

use crate::translate::Readings;

/// A parameter of a step or a workflow.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: Arc<str>,
    /// Its type. If that could not be read, nothing is known of it.
    pub ty: Option<Type>,
    /// Whether it takes a text without holes only.
    pub constant: bool,
    /// What it is if nothing is given.
    pub default: ParamDefault,
    /// What it is for.
    pub docs: Arc<str>,
    /// Its place.
    pub span: Span,
}

/// What a parameter is if nothing is given.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamDefault {
    /// It must be given.
    Required,
    /// A value; `none` for an optional that says nothing.
    Value(Expr),
    /// What the project's settings say.
    Setting,
}

/// What can be called besides steps, workflows and library functions.
pub(crate) const RESERVED_CALLS: [&str; 8] = [
    "run", "template", "file", "secret", "calls", "fixture", "price", "provider",
];

/// Names a file of a compilation, in the order in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(pub(crate) usize);

/// Names a workflow of a compilation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkflowId(pub(crate) usize);

/// What a file declares.
#[derive(Debug, Default)]
pub(crate) struct FileScope {
    /// Its path inside the project.
    pub(crate) name: String,
    /// Its source.
    pub(crate) source: SourceId,
    /// Its text.
    pub(crate) text: Arc<str>,
    /// The types and enumerations it declares, by name. A type that could not
    /// be read is there without one.
    pub(crate) types: BTreeMap<String, Declared<Option<Type>>>,
    /// The workflows it declares.
    pub(crate) workflows: BTreeMap<String, Declared<WorkflowId>>,
    /// The files it uses, by the name it uses them with. One that could not be
    /// read is there without an id.
    pub(crate) uses: BTreeMap<String, Declared<Option<FileId>>>,
}

/// Something declared, and where.
#[derive(Debug, Clone)]
pub(crate) struct Declared<T> {
    /// What it is.
    pub(crate) what: T,
    /// Its name's place.
    pub(crate) span: Span,
}

/// A workflow as others see it.
#[derive(Debug)]
pub(crate) struct WorkflowHead<'a> {
    /// The file it stands in.
    pub(crate) file: FileId,
    /// Its tree.
    pub(crate) tree: &'a ast::Workflow,
    /// What it is for.
    pub(crate) docs: &'a str,
    /// Its inputs.
    pub(crate) params: Vec<Param>,
    /// What it says to give.
    pub(crate) returns: Option<Type>,
}

/// What is known of a workflow once its body is checked.
#[derive(Debug, Clone)]
pub(crate) struct WorkflowFacts {
    /// What it gives; nothing for one without a value.
    pub(crate) returns: Option<Type>,
    /// The strongest effect in it.
    pub(crate) effect: Effect,
    /// Whether its body has errors, so that nothing more is said about calls.
    pub(crate) broken: bool,
}

/// Everything that the files of a compilation declare.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// The files, the entry first.
    pub(crate) files: Vec<FileScope>,
    /// The workflows of all files.
    pub(crate) workflows: Vec<WorkflowHead<'a>>,
    /// How scalars and words in defaults were read.
    pub(crate) readings: Readings,
}

impl Program<'_> {
    /// Returns a file.
    pub(crate) fn file(&self, id: FileId) -> &FileScope {
        &self.files[id.0]
    }
}
