//! What is said about what is wrong with a test.

use std::collections::BTreeMap;

use flow_compiler::{Called, CheckedTest, Expect, Seen, Stub, TestAction, TestRun};
use flow_core::amount::Duration;
use flow_core::effect::Effect;
use flow_core::eval::EvalError;
use flow_core::expr::{Expr, Op};
use flow_core::path::StepPath;
use flow_core::plan::NodeId;
use flow_core::run::Standing;
use flow_runtime::rehearse::Rehearsed;
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::span::Span;

use super::Failed;
use super::fit;
use super::log::Log;
use super::names::Names;
use super::perform::{DONE, status_of};
use super::roles::{Misfit, Missing};
use super::shown::{Shown, difference, example};
use super::suite::{Suite, Workflow};
use crate::codes;
use crate::wording::clip;

/// How much of an expression stands in a message, and how much of a value in a
/// frame.
const EXPR_MAX: usize = 80;
const VALUE_MAX: usize = 100;

/// How many values are shown of an expectation.
const PARTS_MAX: usize = 8;

/// How many places are named in a help.
const PLACES_MAX: usize = 3;

/// How a run ended.
#[derive(Debug)]
pub(super) struct End {
    /// The word of the language.
    pub(super) status: &'static str,
    /// Where and why it failed.
    pub(super) failure: Option<Failed>,
    /// The node that failed.
    node: Option<NodeId>,
    /// Why it is paused, and what to do about it.
    pause: Option<(String, Option<String>)>,
}

impl End {
    pub(super) fn of(played: &Rehearsed, log: &Log<'_>) -> Self {
        let status = status_of(&played.outcome);
        let cause = (status == "failed")
            .then(|| log.cause(&played.run))
            .flatten();
        Self {
            status,
            node: cause.as_ref().map(|(node, ..)| *node),
            failure: cause.map(|(_, path, failure)| Failed {
                path,
                class: failure.class.word(),
                message: failure.message.to_string(),
            }),
            pause: (status == "paused").then(|| pause(played, log)),
        }
    }

    /// Says it in a line.
    fn line(&self) -> Option<String> {
        match (&self.failure, &self.pause) {
            (Some(failed), _) => Some(format!(
                "the run failed at `{}` ({}): {}",
                failed.path, failed.class, failed.message
            )),
            (None, Some((why, _))) => Some(format!("the run is paused: {why}")),
            (None, None) if self.status == DONE => None,
            (None, None) => Some(format!("the run is {}", self.status)),
        }
    }
}

fn pause(played: &Rehearsed, log: &Log<'_>) -> (String, Option<String>) {
    if let (true, Some(short)) = (played.run.is_short(), &log.short) {
        return (format!("its budget doesn't suffice for {short}"), None);
    }
    match (played.outcome.standing, &log.asked, &log.unknown) {
        (Standing::Unknown, _, Some(path)) => {
            (format!("nobody knows whether `{path}` happened"), None)
        }
        (_, Some(step), _) => (
            format!("`{step}` asks, and nobody answers"),
            Some(format!("a stub answers: `stub {step} = …`")),
        ),
        _ => ("it waits for what the test doesn't give".to_owned(), None),
    }
}

// Expectations.

/// An expectation that doesn't hold, with the values of its parts.
pub(super) fn not_so(
    suite: &Suite,
    expect: &Expect,
    names: &Names<'_>,
    ends: &BTreeMap<u32, End>,
) -> Diagnostic {
    let written = clip(suite.slice(expect.span), EXPR_MAX);
    let message = format!("`{written}` doesn't hold");
    let shown = Shown::new(names.files, VALUE_MAX);
    let mut fault = with_parts(expect, names, &shown, message);
    if let Expr::Binary(Op::Equal, left, right, _) = &expect.cond
        && let (Ok(left), Ok(right)) = (names.eval(left), names.eval(right))
        && let Some(said) = difference(&left, &right, &shown)
    {
        fault = fault.help(said);
    }
    with_ends(fault, expect, ends)
}

/// An expectation that can't be looked at.
pub(super) fn no_answer(
    suite: &Suite,
    expect: &Expect,
    names: &Names<'_>,
    ends: &BTreeMap<u32, End>,
    error: &EvalError,
) -> Diagnostic {
    let site = error.site.and_then(|site| names.test.sites.get(&site));
    let lost = lost_output(&expect.cond, ends).map(|(_, status)| status);
    let written = clip(suite.slice(expect.span), EXPR_MAX);
    let message = match lost {
        Some("failed") => format!("`{written}` asks for the output of a run that failed"),
        Some(status) => format!("`{written}` asks for the output of a run that is {status}"),
        None => format!("`{written}` has no answer: {error}"),
    };
    let shown = Shown::new(names.files, VALUE_MAX);
    let fault = match site {
        Some(site) => Diagnostic::new(codes::EXPECTATION, *site, message),
        None => with_parts(expect, names, &shown, message),
    };
    with_ends(fault, expect, ends)
}

/// Returns which run's output isn't there that is asked for, and how that run
/// ended.
pub(super) fn lost_output(cond: &Expr, ends: &BTreeMap<u32, End>) -> Option<(u32, &'static str)> {
    let mut lost = None;
    cond.walk(&mut |part| {
        if let Expr::Field(of, name) = part
            && **name == *"output"
            && let Expr::Arg(NodeId(0), slot) = &**of
            && let Some(end) = ends.get(slot)
            && end.status != DONE
        {
            lost = Some((*slot, end.status));
        }
    });
    lost
}

/// Adds why the runs that an expectation speaks of didn't end well.
fn with_ends(mut fault: Diagnostic, expect: &Expect, ends: &BTreeMap<u32, End>) -> Diagnostic {
    for (slot, end) in ends {
        let mut is_meant = false;
        expect.cond.walk(&mut |part| {
            is_meant |= matches!(part, Expr::Arg(NodeId(0), other) if other == slot);
        });
        if is_meant && let Some(line) = end.line() {
            fault = fault.help(line);
        }
    }
    fault
}

/// Says something about an expectation, with the values of its parts. Where they
/// stand is where it is wrong.
fn with_parts(
    expect: &Expect,
    names: &Names<'_>,
    shown: &Shown<'_>,
    message: String,
) -> Diagnostic {
    let mut parts = parts(expect, names, shown).into_iter();
    let Some((span, said)) = parts.next() else {
        return Diagnostic::new(codes::EXPECTATION, expect.span, message);
    };
    let first = Diagnostic::new(codes::EXPECTATION, span, message).label(said);
    parts.fold(first, |fault, (span, said)| fault.other(span, said))
}

/// Returns the parts of an expectation that tell why it doesn't hold, with what
/// is said at each.
fn parts(expect: &Expect, names: &Names<'_>, shown: &Shown<'_>) -> Vec<(Span, String)> {
    let mut found: Vec<(Span, String)> = Vec::new();
    // The last path that has a value: what it begins with tells no more.
    let mut path: Option<Span> = None;
    for part in &expect.parts {
        let is_beginning =
            path.is_some_and(|path| path.start == part.span.start && part.span.end < path.end);
        let is_run = matches!(part.expr, Expr::Arg(NodeId(0), _)) && is_record(part);
        if is_beginning || is_run || found.len() == PARTS_MAX {
            continue;
        }
        let Ok(value) = names.eval(&part.expr) else {
            continue;
        };
        if matches!(part.expr, Expr::Field(..) | Expr::Index(..)) {
            path = Some(part.span);
        }
        found.push((part.span, format!("is {}", shown.value(&value))));
    }
    found
}

fn is_record(part: &Seen) -> bool {
    matches!(part.ty, flow_core::ty::Type::Record(_))
}

// Runs.

/// A run that doesn't end well, which nothing was expected of.
pub(super) fn unexpected_end(run: &TestRun, workflow: &Workflow, end: &End) -> Diagnostic {
    let line = end.line().unwrap_or_default();
    let mut fault = match place(workflow, end.node) {
        Some(span) => Diagnostic::new(codes::UNEXPECTED_END, span, line).label("this failed"),
        None => Diagnostic::new(codes::UNEXPECTED_END, run.span, line),
    };
    if let Some((_, Some(cure))) = &end.pause {
        fault = fault.help(cure.clone());
    }
    fault.help(format!(
        "if that is what should happen, the test says so: `expect r.status == {}`",
        end.status
    ))
}

fn place(workflow: &Workflow, node: Option<NodeId>) -> Option<Span> {
    workflow.origins.nodes.get(node?.0 as usize).copied()
}

/// A call that nobody answers.
pub(super) fn missing_stub<'a>(
    run: &TestRun,
    workflow: &Workflow,
    missing: &Missing,
    stubs: impl Iterator<Item = &'a Stub>,
) -> Diagnostic {
    let step = missing.step.strip_prefix("workflow ");
    let step = step.unwrap_or(&missing.step);
    let message = format!("`{step}` is called, and no stub answers for it");
    let more = match missing.more {
        0 => String::new(),
        1 => ", and once more".to_owned(),
        more => format!(", and {more} times more"),
    };
    let path = &missing.path;
    let why = match missing.effect {
        Effect::Pure => "it starts a program",
        Effect::Read => "it looks at the outside world",
        Effect::Paid => "it costs money",
        Effect::Act(_) => "it changes the outside world",
    };
    let span = place(workflow, Some(missing.node)).unwrap_or(run.span);
    let mut fault = Diagnostic::new(codes::MISSING_STUB, span, message)
        .label(format!("{why}; called as `{path}`{more}"));
    let elsewhere = stubs.filter(|stub| **stub.called.name() == *step);
    for stub in elsewhere.filter_map(|stub| stub.at.as_ref()).take(1) {
        fault = fault.help(format!("there is a stub for `{stub}` only"));
    }
    let example = example(missing.result.as_ref());
    fault.help(format!("write `stub {step} = {example}`"))
}

/// An answer that isn't what a call gives.
pub(super) fn wrong_stub(misfit: &Misfit, stub: &Stub) -> Diagnostic {
    let (name, path, why) = (stub.called.name(), &misfit.path, &misfit.why);
    let message = format!("the answer is not what `{name}` gives at `{path}`: {why}");
    Diagnostic::new(codes::WRONG_STUB, stub.span, message)
        .help("a stub of a step with a type parameter is read as JSON: enums by their outer words")
}

/// A run that doesn't come to its end.
pub(super) fn endless(
    run: &TestRun,
    events: u64,
    last: Option<&StepPath>,
    took: Duration,
) -> Diagnostic {
    let place = last.map_or_else(String::new, |path| format!(", at `{path}`"));
    let message = format!(
        "the run is not over after {events} events and {took} on the simulated clock{place}"
    );
    Diagnostic::new(codes::ENDLESS_RUN, run.span, message)
        .help("let the test run less: shorter lists, a smaller `max`, answers that end a `repeat`")
}

/// Something that a test gives and that has no value.
pub(super) fn no_value(what: &str, span: Span, why: &str) -> Diagnostic {
    let message = format!("{what} has no value: {why}");
    Diagnostic::new(codes::TEST_VALUE, span, message)
}

// Stubs.

/// Says which stubs can't answer any call.
pub(super) fn idle_stubs(suite: &Suite, test: &CheckedTest) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for (at, action) in test.actions.iter().enumerate() {
        if let TestAction::Stub(stub) = action {
            said.extend(idle(suite, stub, &test.actions[at + 1..]));
        }
    }
    said
}

fn idle(suite: &Suite, stub: &Stub, rest: &[TestAction]) -> Option<Diagnostic> {
    let mut others = Vec::new();
    let mut runs = Vec::new();
    for action in rest {
        match action {
            TestAction::Expect(_) => {}
            TestAction::Stub(other) => {
                if other.called == stub.called && other.at == stub.at {
                    break;
                }
            }
            TestAction::Run(run) => {
                let workflow = suite.workflows.get(&run.workflow)?;
                runs.push(&run.workflow);
                for (_, names) in fit::places(workflow, &stub.called) {
                    if fit::may_answer(stub, &names) {
                        return None;
                    }
                    others.push(fit::written(&names));
                }
            }
        }
    }
    let name = stub.called.name();
    let fault = |message: String| Diagnostic::new(codes::IDLE_STUB, stub.span, message);
    if runs.is_empty() {
        return Some(fault("no run comes after this stub".to_owned()));
    }
    if let Called::Workflow(_, own) = &stub.called
        && runs.contains(&own)
    {
        let message = format!("`run` runs `{name}` itself, and a stub stands for calls of it");
        return Some(fault(message));
    }
    let Some(at) = stub.at.as_ref().filter(|_| !others.is_empty()) else {
        return Some(fault(format!("nothing that is run calls `{name}`")));
    };
    others.truncate(PLACES_MAX);
    let places = others.join("`, `");
    Some(
        fault(format!("no call of `{name}` is at `{at}`"))
            .help(format!("it is called at `{places}`")),
    )
}
