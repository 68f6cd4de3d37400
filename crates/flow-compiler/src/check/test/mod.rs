//! Tests: what is replaced, what is run, and what is expected of it.

mod notes;
mod stubs;

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::expr::{Expr, Site};
use flow_core::path::PathEnd;
use flow_core::plan::{NodeId, Template};
use flow_core::ty::{Bounds, Type};
use flow_syntax::ast::{self, Entry, ExprKind, TestStmtKind, TextPart};
use flow_syntax::span::Span;

use super::call::Callee;
use super::firing::{record, run_status, words};
use super::{Binding, Checker};
use crate::codes;
use crate::declare::{WorkflowId, twice};

pub(super) use notes::Notes;

/// A checked test.
#[derive(Debug, Clone)]
pub struct CheckedTest {
    /// What it shows.
    pub name: Arc<str>,
    /// Its name's place.
    pub span: Span,
    /// What it does, in order.
    pub actions: Vec<TestAction>,
    /// What the expressions of the test find in `Expr::Arg(NodeId(0), n)`, by
    /// `n`.
    pub slots: Vec<Slot>,
    /// The templates of its expressions.
    pub templates: Vec<Template>,
    /// The places of its expressions that can fail.
    pub sites: BTreeMap<Site, Span>,
    /// The files that stand for what steps give, by their paths in the
    /// project, and where they are named.
    pub fixtures: Vec<(Arc<str>, Span)>,
}

/// What can be called: a step, or a workflow of this file or of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// A declared step.
    Step(Arc<str>),
    /// A workflow, and what it is called in the entry.
    Workflow(WorkflowId, Arc<str>),
}

impl Called {
    /// Returns its name, as it is called in the entry.
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Step(name) | Self::Workflow(_, name) => name,
        }
    }
}

/// A part of a test.
#[derive(Debug, Clone)]
pub enum TestAction {
    /// From here on a step answers what the test says.
    Stub(Stub),
    /// A workflow is run to its end, on a simulated clock.
    Run(TestRun),
    /// Something must be true.
    Expect(Expect),
}

/// A step or workflow that is replaced.
#[derive(Debug, Clone)]
pub struct Stub {
    /// Which.
    pub called: Called,
    /// What it gives; nothing for a workflow without a value. For a step with a
    /// type parameter, `json`.
    pub gives: Option<Type>,
    /// The only place where it is replaced. A stub with a place goes before one
    /// without.
    pub at: Option<PathEnd>,
    /// What it answers, call after call; the last answer stays.
    pub replies: Vec<StubReply>,
    /// Its place.
    pub span: Span,
}

/// An answer of a stub.
#[derive(Debug, Clone, PartialEq)]
pub enum StubReply {
    /// A value of a type. For a step with a type parameter the type may be
    /// `json`, which each call reads as its own.
    Value(Expr, Type),
    /// So many failures of a class. As the last answer it fails for ever.
    Fails(FailureClass, u32),
}

/// A run in a test.
#[derive(Debug, Clone)]
pub struct TestRun {
    /// The slot of its result.
    pub slot: u32,
    /// The workflow of this file that is run.
    pub workflow: Arc<str>,
    /// Its arguments, defaults included.
    pub args: BTreeMap<Arc<str>, Expr>,
    /// Its place.
    pub span: Span,
}

/// Something that must be true.
#[derive(Debug, Clone)]
pub struct Expect {
    /// The condition.
    pub cond: Expr,
    /// Its place.
    pub span: Span,
    /// What it is made of, from the outside to the inside: what tells why it
    /// doesn't hold.
    pub parts: Vec<Seen>,
}

/// A part of an expression that is worth looking at by itself.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its place.
    pub span: Span,
    /// The part.
    pub expr: Expr,
    /// Its type.
    pub ty: Type,
}

/// What an expression of a test can look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// The result of a run: a record with
    ///
    /// - `status`: `done`, `failed`, or `paused` if it waits for what the test
    ///   doesn't give,
    /// - `failure`: the class of its failure, if it failed,
    /// - `cost`: what was spent,
    /// - `seconds`: how long it took by the simulated clock,
    /// - `output`: what the workflow gave, if it gives something. To look at it
    ///   after a failure fails the test.
    Run,
    /// How many calls of it were made in all runs of the test so far, attempts
    /// counted once.
    Calls(Called),
}

impl<'a> Checker<'a> {
    /// Checks a test. What can't be used of it is left out, and reported.
    pub(crate) fn test(&mut self, tree: &'a ast::Test) -> CheckedTest {
        self.test = Some(Notes::default());
        self.scopes.push();
        self.enter(NodeId(0));
        let mut slots = Vec::new();
        let mut actions = Vec::new();
        let mut stubbed = BTreeMap::new();
        for stmt in &tree.stmts {
            match &stmt.kind {
                TestStmtKind::Stub { step, at, replies } => {
                    let key = (step.text.as_str(), at.as_ref().map(|at| at.text.as_str()));
                    if let Some(first) = stubbed.insert(key, step.span) {
                        self.stub_twice(step, first);
                    }
                    let stub = self.stub(step, at.as_ref(), replies, stmt.span);
                    actions.extend(stub.map(TestAction::Stub));
                }
                TestStmtKind::Run { name, call } => {
                    stubbed.clear();
                    let run = self.test_run(name.as_ref(), call, stmt.span, &mut slots);
                    actions.extend(run.map(TestAction::Run));
                }
                TestStmtKind::Expect(cond) => {
                    let expect = self.expectation(cond, &mut slots);
                    actions.push(TestAction::Expect(expect));
                }
                TestStmtKind::Error => {}
            }
        }
        self.leave();
        self.scopes.pop();
        let idle = !actions
            .iter()
            .any(|action| matches!(action, TestAction::Expect(_)));
        if idle && !self.out.has_errors() {
            self.report(
                Self::error(
                    codes::EXPECTS_NOTHING,
                    tree.name.span,
                    "the test expects nothing",
                )
                .help("it shows no more than that nothing breaks: add `expect r.status == done`"),
            );
        }
        let sites = std::mem::take(&mut self.body.sites).into_iter();
        let notes = self.test.take().unwrap_or_default();
        CheckedTest {
            name: tree.name.text.as_str().into(),
            span: tree.name.span,
            actions,
            slots,
            templates: std::mem::take(&mut self.body.templates),
            sites: sites.map(|(_, site, span)| (site, span)).collect(),
            fixtures: notes.fixtures,
        }
    }

    fn expectation(&mut self, tree: &ast::Expr, slots: &mut Vec<Slot>) -> Expect {
        let tree = self.with_calls(tree, slots);
        self.begin_seeing();
        let (cond, _, _) = self.cond(&tree);
        Expect {
            cond,
            span: tree.span,
            parts: self.seen(),
        }
    }

    fn test_run(
        &mut self,
        name: Option<&ast::Name>,
        call: &ast::Expr,
        span: Span,
        slots: &mut Vec<Slot>,
    ) -> Option<TestRun> {
        let called = self.run_call(call, "`run`");
        let slot = slot(slots, Slot::Run);
        if let Some(name) = name {
            if let Some(first) = self.scopes.bound(&name.text) {
                self.report(twice("name", name, first));
            }
            let facts = called
                .as_ref()
                .and_then(|(id, _)| self.world.facts.get(id.0)?.as_ref());
            let ty = facts
                .filter(|facts| !facts.broken)
                .map(|facts| run_result(facts.returns.clone()));
            self.scopes.bind(
                &name.text,
                Binding {
                    expr: Expr::Arg(NodeId(0), slot),
                    ty,
                    empty: false,
                    span: name.span,
                    used: true,
                },
            );
        }
        let (id, args) = called?;
        let workflow = &self.world.program.workflows[id.0];
        Some(TestRun {
            slot,
            workflow: workflow.tree.name.text.as_str().into(),
            args,
            span,
        })
    }

    /// Gives every `calls(step)` in an expression a name that stands for it.
    fn with_calls(&mut self, cond: &ast::Expr, slots: &mut Vec<Slot>) -> ast::Expr {
        let mut cond = cond.clone();
        each(&mut cond, &mut |expr| {
            let ExprKind::Call(call) = &expr.kind else {
                return;
            };
            if call.path.text != "calls" {
                return;
            }
            // No author can write this name.
            let name = format!("calls {}", slots.len());
            let called = self.counted(call);
            let count = Type::Int(Bounds {
                min: Some(0),
                max: None,
            });
            let ty = called.is_some().then_some(count);
            let called = called.unwrap_or_else(|| Called::Step("".into()));
            let binding = Binding {
                expr: Expr::Arg(NodeId(0), slot(slots, Slot::Calls(called))),
                ty,
                empty: false,
                span: call.path.span,
                used: true,
            };
            self.scopes.bind(&name, binding);
            expr.kind = ExprKind::Name(name);
        });
        cond
    }

    /// Returns the step that a `calls(step)` counts.
    fn counted(&mut self, call: &ast::Call) -> Option<Called> {
        let step = match call.args.as_slice() {
            [arg] if arg.name.is_none() => dotted(&arg.value),
            _ => None,
        };
        let Some(step) = step else {
            self.report(
                Self::error(
                    codes::ARGUMENTS,
                    call.path.span,
                    "`calls` takes the name of one step",
                )
                .help("write it without quotes, as in `calls(post.bluesky)`"),
            );
            return None;
        };
        let name: Arc<str> = step.text.as_str().into();
        match self.callee(&step.text) {
            Callee::Step(_) => Some(Called::Step(name)),
            Callee::Workflow(id) => Some(Called::Workflow(id, name)),
            Callee::Unknown => {
                self.report_unknown_stub(&step);
                None
            }
        }
    }
}

fn slot(slots: &mut Vec<Slot>, slot: Slot) -> u32 {
    slots.push(slot);
    u32::try_from(slots.len() - 1).expect("a text of 16 MiB has fewer expressions")
}

/// What a run in a test gives.
fn run_result(output: Option<Type>) -> Type {
    let classes = FailureClass::ALL.map(FailureClass::word);
    let mut fields = vec![
        ("status", run_status()),
        ("failure", words("failure", &classes).optional()),
        ("cost", Type::Money(Bounds::default())),
        ("seconds", Type::float()),
    ];
    fields.extend(output.map(|output| ("output", output)));
    record("result", fields)
}

/// Returns a dotted name that was written as an expression.
fn dotted(expr: &ast::Expr) -> Option<ast::Path> {
    let mut words = Vec::new();
    let mut inner = expr;
    while let ExprKind::Field(of, name) = &inner.kind {
        words.push(name.text.as_str());
        inner = of;
    }
    let text = if let ExprKind::Name(name) = &inner.kind {
        words.push(name);
        words.reverse();
        words.join(".")
    } else if let ExprKind::Bare(bare) = &inner.kind
        && words.is_empty()
    {
        bare.text.clone()
    } else {
        return None;
    };
    let span = expr.span;
    Some(ast::Path { text, span })
}

/// Calls back with an expression and all expressions in it, outermost first.
fn each(expr: &mut ast::Expr, f: &mut dyn FnMut(&mut ast::Expr)) {
    f(expr);
    match &mut expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Bare(_)
        | ExprKind::None
        | ExprKind::Name(_)
        | ExprKind::Error => {}
        ExprKind::Text(text) => {
            for part in &mut text.parts {
                if let TextPart::Hole(hole) = part {
                    each(hole, f);
                }
            }
        }
        ExprKind::Field(of, _) | ExprKind::Unary(_, of) | ExprKind::Is(of, _) => each(of, f),
        ExprKind::Index(of, at) => {
            each(of, f);
            each(at, f);
        }
        ExprKind::Binary(binary) => {
            each(&mut binary.left, f);
            each(&mut binary.right, f);
        }
        ExprKind::If(choice) => {
            each(&mut choice.cond, f);
            each(&mut choice.then, f);
            each(&mut choice.otherwise, f);
        }
        ExprKind::Call(call) => {
            for arg in &mut call.args {
                each(&mut arg.value, f);
            }
        }
        ExprKind::List(items) => {
            for item in items {
                each(item, f);
            }
        }
        ExprKind::Comprehension(made) => {
            each(&mut made.body, f);
            each(&mut made.list, f);
            if let Some(cond) = &mut made.cond {
                each(cond, f);
            }
        }
        ExprKind::Record(entries) => {
            for entry in entries {
                match entry {
                    Entry::Field(_, value) | Entry::Spread(value, _) => each(value, f),
                    Entry::Short(_) => {}
                }
            }
        }
    }
}
