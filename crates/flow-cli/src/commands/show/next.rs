//! What can be typed next.

use std::path::Path;

use flow_core::history::State;
use serde_json::{Value as Json, json};

use crate::args::RunState;
use crate::page::{Page, Style, quoted, tame, wide};
use crate::standing::Words;

use super::faults::Fault;
use super::tree::Tree;

/// A command, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) command: String,
    pub(super) what: &'static str,
}

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
        if 4 + column + wide(next.what) <= page.looks.width {
            let what = page.styled(Style::Dim, next.what);
            page.line(&format!("  {command:column$}  {what}"));
        } else {
            // A command is copied as a whole.
            page.line(&format!("  {command}"));
            page.prose(4, Style::Dim, next.what);
        }
    }
}

/// Says what can be typed next.
pub(super) fn of(
    words: &Words<'_>,
    state: RunState,
    tree: &Tree,
    faults: &[Fault],
    store: Option<&Path>,
) -> Vec<Next> {
    let id = &*words.past.row.id.0;
    let mut found = Vec::new();
    let mut add = |command: String, what| found.push(Next { command, what });
    let unhandled = faults.iter().find(|fault| fault.handled.is_none());
    if let Some(fault) = unhandled {
        let why = command("why", &[id, &fault.paths[0]], store);
        add(why, "how that came about");
        let has_log = words.has_log(fault.node);
        if has_log {
            add(
                command("logs", &[id, &fault.paths[0]], store),
                "what it wrote",
            );
        }
    }
    let has = |state: State| tree.told.iter().any(|told| told.state == state);
    match state {
        RunState::Succeeded => add(command("outputs", &[id], store), "what it gave"),
        RunState::Failed | RunState::Cancelled => {
            add(command("resume", &[id], store), "tries again what failed");
        }
        RunState::ShortOfMoney => {
            let resume = command("resume", &[id], store);
            add(format!("{resume} --budget …"), "goes on with more money");
        }
        RunState::Paused if has(State::Held) => {
            let resume = command("resume", &[id], store);
            add(format!("{resume} --budget …"), "goes on with more money");
        }
        RunState::Paused | RunState::Interrupted => {
            add(command("resume", &[id], store), "goes on where it stopped");
        }
        RunState::Waiting if !has(State::Asking) && !has(State::Unknown) => {
            add(command("resume", &[id], store), "goes on");
        }
        RunState::Waiting => {}
        RunState::Running | RunState::Sleeping => {
            add(command("logs", &[id, "-f"], store), "what its steps write");
        }
        RunState::Stopped => {}
    }
    found
}

impl Words<'_> {
    /// Returns whether a step writes anything while it runs, as commands do.
    fn has_log(&self, node: flow_core::plan::NodeId) -> bool {
        let folder = self.archive.layout.logs(&self.past.row.id);
        let begins = [format!("{}.", node.0), format!("{}_", node.0)];
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.any(|name| begins.iter().any(|begin| name.starts_with(begin)))
    }
}
