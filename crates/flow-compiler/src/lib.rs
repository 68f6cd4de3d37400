//! Checks a file of the flow language and lowers it to plans.
//!
//! [`compile`] is the whole interface: texts and declared steps in, plans and
//! diagnostics out. This crate reads no files itself and knows nothing of how a
//! plan is run or stored. It never panics, whatever the text.
//!
//! Modules, in reading order: what it says, what it is told, the declarations,
//! the checks, the plan.

pub mod codes;
pub mod project;
pub mod settings;

pub mod declare;
pub mod signature;
pub mod stdlib;

mod check;
mod follow;
mod hir;
mod lower;
mod pipeline;
mod quoting;
mod translate;

pub use check::{
    Catchup, CheckedTest, CheckedTrigger, Expect, FlowEnd, Notify, NotifyOn, Overlap, Schedule,
    Slot, Stub, StubReply, TestAction, TestRun, When,
};
pub use declare::{Param, ParamDefault};
pub use lower::Origins;
pub use signature::{Signature, Signatures};
pub use translate::translate;

use std::sync::Arc;

use flow_core::effect::Effect;
use flow_core::plan::Plan;
use flow_core::ty::Type;
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::{Source, SourceId, Span};

use project::Files;
use settings::Settings;

/// All that a file and the files it uses say.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Every source that was read, by its id; the entry is the first that is
    /// not a declaration.
    pub sources: Vec<Source>,
    /// The entry's id.
    pub entry: SourceId,
    /// Everything that is wrong, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The entry's workflows, in the order in which they are written. Without
    /// errors each has a plan.
    pub workflows: Vec<CompiledWorkflow>,
    /// The entry's triggers.
    pub triggers: Vec<CheckedTrigger>,
    /// The entry's tests.
    pub tests: Vec<CheckedTest>,
}

/// A workflow of the entry.
#[derive(Debug, Clone)]
pub struct CompiledWorkflow {
    /// Its name.
    pub name: Arc<str>,
    /// What it is for.
    pub docs: String,
    /// Its name's place.
    pub span: Span,
    /// Its inputs.
    pub params: Vec<Param>,
    /// What it gives.
    pub returns: Option<Type>,
    /// The strongest effect in it.
    pub effect: Effect,
    /// Its plan, if the file has no errors.
    pub plan: Option<Plan>,
    /// Where the plan's nodes come from.
    pub origins: Origins,
}

impl Compiled {
    /// Returns a source by its id.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// Returns whether the file can be used.
    pub fn is_ok(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads, checks and lowers a file and all that it uses.
///
/// `name` is the entry's path inside the project, with `/`; `text` is its text.
/// Declared steps come as [`Signatures`]; the texts of other files and of
/// templates are asked from `files`.
pub fn compile(
    name: &str,
    text: Arc<str>,
    signatures: &Signatures,
    settings: &Settings,
    files: &dyn Files,
) -> Compiled {
    pipeline::read(name, text, signatures, settings, files).0
}
