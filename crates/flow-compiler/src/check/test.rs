//! Tests: what is replaced, what is run, and what is expected of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::expr::Expr;
use flow_core::plan::{NodeId, Template};
use flow_core::ty::{Bounds, Type};
use flow_syntax::ast::{self, Entry, ExprKind, Reply, TestStmtKind, TextPart};
use flow_syntax::diagnostic::{Certainty, nearest};
use flow_syntax::span::Span;

use super::call::Callee;
use super::firing::{record, run_status, words};
use super::{Binding, Checker, generic};
use crate::codes;
use crate::declare::twice;

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
    /// Its name, as it is called in the entry.
    pub step: Arc<str>,
    /// The only place where it is replaced: the end of a path, of whole parts.
    /// A stub with a place goes before one without.
    pub at: Option<Arc<str>>,
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
    /// How many calls of a step were made in all runs of the test so far,
    /// attempts counted once.
    Calls(Arc<str>),
}

impl<'a> Checker<'a> {
    /// Checks a test. What can't be used of it is left out, and reported.
    pub(crate) fn test(&mut self, tree: &'a ast::Test) -> CheckedTest {
        self.in_test = true;
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
                    let cond = self.with_calls(cond, &mut slots);
                    let (expr, _, _) = self.cond(&cond);
                    let span = cond.span;
                    actions.push(TestAction::Expect(Expect { cond: expr, span }));
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
        CheckedTest {
            name: tree.name.text.as_str().into(),
            span: tree.name.span,
            actions,
            slots,
            templates: std::mem::take(&mut self.body.templates),
        }
    }

    fn stub_twice(&mut self, step: &ast::Path, first: Span) {
        let name = ast::Name {
            text: step.text.clone(),
            span: step.span,
        };
        self.report(
            twice("stub of", &name, first)
                .help("join answers by `then`, or say for which call each is by `at \"path\"`"),
        );
    }

    fn stub(
        &mut self,
        step: &ast::Path,
        at: Option<&ast::Name>,
        replies: &[Reply],
        span: Span,
    ) -> Option<Stub> {
        let gives = match self.callee(&step.text) {
            Callee::Step(signature) => {
                let open = generic::is_open(&signature.returns);
                Some(Some(if open {
                    Type::Json
                } else {
                    signature.returns.clone()
                }))
            }
            Callee::Workflow(id) => match self.world.facts.get(id.0).and_then(Option::as_ref) {
                Some(facts) if facts.broken => None,
                Some(facts) => Some(facts.returns.clone()),
                None => Some(self.world.program.workflows[id.0].returns.clone()),
            },
            Callee::Unknown => {
                self.report_unknown_stub(step);
                None
            }
        };
        if let Some(at) = at {
            self.check_place(at);
        }
        let mut read = Vec::new();
        for reply in replies {
            match reply {
                Reply::Value(value) => read.extend(self.reply(value, gives.as_ref(), step)),
                Reply::Fails { class, times, .. } => {
                    let class = self.failure_class(class);
                    let times = match times {
                        Some(times) => self.at_least_one(times),
                        None => Some(1),
                    };
                    if let (Some(class), Some(times)) = (class, times) {
                        read.push(StubReply::Fails(class, times));
                    }
                }
            }
        }
        gives.is_some().then(|| Stub {
            step: step.text.as_str().into(),
            at: at.map(|at| at.text.as_str().into()),
            replies: read,
            span,
        })
    }

    /// Checks an answer. What is expected is unknown after an error, and
    /// nothing for a workflow without a value.
    fn reply(
        &mut self,
        value: &ast::Expr,
        gives: Option<&Option<Type>>,
        step: &ast::Path,
    ) -> Option<StubReply> {
        match gives {
            None => {
                self.expr(value, None);
                None
            }
            Some(None) if value.kind == ExprKind::None => Some(StubReply::Value(
                Expr::Const(flow_core::value::Value::None),
                Type::None,
            )),
            Some(None) => {
                let message = format!("`{}` gives nothing", step.text);
                self.report(
                    Self::error(codes::NO_VALUE, value.span, message)
                        .help("write `none` for its answer"),
                );
                None
            }
            Some(Some(ty)) => {
                let what = format!("an answer of `{}`", step.text);
                let expr = self.expr_for(value, ty, &what, step.span);
                Some(StubReply::Value(expr, ty.clone()))
            }
        }
    }

    fn report_unknown_stub(&mut self, step: &ast::Path) {
        let name = step.text.as_str();
        let file = self.world.program.file(self.file);
        let steps = self.world.signatures.steps.keys().map(AsRef::as_ref);
        let names = steps.chain(file.workflows.keys().map(String::as_str));
        let near = nearest(name, names).map(str::to_owned);
        let message = format!("there is no step or workflow `{name}`");
        let diagnostic = Self::error(codes::UNKNOWN_STEP, step.span, message);
        self.report(match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                step.span,
                near,
            ),
            None => diagnostic.help("`flow steps` lists all of them"),
        });
    }

    /// Checks that a text can be the end of a path: `stills[2]/drafts`.
    fn check_place(&mut self, at: &ast::Name) {
        let part = |part: &str| {
            let (name, key) = match part.split_once('[') {
                Some((name, rest)) => (name, rest.strip_suffix(']')),
                None => (part, Some("0")),
            };
            let letters = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
            !name.is_empty()
                && name.chars().all(letters)
                && key.is_some_and(|key| !key.is_empty() && !key.contains('['))
        };
        if !at.text.split('/').all(part) {
            let message = format!("`{}` is no part of a path", at.text);
            self.report(
                Self::error(codes::BAD_PLACE, at.span, message)
                    .help("a path has names and keys, as in `stills[2]/drafts`"),
            );
        }
    }

    fn failure_class(&mut self, class: &ast::Name) -> Option<FailureClass> {
        let words = FailureClass::ALL.map(|class| (class.word(), class));
        self.word(class, &words, "a step can fail with")
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
            let step = self.counted(call);
            let count = Type::Int(Bounds {
                min: Some(0),
                max: None,
            });
            let ty = step.is_some().then_some(count);
            let step = step.unwrap_or_else(|| "".into());
            let binding = Binding {
                expr: Expr::Arg(NodeId(0), slot(slots, Slot::Calls(step))),
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
    fn counted(&mut self, call: &ast::Call) -> Option<Arc<str>> {
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
        match self.callee(&step.text) {
            Callee::Step(_) | Callee::Workflow(_) => Some(step.text.into()),
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
