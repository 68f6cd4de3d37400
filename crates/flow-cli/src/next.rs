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
use crate::page::{quoted, tame};
use crate::scene::with_store;

/// How many things of a sort are said.
const SAID_MAX: usize = 5;

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

    /// Returns the command that drives the run on; nothing if there is nothing
    /// to be driven.
    pub(crate) fn command(&self) -> Option<String> {
        let id = self.run.id();
        let command = match (self.run.standing(), self.run.status()) {
            (Standing::Over, Some(Status::Failed | Status::Cancelled)) => {
                format!("flow retry {id}")
            }
            (Standing::Over, Some(Status::Succeeded) | None) => return None,
            _ => format!("flow resume {id}"),
        };
        Some(self.with_store(&command))
    }

    fn with_store(&self, command: &str) -> String {
        with_store(command, self.store)
    }

    fn outcome(&self, open: &OpenOutcome) -> Vec<String> {
        let id = self.run.id();
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
        let resolve = self.with_store(&format!("flow effects resolve {id} {typed}"));
        let value = match &self.run.plan().node(open.ticket.at.node).ty {
            None | Some(Type::None) => "",
            Some(_) => " VALUE",
        };
        vec![
            format!("{typed} {what}{}{gone}", evidence.unwrap_or_default()),
            format!(
                "  look, then type `{resolve} --happened{value}`, or `--did-not`, or `--give-up`"
            ),
        ]
    }

    fn shortage(&self, short: &Shortage) -> Vec<String> {
        let id = self.run.id();
        let path = typed(&(self.path)(&short.at));
        let mut lines = vec![format!(
            "{path} doesn't fit into a budget: {}",
            short.message
        )];
        let grown = |limit: Option<Money>| {
            let limit = limit?.checked_add(short.missing?)?;
            Some(limit.to_string())
        };
        let amount = |limit| grown(limit).unwrap_or_else(|| "AMOUNT".to_owned());
        let command = match &short.ledger {
            Some(LedgerId::Run(_)) => {
                let amount = amount(self.run.budget_own());
                format!("flow resume {id} --budget '{amount}'")
            }
            Some(LedgerId::Instance(_, at)) => {
                let amount = amount(self.run.budget_of(at));
                let of = (self.path)(at);
                format!("flow resume {id} --budget '{}={amount}'", plain(&of))
            }
            Some(LedgerId::Scope { path: scope, .. }) => match self.scope(&short.at, scope) {
                Some(at) => {
                    let amount = amount(self.run.budget_of(&at));
                    let of = (self.path)(&at);
                    format!("flow resume {id} --budget '{}={amount}'", plain(&of))
                }
                None => format!("flow resume {id}"),
            },
            Some(LedgerId::Place(_, place)) => {
                let mut budgets = self.run.budgets();
                let at = budgets.find(|(_, budget)| budget.place.as_ref() == Some(place));
                match at {
                    Some((at, budget)) => {
                        let amount = amount(Some(budget.amount));
                        let of = (self.path)(at);
                        format!("flow resume {id} --budget '{}={amount}'", plain(&of))
                    }
                    None => format!("flow resume {id}"),
                }
            }
            Some(
                LedgerId::Project
                | LedgerId::ProjectPeriod { .. }
                | LedgerId::Provider(_)
                | LedgerId::Trigger { .. },
            )
            | None => format!("flow resume {id}"),
        };
        let command = self.with_store(&command);
        let later = short.until.map(|until| {
            let again = self.with_store(&format!("flow resume {id}"));
            format!(", or `{again}` after {until}, when the budget begins anew")
        });
        lines.push(format!("  type `{command}`{}", later.unwrap_or_default()));
        lines
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
fn plain(path: &StepPath) -> String {
    path.below().unwrap_or_else(|| path.clone()).to_string()
}

fn more(lines: &mut Vec<String>, count: usize) {
    if count > SAID_MAX {
        lines.push(format!("… and {} more of these", count - SAID_MAX));
    }
}
