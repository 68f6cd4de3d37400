//! What happens in a run of a test: how often steps are called, what fails, and
//! a few lines for people.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use flow_compiler::{Called, WorkflowId};
use flow_core::address::{At, Ticket};
use flow_core::amount::{Duration, Timestamp};
use flow_core::event::{Event, Fact, Failure, Then, Timer};
use flow_core::plan::{NodeId, NodeKind};
use flow_core::run::{Run, Stance};
use flow_core::step::Progress;
use flow_runtime::driver::{View, Watcher};

use super::files::Files;
use super::shown::Shown;
use super::suite::Workflow;

/// How many lines are kept of the beginning, and of the end.
const HEAD: usize = 20;
const TAIL: usize = 10;

/// How many failures are kept: the first ones tell.
const FAILURES_MAX: usize = 1000;

/// How often something was called so far, in all runs of a test.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) steps: BTreeMap<Arc<str>, i64>,
    workflows: BTreeMap<WorkflowId, i64>,
}

/// What happens in a run.
pub(super) struct Log<'a> {
    workflow: &'a Workflow,
    files: &'a Files,
    counts: &'a mut Counts,
    /// Instances of workflows that were called.
    entered: BTreeSet<At>,
    began: Timestamp,
    head: Vec<String>,
    tail: VecDeque<String>,
    left_out: usize,
    /// What failed for good, in order.
    failures: Vec<(At, String, Failure)>,
    /// What the last event was about.
    last: Option<At>,
    /// The last step that asks.
    pub(super) asked: Option<Arc<str>>,
    /// The last call that didn't fit into a budget, and why.
    pub(super) short: Option<String>,
    /// The path of the last act of which nobody knows whether it happened.
    pub(super) unknown: Option<String>,
}

impl Counts {
    /// Returns how often something was called.
    pub(super) fn of(&self, called: &Called) -> i64 {
        let count = match called {
            Called::Step(name) => self.steps.get(name),
            Called::Workflow(id, _) => self.workflows.get(id),
        };
        count.copied().unwrap_or(0)
    }
}

impl<'a> Log<'a> {
    pub(super) fn new(
        workflow: &'a Workflow,
        files: &'a Files,
        counts: &'a mut Counts,
        began: Timestamp,
    ) -> Self {
        Self {
            workflow,
            files,
            counts,
            entered: BTreeSet::new(),
            began,
            head: Vec::new(),
            tail: VecDeque::new(),
            left_out: 0,
            failures: Vec::new(),
            last: None,
            asked: None,
            short: None,
            unknown: None,
        }
    }

    /// Returns what a run failed by, and its path: what failed first, unless
    /// something was done about that.
    pub(super) fn cause(&self, run: &Run) -> Option<(NodeId, String, Failure)> {
        let held = |at: &At| matches!(run.stance(at), Some(Stance::Failed(_)));
        let found = self.failures.iter().find(|(at, ..)| held(at));
        if let Some((at, path, failure)) = found {
            return Some((at.node, path.clone(), failure.clone()));
        }
        // What ended by its time has no failure in it but its own.
        match run.stance(&At::root()) {
            Some(Stance::Failed(failure)) => Some((NodeId(0), run.workflow().to_string(), failure)),
            _ => None,
        }
    }

    /// Returns what the last event was about.
    pub(super) fn last(&self) -> Option<&At> {
        self.last.as_ref()
    }

    /// Returns what happened, in short.
    pub(super) fn lines(self) -> Vec<String> {
        let mut lines = self.head;
        if self.left_out > 0 {
            lines.push(format!("… {} more", self.left_out));
        }
        lines.extend(self.tail);
        lines
    }

    fn push(&mut self, line: String) {
        if self.head.len() < HEAD {
            self.head.push(line);
            return;
        }
        self.tail.push_back(line);
        if self.tail.len() > TAIL {
            self.tail.pop_front();
            self.left_out += 1;
        }
    }

    fn count(&mut self, view: &View<'_>, fact: &Fact) {
        if let Fact::AttemptStarted(started) = fact
            && started.ticket.attempt == 1
            && let NodeKind::Step(step) = &view.run.plan().node(started.ticket.at.node).kind
        {
            *self.counts.steps.entry(step.step.clone()).or_default() += 1;
        }
        let about = place(fact);
        if let Some(at) = about {
            self.last = Some(at.clone());
        }
        if self.workflow.origins.calls.is_empty() || about.is_none() {
            return;
        }
        let Some(at) = &self.last else { return };
        for (at, id) in self.entered_by(view.run, at) {
            if self.entered.insert(at) {
                *self.counts.workflows.entry(id).or_default() += 1;
            }
        }
    }

    /// Returns the calls of workflows that an instance is in, or is.
    fn entered_by(&self, run: &Run, at: &At) -> Vec<(At, WorkflowId)> {
        let plan = run.plan();
        let mut found = Vec::new();
        let mut ords = at.ords.clone();
        let mut id = at.node;
        loop {
            if let Some(workflow) = self.workflow.origins.calls.get(&id) {
                let at = At {
                    node: id,
                    ords: ords.clone(),
                };
                found.push((at, *workflow));
            }
            let Some(parent) = &plan.node(id).parent else {
                return found;
            };
            id = parent.node;
            if plan.node(id).repeats() {
                ords.pop();
            }
        }
    }

    /// Keeps what failed for good.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other facts are no failures"
    )]
    fn keep_failure(&mut self, view: &View<'_>, fact: &Fact) {
        let (at, failure, then) = match fact {
            Fact::Failed {
                ticket,
                failure,
                then,
                ..
            } => (&ticket.at, failure, then),
            Fact::Broke {
                at, failure, then, ..
            }
            | Fact::Refused {
                at, failure, then, ..
            } => (at, failure, then),
            _ => return,
        };
        if *then == Then::Fail && self.failures.len() < FAILURES_MAX {
            let path = view.path(at).to_string();
            self.failures.push((at.clone(), path, failure.clone()));
        }
    }

    /// Keeps what the run may have to stop for.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other facts stop no run")]
    fn keep_obstacle(&mut self, view: &View<'_>, fact: &Fact) {
        match fact {
            Fact::Asked { ticket, .. } => {
                if let NodeKind::Step(step) = &view.run.plan().node(ticket.at.node).kind {
                    self.asked = Some(step.step.clone());
                }
            }
            Fact::Refused {
                at,
                failure,
                then: Then::Hold,
                ..
            } => self.short = Some(format!("`{}`: {}", view.path(at), failure.message)),
            Fact::Failed {
                ticket,
                then: Then::Unknown,
                ..
            }
            | Fact::Stopped {
                ticket,
                then: Then::Unknown,
                ..
            }
            | Fact::Probed {
                ticket,
                then: Then::Unknown,
                ..
            } => self.unknown = Some(view.path(&ticket.at).to_string()),
            _ => {}
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other facts are not worth a line"
    )]
    fn line(&self, view: &View<'_>, fact: &Fact) -> Option<String> {
        let shown = Shown::new(self.files, 60);
        let line = match fact {
            Fact::Succeeded { ticket, value, .. } => {
                let value = view.value(value)?;
                format!(
                    "{} gave {}",
                    Self::called(view, &ticket.at),
                    shown.value(&value)
                )
            }
            Fact::Reused { at, .. } => format!("{} is there already", Self::called(view, at)),
            Fact::Failed {
                ticket,
                failure,
                then,
                ..
            } => format!(
                "{} {} ({}): {}",
                Self::called(view, &ticket.at),
                what_follows(then),
                failure.class.word(),
                failure.message
            ),
            Fact::Stopped { ticket, .. } => {
                format!("{} was stopped", Self::called(view, &ticket.at))
            }
            Fact::Broke { at, failure, .. } | Fact::Refused { at, failure, .. } => {
                let class = failure.class.word();
                format!("{} ({class}): {}", view.path(at), failure.message)
            }
            Fact::Waits { ticket, until, .. } => {
                format!("{} waits until {until}", Self::called(view, &ticket.at))
            }
            Fact::Asked {
                ticket, expires, ..
            } => {
                let until = match expires {
                    Some(instant) => format!(" until {instant}"),
                    None => String::new(),
                };
                let called = Self::called(view, &ticket.at);
                format!("{called} asks, and nobody answers{until}")
            }
            Fact::Elapsed(Timer::Expiry(ticket)) => {
                format!(
                    "{} was not answered in time",
                    Self::called(view, &ticket.at)
                )
            }
            Fact::PauseAsked { by } if &**by == "budget" => {
                "paused: the budget doesn't suffice".to_owned()
            }
            _ => return None,
        };
        Some(line)
    }

    fn called(view: &View<'_>, at: &At) -> String {
        let path = view.path(at);
        match &view.run.plan().node(at.node).kind {
            NodeKind::Step(step) => format!("{path}: {}", step.step),
            NodeKind::Value(_)
            | NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => path.to_string(),
        }
    }
}

impl Watcher for Log<'_> {
    fn event(&mut self, view: &View<'_>, event: &Event) {
        self.count(view, &event.fact);
        self.keep_failure(view, &event.fact);
        self.keep_obstacle(view, &event.fact);
        if let Some(line) = self.line(view, &event.fact) {
            let since = Duration((event.at.0 - self.began.0) * Duration::MILLISECOND.0);
            self.push(format!("{:<10} {line}", since.to_string()));
        }
    }

    fn progress(&mut self, _ticket: &Ticket, _progress: &Progress) {}
}

fn what_follows(then: &Then) -> &'static str {
    match then {
        Then::Fail | Then::Cut => "failed",
        Then::FallBack => "failed and falls back",
        Then::Again { .. } => "failed and is tried again",
        Then::Probe { .. } => "may have happened, and its target is asked",
        Then::Unknown => "may have happened, and nobody knows",
        Then::Hold | Then::HoldUntil { .. } => "waits",
    }
}

/// Returns the instance that a fact is about.
#[expect(clippy::wildcard_enum_match_arm, reason = "other facts begin nothing")]
fn place(fact: &Fact) -> Option<&At> {
    match fact {
        Fact::Opened { at, .. }
        | Fact::ItemsExpanded { at, .. }
        | Fact::BranchTaken { at, .. }
        | Fact::RoundOpened { at, .. }
        | Fact::RaceWon { at, .. }
        | Fact::Yielded { at, .. }
        | Fact::Broke { at, .. }
        | Fact::Reused { at, .. }
        | Fact::Refused { at, .. } => Some(at),
        Fact::AttemptStarted(started) => Some(&started.ticket.at),
        _ => None,
    }
}
