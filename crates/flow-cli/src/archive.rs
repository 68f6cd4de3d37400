//! The runs of a store, read and never written: found by the beginning of their
//! names, and folded from their logs.
//!
//! Every question is a short transaction of its own, so whoever drives a run is
//! not held up, and neither is who tidies the database.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::event::{Event, Fact};
use flow_core::handle::{Handle, Values};
use flow_core::history::{History, Place, Survey, Unplaced};
use flow_core::plan::Plan;
use flow_core::run::Run;
use flow_core::value::Value;
use flow_runtime::clock::{Clock, WallClock};
use flow_runtime::owner::{Life, peek};
use flow_runtime::store::layout::Layout;
use flow_runtime::store::{EventRow, OpenError, Reader, RunRow, Runs};
use flow_syntax::diagnostic::nearest;

use crate::args::RunState;
use crate::drive::{folder, whole};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::project::root_here;

/// How many events are read at once.
const PAGE: usize = 10_000;

/// How many bytes of values are remembered.
const REMEMBERED_MAX: usize = 8 << 20;

/// A store, to be asked.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) layout: Layout,
    pub(crate) reader: Reader,
    /// What time it is for whoever asks.
    pub(crate) now: Timestamp,
}

/// A run, folded from its log as far as it was there.
#[derive(Debug)]
pub(crate) struct Past {
    /// What lists say of it.
    pub(crate) row: RunRow,
    pub(crate) run: Run,
    pub(crate) history: History,
    /// How many events were read.
    pub(crate) seq: u64,
}

/// What a command line means: a run, and perhaps a place in it.
#[derive(Debug)]
pub(crate) struct Meant {
    pub(crate) row: RunRow,
    pub(crate) path: Option<String>,
}

/// Where a store is, as the command line says.
pub(crate) fn layout(store: Option<&Path>) -> Result<Layout, Failure> {
    Ok(Layout::new(folder(&root_here()?, store)))
}

/// Returns what time it is for a command.
pub(crate) fn now(extra: &Extra) -> Timestamp {
    match &extra.clock {
        Some(clock) => clock(),
        None => WallClock.now(),
    }
}

/// An error of the store, for the user.
pub(crate) fn unreadable(error: &dyn std::error::Error) -> Failure {
    Failure::store(whole(error))
}

impl Archive {
    /// Opens a store; nothing if there is none.
    pub(crate) fn open_if(store: Option<&Path>, extra: &Extra) -> Result<Option<Self>, Failure> {
        let layout = layout(store)?;
        match Reader::open(&layout) {
            Ok(reader) => Ok(Some(Self {
                layout,
                reader,
                now: now(extra),
            })),
            Err(OpenError::Missing { .. }) => Ok(None),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// Opens a store that has to be there.
    pub(crate) fn open(store: Option<&Path>, extra: &Extra) -> Result<Self, Failure> {
        let found = Self::open_if(store, extra)?;
        found.ok_or_else(no_runs)
    }

    /// Finds the run that a command line means: by the beginning of its name,
    /// or the newest. If no run is called like a word that stands alone, it is
    /// taken for a path in the newest.
    pub(crate) fn meant(&self, run: Option<&str>, path: Option<&str>) -> Result<Meant, Failure> {
        let (Some(word), None) = (run, path) else {
            let row = match run {
                Some(prefix) => self.run(prefix)?,
                None => self.newest()?,
            };
            let path = path.map(str::to_owned);
            return Ok(Meant { row, path });
        };
        if let Some(row) = self.named(word)? {
            return Ok(Meant { row, path: None });
        }
        let row = self.newest()?;
        let past = self.past(&row)?;
        let is_path = past.history.find(word, &self.values());
        if matches!(is_path, Err(Unplaced::Unknown(_) | Unplaced::Malformed(_))) {
            if let Some(removed) = self.removed(word)? {
                return Err(removed);
            }
            let (id, workflow) = (&past.row.id, past.run.workflow());
            let help = match past.nearest(word) {
                Some(near) => format!("did you mean the step `{near}` of the newest run, `{id}`?"),
                None => format!(
                    "`flow runs` lists them; and the newest, `{id}` of `{workflow}`, has no step that is called so"
                ),
            };
            return Err(unknown(word).with_help(help));
        }
        let path = Some(word.to_owned());
        Ok(Meant {
            row: past.row,
            path,
        })
    }

    /// Finds a run by its name or the beginning of it.
    pub(crate) fn run(&self, prefix: &str) -> Result<RunRow, Failure> {
        if let Some(row) = self.named(prefix)? {
            return Ok(row);
        }
        Err(self.removed(prefix)?.unwrap_or_else(|| unknown(prefix)))
    }

    /// Says that a run was there once, if it was.
    fn removed(&self, run: &str) -> Result<Option<Failure>, Failure> {
        let removed = self.reader.removed(run);
        let removed = removed.map_err(|error| unreadable(&error))?;
        Ok(removed.map(|at| {
            let at = crate::page::instant(at);
            Failure::late(format!("the run `{run}` was removed at {at}"))
        }))
    }

    /// Finds a run by its name or the beginning of it; nothing if no name begins
    /// so.
    fn named(&self, prefix: &str) -> Result<Option<RunRow>, Failure> {
        if prefix.is_empty() {
            return Ok(None);
        }
        let found = self.reader.runs_named(prefix, SHOWN + 1);
        let found = found.map_err(|error| unreadable(&error))?;
        if let Some(exact) = found.iter().find(|run| *run.id.0 == *prefix) {
            return Ok(Some(exact.clone()));
        }
        match found.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only.clone())),
            several => {
                let names: Vec<&str> = several.iter().take(SHOWN).map(|run| &*run.id.0).collect();
                let more = if several.len() > SHOWN {
                    ", and more"
                } else {
                    ""
                };
                let message = format!("several runs begin with `{prefix}`");
                let help = format!("there are `{}`{more}", names.join("`, `"));
                Err(Failure::usage(message).with_help(help))
            }
        }
    }

    fn newest(&self) -> Result<RunRow, Failure> {
        let newest = self.reader.runs(Runs::All, None, 1);
        let newest = newest.map_err(|error| unreadable(&error))?;
        newest.into_iter().next().ok_or_else(no_runs)
    }

    /// Returns what lists say of a run now.
    pub(crate) fn again(&self, row: &RunRow) -> Result<RunRow, Failure> {
        let found = self.reader.run(&row.id);
        let found = found.map_err(|error| unreadable(&error))?;
        Ok(found.unwrap_or_else(|| row.clone()))
    }

    /// Folds the log of a run.
    pub(crate) fn past(&self, row: &RunRow) -> Result<Past, Failure> {
        self.past_until(row, u64::MAX)
    }

    /// Folds the first so many events of the log of a run: how it was then.
    pub(crate) fn past_until(&self, row: &RunRow, end: u64) -> Result<Past, Failure> {
        self.past_with(row, end, &mut |_, _, _| {})
    }

    /// Folds the log of a run, and shows each event with the run and the history
    /// as they are after it.
    pub(crate) fn past_with(
        &self,
        row: &RunRow,
        end: u64,
        watch: &mut dyn FnMut(&Event, &Run, &History),
    ) -> Result<Past, Failure> {
        let plans = |digest: &Digest| self.plan(digest);
        let mut folded: Option<(Run, History)> = None;
        let mut seq = 0;
        self.each_event(row, 0, &mut |number, event| {
            if number >= end {
                return Ok(Go::Stop);
            }
            seq = number + 1;
            let followed = match &mut folded {
                None => Run::replay(&plans, [event]).map(|run| {
                    let history = History::new(run.plan().clone());
                    folded = Some((run, history));
                }),
                Some((run, history)) => run.follow_log(&plans, &event).map(|()| {
                    history.note(number, &event, run.plan());
                    watch(&event, run, history);
                }),
            };
            followed
                .map(|()| Go::On)
                .map_err(|why| Failure::store(format!("the run `{}` can't be read: {why}", row.id)))
        })?;
        let Some((run, history)) = folded else {
            let message = format!("the run `{}` can't be read: it has no events", row.id);
            return Err(Failure::store(message));
        };
        // What was written meanwhile counts: the row is not older than the log.
        let row = self.again(row)?;
        Ok(Past {
            row,
            run,
            history,
            seq,
        })
    }

    /// Hands the events of a run from a number on to a function, a page at a
    /// time.
    pub(crate) fn each_event(
        &self,
        row: &RunRow,
        from: u64,
        take: &mut dyn FnMut(u64, Event) -> Result<Go, Failure>,
    ) -> Result<(), Failure> {
        let mut next = from;
        loop {
            let rows = self.reader.events(&row.id, next, PAGE);
            let rows = rows.map_err(|error| unreadable(&error))?;
            let count = rows.len();
            for found in rows {
                next = found.seq + 1;
                if let Go::Stop = take(found.seq, decoded(row, &found)?)? {
                    return Ok(());
                }
            }
            if count < PAGE {
                return Ok(());
            }
        }
    }

    /// Returns an event of a run.
    pub(crate) fn event(&self, row: &RunRow, seq: u64) -> Result<Option<Event>, Failure> {
        let rows = self.reader.events(&row.id, seq, 1);
        let rows = rows.map_err(|error| unreadable(&error))?;
        let found = rows.iter().find(|found| found.seq == seq);
        found.map(|found| decoded(row, found)).transpose()
    }

    pub(crate) fn plan(&self, digest: &Digest) -> Option<Arc<Plan>> {
        let bytes = self.reader.value(digest).ok().flatten()?;
        let text = std::str::from_utf8(&bytes).ok()?;
        Plan::from_json(text).ok().map(Arc::new)
    }

    /// Returns the values of the store, for looking only.
    pub(crate) fn values(&self) -> Shelf<'_> {
        Shelf {
            reader: &self.reader,
            seen: RefCell::default(),
        }
    }

    /// Returns who drives a run, if somebody does.
    pub(crate) fn driven_by(&self, row: &RunRow) -> Result<Option<Life>, Failure> {
        let Some(owner) = &row.owner else {
            return Ok(None);
        };
        let life = peek(&self.layout, owner).map_err(|error| unreadable(&error))?;
        Ok(Some(life))
    }

    /// Makes sure that no process drives a run.
    pub(crate) fn is_free(&self, row: &RunRow) -> Result<(), Failure> {
        let Some(Life::Alive { pid, .. }) = self.driven_by(row)? else {
            return Ok(());
        };
        Err(Failure::Told {
            exit: Exit::Owned,
            message: match pid {
                Some(pid) => format!("the run `{}` goes on in the process {pid}", row.id),
                None => format!("the run `{}` goes on in another process", row.id),
            },
            help: Some("pause it or wait for it first; nothing was changed".to_owned()),
        })
    }

    /// Returns how a run stands.
    pub(crate) fn state(&self, row: &RunRow) -> Result<RunState, Failure> {
        Ok(RunState::of(row, self.driven_by(row)?.as_ref()))
    }
}

/// Whether more events are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    Stop,
}

/// How many names are told.
const SHOWN: usize = 10;

fn decoded(row: &RunRow, found: &EventRow) -> Result<Event, Failure> {
    let fact = Fact::decode(&found.body).map_err(|error| {
        let (run, seq) = (&row.id, found.seq);
        Failure::store(format!(
            "the log of the run `{run}` can't be read at event {seq} ({error})"
        ))
        .with_help(
            "it was written by a newer flow, or is damaged: `flow doctor --verify` says which",
        )
    })?;
    Ok(Event { at: found.at, fact })
}

fn no_runs() -> Failure {
    Failure::usage("there are no runs").with_help("`flow run FILE` makes one")
}

fn unknown(prefix: &str) -> Failure {
    Failure::usage(format!(
        "there is no run `{}`",
        crate::page::short(prefix, 60)
    ))
    .with_help("`flow runs` lists them")
}

impl RunState {
    /// Returns how a run stands. One whose owner is dead was interrupted,
    /// whatever it did before.
    pub(crate) fn of(row: &RunRow, driver: Option<&Life>) -> Self {
        use flow_runtime::owner::Pace;
        use flow_runtime::store::Phase;
        let state = match row.summary.phase {
            Phase::Succeeded => return Self::Succeeded,
            Phase::Failed => return Self::Failed,
            Phase::Cancelled => return Self::Cancelled,
            Phase::Working => Self::Running,
            Phase::Sleeping => Self::Sleeping,
            Phase::Waiting => Self::Waiting,
            Phase::Short => Self::ShortOfMoney,
            Phase::Paused => Self::Paused,
        };
        match (driver, state) {
            // It could go on, and nobody lets it.
            (None, Self::Running | Self::Sleeping) | (Some(Life::Dead), _) => Self::Interrupted,
            (None, _) => state,
            (
                Some(Life::Alive {
                    pace: Pace::Stopped,
                    ..
                }),
                _,
            ) => Self::Stopped,
            (Some(Life::Alive { .. }), _) => state,
        }
    }

    /// Returns the word for people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Sleeping => "sleeping",
            Self::Waiting => "waiting",
            Self::ShortOfMoney => "short of money",
            Self::Paused => "paused",
            Self::Interrupted => "interrupted",
            Self::Stopped => "stopped",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns the word for programs.
    pub(crate) fn word(self) -> String {
        self.text().replace(' ', "_")
    }

    /// Returns whether it is over.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl Past {
    /// Returns the run and its history together.
    pub(crate) fn survey(&self) -> Survey<'_> {
        Survey::new(&self.run, &self.history)
    }

    /// Finds what a path means, or says what could have been meant.
    pub(crate) fn place(&self, path: &str, values: &dyn Values) -> Result<Place, Failure> {
        self.history
            .find(path, values)
            .map_err(|why| self.unplaced(&why))
    }

    /// Returns the name that somebody may have meant.
    fn nearest(&self, text: &str) -> Option<String> {
        let nodes = 0..u32::try_from(self.history.plan().graph.node_count()).unwrap_or(0);
        let paths: Vec<String> = nodes
            .take(NEAR_MAX)
            .map(|node| self.history.any_path(flow_core::plan::NodeId(node)))
            .collect();
        let names = paths.iter().flat_map(|path| {
            let last = path.rsplit('/').next();
            [Some(path.as_str()), last]
        });
        nearest(text, names.flatten()).map(str::to_owned)
    }

    fn unplaced(&self, why: &Unplaced) -> Failure {
        let failure = Failure::usage(crate::page::tame(&why.to_string()));
        match why {
            Unplaced::Malformed(_) => {
                failure.with_help("write it as `flow show` does: `stills[3]/draw`")
            }
            Unplaced::Unknown(text) => match self.nearest(text) {
                Some(near) => failure.with_help(format!("did you mean `{near}`?")),
                None => failure.with_help(format!("`flow show {}` lists them", self.row.id)),
            },
            Unplaced::Several { paths, .. } => {
                failure.with_help(format!("say which: `{}`", paths.join("`, `")))
            }
            Unplaced::NoItem { count: 0, .. } => failure.with_help("it has none yet"),
            Unplaced::NoItem { path, count, .. } => failure.with_help(format!(
                "it has {count}: `{path}[0]` to `{path}[{}]`, or by their keys",
                count - 1
            )),
            Unplaced::NoItems(_) => failure.with_help("leave the brackets out"),
            Unplaced::Unclear { path } => {
                failure.with_help(format!("say of which item around: `{path}`"))
            }
        }
    }
}

/// How many names are looked through for the nearest.
const NEAR_MAX: usize = 10_000;

/// The values of a store, remembered as far as there is room.
#[derive(Debug)]
pub(crate) struct Shelf<'a> {
    reader: &'a Reader,
    seen: RefCell<(BTreeMap<Digest, Value>, usize)>,
}

impl Values for Shelf<'_> {
    fn get(&self, digest: &Digest) -> Option<Value> {
        if let Some(value) = self.seen.borrow().0.get(digest) {
            return Some(value.clone());
        }
        let bytes = self.reader.value(digest).ok().flatten()?;
        let value = Value::decode(&bytes).ok()?;
        let mut seen = self.seen.borrow_mut();
        if seen.1 + bytes.len() > REMEMBERED_MAX {
            *seen = (BTreeMap::new(), 0);
        }
        seen.1 += bytes.len();
        seen.0.insert(*digest, value.clone());
        Some(value)
    }

    /// Nothing is written by who only looks.
    fn put(&self, value: &Value) -> Handle {
        Handle::Small(value.clone())
    }
}
