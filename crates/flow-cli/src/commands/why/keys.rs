//! Why a step ran: what its result is made of, and what of that was different
//! the last time.

use flow_core::address::At;
use flow_core::digest::Digest;
use flow_core::history::Entry;
use flow_core::key::Part;
use flow_core::plan::Step;
use flow_core::run::{Prepared, Shared};
use flow_runtime::store::{Missed, RunRow, Runs};
use flow_runtime::why::{Nearest, why_made};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

use crate::archive::unreadable;
use crate::exit::Failure;
use crate::page::instant;
use crate::standing::{Words, value_text};

use super::Reasons;
use super::reasons::step_text;

/// How many earlier runs are looked at.
const RUNS_MAX: usize = 3;

/// How many runs are gone through for them.
const ROWS_MAX: usize = 200;

/// Longer logs are not read for a comparison.
const EVENTS_MAX: u64 = 300_000;

/// A value that has room in a line.
const VALUE_MAX: usize = 60;

/// An earlier attempt at the same step.
struct Earlier {
    row: RunRow,
    prepared: Prepared,
    has_result: bool,
}

impl Reasons<'_> {
    /// Says why a step ran instead of taking a result that was there.
    pub(super) fn ran(&mut self, at: &At, step: &Step, entry: &Entry) -> Result<(), Failure> {
        let Some(attempt) = entry.attempts.first() else {
            return Ok(());
        };
        let Some(prepared) = self.words.prepared(at, attempt.seq)? else {
            return Ok(());
        };
        if self.again(attempt.seq)? {
            return Ok(());
        }
        let Some(key) = prepared
            .key
            .as_ref()
            .filter(|_| prepared.shared != Shared::No)
        else {
            let text = format!(
                "it ran, since {}, and results of such steps are not kept for other runs",
                step_text(step)
            );
            self.add("ran", text, json!({ "because": "not_shared" }));
            return Ok(());
        };
        let reader = &self.words.archive.reader;
        let own = self.words.past.run.id();
        let missed = reader.parts(own, &key.digest);
        let missed = missed.map_err(|error| unreadable(&error))?;
        if let Some(missed) = missed.and_then(|row| row.missed) {
            self.missed(missed);
            return Ok(());
        }
        let known = reader.cached(&key.digest);
        let known = known.map_err(|error| unreadable(&error))?;
        let known = known.map(|known| known.entry);
        if let Some(known) = known.filter(|known| known.run != *own && known.made < attempt.started)
        {
            let text = format!(
                "it ran although the run {} had made the same at {}: it was started with `--fresh`, or that result was too old",
                known.run,
                instant(known.made)
            );
            self.add(
                "ran",
                text,
                json!({ "because": "fresh", "earlier": known.run.to_string() }),
            );
            return Ok(());
        }
        match self.earlier(at)? {
            Some(earlier) => self.compare(&earlier, &prepared),
            None if self.nearest(attempt.seq)? => {}
            None => {
                let text = "it ran, since no result of the same step with the same inputs was there; no earlier run of this workflow came that far";
                self.add("ran", text, json!({ "because": "no_earlier_result" }));
            }
        }
        Ok(())
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
    /// although it had a result before. Returns whether it had.
    fn again(&mut self, seq: u64) -> Result<bool, Failure> {
        let past = self.words.past;
        if past.history.edits().is_empty() && past.run.started().parent.is_none() {
            return Ok(false);
        }
        let run = past.run.id();
        let made = why_made(&self.words.archive.reader, run, seq);
        let made = made.map_err(|error| unreadable(&error))?;
        let Some(nearest) = made.and_then(|made| made.nearest) else {
            return Ok(false);
        };
        let before = if nearest.from.run == *run {
            "before".to_owned()
        } else {
            format!("in the run {}", nearest.from.run)
        };
        let text = if nearest.differences.is_empty() {
            format!("it ran again, although it is made of the same as {before}: that was asked for")
        } else {
            format!("it ran again, since it is made of something else than {before}:")
        };
        self.different(text, &nearest);
        Ok(true)
    }

    fn different(&mut self, text: String, nearest: &Nearest) {
        let differences = nearest.differences.iter();
        let lines: Vec<String> = differences.clone().map(ToString::to_string).collect();
        let because = if lines.is_empty() {
            "asked"
        } else {
            "different"
        };
        let data = json!({
            "because": because,
            "earlier": nearest.from.run.to_string(),
            "differences": differences.map(|found| {
                json!({ "part": found.part.to_string(), "text": found.to_string() })
            }).collect::<Vec<Json>>(),
        });
        let reason = self.add("ran", text, data);
        reason.more = lines;
    }

    /// Says how the nearest result differs that another call of the step has.
    /// Returns whether there is one.
    fn nearest(&mut self, seq: u64) -> Result<bool, Failure> {
        let run = self.words.past.run.id();
        let made = why_made(&self.words.archive.reader, run, seq);
        let made = made.map_err(|error| unreadable(&error))?;
        let Some(nearest) = made.and_then(|made| made.nearest) else {
            return Ok(false);
        };
        let run = &nearest.from.run;
        let text = format!("it ran, since the nearest result, of the run {run}, is another:");
        self.different(text, &nearest);
        Ok(true)
    }

    /// Finds the last attempt at the same step in an earlier run.
    fn earlier(&self, at: &At) -> Result<Option<Earlier>, Failure> {
        let words = self.words;
        let path = words.past.history.path(at, words).to_string();
        let rows = words
            .archive
            .reader
            .runs(Runs::All, Some(words.past.row.number), ROWS_MAX);
        let rows = rows.map_err(|error| unreadable(&error))?;
        let same = rows
            .into_iter()
            .filter(|row| row.workflow == *words.past.run.workflow() && row.head <= EVENTS_MAX);
        for row in same.take(RUNS_MAX) {
            // A log that can't be read has nothing to compare with.
            let Ok(past) = words.archive.past(&row) else {
                continue;
            };
            let other = Words::new(words.archive, &past);
            let Ok(place) = past.history.find(&path, &other) else {
                continue;
            };
            let Some(at) = place.at() else { continue };
            let entry = past.history.entry(&at);
            let Some(seq) = entry.and_then(Words::prepared_at) else {
                continue;
            };
            let has_result = matches!(
                entry.and_then(|entry| entry.end.as_ref()),
                Some(flow_core::history::End::Done(_))
            );
            if let Some(prepared) = other.prepared(&at, seq)? {
                return Ok(Some(Earlier {
                    row: past.row.clone(),
                    prepared,
                    has_result,
                }));
            }
        }
        Ok(None)
    }

    fn compare(&mut self, earlier: &Earlier, prepared: &Prepared) {
        let run = &earlier.row.id;
        let parts = |prepared: &Prepared| -> BTreeMap<Part, Digest> {
            let key = prepared.key.as_ref();
            key.map(|key| key.parts.iter().cloned().collect())
                .unwrap_or_default()
        };
        let (old, new) = (parts(&earlier.prepared), parts(prepared));
        let mut names: Vec<&Part> = old.keys().chain(new.keys()).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| old.get(*name) != new.get(*name));
        if names.is_empty() {
            let text = if earlier.has_result {
                format!(
                    "it ran although the run {run} had the same inputs: it was started with `--fresh`, or that result was too old or had been collected"
                )
            } else {
                format!("it ran, since the run {run} had the same inputs and got no result")
            };
            self.add(
                "ran",
                text,
                json!({ "because": "no_result", "earlier": run.to_string() }),
            );
            return;
        }
        let differences: Vec<(String, String)> = names
            .iter()
            .map(|part| {
                let name = part.to_string();
                let text = difference(&name, earlier, prepared);
                (name, text)
            })
            .collect();
        let text = format!(
            "it ran, since {} different from what {} in the run {run}",
            if differences.len() == 1 {
                "one thing is"
            } else {
                "some things are"
            },
            if differences.len() == 1 {
                "it was"
            } else {
                "they were"
            },
        );
        let data = json!({
            "because": "different",
            "earlier": run.to_string(),
            "differences": differences.iter().map(|(name, text)| {
                json!({ "part": name, "text": text })
            }).collect::<Vec<Json>>(),
        });
        let reason = self.add("ran", text, data);
        reason.more = differences.into_iter().map(|(_, text)| text).collect();
    }
}

/// Says how a part of a key differs.
fn difference(part: &str, earlier: &Earlier, prepared: &Prepared) -> String {
    if let Some(name) = part.strip_prefix("input ") {
        let text = |prepared: &Prepared| {
            let value = prepared.args.get(name)?;
            Some(value_text(value, VALUE_MAX))
        };
        return match (text(&earlier.prepared), text(prepared)) {
            (Some(old), Some(new)) if old == new => {
                format!("the input `{name}` is another, further on: {new}")
            }
            (Some(old), Some(new)) => format!("the input `{name}` was {old}, and is {new}"),
            (None, Some(new)) => format!("the input `{name}` is new: {new}"),
            (Some(old), None) => format!("the input `{name}` is gone; it was {old}"),
            (None, None) => format!("the input `{name}` is another"),
        };
    }
    if let Some(name) = part.strip_prefix("environment ") {
        return format!("the variable `{name}` is another");
    }
    match part {
        "signature" => "the declaration of the step is another".to_owned(),
        "implementation" => "the program of the step is another".to_owned(),
        "type" => "what stands for its type is another".to_owned(),
        "result" => "the type of its result is another".to_owned(),
        "seed" => "it draws from another seed; `--seed` makes it the same".to_owned(),
        other => format!("`{other}` is another"),
    }
}
