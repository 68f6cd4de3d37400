//! The journal of a run: its events, with paths in place of numbers.

use flow_core::event::Event;
use flow_core::history::{History, Place};

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
    let mut again = archive.past_until(&past.row, 1)?;
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
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}={}", tame(text)),
            None => format!("{name}={}", tame(&value.to_string())),
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::Value as Json;

    use super::*;

    /// Reads all events that were ever recorded.
    fn recorded() -> Vec<Event> {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = crates
            .ancestors()
            .nth(2)
            .unwrap()
            .join("tests/golden/v1/logs");
        let mut events = Vec::new();
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "log") {
                continue;
            }
            for line in fs::read_to_string(path).unwrap().lines() {
                let bytes: Vec<u8> = (0..line.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap())
                    .collect();
                events.push(Event::decode(&bytes).unwrap());
            }
        }
        events
    }

    #[test]
    fn every_event_there_is_has_a_name_and_one_line() {
        let mut names = std::collections::BTreeSet::new();
        let mut kinds = std::collections::BTreeSet::new();
        for event in recorded() {
            let entry = entry(&event.fact);
            names.insert(entry.name);
            kinds.insert(event.fact.kind());
            let json = as_json(7, &event, &entry, Some("w/a[0]"));
            let back: Json = serde_json::from_str(&json.to_string()).unwrap();
            assert_eq!(back["event"], entry.name);
            assert!(!json.to_string().contains('\n'));
        }
        assert!(kinds.len() > 25, "{} kinds were recorded", kinds.len());
        assert_eq!(
            names.len(),
            kinds.len(),
            "each kind has its name: {names:?}"
        );
    }
}
