//! What to type next: at each place where a run stops, the command that goes on.

use std::path::Path;

use flow_core::address::At;
use flow_core::amount::Money;
use flow_core::arbiter::LedgerId;
use flow_core::effect::Effect;
use flow_core::event::Status;
use flow_core::handle::Values;
use flow_core::path::StepPath;
use flow_core::plan::NodeId;
use flow_core::run::{Belongs, OpenOutcome, Run, Shortage, Standing};
use flow_core::ty::Type;
use flow_steps::Form;

use crate::asked::Asked;
use crate::page::{instant, quoted, tame};
use crate::scene::with_store;

/// How many things of a sort are said.
const SAID_MAX: usize = 5;

/// A command, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) command: String,
    pub(crate) what: String,
}

/// A run that has stopped, and how its instances are called.
pub(crate) struct Stop<'a> {
    pub(crate) run: &'a Run,
    pub(crate) values: &'a dyn Values,
    /// Returns the path of an instance.
    pub(crate) path: &'a dyn Fn(&At) -> StepPath,
    /// Where files are.
    pub(crate) blobs: &'a Path,
    /// The store's folder, if it has to be named.
    pub(crate) store: Option<&'a Path>,
}

/// Returns a path as it is typed: without the name of the workflow, if that isn't
/// needed.
pub(crate) fn typed(path: &StepPath) -> String {
    let first = path.segments().first();
    match path.below() {
        Some(short)
            if short.segments().first().map(|part| &part.name) != first.map(|part| &part.name) =>
        {
            quoted(&short.to_string())
        }
        Some(_) | None => quoted(&path.to_string()),
    }
}

impl Stop<'_> {
    /// Returns the questions that are open.
    pub(crate) fn questions(&self) -> Vec<(flow_core::run::OpenQuestion, Asked)> {
        let questions = self.run.questions().into_iter();
        let asked = questions.filter_map(|question| {
            let form = self.run.load(&question.form, self.values)?;
            let at = &question.ticket.at;
            let asked = Asked {
                run: self.run.id().to_string(),
                store: self.store.map(Path::to_path_buf),
                path: typed(&(self.path)(at)),
                form: Form::read(&form)?,
                ty: self.run.plan().node(at.node).ty.clone(),
                shown: question.shown,
                expires: question.expires,
            };
            Some((question, asked))
        });
        asked.collect()
    }

    /// Returns what people have to see to, a line each, and how to go on.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let questions = self.questions();
        for (_, asked) in questions.iter().take(SAID_MAX) {
            lines.extend(asked.page(self.blobs).lines().map(str::to_owned));
        }
        more(&mut lines, questions.len());
        let outcomes = self.run.outcomes();
        for open in outcomes.iter().take(SAID_MAX) {
            lines.extend(self.outcome(open));
        }
        more(&mut lines, outcomes.len());
        let short = self.run.shortages();
        for one in short.iter().take(SAID_MAX) {
            lines.extend(self.shortage(one));
        }
        more(&mut lines, short.len());
        lines
    }

    /// Returns what people can type about what they have to see to: all of it,
    /// or what is about one instance.
    pub(crate) fn commands(&self, of: Option<&At>) -> Vec<Next> {
        let is_meant = |at: &At| of.is_none_or(|of| of == at);
        let questions = self.questions().into_iter();
        let questions = questions
            .filter(|(question, _)| is_meant(&question.ticket.at))
            .take(SAID_MAX)
            .flat_map(|(_, asked)| asked.commands());
        let outcomes = self.run.outcomes().into_iter();
        let outcomes = outcomes
            .filter(|open| is_meant(&open.ticket.at))
            .take(SAID_MAX)
            .flat_map(|open| self.verdicts(&open));
        let short = self.run.shortages().into_iter();
        let short = short.filter(|short| is_meant(&short.at)).take(SAID_MAX);
        let short = short.flat_map(|short| self.means(&short));
        let mut all: Vec<Next> = questions.chain(outcomes).chain(short).collect();
        // Several calls may need the same budget.
        let mut at = 0;
        while at < all.len() {
            if all[..at].contains(&all[at]) {
                all.remove(at);
            } else {
                at += 1;
            }
        }
        all
    }

    /// Returns the command that drives the run on; nothing if there is nothing
    /// to be driven.
    pub(crate) fn command(&self) -> Option<String> {
        match (self.run.standing(), self.run.status()) {
            (Standing::Over, Some(Status::Failed | Status::Cancelled)) => Some(self.flow("retry")),
            (Standing::Over, Some(Status::Succeeded) | None) => None,
            _ => Some(self.flow("resume")),
        }
    }

    /// Writes a command about the run.
    fn flow(&self, verb: &str) -> String {
        self.with_store(&format!("flow {verb} {}", self.run.id()))
    }

    fn with_store(&self, command: &str) -> String {
        with_store(command, self.store)
    }

    fn outcome(&self, open: &OpenOutcome) -> Vec<String> {
        let path = (self.path)(&open.ticket.at);
        let what = if open.effect == Effect::Paid {
            "was paid for, perhaps, and nobody saw its answer"
        } else {
            "may have happened, and nobody knows"
        };
        let evidence = open
            .evidence
            .as_ref()
            .map(|text| format!(" ({})", tame(text)));
        let gone = match open.place {
            Belongs::Here => "",
            Belongs::Nowhere => "; its step was forgotten since",
        };
        let typed = typed(&path);
        let mut lines = vec![
            format!("{typed} {what}{}{gone}", evidence.unwrap_or_default()),
            "  look, then type".to_owned(),
        ];
        let verdicts = self.verdicts(open).into_iter();
        lines.extend(verdicts.map(|next| format!("    `{}`: {}", next.command, next.what)));
        lines
    }

    /// Returns what can be said of an act that nobody knows about.
    fn verdicts(&self, open: &OpenOutcome) -> Vec<Next> {
        let id = self.run.id();
        let typed = typed(&(self.path)(&open.ticket.at));
        let value = match &self.run.plan().node(open.ticket.at.node).ty {
            None | Some(Type::None) => "",
            Some(_) => " VALUE",
        };
        let next = |verdict: &str, what: &str| Next {
            command: self.with_store(&format!("flow effects resolve {id} {typed} {verdict}")),
            what: what.to_owned(),
        };
        vec![
            next(&format!("--happened{value}"), "it happened"),
            next("--did-not", "it didn't, and is done again"),
            next("--give-up", "nobody will know: it has failed"),
        ]
    }

    fn shortage(&self, short: &Shortage) -> Vec<String> {
        let path = typed(&(self.path)(&short.at));
        let means = self.means(short).into_iter();
        let means = means.map(|next| format!("`{}` ({})", next.command, next.what));
        vec![
            format!("{path} doesn't fit into a budget: {}", short.message),
            format!("  type {}", means.collect::<Vec<_>>().join(" or ")),
        ]
    }

    /// Returns what can be done about a budget that is too small.
    fn means(&self, short: &Shortage) -> Vec<Next> {
        let mut means = Vec::new();
        let grown = |limit: Option<Money>| {
            let limit = limit?.checked_add(short.missing?)?;
            Some(limit.to_string())
        };
        let mut more = |part: Option<&At>, limit| {
            let amount = grown(limit).unwrap_or_else(|| "AMOUNT".to_owned());
            let budget = match part {
                Some(at) => format!("{}={amount}", plain(&(self.path)(at))),
                None => amount,
            };
            let command = format!("flow resume {} --budget '{budget}'", self.run.id());
            means.push(Next {
                command: self.with_store(&command),
                what: "goes on with more money".to_owned(),
            });
        };
        match &short.ledger {
            Some(LedgerId::Run(_)) => more(None, self.run.budget_own()),
            Some(LedgerId::Instance(_, at)) => more(Some(at), self.run.budget_of(at)),
            Some(LedgerId::Scope { path: scope, .. }) => {
                if let Some(at) = self.scope(&short.at, scope) {
                    more(Some(&at), self.run.budget_of(&at));
                }
            }
            Some(LedgerId::Place(_, place)) => {
                let mut budgets = self.run.budgets();
                let at = budgets.find(|(_, budget)| budget.place.as_ref() == Some(place));
                if let Some((at, budget)) = at {
                    more(Some(at), Some(budget.amount));
                }
            }
            Some(
                LedgerId::Project
                | LedgerId::ProjectPeriod { .. }
                | LedgerId::Provider(_)
                | LedgerId::Trigger { .. },
            )
            | None => {}
        }
        let what = match short.until {
            Some(until) => format!("after {}, when the budget begins anew", instant(until)),
            None => "tries it again".to_owned(),
        };
        if means.is_empty() || short.until.is_some() {
            means.push(Next {
                command: self.flow("resume"),
                what,
            });
        }
        means
    }

    /// Returns the instance around a call whose budget for a period it is.
    fn scope(&self, at: &At, path: &str) -> Option<At> {
        let run = self.run;
        let mut node = Some(at.node);
        while let Some(id) = node {
            if *run.plan_path(id) == *path {
                let depth = depth(run, id);
                return Some(At::new(id, at.ords.iter().take(depth).copied()));
            }
            node = run
                .plan()
                .node(id)
                .parent
                .as_ref()
                .map(|parent| parent.node);
        }
        None
    }
}

/// Returns how many items and rounds are in the address of a node.
fn depth(run: &Run, node: NodeId) -> usize {
    let mut depth = 0;
    let mut id = node;
    while let Some(parent) = &run.plan().node(id).parent {
        id = parent.node;
        depth += usize::from(run.plan().node(id).repeats());
    }
    depth
}

/// Returns a path for inside of quotes.
pub(crate) fn plain(path: &StepPath) -> String {
    path.below().unwrap_or_else(|| path.clone()).to_string()
}

fn more(lines: &mut Vec<String>, count: usize) {
    if count > SAID_MAX {
        lines.push(format!("… and {} more of these", count - SAID_MAX));
    }
}
