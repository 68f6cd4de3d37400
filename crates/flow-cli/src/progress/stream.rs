//! A run for programs: one JSON object in each line of standard output, for each
//! event once it is in the store, and for how far steps say they are.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use flow_core::address::Ticket;
use flow_core::amount::Timestamp;
use flow_core::event::Event;
use flow_core::run::Run;
use flow_core::step::Progress;
use flow_runtime::driver::View;
use serde_json::{Value as Json, json};

use super::Show;
use crate::journal::{as_json, entry};
use crate::output::say;

/// How often is looked whether there is progress to tell: a step may have some
/// a thousand times a second.
const LOOK: Duration = Duration::from_secs(1);

/// A stream of objects.
pub(crate) struct Stream {
    /// The paths of attempts in progress.
    paths: BTreeMap<Ticket, String>,
    /// What attempts have said since it was last told.
    news: BTreeMap<Ticket, Progress>,
}

impl Stream {
    /// Shows a run on standard output.
    pub(crate) fn new() -> Self {
        Self {
            paths: BTreeMap::new(),
            news: BTreeMap::new(),
        }
    }
}

/// Writes an object. Whoever doesn't read any more doesn't end the run.
fn write(object: &Json) {
    let mut stream = std::io::stdout().lock();
    drop(writeln!(stream, "{object}"));
}

impl Show for Stream {
    fn begin(&mut self, _run: &Run, _done: u64, _now: Timestamp) {}

    fn event(&mut self, view: &View<'_>, event: &Event) {
        let entry = entry(&event.fact);
        let path = entry.at.as_ref().map(|at| view.path(at).to_string());
        if let (Some(ticket), Some(path)) = (&entry.attempt, &path) {
            // Those that are over have nothing more to say.
            if entry.name == "attempt_started" {
                self.paths.insert(ticket.clone(), path.clone());
            } else if entry.name != "was_sent" && entry.name != "submitted" {
                self.paths.remove(ticket);
                self.news.remove(ticket);
            }
        }
        let mut object = as_json(view.seq, event, &entry, path.as_deref());
        object["run"] = Json::from(view.run.id().to_string());
        write(&object);
    }

    fn progress(&mut self, ticket: &Ticket, progress: &Progress) {
        self.news.insert(ticket.clone(), progress.clone());
    }

    fn say(&mut self, text: &str) {
        say(&format!("{text}\n"));
    }

    fn tick(&mut self, now: Timestamp) {
        for (ticket, progress) in std::mem::take(&mut self.news) {
            let Some(path) = self.paths.get(&ticket) else {
                continue;
            };
            write(&json!({
                "version": 1,
                "at": now.to_string(),
                "event": "progress",
                "path": path,
                "attempt": ticket.attempt,
                "details": { "done": progress.done, "note": &*progress.note },
            }));
        }
    }

    fn close(&mut self) {}

    fn pace(&self) -> Duration {
        LOOK
    }
}
