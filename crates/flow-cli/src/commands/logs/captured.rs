//! What steps wrote while they ran: a file for each attempt.

use std::collections::BTreeSet;
use std::path::PathBuf;

use flow_core::address::{At, Ticket};
use flow_core::amount::Timestamp;
use flow_core::history::Place;
use flow_core::plan::{NodeId, NodeKind};
use serde_json::json;

use crate::args::{DataFormat, Logs as Args};
use crate::exit::Failure;
use crate::output::{Output, is_terminal};
use crate::page::{is_wild, tame};
use crate::standing::Words;

use super::growing::Growing;
use super::tail::Tail;

/// An attempt that wrote something.
#[derive(Debug)]
struct Source {
    ticket: Ticket,
    path: String,
    /// Which attempt at its step, from 1.
    number: usize,
    started: Timestamp,
    is_over: bool,
    file: PathBuf,
}

/// How lines are written.
struct Writer<'a> {
    output: &'a mut Output,
    /// What every path begins with, and people needn't be told.
    root: String,
    format: DataFormat,
    /// Whether each line says where it comes from.
    is_named: bool,
    column: usize,
}

/// Where lines come from.
struct From {
    path: String,
    number: usize,
}

impl Words<'_> {
    /// Returns the log files of the attempts at a step.
    pub(crate) fn logs_of(&self, at: &At) -> Vec<PathBuf> {
        let entry = self.past.history.entry(at);
        let attempts = entry.map_or(&[][..], |entry| &entry.attempts);
        let run = &self.past.row.id;
        let files = attempts.iter().map(|attempt| {
            let layout = &self.archive.layout;
            layout.attempt_log(run, &attempt.ticket)
        });
        files.filter(|file| file.exists()).collect()
    }
}

/// Shows what was written, and what is still being written if that is wanted.
pub(super) fn show(
    mut growing: Growing<'_>,
    place: Option<&Place>,
    args: &Args,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut writer = Writer::new(&growing, place, args, output);
    let mut open: Vec<(From, Ticket, Tail)> = Vec::new();
    let mut seen: BTreeSet<Ticket> = BTreeSet::new();
    let mut is_last = !args.follow || !growing.may_grow()?;
    let mut found = Vec::new();
    let mut stamp = None;
    loop {
        growing.grow(&mut |_, _, _, _| Ok(()))?;
        let folder = growing.archive.layout.logs(&growing.past.row.id);
        let changed = std::fs::metadata(folder).and_then(|found| found.modified());
        // There may be many attempts: they are gone through if there are others.
        let now = Some((growing.past.seq, changed.ok()));
        if std::mem::replace(&mut stamp, now) != now {
            found = sources(&growing, place, args.attempt);
        }
        writer.widen(&found);
        for source in &found {
            if seen.insert(source.ticket.clone()) {
                // One at a time, so that what is over is told in one piece.
                let (from, tail) = writer.begin(source, args.tail)?;
                open.push((from, source.ticket.clone(), tail));
            }
        }
        let over: BTreeSet<&Ticket> = (found.iter())
            .filter(|source| source.is_over || is_last)
            .map(|source| &source.ticket)
            .collect();
        for (from, ticket, tail) in &mut open {
            writer.take(from, tail)?;
            if over.contains(ticket) {
                tail.finish(&mut |line| writer.line(from, line))?;
            }
        }
        open.retain(|(_, ticket, _)| !over.contains(ticket));
        if is_last {
            break;
        }
        writer.output.flush()?;
        is_last = !growing.wait()?;
    }
    if seen.is_empty() {
        nothing(&growing, place, args, writer.output)?;
    }
    Ok(())
}

/// Says that nothing was written.
fn nothing(
    growing: &Growing<'_>,
    place: Option<&Place>,
    args: &Args,
    output: &mut Output,
) -> Result<(), Failure> {
    let values = growing.archive.values();
    let path = place.map(|place| growing.past.history.place_path(place, &values));
    let attempt = args.attempt.map(|attempt| format!(" in attempt {attempt}"));
    let attempt = attempt.unwrap_or_default();
    output.message(&match path {
        Some(path) => format!("`{}` wrote nothing{attempt}", tame(&path)),
        None => format!("no step wrote anything{attempt}"),
    })
}

fn unreadable(file: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::io(format!("cannot read the log `{}`: {error}", file.display()))
}

/// Returns the attempts that wrote something, in the order in which they began.
fn sources(growing: &Growing<'_>, place: Option<&Place>, attempt: Option<usize>) -> Vec<Source> {
    let history = &growing.past.history;
    let run = &growing.past.row.id;
    let layout = &growing.archive.layout;
    let values = growing.archive.values();
    // There may be many attempts, and few that wrote something.
    let entries = std::fs::read_dir(layout.logs(run));
    let entries = entries.into_iter().flatten().flatten();
    let there: BTreeSet<_> = entries.map(|entry| entry.file_name()).collect();
    let mut found = Vec::new();
    if there.is_empty() {
        return found;
    }
    let count = u32::try_from(history.plan().graph.node_count()).unwrap_or(u32::MAX);
    for node in (0..count).map(NodeId) {
        for (ords, entry) in history.entries(node) {
            let ords = ords.clone();
            let at = At { node, ords };
            if place.is_some_and(|place| !place.covers(&at, history)) {
                continue;
            }
            for (number, made) in (1..).zip(&entry.attempts) {
                let file = layout.attempt_log(run, &made.ticket);
                let is_there = file.file_name().is_some_and(|name| there.contains(name));
                if !is_there || attempt.is_some_and(|attempt| attempt != number) {
                    continue;
                }
                let path = history.path(&at, &values).to_string();
                found.push(Source {
                    ticket: made.ticket.clone(),
                    path,
                    number,
                    started: made.started,
                    is_over: made.ended.is_some(),
                    file,
                });
            }
        }
    }
    found.sort_by(|a, b| (a.started, &a.ticket).cmp(&(b.started, &b.ticket)));
    found
}

/// The widest that the names before lines are padded to.
const COLUMN_MAX: usize = 28;

impl<'a> Writer<'a> {
    fn new(
        growing: &Growing<'_>,
        place: Option<&Place>,
        args: &Args,
        output: &'a mut Output,
    ) -> Self {
        let plan = growing.past.history.plan();
        let is_one = place.is_some_and(|place| {
            let is_step = matches!(plan.node(place.node).kind, NodeKind::Step(_));
            place.at().is_some() && is_step
        });
        Self {
            output,
            root: format!("{}/", plan.root_node().name),
            format: args.asking.format,
            is_named: !is_one,
            column: 0,
        }
    }

    /// Begins with what an attempt has written so far.
    fn begin(&mut self, source: &Source, lines: Option<usize>) -> Result<(From, Tail), Failure> {
        let tail = Tail::open(source.file.clone(), lines);
        let mut tail = tail.map_err(|error| unreadable(&source.file, &error))?;
        let from = From {
            path: source.path.clone(),
            number: source.number,
        };
        if !self.is_named && source.number > 1 {
            self.output.message(&format!("attempt {}", source.number))?;
        }
        self.take(&from, &mut tail)?;
        Ok((from, tail))
    }

    /// Makes room for names.
    fn widen(&mut self, sources: &[Source]) {
        if self.is_named {
            let names = sources.iter().map(|source| self.inside(&source.path));
            let widths = names.map(crate::page::wide);
            let widest = widths.max().unwrap_or(0).min(COLUMN_MAX);
            self.column = self.column.max(widest);
        }
    }

    fn inside<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(&*self.root).unwrap_or(path)
    }

    fn take(&mut self, from: &From, tail: &mut Tail) -> Result<(), Failure> {
        let read = tail.lines(&mut |line| self.line(from, line))?;
        read.map_err(|error| unreadable(tail.path(), &error))
    }

    fn line(&mut self, from: &From, line: &[u8]) -> Result<(), Failure> {
        if self.format == DataFormat::Json {
            let object = json!({
                "version": 1,
                "path": from.path,
                "attempt": from.number,
                "line": String::from_utf8_lossy(line),
            });
            return self.output.data(&format!("{object}\n"));
        }
        let looks = self.output.data_looks();
        if self.is_named {
            let bar = if looks.unicode { "│" } else { "|" };
            let number = match from.number {
                1 => String::new(),
                number => format!(" ({number})"),
            };
            let name = format!("{}{number}", tame(self.inside(&from.path)));
            let name = format!("{name:column$} {bar} ", column = self.column);
            if looks.color {
                self.output.data(&format!("\u{1b}[2m{name}\u{1b}[0m"))?;
            } else {
                self.output.data(&name)?;
            }
        }
        if is_terminal() {
            let line = shown(&String::from_utf8_lossy(line), looks.color);
            self.output.data(&line)?;
        } else {
            self.output.bytes(line)?;
        }
        self.output.bytes(b"\n")
    }
}

/// Returns a line of which a terminal obeys nothing but changes of colour.
fn shown(line: &str, color: bool) -> String {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    let mut is_coloured = false;
    while let Some(letter) = rest.chars().next() {
        if let Some(length) = colour(rest) {
            if color {
                text.push_str(&rest[..length]);
                is_coloured = true;
            }
            rest = &rest[length..];
            continue;
        }
        text.push(match letter {
            '\t' => '\t',
            letter if is_wild(letter) => '\u{fffd}',
            letter => letter,
        });
        rest = &rest[letter.len_utf8()..];
    }
    if is_coloured {
        text.push_str("\u{1b}[0m");
    }
    text
}

/// Returns the length of a change of colour that a text begins with.
fn colour(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    body[end..].starts_with('m').then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_colours_and_nothing_else_to_obey() {
        let line = "a\u{1b}[31mred\u{1b}[0m\u{1b}[2J\u{7}\tend\r";
        let coloured = "a\u{1b}[31mred\u{1b}[0m\u{fffd}[2J\u{fffd}\tend\u{1b}[0m";
        assert_eq!(shown(line, true), coloured);
        assert_eq!(shown(line, false), "ared\u{fffd}[2J\u{fffd}\tend");
        assert_eq!(shown("\u{1b}[31", true), "\u{fffd}[31");
    }
}
