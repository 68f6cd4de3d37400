//! One step in full: its attempts, its arguments, its value.

use std::path::Path;

use flow_core::address::At;
use flow_core::amount::Duration;
use flow_core::event::Status;
use flow_core::history::{End, Reach, State};
use flow_core::plan::NodeKind;
use flow_core::run::Prepared;
use serde_json::{Value as Json, json};

use crate::args::{DataFormat, RunState};
use crate::attempts;
use crate::commands::runs::style;
use crate::exit::Failure;
use crate::output::Looks;
use crate::page::{Page, Style, instant, length, short, tame};
use crate::source::Written;
use crate::standing::{self, Words, sign, word};
use crate::wording;

use super::Find;
use super::next;
use crate::next::Next;

/// How many lines of a value are shown.
const LINES_MAX: usize = 40;

/// How many attempts are shown.
const ATTEMPTS_MAX: usize = 20;

/// All that is shown of a step.
struct Step<'a> {
    words: &'a Words<'a>,
    at: &'a At,
    state: State,
    run: RunState,
    prepared: Option<Prepared>,
    value: Option<Json>,
    written: Option<Written>,
    next: Vec<Next>,
}

/// Returns what is shown of a step.
pub(super) fn answer(
    words: &Words<'_>,
    at: &At,
    store: Option<&Path>,
    find: Find<'_>,
    format: DataFormat,
    looks: Looks,
) -> Result<String, Failure> {
    let past = words.past;
    let survey = past.survey();
    let state = match survey.reach(at) {
        Reach::Here => survey.state(&survey.instance(at)),
        Reach::Skipped { .. } | Reach::Unneeded { .. } => State::Skipped,
        Reach::NotBegun { .. } => State::Pending,
    };
    let entry = past.history.entry(at);
    let seq = entry.and_then(Words::prepared_at);
    let prepared = match seq {
        Some(seq) => words.prepared(at, seq)?,
        None => None,
    };
    let done = match entry.and_then(|entry| entry.end.as_ref()) {
        Some(End::Done(handle)) => words.value(handle),
        Some(End::Failed(_) | End::Cut) | None => None,
    };
    let ty = past.history.plan().node(at.node).ty.clone();
    let value = done.zip(ty).and_then(|(value, ty)| {
        flow_core::json::to_json(&value, &ty)
            .ok()
            .or_else(|| Some(Json::from(wording::value(&value))))
    });
    let step = Step {
        words,
        at,
        state,
        run: words.archive.state(&past.row)?,
        prepared,
        value,
        written: (state == State::Failed).then(|| find(&past.run)).flatten(),
        next: next::of_step(words, at, state, store),
    };
    Ok(match format {
        DataFormat::Json => format!("{}\n", step.json()),
        DataFormat::Human => step.text(looks),
    })
}

impl Step<'_> {
    fn text(&self, looks: Looks) -> String {
        let past = self.words.past;
        let mut page = Page::new(looks);
        let workflow = tame(past.run.workflow());
        let parts = [
            (Style::Bold, &*past.row.id.0),
            (Style::Plain, &*workflow),
            (style(self.run), self.run.text()),
        ];
        page.title(None, &parts);
        page.gap();
        let path = tame(&self.words.path(self.at));
        let (mark, look) = sign(self.state, looks.unicode);
        let parts = [(Style::Bold, &*path), (look, word(self.state))];
        page.title(Some((look, mark)), &parts);
        let plan = past.history.plan();
        let mut does = wording::head(plan, self.at.node);
        if let NodeKind::Step(step) = &plan.node(self.at.node).kind {
            does = format!("{does}, {}", wording::effect(step.effect));
        }
        page.prose(2, Style::Dim, &does);
        if let Some(note) = self.words.note(self.at, self.state) {
            page.prose(2, look, &note);
        }
        let entry = past.history.entry(self.at);
        if let Some(source) = entry.and_then(|entry| entry.source.as_ref()) {
            let is_here = source.from.run == *past.run.id();
            let text = match (is_here, source.key) {
                (true, Some(_)) => "its value is that of an equal step of this run".to_owned(),
                (true, None) => "its value is from before the run was begun again".to_owned(),
                (false, _) => format!("its value is that of the run {}", source.from.run),
            };
            page.prose(2, Style::Plain, &text);
        }
        if let Some(fell_back) = entry.and_then(|entry| entry.fell_back.as_ref()) {
            let text = format!(
                "its `else` was taken, since it failed with {}",
                standing::failure(fell_back)
            );
            page.prose(2, Style::Plain, &text);
        }
        let spot = self.written.as_ref();
        if let Some(spot) = spot.and_then(|written| written.spot(self.at.node)) {
            page.prose(2, Style::Dim, &spot.to_string());
        }
        self.attempts(&mut page);
        self.arguments(&mut page);
        self.value(&mut page);
        next::list(&self.next, &mut page);
        page.into_text()
    }

    fn attempts(&self, page: &mut Page) {
        let entry = self.words.past.history.entry(self.at);
        let attempts = entry.map_or(&[][..], |entry| &entry.attempts);
        if attempts.is_empty() {
            return;
        }
        page.heading("Attempts");
        let skipped = attempts.len().saturating_sub(ATTEMPTS_MAX);
        if skipped > 0 {
            page.line(&format!("  {skipped} before these"));
        }
        for (number, attempt) in (1..).zip(attempts).skip(skipped) {
            let took = attempt.ended.and_then(|ended| ended.since(attempt.started));
            let took = took.map_or_else(String::new, |took| format!(", {}", length(took)));
            let bill = attempts::bill(attempt);
            let bill = bill.map_or_else(String::new, |bill| format!(", {bill}"));
            let follows = attempts::follows(attempt);
            let follows = follows.map_or_else(String::new, |what| format!("; {what}"));
            let text = format!(
                "{number}  {}{took}{bill}: {}{follows}",
                instant(attempt.started),
                attempts::outcome(attempt)
            );
            page.prose(2, Style::Plain, &short(&text, 1_000));
        }
    }

    fn arguments(&self, page: &mut Page) {
        let Some(prepared) = &self.prepared else {
            return;
        };
        if prepared.args.is_empty() {
            return;
        }
        page.heading("Arguments");
        let room = page.looks.width.saturating_mul(2);
        for (name, text) in Words::arguments(prepared, room) {
            page.prose(2, Style::Plain, &format!("{name} = {text}"));
        }
    }

    fn value(&self, page: &mut Page) {
        let Some(value) = &self.value else {
            return;
        };
        page.heading("Value");
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        let room = page.looks.width.saturating_sub(2);
        let count = text.lines().count();
        for line in text.lines().take(LINES_MAX) {
            page.line(&format!("  {}", short(line, room)));
        }
        if count > LINES_MAX {
            let more = count - LINES_MAX;
            page.line(&format!(
                "  … and {more} more lines; `--format json` has all of it"
            ));
        }
    }

    fn json(&self) -> Json {
        let past = self.words.past;
        let entry = past.history.entry(self.at);
        let plan = past.history.plan();
        let effect = if let NodeKind::Step(step) = &plan.node(self.at.node).kind {
            Some(wording::effect(step.effect))
        } else {
            None
        };
        let arguments = self.prepared.as_ref().map(|prepared| {
            let given = prepared.args.iter().map(|(name, value)| {
                let ty = prepared.types.get(name);
                let written = ty.and_then(|ty| flow_core::json::to_json(value, ty).ok());
                // A secret is known by its name only.
                let written = written.unwrap_or_else(|| Json::from(wording::value(value)));
                (name.to_string(), written)
            });
            Json::Object(given.collect())
        });
        let costs = entry
            .map(flow_core::history::Entry::costs)
            .unwrap_or_default();
        let spot = self.written.as_ref();
        let spot = spot.and_then(|written| written.spot(self.at.node));
        let attempts = entry.map_or(&[][..], |entry| &entry.attempts);
        let settled = past.history.settled();
        json!({
            "version": 1,
            "run": &*past.row.id.0,
            "workflow": &**past.run.workflow(),
            "status": settled.map(|(_, status)| match status {
                Status::Succeeded => "succeeded",
                Status::Failed => "failed",
                Status::Cancelled => "cancelled",
            }),
            "path": self.words.whole_path(self.at),
            "step": wording::head(plan, self.at.node),
            "effect": effect,
            "state": self.state.word(),
            "note": self.words.note(self.at, self.state),
            "attempts": (1..).zip(attempts)
                .map(|(number, attempt)| attempts::json(number, attempt))
                .collect::<Vec<_>>(),
            "arguments": arguments,
            "value": self.value,
            "seconds": entry.map(|entry| {
                entry.last.since(entry.first).unwrap_or(Duration(0)).seconds()
            }),
            "spent": costs.spent.to_string(),
            "presumed": costs.presumed.to_string(),
            "held": costs.held.to_string(),
            "reused_from": entry
                .and_then(|entry| entry.source.as_ref())
                .map(|source| source.from.run.to_string()),
            "fell_back": entry
                .and_then(|entry| entry.fell_back.as_ref())
                .map(standing::failure),
            "place": spot.map(|spot| json!({
                "file": spot.file,
                "line": spot.line,
                "column": spot.column,
            })),
            "next": self.next.iter().map(next::json).collect::<Vec<_>>(),
        })
    }
}
