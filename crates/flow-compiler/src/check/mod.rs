//! The checks: names to what they mean, expressions to typed ones, statements
//! to nodes.
//!
//! One [`Checker`] checks one body: of a workflow, a trigger, a test or a
//! declared step. It goes on after every error; what has no type because of an
//! error is silent from then on.

mod scope;
mod words;

mod arguments;
mod block;
mod call;
pub(crate) mod generic;
mod graph;
mod matching;
mod mentions;
mod policies;
mod price;
mod region;
mod workflow;

mod calls;
mod coerce;
mod expr;
mod items;
mod library;
mod lists;
mod literals;
mod names;
mod operators;
mod records;
mod templates;
mod texts;

mod firing;
#[cfg(test)]
mod firing_tests;
mod schedule;
mod test;
mod trigger;

#[cfg(test)]
mod tests;

pub use test::{Called, CheckedTest, Expect, Seen, Slot, Stub, StubReply, TestAction, TestRun};
pub use trigger::{Catchup, CheckedTrigger, FlowEnd, Notify, NotifyOn, Overlap, Schedule, When};

pub(crate) use scope::{Binding, Scopes};
pub(crate) use workflow::sequence;

use flow_core::expr::{Expr, Site};
use flow_core::plan::NodeId;
use flow_core::ty::Type;
use flow_syntax::diagnostic::{Code, Diagnostic, Diagnostics};
use flow_syntax::span::{Source, Span};

use crate::declare::{FileId, Program, WorkflowFacts};
use crate::hir;
use crate::project::Files;
use crate::settings::Settings;
use crate::signature::Signatures;
use crate::translate::Readings;

/// What every check may look at.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    /// What the files declare.
    pub(crate) program: &'a Program<'a>,
    /// What is known of workflows whose bodies are checked, by their ids. A
    /// callee is checked before its callers.
    pub(crate) facts: &'a [Option<WorkflowFacts>],
    /// The declared steps.
    pub(crate) signatures: &'a Signatures,
    /// What the project sets.
    pub(crate) settings: &'a Settings,
    /// The texts of templates.
    pub(crate) files: &'a dyn Files,
}

impl<'a> World<'a> {
    /// Returns the same with what is known of workflows by now.
    pub(crate) fn with<'b>(self, facts: &'b [Option<WorkflowFacts>]) -> World<'b>
    where
        'a: 'b,
    {
        World { facts, ..self }
    }
}

/// Checks one body.
pub(crate) struct Checker<'a> {
    /// What it may look at.
    pub(crate) world: World<'a>,
    /// The file in which names are looked up.
    pub(crate) file: FileId,
    /// What is wrong.
    pub(crate) out: Diagnostics,
    /// The names that can be seen.
    pub(crate) scopes: Scopes,
    /// What has been made of the body.
    pub(crate) body: hir::Workflow,
    /// The id that the next template gets as a source.
    pub(crate) next_source: u32,
    /// The templates that were read, as sources, so that faults in them have a
    /// place.
    pub(crate) loaded: Vec<Source>,
    /// The statement that is being checked, before which a fix may put another.
    pub(crate) stmt: Option<Span>,
    /// What is noted of a test. Only a test may use fixtures.
    pub(crate) test: Option<test::Notes>,
    /// How many comprehensions are open.
    locals: u32,
    /// How many expressions are open.
    depth: u32,
    /// How scalars and bare words were read, for translation.
    pub(crate) readings: Readings,
    /// The nodes that are being made, the innermost last.
    making: Vec<Making>,
}

/// A node that is being made.
#[derive(Debug)]
struct Making {
    node: NodeId,
    sites: u32,
    draws: u32,
}

/// An expression and its type. Without a type there was an error in it, which
/// has been reported: everything fits it, and nothing more is said.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    /// The expression.
    pub(crate) expr: Expr,
    /// Its type.
    pub(crate) ty: Option<Type>,
}

impl Typed {
    /// Makes an expression of a type.
    pub(crate) fn new(expr: Expr, ty: Type) -> Self {
        Self { expr, ty: Some(ty) }
    }

    /// Stands for an expression with an error.
    pub(crate) fn unknown() -> Self {
        Self {
            expr: Expr::Const(flow_core::value::Value::None),
            ty: None,
        }
    }
}

impl<'a> Checker<'a> {
    /// Starts on a body of a file.
    pub(crate) fn new(world: World<'a>, file: FileId) -> Self {
        Self {
            world,
            file,
            out: Diagnostics::default(),
            scopes: Scopes::default(),
            body: hir::Workflow::default(),
            next_source: 0,
            loaded: Vec::new(),
            readings: Readings::new(),
            stmt: None,
            test: None,
            locals: 0,
            depth: 0,
            making: Vec::new(),
        }
    }

    /// Starts a diagnostic; hand it to [`Self::report`] when it is complete.
    pub(crate) fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, span, message)
    }

    /// Reports a diagnostic.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.out.push(diagnostic);
    }

    /// Says that what follows belongs to a node.
    pub(crate) fn enter(&mut self, node: NodeId) {
        self.making.push(Making {
            node,
            sites: 0,
            draws: 0,
        });
    }

    /// Says that a node is made.
    pub(crate) fn leave(&mut self) {
        self.making.pop();
    }

    /// Remembers where the node that is being made is given a budget.
    pub(crate) fn budget_at(&mut self, span: Span) {
        if let Some(making) = self.making.last() {
            self.body.budgets.push((making.node, span));
        }
    }

    /// Numbers an expression that can fail, and remembers its place.
    pub(crate) fn site(&mut self, span: Span) -> Site {
        let Some(making) = self.making.last_mut() else {
            return Site(0);
        };
        let site = Site(making.sites);
        making.sites += 1;
        self.body.sites.push((making.node, site, span));
        site
    }

    /// Numbers a draw.
    pub(crate) fn draw(&mut self) -> u32 {
        let Some(making) = self.making.last_mut() else {
            return 0;
        };
        making.draws += 1;
        making.draws - 1
    }

    /// Looks a value's name up, notes that the statement in which it stands
    /// needs it, and applies what is known of it there (`x is some`). `None`
    /// if there is no such name; nothing is reported then.
    pub(crate) fn value(&mut self, name: &str) -> Option<Typed> {
        let found = self.scopes.find(name)?;
        self.need(&found);
        Some(found.typed)
    }

    /// Notes that the statement in which a name stands needs what it stands
    /// for.
    fn need(&mut self, found: &scope::Found) {
        if let Some((from, to)) = found.edge {
            self.body.edge(from, to, flow_core::plan::Edge::Data);
        }
    }
}
