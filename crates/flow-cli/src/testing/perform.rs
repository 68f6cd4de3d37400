//! One test, from its first statement to its last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration as Wait;

use flow_compiler::{CheckedTest, Expect, Slot, Stub, StubReply, TestAction, TestRun};
use flow_core::address::RunId;
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::event::Status;
use flow_core::expr::Expr;
use flow_core::memory::Memory;
use flow_core::plan::{NodeId, Plan};
use flow_core::run::Standing;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_runtime::driver::Outcome;
use flow_runtime::rehearse::{
    NewRehearsal, Rehearsal, Rehearsed, RehearsedMemory, Rest, SimulatedClock, Terrain,
};
use flow_syntax::diagnostic::Diagnostic;

use super::faults::{self, End};
use super::fit;
use super::log::{Counts, Log};
use super::names::{Names, SEED};
use super::roles::{Line, Role, Roles};
use super::suite::{Suite, Workflow};
use super::{Failed, Told, Verdict};
use crate::wording::clip;

/// When tests begin: a Thursday, at midnight in UTC.
pub(super) const BEGINNING: Timestamp = Timestamp(1_767_225_600_000);

/// How many events a run may have.
const EVENTS_MAX: u64 = 1_000_000;

/// How many steps are in progress at once.
const PARALLEL: usize = 64;

/// How long the text of a statement may be where it is a title.
const TITLE_MAX: usize = 76;

/// Carries a test out.
pub(super) async fn perform(suite: &Suite, test: &CheckedTest) -> Verdict {
    let mut stage = Stage::new(suite, test);
    for action in &test.actions {
        match action {
            TestAction::Stub(stub) => stage.stub(stub),
            TestAction::Run(run) => stage.run(run).await,
            TestAction::Expect(expect) => stage.expect(expect),
        }
    }
    stage.verdict()
}

/// A test in progress.
pub(super) struct Stage<'a> {
    suite: &'a Suite,
    pub(super) test: &'a CheckedTest,
    clock: SimulatedClock,
    rehearsal: Rehearsal,
    pub(super) roles: Roles,
    pub(super) counts: Counts,
    pub(super) slots: Vec<Option<Value>>,
    /// The runs that nobody can tell anything about.
    gone: BTreeSet<u32>,
    /// Whether a stub is not there that the runs to come may need.
    is_spoiled: bool,
    /// How runs ended.
    ends: BTreeMap<u32, End>,
    /// How many expectations could not be looked at.
    skipped: usize,
    pub(super) faults: Vec<Diagnostic>,
    runs: Vec<Told>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(suite: &'a Suite, test: &'a CheckedTest) -> Self {
        let clock = SimulatedClock::at(BEGINNING);
        let told = clock.clone();
        let time: flow_steps::Clock = Arc::new(move || told.get());
        let memory = RehearsedMemory::default();
        let remembered: Arc<dyn Memory> = Arc::new(memory.clone());
        Self {
            suite,
            test,
            rehearsal: Rehearsal::new(Terrain {
                clock: clock.clone(),
                terms: suite.terms.clone(),
                memory,
                props: suite.files.props.clone(),
                parallel: PARALLEL,
                events_max: EVENTS_MAX,
            }),
            clock,
            roles: Roles::new(flow_steps::rehearsed(&time, &remembered)),
            counts: Counts::default(),
            slots: vec![None; test.slots.len()],
            gone: BTreeSet::new(),
            is_spoiled: false,
            ends: BTreeMap::new(),
            skipped: 0,
            faults: Vec::new(),
            runs: Vec::new(),
        }
    }

    fn names(&self) -> Names<'_> {
        Names {
            test: self.test,
            files: &self.suite.files,
            slots: &self.slots,
            now: self.clock.get(),
        }
    }

    /// Returns whether an expression speaks of what nobody knows.
    fn is_gone(&self, expr: &Expr) -> bool {
        let mut is_gone = false;
        expr.walk(&mut |part| {
            if let Expr::Arg(NodeId(0), slot) = part {
                let is_count = matches!(self.test.slots.get(*slot as usize), Some(Slot::Calls(_)));
                is_gone |= self.gone.contains(slot) || is_count && !self.gone.is_empty();
            }
        });
        is_gone
    }

    // Stubs.

    pub(super) fn stub(&mut self, stub: &Stub) {
        let mut lines = Vec::with_capacity(stub.replies.len());
        for reply in &stub.replies {
            match self.line(stub, reply) {
                Ok(line) => lines.push(line),
                Err(fault) => {
                    self.faults.extend(fault.map(|fault| *fault));
                    self.is_spoiled = true;
                    return;
                }
            }
        }
        self.roles.take_on(Role::new(stub.clone(), lines));
    }

    fn line(&self, stub: &Stub, reply: &StubReply) -> Result<Line, Option<Box<Diagnostic>>> {
        let StubReply::Value(expr, ty) = reply else {
            return Ok(Line::of(reply, None));
        };
        if self.is_gone(expr) {
            return Err(None);
        }
        let value = self.value(expr, ty);
        let value = value.map_err(|(site, why)| {
            let span = site.and_then(|site| self.test.sites.get(&site).copied());
            let fault = faults::no_value("the answer", span.unwrap_or(stub.span), &why);
            Some(Box::new(fault))
        })?;
        Ok(Line::of(reply, Some(value)))
    }

    /// Computes a value that a test gives, files included.
    fn value(
        &self,
        expr: &Expr,
        ty: &Type,
    ) -> Result<Value, (Option<flow_core::expr::Site>, String)> {
        let mut files = Vec::new();
        expr.walk(&mut |part| {
            if let Expr::File(path, media) = part {
                files.push((path.clone(), *media));
            }
        });
        for (path, media) in files {
            let file = self.suite.files.get(&path, media);
            file.map_err(|why| (None, format!("`{path}`: {why}")))?;
        }
        let value = self.names().eval(expr);
        let value = value.map_err(|error| (error.site, error.to_string()))?;
        // What each call reads as its own is checked there.
        if *ty != Type::Json {
            ty.check(&value)
                .map_err(|mismatch| (None, mismatch.to_string()))?;
        }
        Ok(value)
    }

    // Runs.

    pub(super) async fn run(&mut self, run: &TestRun) {
        let workflow = self.suite.workflows.get(&run.workflow);
        let Some(workflow) = workflow.filter(|_| !self.is_spoiled) else {
            self.gone.insert(run.slot);
            return;
        };
        let plan = self.plan(workflow);
        let began = self.clock.get();
        let new = match self.opening(run, &plan) {
            Ok(new) => new,
            Err(fault) => {
                self.faults.extend(fault.map(|fault| *fault));
                self.gone.insert(run.slot);
                return;
            }
        };
        let before = (self.roles.missing.len(), self.roles.misfits.len());
        let silent = self.roles.silent;
        let mut log = Log::new(workflow, &self.suite.files, &mut self.counts, began);
        let played = self.rehearsal.play(new, &mut self.roles, &mut log).await;
        let end = End::of(&played, &log);
        let last = log.last().map(|at| self.rehearsal.path(&played.run, at));
        let lines = log.lines();
        let is_whole = silent == self.roles.silent && played.rest == Rest::Itself;
        self.runs
            .push(self.told(run, &played, &end, is_whole, began, lines));
        if is_whole {
            self.slots[run.slot as usize] = Some(result(&played, &end, began));
            self.judge_end(run, workflow, &end);
            self.ends.insert(run.slot, end);
        } else {
            self.gone.insert(run.slot);
            self.judge_break(run, workflow, before);
            if played.rest == Rest::GivenUp {
                let took = since(began, played.ended);
                let fault = faults::endless(run, EVENTS_MAX, last.as_ref(), took);
                self.faults.push(fault);
            }
        }
    }

    /// Returns the plan with steps where stubs stand for workflows.
    pub(super) fn plan(&self, workflow: &Workflow) -> Arc<Plan> {
        let stand_ins = fit::stand_ins(workflow, self.roles.stubs());
        if stand_ins.is_empty() {
            workflow.plan.clone()
        } else {
            Arc::new(workflow.plan.with_stand_ins(&stand_ins))
        }
    }

    pub(super) fn opening(
        &self,
        run: &TestRun,
        plan: &Arc<Plan>,
    ) -> Result<NewRehearsal, Option<Box<Diagnostic>>> {
        let mut inputs = Vec::new();
        for param in &plan.root().params {
            let expr = run.args.get(&param.name).or(param.value.as_ref());
            let Some(expr) = expr else { return Err(None) };
            if self.is_gone(expr) {
                return Err(None);
            }
            let value = self.value(expr, &param.ty);
            inputs.push(value.map_err(|(site, why)| {
                let span = site.and_then(|site| self.test.sites.get(&site).copied());
                let what = format!("`{}`", param.name);
                let fault = faults::no_value(&what, span.unwrap_or(run.span), &why);
                Some(Box::new(fault))
            })?);
        }
        let mut files = BTreeMap::new();
        for (path, media) in plan.files() {
            let file = self.suite.files.get(&path, media);
            let file = file.map_err(|why| {
                let what = format!("the file `{path}` of the workflow");
                Some(Box::new(faults::no_value(&what, run.span, &why)))
            })?;
            files.insert(path, file);
        }
        let number = u64::try_from(self.runs.len()).unwrap_or(0);
        Ok(NewRehearsal {
            run: RunId(format!("test{}", number + 1).into()),
            plan: plan.clone(),
            inputs,
            files: files.into_iter().collect(),
            seed: SEED + number,
            budget: None,
        })
    }

    fn told(
        &self,
        run: &TestRun,
        played: &Rehearsed,
        end: &End,
        is_whole: bool,
        began: Timestamp,
        lines: Vec<String>,
    ) -> Told {
        let written = self.suite.slice(run.span).lines().next().unwrap_or("");
        Told {
            written: clip(written, TITLE_MAX),
            workflow: run.workflow.to_string(),
            status: is_whole.then_some(end.status),
            failure: end.failure.clone(),
            cost: cost(played),
            took: since(began, played.ended),
            lines,
        }
    }

    /// A run that doesn't end well has to be expected to.
    fn judge_end(&mut self, run: &TestRun, workflow: &Workflow, end: &End) {
        if end.status != DONE && !self.is_end_looked_at(run.slot) {
            let fault = faults::unexpected_end(run, workflow, end);
            self.faults.push(fault);
        }
    }

    /// Returns whether a test says how a run ends.
    fn is_end_looked_at(&self, slot: u32) -> bool {
        let expects = self.test.actions.iter().filter_map(|action| match action {
            TestAction::Expect(expect) => Some(expect),
            TestAction::Stub(_) | TestAction::Run(_) => None,
        });
        let mut is_looked_at = false;
        for expect in expects {
            expect.cond.walk(&mut |part| {
                if let Expr::Field(of, name) = part
                    && matches!(&**of, Expr::Arg(NodeId(0), other) if *other == slot)
                {
                    is_looked_at |= matches!(&**name, "status" | "failure");
                }
            });
        }
        is_looked_at
    }

    /// Says what stubs are missing or wrong, since a run began.
    fn judge_break(&mut self, run: &TestRun, workflow: &Workflow, before: (usize, usize)) {
        for missing in &self.roles.missing[before.0..] {
            let stubs = self.roles.stubs();
            let fault = faults::missing_stub(run, workflow, missing, stubs);
            self.faults.push(fault);
        }
        for misfit in &self.roles.misfits[before.1..] {
            let stub = &self.roles.all[misfit.role].stub;
            self.faults.push(faults::wrong_stub(misfit, stub));
        }
    }

    // Expectations.

    pub(super) fn expect(&mut self, expect: &Expect) {
        if self.is_gone(&expect.cond) {
            self.skipped += 1;
            return;
        }
        for (slot, value) in self.test.slots.iter().zip(&mut self.slots) {
            if let Slot::Calls(called) = slot {
                *value = Some(Value::Int(self.counts.of(called)));
            }
        }
        let names = self.names();
        let fault = match names.eval(&expect.cond) {
            Ok(Value::Bool(true)) => return,
            Ok(_) => faults::not_so(self.suite, expect, &names, &self.ends),
            // Why that run gave nothing was said where it ended.
            Err(_) if self.is_lost(&expect.cond) => {
                self.skipped += 1;
                return;
            }
            Err(error) => faults::no_answer(self.suite, expect, &names, &self.ends, &error),
        };
        self.faults.push(fault);
    }

    /// Returns whether an expression asks for the output of a run that should
    /// have given one.
    fn is_lost(&self, expr: &Expr) -> bool {
        let lost = faults::lost_output(expr, &self.ends);
        lost.is_some_and(|(slot, _)| !self.is_end_looked_at(slot))
    }

    fn verdict(mut self) -> Verdict {
        let notes = faults::idle_stubs(self.suite, self.test);
        if let (Some(last), 1..) = (self.faults.last_mut(), self.skipped) {
            let skipped = crate::report::counted(self.skipped, "expectation");
            last.helps
                .push(format!("{skipped} could not be looked at because of this"));
        }
        Verdict {
            faults: self.faults,
            notes,
            runs: self.runs,
            simulated: since(BEGINNING, self.clock.get()),
            took: Wait::ZERO,
        }
    }
}

/// The word for a run that went well.
pub(super) const DONE: &str = "done";

/// Returns the word for how a run stands.
pub(super) fn status_of(outcome: &Outcome) -> &'static str {
    match (outcome.standing, outcome.status) {
        (Standing::Over, Some(Status::Succeeded)) => DONE,
        (Standing::Over, _) => "failed",
        (
            Standing::Working
            | Standing::Sleeping(_)
            | Standing::Waiting
            | Standing::Unknown
            | Standing::Short
            | Standing::Paused,
            _,
        ) => "paused",
    }
}

/// Returns what a test sees of a run.
fn result(played: &Rehearsed, end: &End, began: Timestamp) -> Value {
    let failure: Option<&Failed> = end.failure.as_ref();
    let took = since(began, played.ended);
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody waits for so long that it matters"
    )]
    let seconds = took.0 as f64 / Duration::SECOND.0 as f64;
    let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::from([
        ("status".into(), Value::Enum(end.status.into())),
        (
            "failure".into(),
            failure.map_or(Value::None, |failed| Value::Enum(failed.class.into())),
        ),
        ("cost".into(), Value::Money(cost(played))),
        ("seconds".into(), Value::Float(seconds)),
    ]);
    if end.status == DONE {
        let output = played.output.clone().unwrap_or(Value::None);
        fields.insert("output".into(), output);
    }
    Value::Record(Arc::new(fields))
}

/// Returns what counts as spent.
fn cost(played: &Rehearsed) -> Money {
    let costs = played.outcome.costs;
    costs.spent.saturating_add(costs.presumed)
}

fn since(began: Timestamp, ended: Timestamp) -> Duration {
    Duration((ended.0 - began.0).saturating_mul(Duration::MILLISECOND.0))
}
