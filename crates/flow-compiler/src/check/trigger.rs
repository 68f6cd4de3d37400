//! Triggers: what runs a workflow without anybody asking.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::amount::Duration;
use flow_core::expr::Expr;
use flow_core::plan::{Limits, NodeId, Template};
use flow_core::ty::{Bounds, Type};
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind, TriggerClause, TriggerClauseKind};
use flow_syntax::span::Span;

use super::firing::{file_event, webhook_event};
use super::{Binding, Checker};
use crate::codes;
use crate::declare::WorkflowId;

/// A checked trigger.
#[derive(Debug, Clone)]
pub struct CheckedTrigger {
    /// Its name.
    pub name: Arc<str>,
    /// What it is for.
    pub docs: Arc<str>,
    /// Its name's place.
    pub span: Span,
    /// The workflow of this file that it runs.
    pub workflow: Arc<str>,
    /// The workflow's arguments, defaults included. They are computed at each
    /// firing, with its seed; [`Expr::Event`] is what made it fire.
    pub args: BTreeMap<Arc<str>, Expr>,
    /// The templates of the arguments.
    pub templates: Vec<Template>,
    /// What makes it fire.
    pub when: When,
    /// What happens if it fires while its last run is not over.
    pub overlap: Overlap,
    /// Whether it begins switched off.
    pub paused: bool,
    /// After how many failed runs in a row it is switched off.
    pub pause_after: Option<u32>,
    /// The limits of its runs together, and of each.
    pub limits: Limits,
    /// Who is told of what.
    pub notify: Vec<Notify>,
}

/// What makes a trigger fire.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// A clock.
    Cron(Schedule),
    /// A request to the server: a POST to the path.
    Webhook {
        /// The path, from its `/` on.
        path: Arc<str>,
        /// The type that the body has as JSON. A body that isn't of it is
        /// refused.
        body: Type,
    },
    /// A file that appears or changes, and then stays the same for a moment.
    File {
        /// A pattern of paths in the project, as in `file.glob`.
        pattern: Arc<str>,
    },
    /// The end of a run of a workflow of this file.
    Flow {
        /// The workflow.
        workflow: Arc<str>,
        /// Which ends count.
        end: FlowEnd,
    },
}

/// A clock's pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields, with single blanks between.
    pub cron: Arc<str>,
    /// The time zone, by its name: the trigger's own, else the project's, else
    /// `UTC`.
    pub tz: Arc<str>,
    /// What happens to firings that were missed.
    pub catchup: Catchup,
    /// The longest that a firing is put off, by its seed.
    pub jitter: Duration,
}

/// What happens if a trigger fires while its last run is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// The firing is dropped.
    #[default]
    Skip,
    /// It waits for its turn.
    Queue,
    /// The run is stopped.
    Cancel,
    /// Both run.
    Allow,
}

/// What happens to firings that were missed while nothing was there to see
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Catchup {
    /// They are forgotten.
    #[default]
    None,
    /// The last one is made up for.
    Last,
    /// So many of them at most are made up for, the latest.
    All(u32),
}

/// Which ends of a run count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowEnd {
    /// Any.
    Finished,
    /// It succeeded.
    Done,
    /// It failed.
    Failed,
}

/// Who is told of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// By what: `email`, `webhook`, `desktop`.
    pub channel: Arc<str>,
    /// To whom: an address.
    pub to: Arc<str>,
    /// Of what.
    pub on: Vec<NotifyOn>,
}

/// What somebody can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotifyOn {
    /// A run succeeded.
    Done,
    /// A run failed.
    Failure,
    /// A call didn't fit into a budget.
    Budget,
    /// A run waits for a person.
    Question,
    /// Nobody knows whether an act happened.
    Unknown,
}

/// What was read of a trigger's clauses so far, and where.
#[derive(Default)]
struct Clauses {
    when: Option<(Option<When>, Span)>,
    event: Option<Type>,
    tz: Option<String>,
    catchup: Option<Catchup>,
    jitter: Option<Duration>,
    overlap: Option<Overlap>,
    paused: bool,
    pause_after: Option<u32>,
    limits: Vec<ast::Clause>,
    notify: Vec<Notify>,
}

impl<'a> Checker<'a> {
    /// Checks a trigger. `None` if it can't be used, which is reported.
    pub(crate) fn trigger(&mut self, tree: &'a ast::Trigger, docs: &str) -> Option<CheckedTrigger> {
        self.scopes.push();
        self.enter(NodeId(0));
        let mut clauses = Clauses::default();
        self.forbid_repeated(&tree.clauses);
        for clause in &tree.clauses {
            self.trigger_clause(clause, &mut clauses);
        }
        let limits = self.limits(&clauses.limits);
        if let Some(event) = clauses.event.take() {
            let span = clauses.when.as_ref().map_or(tree.name.span, |when| when.1);
            self.scopes.bind(
                "event",
                Binding {
                    expr: Expr::Event,
                    ty: Some(event),
                    empty: false,
                    span,
                    used: true,
                },
            );
        }
        let called = self.run_call(&tree.call, "a trigger");
        self.leave();
        self.scopes.pop();
        let Some((when, span)) = clauses.when else {
            self.report(
                Self::error(
                    codes::TRIGGER_WHEN,
                    tree.name.span,
                    format!("nothing makes `{}` fire", tree.name.text),
                )
                .help("add `cron \"0 6 * * *\"`, `on webhook \"/path\"`, `on file \"inbox/*\"` or `on flow name finished`"),
            );
            return None;
        };
        let (id, args) = called?;
        let workflow: Arc<str> = self.world.program.workflows[id.0]
            .tree
            .name
            .text
            .as_str()
            .into();
        let mut when = when?;
        match &mut when {
            When::Cron(schedule) => {
                let project = self.world.settings.tz.as_deref();
                let tz = clauses.tz.as_deref().or(project).unwrap_or("UTC");
                schedule.tz = tz.into();
                schedule.catchup = clauses.catchup.unwrap_or_default();
                schedule.jitter = clauses.jitter.unwrap_or_default();
            }
            When::Flow { workflow: of, .. } if *of == workflow => {
                let message = format!("`{workflow}` would start itself for ever");
                self.report(Self::error(codes::TRIGGER_LOOP, span, message).help(
                    "repeat inside of the workflow with `repeat`, or by the clock with `cron`",
                ));
            }
            When::Webhook { .. } | When::File { .. } | When::Flow { .. } => {}
        }
        Some(CheckedTrigger {
            name: tree.name.text.as_str().into(),
            docs: docs.into(),
            span: tree.name.span,
            workflow,
            args,
            templates: std::mem::take(&mut self.body.templates),
            when,
            overlap: clauses.overlap.unwrap_or_default(),
            paused: clauses.paused,
            pause_after: clauses.pause_after,
            limits,
            notify: clauses.notify,
        })
    }

    /// Checks a call that starts a run: of a workflow of this file.
    pub(super) fn run_call(
        &mut self,
        call: &ast::Expr,
        who: &str,
    ) -> Option<(WorkflowId, BTreeMap<Arc<str>, Expr>)> {
        let ExprKind::Call(call) = &call.kind else {
            if call.kind != ExprKind::Error {
                let message = format!("{who} runs a workflow");
                self.report(
                    Self::error(codes::RUNS_WORKFLOW, call.span, message)
                        .help("write a call, as in `poster(theme: \"rain\")`"),
                );
            }
            return None;
        };
        let id = self.own_workflow(&call.path, who)?;
        let params = &self.world.program.workflows[id.0].params;
        Some((id, self.arguments(call, params)))
    }

    /// Finds a workflow of this file.
    pub(super) fn own_workflow(&mut self, path: &ast::Path, who: &str) -> Option<WorkflowId> {
        let file = self.world.program.file(self.file);
        if let Some(workflow) = file.workflows.get(&path.text) {
            return Some(workflow.what);
        }
        let found = self.callee(&path.text);
        let name = path.text.as_str();
        let (message, help) = match found {
            super::call::Callee::Step(_) => (
                format!("{who} runs a workflow, and `{name}` is a step"),
                "call it in a workflow of this file".to_owned(),
            ),
            super::call::Callee::Workflow(_) => (
                format!("{who} runs a workflow of its own file, and `{name}` is in another"),
                "call it in a workflow of this file".to_owned(),
            ),
            super::call::Callee::Unknown => {
                let names = file.workflows.keys().map(String::as_str);
                let near = flow_syntax::diagnostic::nearest(name, names);
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("declare it: `workflow {name}() {{ … }}`"),
                };
                (format!("there is no workflow `{name}`"), help)
            }
        };
        self.report(Self::error(codes::RUNS_WORKFLOW, path.span, message).help(help));
        None
    }

    /// Reports clauses that can stand once only and stand twice.
    fn forbid_repeated(&mut self, clauses: &[TriggerClause]) {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for clause in clauses {
            let word = match &clause.kind {
                TriggerClauseKind::Cron { .. }
                | TriggerClauseKind::Webhook { .. }
                | TriggerClauseKind::File(_)
                | TriggerClauseKind::Flow { .. } => "a second `cron` or `on`",
                TriggerClauseKind::Overlap(_) => "a second `overlap`",
                TriggerClauseKind::Catchup { .. } => "a second `catchup`",
                TriggerClauseKind::Jitter(_) => "a second `jitter`",
                TriggerClauseKind::Paused => "a second `paused`",
                TriggerClauseKind::PauseAfter(_) => "a second `pause after`",
                // Limits are looked at together; many may be told.
                TriggerClauseKind::Limit(_) | TriggerClauseKind::Notify { .. } => continue,
            };
            if let Some(first) = seen.insert(word, clause.span) {
                let message = format!("a trigger can't have {word}");
                let mut diagnostic = Self::error(codes::TRIGGER_CLAUSE, clause.span, message)
                    .other(first, "this is the first");
                if word.contains("cron") {
                    diagnostic = diagnostic.help("write a second trigger");
                }
                self.report(diagnostic);
            }
        }
        let cron = clauses
            .iter()
            .any(|clause| matches!(clause.kind, TriggerClauseKind::Cron { .. }));
        for clause in clauses {
            let word = match &clause.kind {
                TriggerClauseKind::Catchup { .. } if !cron => "catchup",
                TriggerClauseKind::Jitter(_) if !cron => "jitter",
                TriggerClauseKind::Catchup { .. }
                | TriggerClauseKind::Jitter(_)
                | TriggerClauseKind::Cron { .. }
                | TriggerClauseKind::Webhook { .. }
                | TriggerClauseKind::File(_)
                | TriggerClauseKind::Flow { .. }
                | TriggerClauseKind::Overlap(_)
                | TriggerClauseKind::Paused
                | TriggerClauseKind::PauseAfter(_)
                | TriggerClauseKind::Limit(_)
                | TriggerClauseKind::Notify { .. } => continue,
            };
            let message = format!("`{word}` belongs to `cron`");
            self.report(Self::error(codes::TRIGGER_CLAUSE, clause.span, message));
        }
    }

    fn trigger_clause(&mut self, clause: &TriggerClause, read: &mut Clauses) {
        match &clause.kind {
            TriggerClauseKind::Cron { pattern, tz } => {
                let cron = self.cron(pattern);
                if let Some(tz) = tz {
                    read.tz = self.time_zone(tz);
                }
                let when = cron.map(|cron| {
                    When::Cron(Schedule {
                        cron: cron.into(),
                        tz: "UTC".into(),
                        catchup: Catchup::None,
                        jitter: Duration::default(),
                    })
                });
                read.when = Some((when, clause.span));
            }
            TriggerClauseKind::Webhook { path, body } => {
                let body = match body {
                    Some(body) => self.type_expr(body),
                    None => Some(Type::Json.optional()),
                };
                read.event = body.clone().map(webhook_event);
                let when = self.webhook_path(path).zip(body);
                let when = when.map(|(path, body)| When::Webhook { path, body });
                read.when = Some((when, clause.span));
            }
            TriggerClauseKind::File(pattern) => {
                read.event = Some(file_event());
                let when = self
                    .file_pattern(pattern)
                    .map(|pattern| When::File { pattern });
                read.when = Some((when, clause.span));
            }
            TriggerClauseKind::Flow { path, what } => {
                let (when, event) = self.flow_clause(path, what).unzip();
                read.event = event;
                read.when = Some((when, clause.span));
            }
            TriggerClauseKind::Overlap(word) => {
                let words = [
                    ("skip", Overlap::Skip),
                    ("queue", Overlap::Queue),
                    ("cancel", Overlap::Cancel),
                    ("allow", Overlap::Allow),
                ];
                read.overlap = self.word(word, &words, "while a run is not over, firings are for");
            }
            TriggerClauseKind::Catchup { word, max } => {
                read.catchup = self.catchup(word, max.as_ref());
            }
            TriggerClauseKind::Jitter(literal) => {
                let ty = Type::Duration(Bounds {
                    min: Some(Duration(0)),
                    max: None,
                });
                if let Some((Value::Duration(length), _)) = self.literal(literal, Some(&ty)) {
                    read.jitter = Some(length);
                }
            }
            TriggerClauseKind::Paused => read.paused = true,
            TriggerClauseKind::PauseAfter(literal) => {
                read.pause_after = self.at_least_one(literal);
            }
            TriggerClauseKind::Limit(limit) => read.limits.push(limit.clone()),
            TriggerClauseKind::Notify { channel, to, on } => {
                read.notify.extend(self.notify(channel, to, on));
            }
        }
    }

    fn catchup(&mut self, word: &ast::Name, max: Option<&ast::Literal>) -> Option<Catchup> {
        let words = [
            ("none", Catchup::None),
            ("last", Catchup::Last),
            ("all", Catchup::All(1)),
        ];
        let catchup = self.word(word, &words, "missed firings are made up for by")?;
        match (catchup, max) {
            (Catchup::All(_), Some(max)) => self.at_least_one(max).map(Catchup::All),
            (Catchup::All(_), None) => {
                self.report(
                    Self::error(
                        codes::TRIGGER_CLAUSE,
                        word.span,
                        "`catchup all` says not how many at most",
                    )
                    .help("after a long pause there may be thousands: write `catchup all max 3`"),
                );
                None
            }
            (catchup, None) => Some(catchup),
            (catchup, Some(max)) => {
                let message = format!("`catchup {}` has no `max`", word.text);
                self.report(Self::error(codes::TRIGGER_CLAUSE, max.span, message));
                Some(catchup)
            }
        }
    }

    /// Reads a whole number of at least 1.
    pub(super) fn at_least_one(&mut self, literal: &ast::Literal) -> Option<u32> {
        let (value, _) = self.literal(literal, Some(&Type::int()))?;
        if let Value::Int(count) = value
            && let Ok(count) = u32::try_from(count)
            && count >= 1
        {
            return Some(count);
        }
        let message = format!(
            "expected a whole number of at least 1, found `{}`",
            literal.text
        );
        self.report(Self::error(codes::COUNT, literal.span, message));
        None
    }
}
