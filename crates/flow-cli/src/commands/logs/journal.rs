//! The journal of a run: its events, with paths in place of numbers.

use flow_core::event::Event;
use flow_core::history::{History, Place};
use serde_json::Value as Json;

use crate::archive::{Archive, Past};
use crate::args::{DataFormat, Logs as Args};
use crate::exit::Failure;
use crate::journal::{Entry, as_json, entry};
use crate::output::Output;
use crate::page::{short, tame, wide};

use super::growing::Growing;

/// Shows the journal, and what is added to it if that is wanted.
pub(super) fn show(
    archive: &mut Archive,
    past: Past,
    place: Option<&Place>,
    args: &Args,
    output: &mut Output,
) -> Result<(), Failure> {
    let total = past.seq;
    let from = args.tail.map_or(0, |tail| {
        total.saturating_sub(u64::try_from(tail).unwrap_or(u64::MAX))
    });
    // Names depend on what came before, so all of it is gone through again.
    let row = past.row.clone();
    let mut again = archive.past_until(row, 1)?;
    again.row = past.row;
    let first = archive.event(&again.row, 0)?;
    let mut journal = Journal {
        place: place.cloned(),
        from,
        format: args.asking.format,
        output,
    };
    if let Some(first) = first {
        journal.tell(archive, &again, 0, &first)?;
    }
    let mut growing = Growing::new(archive, again);
    let mut is_last = !args.follow || !growing.may_grow()?;
    loop {
        growing.grow(&mut |archive, past, seq, event| journal.tell(archive, past, seq, event))?;
        if is_last {
            return Ok(());
        }
        journal.output.flush()?;
        is_last = !growing.wait()?;
    }
}

struct Journal<'a> {
    place: Option<Place>,
    from: u64,
    format: DataFormat,
    output: &'a mut Output,
}

impl Journal<'_> {
    fn tell(
        &mut self,
        archive: &Archive,
        past: &Past,
        seq: u64,
        event: &Event,
    ) -> Result<(), Failure> {
        if seq < self.from {
            return Ok(());
        }
        let entry = entry(&event.fact);
        if let Some(place) = &self.place {
            let at = entry.at.as_ref();
            if !at.is_some_and(|at| place.covers(at, &past.history)) {
                return Ok(());
            }
        }
        let values = archive.values();
        let path = entry.at.as_ref().map(|at| match entry.item {
            Some(item) => past.history.item_path(at, item, &values).to_string(),
            None => past.history.path(at, &values).to_string(),
        });
        let line = match self.format {
            DataFormat::Json => as_json(seq, event, &entry, path.as_deref()).to_string(),
            DataFormat::Human => {
                let width = self.output.data_looks().width;
                as_text(seq, event, &entry, path.as_deref(), &past.history, width)
            }
        };
        self.output.data(&line)?;
        self.output.data("\n")
    }
}

fn as_text(
    seq: u64,
    event: &Event,
    entry: &Entry,
    path: Option<&str>,
    history: &History,
    width: usize,
) -> String {
    let root = format!("{}/", history.plan().root_node().name);
    let path = path.map(|path| tame(path.strip_prefix(&root).unwrap_or(path)));
    let attempt = match entry.attempt.as_ref().map(|ticket| ticket.attempt) {
        None | Some(1) => String::new(),
        Some(attempt) => format!(" (attempt {attempt})"),
    };
    let path = path.map_or_else(String::new, |path| format!("  {path}{attempt}"));
    let details = entry.details.iter().filter(|(_, value)| !value.is_null());
    let details: Vec<String> = details
        .map(|(name, value)| match value {
            Json::String(text) => format!("{name}={}", tame(text)),
            other => format!("{name}={}", tame(&other.to_string())),
        })
        .collect();
    let line = format!("{seq:>5}  {}  {:<17}{path}", event.at, entry.name);
    let details = details.join("  ");
    if details.is_empty() {
        return line.trim_end().to_owned();
    }
    let room = width.saturating_sub(wide(&line) + 2);
    // What doesn't fit is in the other format.
    format!("{line}  {}", short(&details, room.max(40)))
}
