//! `flow show`: how a run stands, or what is in it.
//!
//! Modules, in reading order: the run as a tree, what failed, what can be typed
//! next, one step in full; and all of it for people and for programs.

pub(super) mod faults;
mod json;
mod next;
mod step;
mod text;
pub(super) mod tree;

use flow_core::amount::Money;
use flow_core::event::Status;
use flow_core::expr::Expr;
use flow_core::history::{Place, State};
use flow_core::plan::NodeKind;
use flow_core::run::{Costs, Run};
use flow_core::value::Value;
use flow_runtime::owner::Life;
use flow_syntax::diagnostic::nearest;

use crate::archive::{Archive, Past};
use crate::args::{DataFormat, RunState, Show as Args};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::next::Next;
use crate::output::{Looks, Output};
use crate::source::Written;
use crate::standing::Words;

use faults::Fault;
use tree::{Detail, Tree};

/// All that is shown of a run.
struct Shown<'a> {
    words: Words<'a>,
    state: RunState,
    /// Who drives it, if somebody does.
    driver: Option<Life>,
    tree: Tree,
    faults: Vec<Fault>,
    next: Vec<Next>,
    written: Option<Written>,
    /// Of items that are listed one by one, those that are shown.
    only: Vec<State>,
}

/// Finds where a run is written.
type Find<'a> = &'a dyn Fn(&Run) -> Option<Written>;

/// Shows a run.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let archive = Archive::open(args.asking.store.as_deref(), extra)?;
    let find = |run: &Run| Written::of(run, extra);
    output.data(&answer(&archive, args, &find, output.data_looks())?)?;
    Ok(Exit::Done)
}

/// Returns what is shown of a run.
pub(super) fn answer(
    archive: &Archive,
    args: &Args,
    find: Find<'_>,
    looks: Looks,
) -> Result<String, Failure> {
    let store = args.asking.store.as_deref();
    let only = states(&args.state)?;
    let meant = archive.meant(args.run.as_deref(), args.path.as_deref())?;
    let past = archive.past(&meant.row)?;
    let words = Words::new(archive, &past);
    let place = meant.path.as_deref().map(|path| past.place(path, &words));
    let place = place.transpose()?;
    let format = args.asking.format;
    if let Some(place) = &place
        && let Some(at) = place.at().filter(|_| place.item.is_none())
        && matches!(past.history.plan().node(at.node).kind, NodeKind::Step(_))
    {
        return step::answer(&words, &at, store, find, format, looks);
    }
    let detail = if args.items {
        Detail::Items
    } else {
        Detail::Folded
    };
    let tree = tree::tree(past.survey(), place.as_ref(), detail, &words);
    let Some(tree) = tree else {
        return Err(not_begun(&words, place.as_ref()));
    };
    let faults = faults::gather(&words, &tree.told);
    let written = if faults.is_empty() {
        None
    } else {
        find(&past.run)
    };
    let driver = archive.driven_by(&past.row)?;
    let state = RunState::of(&past.row, driver.as_ref());
    let shown = Shown {
        next: next::of(&words, state, &faults, store),
        words,
        state,
        driver,
        tree,
        faults,
        written,
        only,
    };
    Ok(match format {
        DataFormat::Json => format!("{}\n", json::of(&shown, place.is_some())),
        DataFormat::Human => text::of(&shown, place.as_ref(), looks),
    })
}

fn states(words: &[String]) -> Result<Vec<State>, Failure> {
    let read = |word: &String| {
        let all = || State::ALL.into_iter();
        let found = all().find(|state| state.word() == word);
        found.ok_or_else(|| {
            let names: Vec<&str> = all().map(State::word).collect();
            let failure = Failure::usage(format!("no step can be `{}`", crate::page::tame(word)));
            match nearest(word, names.iter().copied()) {
                Some(near) => failure.with_help(format!("did you mean `{near}`?")),
                None => failure.with_help(format!("it can be `{}`", names.join("`, `"))),
            }
        })
    };
    words.iter().map(read).collect()
}

fn not_begun(words: &Words<'_>, place: Option<&Place>) -> Failure {
    let path = place.map(|place| words.past.history.place_path(place, words));
    let path = words.inside(&path.unwrap_or_default());
    let id = &words.past.row.id;
    Failure::usage(format!("nothing of `{path}` was begun in the run `{id}`")).with_help(format!(
        "`flow why {id} {}` says why",
        crate::page::quoted(&path)
    ))
}

impl Shown<'_> {
    fn past(&self) -> &Past {
        self.words.past
    }

    fn costs(&self) -> Costs {
        self.past().run.costs()
    }

    /// Returns the most that the run may spend, as far as that is known.
    fn budget(&self) -> Option<Money> {
        let run = &self.past().run;
        let root = flow_core::address::At::root();
        let open = run
            .budgets()
            .find(|(at, set)| **at == root && set.per.is_none());
        let limits = &run.plan().root().limits;
        let planned = limits.budget.as_ref().filter(|budget| budget.per.is_none());
        let planned = planned.and_then(|budget| {
            let Expr::Const(Value::Money(amount)) = &budget.amount else {
                return None;
            };
            Some(*amount)
        });
        let own = open.map(|(_, set)| set.amount).or(planned);
        own.into_iter().chain(run.budget()).min()
    }

    /// Returns when it came to its end.
    fn ended(&self) -> Option<(flow_core::amount::Timestamp, Status)> {
        self.past().history.settled()
    }
}
