//! Why a step ran: what its result is made of, and what of that was different
//! the last time.

use flow_core::address::At;
use flow_core::event::{Fact, Origin};
use flow_core::history::Entry;
use flow_core::key::{Difference, Part, Way};
use flow_core::plan::Step;
use flow_core::run::Prepared;
use flow_core::value::Value;
use flow_runtime::store::Missed;
use flow_runtime::why::{Nearest, Sharing, why_made};
use serde_json::{Value as Json, json};

use crate::archive::unreadable;
use crate::attempts::prepared;
use crate::exit::Failure;
use crate::page::instant;
use crate::standing::value_text;

use super::Reasons;
use super::reasons::step_text;

/// Longer logs are not folded for a comparison.
const EVENTS_MAX: u64 = 300_000;

/// A value that has room in a line.
const VALUE_MAX: usize = 60;

impl Reasons<'_> {
    /// Says why a step ran instead of taking a result that was there.
    pub(super) fn ran(&mut self, at: &At, step: &Step, entry: &Entry) -> Result<(), Failure> {
        let Some(attempt) = entry.attempts.first() else {
            return Ok(());
        };
        let past = self.words.past;
        let is_again = !past.history.edits().is_empty() || past.run.started().parent.is_some();
        let made = why_made(&self.words.archive.reader, past.run.id(), attempt.seq);
        let made = made.map_err(|error| unreadable(&error))?;
        let nearest = made.as_ref().and_then(|made| made.nearest.as_ref());
        if let Some(nearest) = nearest.filter(|_| is_again) {
            return self.again(at, attempt.seq, nearest);
        }
        match Sharing::of(step) {
            Sharing::Shared => {}
            Sharing::Private => {
                let kept = "results of such steps are not kept for other runs unless their call says `cache on`";
                self.not_shared(&format!("{}, and {kept}", step_text(step)));
                return Ok(());
            }
            Sharing::Off => {
                self.not_shared("its call says `cache off`");
                return Ok(());
            }
            Sharing::Acts => {
                let acts = "what acts is done in each run";
                self.not_shared(&format!("{}, and {acts}", step_text(step)));
                return Ok(());
            }
        }
        let Some(made) = &made else {
            self.not_shared("what it is made of has no name by which it could be found again");
            return Ok(());
        };
        if let Some(missed) = made.missed {
            self.missed(missed);
        } else if let Some(since) = made.removed {
            let since = instant(since);
            let text = format!("it ran, since the result that was there was removed at {since}");
            self.add("ran", text, json!({ "because": "removed", "since": since }));
        } else if let Some(nearest) = nearest {
            self.compare(at, attempt.seq, nearest)?;
        } else {
            let text =
                "it ran, since nothing was there that is made of the same, nor of nearly the same";
            self.add("ran", text, json!({ "because": "no_earlier_result" }));
        }
        Ok(())
    }

    fn not_shared(&mut self, why: &str) {
        let text = format!("it ran, since {why}");
        self.add("ran", text, json!({ "because": "not_shared" }));
    }

    /// Says why a result that was there was not taken.
    fn missed(&mut self, missed: Missed) {
        let (because, since, what) = match missed {
            Missed::Stale(since) => ("too_old", since, "was too old"),
            Missed::Evicted(since) => ("evicted", since, "had lost a file, removed or lost"),
        };
        let since = instant(since);
        let text = format!("it ran, since the result that was there {what} since {since}");
        self.add("ran", text, json!({ "because": because, "since": since }));
    }

    /// Says why a step of a run that was edited, or is another run of one, ran
    /// although it had a result before.
    fn again(&mut self, at: &At, seq: u64, nearest: &Nearest) -> Result<(), Failure> {
        let before = if nearest.from.run == *self.words.past.run.id() {
            "before".to_owned()
        } else {
            format!("in the run {}", nearest.from.run)
        };
        if nearest.differences.is_empty() {
            let text = format!(
                "it ran again, although it is made of the same as {before}: that was asked for"
            );
            self.add("ran", text, of_nearest("asked", nearest, &[]));
            return Ok(());
        }
        let text = format!("it ran again, since it is made of something else than {before}");
        self.different(text, at, seq, nearest)
    }

    /// Says what is different from the nearest result of the same step.
    fn compare(&mut self, at: &At, seq: u64, nearest: &Nearest) -> Result<(), Failure> {
        let run = &nearest.from.run;
        let where_from = if *run == *self.words.past.run.id() {
            "earlier in this run".to_owned()
        } else {
            format!("in the run {run}")
        };
        if nearest.differences.is_empty() {
            let text = format!(
                "it ran, although the same was made {where_from} at {}: it was started with `--fresh`, or that result had been collected",
                instant(nearest.at)
            );
            self.add("ran", text, of_nearest("fresh", nearest, &[]));
            return Ok(());
        }
        let text = if nearest.differences.len() == 1 {
            format!("it ran, since one thing is different from what it was {where_from}")
        } else {
            format!("it ran, since some things are different from what they were {where_from}")
        };
        self.different(text, at, seq, nearest)
    }

    fn different(
        &mut self,
        text: String,
        at: &At,
        seq: u64,
        nearest: &Nearest,
    ) -> Result<(), Failure> {
        // Only arguments have values to be told, and those have to be computed.
        let is_told = |found: &Difference| matches!(found.part, Part::Input(_));
        let (old, new) = if nearest.differences.iter().any(is_told) {
            let old = self.prepared_then(&nearest.from)?;
            (old, self.words.prepared(at, seq)?)
        } else {
            (None, None)
        };
        let differences = nearest.differences.iter();
        let lines: Vec<String> = differences
            .map(|found| difference(found, old.as_ref(), new.as_ref()))
            .collect();
        let reason = self.add("ran", text, of_nearest("different", nearest, &lines));
        reason.more = lines;
        Ok(())
    }

    /// Returns an earlier attempt as it was prepared, if its log can be read and
    /// isn't too long.
    fn prepared_then(&self, origin: &Origin) -> Result<Option<Prepared>, Failure> {
        let archive = self.words.archive;
        let row = archive.reader.run(&origin.run);
        let row = row.map_err(|error| unreadable(&error))?;
        let Some(row) = row.filter(|_| origin.seq <= EVENTS_MAX) else {
            return Ok(None);
        };
        let Ok(Some(event)) = archive.event(&row, origin.seq) else {
            return Ok(None);
        };
        let Fact::AttemptStarted(started) = event.fact else {
            return Ok(None);
        };
        let at = &started.ticket.at;
        let found = prepared(archive, &row, at, origin.seq, &self.words.values);
        Ok(found.ok().flatten())
    }
}

fn of_nearest(because: &str, nearest: &Nearest, lines: &[String]) -> Json {
    let differences = nearest.differences.iter().zip(lines);
    json!({
        "because": because,
        "earlier": nearest.from.run.to_string(),
        "seq": nearest.from.seq,
        "differences": differences.map(|(found, text)| {
            json!({ "part": found.part.to_string(), "text": text })
        }).collect::<Vec<Json>>(),
    })
}

/// Says how a part of a key differs.
fn difference(found: &Difference, old: Option<&Prepared>, new: Option<&Prepared>) -> String {
    let what = match &found.part {
        Part::Input(name) => {
            let value = |prepared: Option<&Prepared>| prepared?.args.get(name).cloned();
            return argument(name, found.way, value(old).as_ref(), value(new).as_ref());
        }
        Part::Signature => "the declaration of the step",
        Part::Implementation => "the program of the step",
        Part::Type => "what stands for its type",
        Part::Result => "the type of its result",
        Part::Seed => return "it draws from another seed; `--seed` makes it the same".to_owned(),
        Part::Model(name) => &format!("the model `{name}`"),
        Part::Environment(name) => &format!("the variable `{name}`"),
    };
    match found.way {
        Way::Other => format!("{what} is another"),
        Way::New => format!("{what} is new"),
        Way::Gone => format!("{what} is gone"),
    }
}

fn argument(name: &str, way: Way, old: Option<&Value>, new: Option<&Value>) -> String {
    let text = |value: Option<&Value>| value.map(|value| value_text(value, VALUE_MAX));
    match (way, text(old), text(new)) {
        (Way::Other, Some(old), Some(new)) if old == new => {
            format!("the input `{name}` is another, further on: {new}")
        }
        (Way::Other, Some(old), Some(new)) => {
            format!("the input `{name}` was {old}, and is {new}")
        }
        (Way::Other, _, _) => format!("the input `{name}` is another"),
        (Way::New, _, Some(new)) => format!("the input `{name}` is new: {new}"),
        (Way::New, _, None) => format!("the input `{name}` is new"),
        (Way::Gone, Some(old), _) => format!("the input `{name}` is gone; it was {old}"),
        (Way::Gone, None, _) => format!("the input `{name}` is gone"),
    }
}
