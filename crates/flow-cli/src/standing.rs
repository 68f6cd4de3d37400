//! How the instances of a run stand, in words.

use flow_core::address::{At, Part};
use flow_core::amount::Money;
use flow_core::arbiter::LedgerId;
use flow_core::event::Failure;
use flow_core::handle::{Handle, Values};
use flow_core::history::{Entry, State};
use flow_core::run::{Costs, Stance};
use flow_core::value::Value;

use crate::archive::{Archive, Past, Shelf};
use crate::page::{Style, away, short, tame};
use crate::wording;

/// A text that a note has room for.
const NOTE_MAX: usize = 160;

/// Returns the word for how something stands.
pub(crate) fn word(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Remote => "handed in",
        State::Probing => "being looked for",
        State::Ready => "ready",
        State::Asking => "asks",
        State::Unknown => "outcome unknown",
        State::Held => "over budget",
        State::Pausing => "tried again later",
        State::Sleeping => "sleeping",
        State::Pending => "to come",
        State::Failed => "failed",
        State::Blocked => "blocked",
        State::Cut => "given up",
        State::Skipped => "skipped",
        State::Reused => "reused",
        State::Succeeded => "done",
    }
}

/// Returns what something does that stands so, as a sentence goes on after its
/// name.
pub(crate) fn does(state: State) -> &'static str {
    match state {
        State::Running => "is in progress",
        State::Remote => "is in progress elsewhere",
        State::Probing => "may have happened, and its target is asked",
        State::Ready => "can begin, and waits for its turn",
        State::Asking => "asks a person",
        State::Unknown => "may have happened",
        State::Held => "doesn't fit into a budget",
        State::Pausing => "is to be tried again",
        State::Sleeping => "sleeps",
        State::Pending => "is still to come",
        State::Failed => "failed",
        State::Blocked => "is blocked",
        State::Cut => "was given up",
        State::Skipped => "was skipped",
        State::Reused => "was there already",
        State::Succeeded => "is done",
    }
}

/// Returns the sign that stands before something, and what it looks like.
pub(crate) fn sign(state: State, unicode: bool) -> (&'static str, Style) {
    let (sign, plain, style) = match state {
        State::Running | State::Remote | State::Probing => ("▶", ">", Style::Busy),
        State::Ready => ("▷", ">", Style::Busy),
        State::Asking | State::Unknown => ("?", "?", Style::Warn),
        State::Held => ("$", "$", Style::Warn),
        State::Pausing | State::Sleeping => ("◷", "~", Style::Warn),
        State::Pending => ("·", ".", Style::Dim),
        State::Failed => ("✗", "x", Style::Bad),
        State::Blocked => ("⊘", "/", Style::Dim),
        State::Cut | State::Skipped => ("–", "-", Style::Dim),
        State::Reused => ("✓", "=", Style::Good),
        State::Succeeded => ("✓", "+", Style::Good),
    };
    (if unicode { sign } else { plain }, style)
}

/// Writes what something cost: `$0.12 ($0.04 of it may have been charged); $0.01
/// is held`.
pub(crate) fn costs(costs: Costs) -> Option<String> {
    let all = costs.spent.saturating_add(costs.presumed);
    let mut text = String::new();
    if all > Money(0) {
        text = all.to_string();
        if costs.presumed == all {
            text.push_str(", which may have been charged");
        } else if costs.presumed > Money(0) {
            text = format!("{text} ({} of it may have been charged)", costs.presumed);
        }
    }
    if costs.held > Money(0) {
        let nothing = if text.is_empty() {
            "nothing so far"
        } else {
            ""
        };
        text = format!("{text}{nothing}; {} is held", costs.held);
    }
    (!text.is_empty()).then_some(text)
}

/// Writes a failure: `transient: the server is away`.
pub(crate) fn failure(failure: &Failure) -> String {
    format!("{}: {}", failure.class.word(), tame(&failure.message))
}

/// Writes a value in few letters.
pub(crate) fn value_text(value: &Value, most: usize) -> String {
    short(&wording::value(value), most)
}

/// Returns the question of a form, with what kind of question it is.
pub(crate) fn question(form: &Value) -> Option<(String, String)> {
    let Value::Record(fields) = form else {
        return None;
    };
    let text = |name: &str| match fields.get(name) {
        Some(Value::Text(text)) => Some(text.to_string()),
        Some(_) | None => None,
    };
    Some((
        text("kind").unwrap_or_else(|| "ask".to_owned()),
        text("question")?,
    ))
}

/// The words for what is in a run.
pub(crate) struct Words<'a> {
    pub(crate) archive: &'a Archive,
    pub(crate) past: &'a Past,
    pub(crate) values: Shelf<'a>,
}

impl<'a> Words<'a> {
    pub(crate) fn new(archive: &'a Archive, past: &'a Past) -> Self {
        Self {
            archive,
            past,
            values: archive.values(),
        }
    }

    /// Returns the path of an instance, for programs.
    pub(crate) fn whole_path(&self, at: &At) -> String {
        self.past.history.path(at, &self.values).to_string()
    }

    /// Returns the path of an instance, for people: without the name of the
    /// workflow, which stands before every path.
    pub(crate) fn path(&self, at: &At) -> String {
        let path = self.past.history.path(at, &self.values).to_string();
        self.inside(&path)
    }

    /// Returns the path of a part of the run.
    pub(crate) fn part(&self, part: &Part) -> String {
        let path = self.past.history.part_path(part, &self.values);
        self.inside(&path.to_string())
    }

    /// Leaves out the name of the workflow, which stands before every path.
    pub(crate) fn inside(&self, path: &str) -> String {
        let root = format!("{}/", self.past.history.plan().root_node().name);
        path.strip_prefix(&root).unwrap_or(path).to_owned()
    }

    /// Returns the value behind a handle.
    pub(crate) fn value(&self, handle: &Handle) -> Option<Value> {
        self.past.run.load(handle, &self.values)
    }

    /// Says what there is to say of how an instance stands, besides the word
    /// for it.
    pub(crate) fn note(&self, at: &At, state: State) -> Option<String> {
        let entry = self.past.history.entry(at);
        let stance = self.past.run.stance(at);
        match state {
            State::Running | State::Remote => running(entry, self.archive.now),
            State::Probing => None,
            State::Ready => self.wait(at),
            State::Asking => self.asking(&stance?),
            State::Unknown => Some("somebody has to say whether it did".to_owned()),
            State::Held => Some(self.held(at)),
            State::Pausing => self.pausing(at, &stance?),
            State::Sleeping => self.sleeping(&stance?),
            State::Pending => self.pending(at),
            State::Failed => self.failed(at),
            State::Blocked => self.blocked_by(at).map(|by| format!("by {by}")),
            State::Cut | State::Skipped | State::Reused | State::Succeeded => None,
        }
    }

    fn sleeping(&self, stance: &Stance) -> Option<String> {
        let Stance::Sleeping(until) = stance else {
            return None;
        };
        let when = away(*until, self.archive.now);
        Some(format!("until {}, {when}", crate::page::instant(*until)))
    }

    fn asking(&self, stance: &Stance) -> Option<String> {
        let Stance::Asking { form, expires } = stance else {
            return None;
        };
        let form = self.value(form);
        let question = form.as_ref().and_then(question);
        let question = question.map_or_else(
            || "a question".to_owned(),
            |(_, text)| format!("“{}”", short(&text, NOTE_MAX)),
        );
        let until = expires.map(|at| format!(", {} it is too late", away(at, self.archive.now)));
        Some(format!("{question}{}", until.unwrap_or_default()))
    }

    fn held(&self, at: &At) -> String {
        let refused = self
            .past
            .history
            .entry(at)
            .and_then(|entry| entry.refused.as_ref());
        let Some(refused) = refused else {
            return "it doesn't fit into a budget".to_owned();
        };
        let of = refused.ledger.as_ref().map(|ledger| self.ledger(ledger));
        let of = of.map_or_else(String::new, |of| format!(" of {of}"));
        format!("{}{of}", tame(&refused.failure.message))
    }

    fn pausing(&self, at: &At, stance: &Stance) -> Option<String> {
        let Stance::Pausing(wake) = stance else {
            return None;
        };
        let setback = self.past.run.setback(at).cloned();
        let last = setback.or_else(|| {
            let entry = self.past.history.entry(at)?;
            let attempt = entry.attempt()?;
            attempt.outcome.failure().cloned()
        });
        let when = if *wake > self.archive.now {
            away(*wake, self.archive.now)
        } else {
            "is due".to_owned()
        };
        Some(match last {
            Some(last) => format!("{when}, after {}", short(&failure(&last), NOTE_MAX)),
            None => when,
        })
    }

    fn failed(&self, at: &At) -> Option<String> {
        let survey = self.past.survey();
        let found = survey.failure(&survey.instance(at))?;
        Some(format!("{}{}", failure(&found), self.number(at)))
    }

    /// Says that something failed, and how.
    pub(crate) fn failed_text(&self, at: &At) -> String {
        let survey = self.past.survey();
        match survey.failure(&survey.instance(at)) {
            None => word(State::Failed).to_owned(),
            Some(found) => format!(
                "failed ({}): {}{}",
                found.class.word(),
                short(&found.message, NOTE_MAX),
                self.number(at)
            ),
        }
    }

    /// Says which attempt was the last, if there were several.
    fn number(&self, at: &At) -> String {
        let entry = self.past.history.entry(at);
        match entry.map_or(0, |entry| entry.attempts.len()) {
            0 | 1 => String::new(),
            many => format!(" (attempt {many})"),
        }
    }

    /// Names what a step waits for that has to come first.
    fn pending(&self, at: &At) -> Option<String> {
        let survey = self.past.survey();
        let open: Vec<String> = survey
            .waits_for(at)
            .into_iter()
            .map(|before| self.path(&before))
            .collect();
        match open.as_slice() {
            [] => None,
            [one] => Some(format!("after {one}")),
            [one, two] => Some(format!("after {one} and {two}")),
            [one, rest @ ..] => Some(format!("after {one} and {} more", rest.len())),
        }
    }

    /// Names the failure at the root of a blocked step.
    pub(crate) fn blocked_by(&self, at: &At) -> Option<String> {
        let chain = self.past.survey().causes(at);
        chain.last().map(|(cause, item)| match item {
            Some(item) => {
                let path = self.past.history.item_path(cause, *item, &self.values);
                self.inside(&path.to_string())
            }
            None => self.path(cause),
        })
    }

    /// Names a ledger.
    pub(crate) fn ledger(&self, ledger: &LedgerId) -> String {
        match ledger {
            LedgerId::Run(_) => "the run's own budget".to_owned(),
            LedgerId::Instance(run, at) if run == self.past.run.id() => {
                format!("the budget of `{}`", self.path(at))
            }
            LedgerId::Place(run, place) if run == self.past.run.id() => {
                let place = if place.is_empty() {
                    self.past.run.workflow()
                } else {
                    place
                };
                format!("the budget of `{}`", tame(place))
            }
            LedgerId::Instance(run, _) | LedgerId::Place(run, _) => {
                format!("a budget in the run `{run}`")
            }
            LedgerId::Project => "the project's budget".to_owned(),
            LedgerId::ProjectPeriod { period, .. } => format!("the project's budget per {period}"),
            LedgerId::Provider(name) => format!("the budget for `{}`", tame(name)),
            LedgerId::Trigger { name, .. } => format!("the budget of the trigger `{name}`"),
            LedgerId::Scope { path, period, .. } => format!("the budget of `{path}` per {period}"),
        }
    }
}

fn running(entry: Option<&Entry>, now: flow_core::amount::Timestamp) -> Option<String> {
    let attempt = entry?.attempt()?;
    let since = now.since(attempt.started).unwrap_or_default();
    let number = entry?.attempts.len();
    let which = if number > 1 {
        format!(", attempt {number}")
    } else {
        String::new()
    };
    Some(format!("for {}{which}", crate::page::length(since)))
}

impl Values for Words<'_> {
    fn get(&self, digest: &flow_core::digest::Digest) -> Option<Value> {
        self.values.get(digest)
    }

    fn put(&self, value: &Value) -> Handle {
        self.values.put(value)
    }
}
