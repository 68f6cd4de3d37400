//! What compiling a file gives.

use std::sync::Arc;

use flow_core::effect::Effect;
use flow_core::plan::Plan;
use flow_core::ty::Type;
use flow_syntax::ast::File;
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::{Source, SourceId, Span};

use crate::check::{CheckedTest, CheckedTrigger};
use crate::declare::Param;
use crate::hir;
use crate::lower::Origins;

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
    /// What the files say as trees, the entry first. Whoever has no more use
    /// for all of this may end without taking it apart.
    pub trees: Vec<File>,
    /// What was checked and not made into plans, kept for the same reason.
    pub unlowered: Unlowered,
}

/// What was checked and not made into plans.
#[derive(Debug, Clone, Default)]
pub struct Unlowered(
    #[expect(dead_code, reason = "it is only kept")] pub(crate) Vec<hir::Workflow>,
);

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
