//! What can be typed next.

use std::path::Path;

use flow_core::address::At;
use flow_core::event::Status;
use flow_core::history::State;
use serde_json::{Value as Json, json};

use crate::args::RunState;
use crate::next::{Next, Stop};
use crate::page::{Page, Style, quoted, tame, wide};
use crate::standing::Words;

use super::faults::Fault;

/// Writes a command about a run, with the store if that was named.
pub(super) fn command(verb: &str, rest: &[&str], store: Option<&Path>) -> String {
    let mut words = vec!["flow".to_owned(), verb.to_owned()];
    words.extend(rest.iter().map(|word| quoted(word)));
    if let Some(store) = store {
        words.push(format!("--store {}", quoted(&store.display().to_string())));
    }
    words.join(" ")
}

/// Writes what can be typed next for programs.
pub(super) fn json(next: &Next) -> Json {
    json!({ "command": next.command, "what": next.what })
}

/// Writes what can be typed next for people.
pub(super) fn list(all: &[Next], page: &mut Page) {
    if all.is_empty() {
        return;
    }
    page.heading("Next");
    let commands = all.iter().map(|next| wide(&next.command));
    let column = commands.max().unwrap_or(0);
    for next in all {
        let command = tame(&next.command);
        if 4 + column + wide(&next.what) <= page.looks.width {
            let what = page.styled(Style::Dim, &next.what);
            page.line(&format!("  {command:column$}  {what}"));
        } else {
            // A command is copied as a whole.
            page.line(&format!("  {command}"));
            page.prose(4, Style::Dim, &next.what);
        }
    }
}

/// Says what can be typed next.
pub(super) fn of(
    words: &Words<'_>,
    state: RunState,
    faults: &[Fault],
    store: Option<&Path>,
) -> Vec<Next> {
    let id = &*words.past.row.id.0;
    let mut found = Vec::new();
    let unhandled = faults.iter().find(|fault| fault.handled.is_none());
    if let Some(fault) = unhandled {
        let why = command("why", &[id, &fault.paths[0]], store);
        found.push(next(why, "how that came about"));
        if words.has_log(fault.node) {
            let logs = command("logs", &[id, &fault.paths[0]], store);
            found.push(next(logs, "what it wrote"));
        }
    }
    found.extend(words.stop(store, |stop| stop.commands(None)));
    let is_short = found.iter().any(|next| next.command.contains(" --budget "));
    let simple = |verb: &str, what| Some(next(command(verb, &[id], store), what));
    let last = match state {
        RunState::Succeeded => simple("outputs", "what it gave"),
        RunState::Failed | RunState::Cancelled => simple("retry", "tries again what failed"),
        RunState::ShortOfMoney | RunState::Paused if is_short => None,
        RunState::Paused | RunState::Interrupted => simple("resume", "goes on where it stopped"),
        RunState::ShortOfMoney => simple("resume", "tries it again"),
        RunState::Waiting if found.is_empty() => simple("resume", "goes on"),
        RunState::Waiting => simple("resume", "goes on after that"),
        RunState::Running | RunState::Sleeping => {
            let follow = command("logs", &[id, "-f"], store);
            Some(next(follow, "what its steps write"))
        }
        RunState::Stopped => None,
    };
    let is_new = last.filter(|last| found.iter().all(|next| next.command != last.command));
    found.extend(is_new);
    found
}

/// Says what can be typed next about one step.
pub(super) fn of_step(words: &Words<'_>, at: &At, state: State, store: Option<&Path>) -> Vec<Next> {
    let (id, path) = (&*words.past.row.id.0, words.path(at));
    let mut found = words.stop(store, |stop| stop.commands(Some(at)));
    let of_it = |verb: &str, what| next(command(verb, &[id, &path], store), what);
    let settled = words.past.history.settled();
    let went_well = settled.is_some_and(|(_, status)| status == Status::Succeeded);
    if state == State::Failed && went_well {
        found.push(of_it("reset", "makes it again, and what depends on it"));
    } else if state == State::Failed {
        found.push(of_it("retry", "tries it again"));
    }
    found.push(of_it("why", "how that came about"));
    if !words.logs_of(at).is_empty() {
        found.push(of_it("logs", "what it wrote"));
    }
    found
}

fn next(command: String, what: &str) -> Next {
    Next {
        command,
        what: what.to_owned(),
    }
}

impl Words<'_> {
    /// Looks at what people have to see to.
    fn stop<T>(&self, store: Option<&Path>, with: impl FnOnce(&Stop<'_>) -> T) -> T {
        let blobs = self.archive.layout.blobs();
        with(&Stop {
            run: &self.past.run,
            values: &self.values,
            path: &|at| self.past.history.path(at, &self.values),
            blobs: &blobs,
            store,
        })
    }

    /// Returns whether a step writes anything while it runs, as commands do.
    fn has_log(&self, node: flow_core::plan::NodeId) -> bool {
        let folder = self.archive.layout.logs(&self.past.row.id);
        let begins = [format!("{}.", node.0), format!("{}_", node.0)];
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.any(|name| begins.iter().any(|begin| name.starts_with(begin)))
    }
}
