//! Who answers the calls of a run: stubs for their steps, and the steps
//! themselves where they reach nothing outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_compiler::{Called, Stub, StubReply, WorkflowId};
use flow_core::amount::{Duration, Money};
use flow_core::effect::{Effect, FailureClass};
use flow_core::json;
use flow_core::path::StepPath;
use flow_core::plan::NodeId;
use flow_core::run::Prepared;
use flow_core::step::{Bill, Executor, Sent, StepCall, StepFailure, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_runtime::rehearse::{Answer, Cast};
use flow_steps::Registry;

use super::fit::stand_in;

/// A stub, and how far it is.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) stub: Stub,
    lines: Vec<Line>,
    /// The next line, and how often it was given.
    at: usize,
    given: u32,
}

/// An answer of a stub.
#[derive(Debug, Clone)]
pub(super) enum Line {
    Value(Value),
    Fails(FailureClass, u32),
}

/// A call that nobody can answer.
#[derive(Debug, Clone)]
pub(super) struct Missing {
    pub(super) step: Arc<str>,
    pub(super) node: NodeId,
    pub(super) path: StepPath,
    pub(super) effect: Effect,
    pub(super) result: Option<Type>,
    /// How many more calls of the step there were.
    pub(super) more: usize,
}

/// An answer that isn't what a call gives.
#[derive(Debug, Clone)]
pub(super) struct Misfit {
    /// Which role gave it.
    pub(super) role: usize,
    pub(super) path: StepPath,
    pub(super) why: String,
}

/// All who answer.
#[derive(Debug, Clone)]
pub(super) struct Roles {
    pub(super) all: Vec<Role>,
    /// The workflows that are steps in the plan, by the names of those.
    workflows: BTreeMap<Arc<str>, WorkflowId>,
    /// What carries out steps that are what they are in tests too.
    pub(super) steps: Registry,
    pub(super) missing: Vec<Missing>,
    pub(super) misfits: Vec<Misfit>,
    /// How many calls nobody has answered so far.
    pub(super) silent: usize,
}

impl Role {
    pub(super) fn new(stub: Stub, lines: Vec<Line>) -> Self {
        Self {
            stub,
            lines,
            at: 0,
            given: 0,
        }
    }

    /// Returns the next line. The last one stays.
    fn next(&mut self) -> Option<Line> {
        let line = self.lines.get(self.at)?.clone();
        self.given = self.given.saturating_add(1);
        let times = match line {
            Line::Value(_) => 1,
            Line::Fails(_, times) => times,
        };
        if self.given >= times && self.at + 1 < self.lines.len() {
            self.at += 1;
            self.given = 0;
        }
        Some(line)
    }
}

impl Line {
    /// Makes a line of an answer whose value is known.
    pub(super) fn of(reply: &StubReply, value: Option<Value>) -> Self {
        match reply {
            StubReply::Value(..) => Self::Value(value.unwrap_or(Value::None)),
            StubReply::Fails(class, times) => Self::Fails(*class, *times),
        }
    }
}

impl Roles {
    pub(super) fn new(steps: Registry) -> Self {
        Self {
            all: Vec::new(),
            workflows: BTreeMap::new(),
            steps,
            missing: Vec::new(),
            misfits: Vec::new(),
            silent: 0,
        }
    }

    /// Takes a stub on, in place of the one for the same calls.
    pub(super) fn take_on(&mut self, role: Role) {
        if let Called::Workflow(id, name) = &role.stub.called {
            self.workflows.insert(stand_in(name), *id);
        }
        let same =
            |other: &Role| other.stub.called == role.stub.called && other.stub.at == role.stub.at;
        self.all.retain(|other| !same(other));
        self.all.push(role);
    }

    pub(super) fn stubs(&self) -> impl Iterator<Item = &Stub> + Clone {
        self.all.iter().map(|role| &role.stub)
    }

    /// Returns whether what is called under this name in a plan is what a stub
    /// stands for.
    fn is_called(&self, step: &Arc<str>, called: &Called) -> bool {
        match called {
            Called::Step(name) => name == step,
            Called::Workflow(id, _) => self.workflows.get(step) == Some(id),
        }
    }

    /// Finds the narrowest stub for a call; of equal ones, the last.
    fn find(&self, step: &Arc<str>, path: &StepPath) -> Option<usize> {
        let roles = self.all.iter().enumerate();
        let fitting = roles.filter(|(_, role)| {
            let at = role.stub.at.as_ref();
            self.is_called(step, &role.stub.called) && at.is_none_or(|at| at.fits(path))
        });
        let narrowest = fitting.max_by_key(|(_, role)| {
            let at = role.stub.at.as_ref();
            at.map_or((0, 0), flow_core::path::PathEnd::narrowness)
        });
        narrowest.map(|(at, _)| at)
    }

    /// Notes a call that nobody can answer. All of a step are one mistake.
    fn miss(&mut self, call: &StepCall) {
        self.silent += 1;
        let known = self.missing.iter_mut().find(|one| one.step == call.step);
        if let Some(known) = known {
            known.more += 1;
            return;
        }
        self.missing.push(Missing {
            step: call.step.clone(),
            node: call.ticket.at.node,
            path: call.path.clone(),
            effect: call.effect,
            result: call.result.clone(),
            more: 0,
        });
    }

    /// Plays a stub.
    fn play(&mut self, role: usize, call: &StepCall) -> Answer<StepReport> {
        match self.all[role].next() {
            Some(Line::Value(value)) => {
                let gives = self.all[role].stub.gives.as_ref();
                match fitted(value, gives, call.result.as_ref()) {
                    Ok(value) => Answer::now(StepReport::Done {
                        value,
                        bill: bill(call.bound),
                    }),
                    Err(why) => {
                        self.silent += 1;
                        self.misfits.push(Misfit {
                            role,
                            path: call.path.clone(),
                            why,
                        });
                        Answer::Never
                    }
                }
            }
            Some(Line::Fails(class, _)) => fails(class, call),
            None => Answer::Never,
        }
    }
}

impl Cast for Roles {
    fn start(&mut self, call: StepCall) -> Answer<StepReport> {
        if let Some(role) = self.find(&call.step, &call.path) {
            return self.play(role, &call);
        }
        if let Some(step) = self.steps.get(&call.step) {
            let step: Arc<dyn Executor> = step.clone();
            return Answer::Work(Box::pin(async move { step.start(call).await }));
        }
        self.miss(&call);
        Answer::Never
    }

    /// What a stub answers is for one call, and what it answered before is not
    /// what it answers now.
    fn is_shared(&self, attempt: &Prepared) -> bool {
        self.find(&attempt.step, &attempt.path).is_none()
    }
}

/// Returns what an attempt is billed: all that it may cost.
fn bill(bound: Money) -> Bill {
    if bound > Money(0) {
        Bill::Exact(bound)
    } else {
        Bill::None
    }
}

/// Returns an answer as what a call gives. Where the step leaves that to the
/// call, the stub has it as JSON.
fn fitted(value: Value, gives: Option<&Type>, wanted: Option<&Type>) -> Result<Value, String> {
    let Some(wanted) = wanted else {
        return Ok(Value::None);
    };
    if gives != Some(&Type::Json) || *wanted == Type::Json {
        return Ok(value);
    }
    let found = json::to_json(&value, &Type::Json).map_err(|mismatch| mismatch.to_string())?;
    json::from_json(&found, wanted).map_err(|mismatch| mismatch.to_string())
}

/// Fails as a step would. Of an attempt that took too long nobody knows what
/// became of it; it took as long as it may. The others are refusals.
fn fails(class: FailureClass, call: &StepCall) -> Answer<StepReport> {
    let (sent, took) = match class {
        FailureClass::Timeout => (Sent::Maybe, call.timeout.unwrap_or_default()),
        FailureClass::UnknownOutcome => (Sent::Maybe, Duration(0)),
        FailureClass::Transient
        | FailureClass::RateLimited
        | FailureClass::Invalid
        | FailureClass::Auth
        | FailureClass::Policy
        | FailureClass::Capacity
        | FailureClass::Budget
        | FailureClass::Expired
        | FailureClass::Bug => (Sent::Refused, Duration(0)),
    };
    let failure = StepFailure {
        class,
        sent,
        bill: None,
        retry_after: None,
        message: "as the stub says".into(),
    };
    Answer::After(took, StepReport::Failed(failure))
}
