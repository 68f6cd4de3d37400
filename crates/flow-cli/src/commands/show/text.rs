//! A run for people.

use flow_core::amount::Duration;
use flow_core::event::Status;
use flow_core::history::{Place, State};
use flow_runtime::owner::{Life, Pace};

use crate::commands::runs::style;
use crate::output::Looks;
use crate::page::{Page, Style, away, instant, length, number, short, tame, wide};
use crate::standing::{self, sign, word};

use super::faults::{self, Fault, PATHS_MAX};
use super::tree::{Handled, Kind, Row, Tally};
use super::{Shown, next};

/// How many different failures are told.
const FAULTS_MAX: usize = 10;

/// How many waiting steps are told.
const WAITING_MAX: usize = 10;

/// Below this width there is no room for what a step does.
const NARROW: usize = 72;

/// Writes a run, or a part of one.
pub(super) fn of(shown: &Shown<'_>, place: Option<&Place>, looks: Looks) -> String {
    let mut view = View {
        shown,
        page: Page::new(looks),
    };
    view.header(place);
    view.faults();
    view.waits();
    view.steps();
    next::list(&shown.next, &mut view.page);
    view.page.into_text()
}

struct View<'a> {
    shown: &'a Shown<'a>,
    page: Page,
}

/// A line of the list of steps.
struct Line {
    state: State,
    name: String,
    head: String,
    took: String,
    cost: String,
    what: Vec<String>,
}

impl View<'_> {
    fn header(&mut self, place: Option<&Place>) {
        let past = self.shown.past();
        let state = self.shown.state;
        let workflow = tame(past.run.workflow());
        let parts = [
            (Style::Bold, &*past.row.id.0),
            (Style::Plain, &*workflow),
            (style(state), state.text()),
        ];
        self.page.title(None, &parts);
        self.times();
        self.money();
        if let Some(Life::Alive { pid, pace }) = &self.shown.driver {
            let process =
                pid.map_or_else(|| "a process".to_owned(), |pid| format!("process {pid}"));
            let text = match pace {
                Pace::Running => format!("driven by {process}"),
                Pace::Stopped => {
                    format!("driven by {process}, which is stopped; it goes on with `kill -CONT`")
                }
            };
            self.page.prose(2, Style::Plain, &text);
        }
        if past.survey().is_recalled()
            && let Some(recalled) = &past.run.started().recalled
        {
            let text = format!(
                "nothing was walked: the run {} had the same inputs, and its result was taken",
                recalled.from.run
            );
            self.page.prose(2, Style::Plain, &text);
        }
        for cancel in past.history.cancels().iter().take(3) {
            let what = self.shown.words.part(&cancel.part);
            let text = format!(
                "{} gave up `{what}` at {}: {}",
                tame(&cancel.by),
                instant(cancel.at),
                tame(&cancel.why)
            );
            self.page.prose(2, Style::Plain, &text);
        }
        if let Some(place) = place {
            let path = past.history.place_path(place, &self.shown.words);
            let path = self.shown.words.inside(&path);
            self.page.gap();
            let path = self.page.styled(Style::Bold, &tame(&path));
            self.page.line(&path);
        }
    }

    fn times(&mut self) {
        let past = self.shown.past();
        let now = self.shown.words.archive.now;
        let began = past.run.started_at();
        let took =
            |until: flow_core::amount::Timestamp| length(until.since(began).unwrap_or(Duration(0)));
        let text = match self.shown.ended() {
            Some((ended, Status::Succeeded)) => format!("took {}", took(ended)),
            Some((ended, _)) => format!("ended after {}", took(ended)),
            None => format!("last heard of {}", away(past.run.last_at(), now)),
        };
        let taken = past.history.owners().len();
        let again = often("taken up again", taken);
        let (plans, parts): (Vec<_>, Vec<_>) = past
            .history
            .edits()
            .iter()
            .partition(|edit| edit.is_other_plan);
        let edited = often("edited", plans.len()) + &often("reset", parts.len());
        let text = format!(
            "began {}, {}; {text}{again}{edited}",
            instant(began),
            away(began, now)
        );
        self.page.prose(2, Style::Plain, &text);
        if let Some(from) = past.run.started().parent.as_ref() {
            let text = format!("another run of {}", from.run);
            self.page.prose(2, Style::Plain, &text);
        }
    }

    fn money(&mut self) {
        let spent = standing::costs(self.shown.costs());
        let text = match (spent, self.shown.budget()) {
            (None, None) => return,
            (Some(spent), None) => format!("spent {spent}"),
            (Some(spent), Some(budget)) => format!("spent {spent}; the budget is {budget}"),
            (None, Some(budget)) => format!("spent nothing of a budget of {budget}"),
        };
        self.page.prose(2, Style::Plain, &text);
    }

    fn faults(&mut self) {
        let shown = self.shown;
        let (open, done): (Vec<&Fault>, Vec<&Fault>) = shown
            .faults
            .iter()
            .partition(|fault| fault.handled.is_none());
        for (heading, faults) in [("Failed", open), ("Failed, but dealt with", done)] {
            if faults.is_empty() {
                continue;
            }
            self.page.heading(heading);
            for fault in faults.iter().take(FAULTS_MAX) {
                self.fault(fault);
            }
            if faults.len() > FAULTS_MAX {
                let more = number((faults.len() - FAULTS_MAX) as u64);
                self.page.line(&format!("  and {more} other failures"));
            }
        }
    }

    fn fault(&mut self, fault: &Fault) {
        let (mark, look) = sign(State::Failed, self.page.looks.unicode);
        let mark = self.page.styled(
            if fault.handled.is_none() {
                look
            } else {
                Style::Dim
            },
            mark,
        );
        let mut paths = fault.paths.join(", ");
        if fault.count > PATHS_MAX {
            let more = number((fault.count - fault.paths.len()) as u64);
            paths = format!("{paths} and {more} more");
        }
        let paths = short(&paths, self.page.looks.width.saturating_sub(4).max(20));
        let paths = self.page.styled(Style::Bold, &paths);
        self.page.line(&format!("  {mark} {paths}"));
        let attempts = match fault.attempts {
            0 | 1 => String::new(),
            many => format!(", after {many} attempts"),
        };
        let handled = match fault.handled {
            None => "",
            Some(Handled::FellBack) => "; its `else` was taken",
            Some(Handled::LeftOut) => "; left out by `keep ok`",
            Some(Handled::Outrun) => "; others were in the race",
        };
        let text = format!("{}{attempts}{handled}", standing::failure(&fault.failure));
        self.page.prose(4, Style::Plain, &short(&text, 600));
        let spot = self.shown.written.as_ref();
        if let Some(spot) = spot.and_then(|written| written.spot(fault.node)) {
            self.page.prose(4, Style::Dim, &spot.to_string());
        }
    }

    /// Says what is waited for, and by whom.
    fn waits(&mut self) {
        let told = &self.shown.tree.told;
        let waiting: Vec<_> = told
            .iter()
            .filter(|told| !matches!(told.state, State::Failed | State::Running | State::Ready))
            .collect();
        if waiting.is_empty() {
            return;
        }
        self.page.heading("Waits");
        for told in waiting.iter().take(WAITING_MAX) {
            let (mark, look) = sign(told.state, self.page.looks.unicode);
            let mark = self.page.styled(look, mark);
            let path = faults::path(&self.shown.words, told);
            let path = self.page.styled(Style::Bold, &tame(&path));
            self.page.line(&format!("  {mark} {path}"));
            let note = self.shown.words.note(&told.at, told.state);
            let text = match note {
                Some(note) => format!("{}: {note}", word(told.state)),
                None => word(told.state).to_owned(),
            };
            self.page.prose(4, Style::Plain, &text);
        }
        if waiting.len() > WAITING_MAX {
            let more = number((waiting.len() - WAITING_MAX) as u64);
            self.page.line(&format!("  and {more} more"));
        }
    }

    fn steps(&mut self) {
        let root = &self.shown.tree.root;
        let mut lines = Vec::new();
        if root.at == Some(flow_core::address::At::root()) && root.kind == Kind::Region {
            for row in &root.rows {
                self.lines(row, 0, &mut lines);
            }
        } else {
            self.lines(root, 0, &mut lines);
        }
        if lines.is_empty() {
            return;
        }
        let heading = match counted(self.shown.tree.steps) {
            Some(counted) => format!("Steps: {counted}"),
            None => "Steps".to_owned(),
        };
        self.page.heading(&heading);
        let widest = |cell: &dyn Fn(&Line) -> usize, most: usize| {
            lines.iter().map(cell).max().unwrap_or(0).min(most)
        };
        let width = self.page.looks.width;
        let name = widest(&|line| wide(&line.name), (width / 2).max(16));
        let took = widest(&|line| wide(&line.took), 10);
        let cost = widest(&|line| wide(&line.cost), 14);
        let head = if width < NARROW {
            0
        } else {
            widest(&|line| wide(&line.head), (width / 4).max(12))
        };
        for line in &lines {
            self.step(line, [name, head, took, cost]);
        }
    }

    fn step(&mut self, line: &Line, columns: [usize; 4]) {
        let [name, head, took, cost] = columns;
        let (mark, look) = sign(line.state, self.page.looks.unicode);
        let mark = self.page.styled(look, mark);
        let called = short(&line.name, name);
        let mut text = format!("  {mark} {called:name$}");
        let mut used = 4 + name;
        if head > 0 {
            let does = format!("{:head$}", short(&line.head, head));
            text = format!("{text}  {}", self.page.styled(Style::Dim, &does));
            used += 2 + head;
        }
        for (cell, column) in [(&line.took, took), (&line.cost, cost)] {
            if column > 0 {
                text = format!("{text}  {cell:>column$}");
                used += 2 + column;
            }
        }
        let what = line.what.join(", ");
        let style = if line.state.is_good() {
            Style::Dim
        } else {
            look
        };
        if what.is_empty() {
            self.page.line(&text);
        } else if used + 2 + wide(&what) <= self.page.looks.width {
            let what = self.page.styled(style, &what);
            self.page.line(&format!("{text}  {what}"));
        } else {
            self.page.line(&text);
            let indent = line.name.chars().take_while(|c| *c == ' ').count() + 6;
            self.page.prose(indent, style, &what);
        }
    }

    /// Adds the lines of a row and of what is in it.
    fn lines(&self, row: &Row, depth: usize, lines: &mut Vec<Line>) {
        let only = &self.shown.only;
        if row.kind == Kind::Item && !only.is_empty() && !only.contains(&row.state) {
            return;
        }
        let indent = "  ".repeat(depth);
        let took = match (row.sums.first, row.sums.last) {
            (Some(first), Some(last)) if row.kind != Kind::Arm => {
                length(last.since(first).unwrap_or(Duration(0)))
            }
            _ => String::new(),
        };
        let all = row.sums.costs.spent.saturating_add(row.sums.costs.presumed);
        let cost = if all > flow_core::amount::Money(0) && row.kind != Kind::Arm {
            all.to_string()
        } else {
            String::new()
        };
        lines.push(Line {
            state: row.state,
            name: format!("{indent}{}", tame(&row.name)),
            head: row.head.clone(),
            took,
            cost,
            what: self.what(row),
        });
        for row in &row.rows {
            self.lines(row, depth + 1, lines);
        }
    }

    /// Says in a few words how a row stands.
    fn what(&self, row: &Row) -> Vec<String> {
        let mut what = Vec::new();
        if let Some(items) = &row.items {
            what.push(items_text(items));
        } else if row.tally.all() > 1 && row.kind != Kind::Arm {
            what.extend(counted(row.tally));
            let attempts = row.sums.attempts;
            if attempts > row.tally.all() {
                what.push(format!("{} attempts", number(attempts.into())));
            }
            return what;
        }
        if let Some(from) = &row.reused {
            let is_here = **from == *self.shown.past().run.id().0;
            what.push(if is_here {
                "from this run".to_owned()
            } else {
                format!("from the run {from}")
            });
        }
        if row.fell_back.is_some() {
            what.push("its `else` was taken".to_owned());
        }
        if let Some(fault) = &row.fault
            && let Some(failure) = faults::failure(&self.shown.words, fault)
        {
            what.push(short(&standing::failure(&failure), 120));
        }
        match (row.kind, row.state) {
            (Kind::Arm, _) | (_, State::Succeeded | State::Reused) => {}
            (Kind::Region | Kind::Item, State::Failed | State::Running) => {}
            (Kind::Step, State::Failed) => {
                what.extend(row.at.as_ref().map(|at| self.shown.words.failed_text(at)));
            }
            (_, state) => {
                let at = row.at.as_ref().filter(|_| row.kind != Kind::Item);
                let note = at.and_then(|at| self.shown.words.note(at, state));
                let note = note.map(|note| short(&note, 120));
                let is_apart = [State::Held, State::Ready, State::Unknown, State::Pausing];
                let joint = if is_apart.contains(&state) { ": " } else { " " };
                what.push(match note {
                    Some(note) => format!("{}{joint}{note}", word(state)),
                    None => word(state).to_owned(),
                });
            }
        }
        if row.kind == Kind::Step && row.sums.attempts > 1 && row.state != State::Failed {
            what.push(format!("{} attempts", row.sums.attempts));
        }
        if row.sums.costs.presumed > flow_core::amount::Money(0) && row.kind == Kind::Step {
            what.push(format!("{} may have been charged", row.sums.costs.presumed));
        }
        what
    }
}

/// Writes how many stand how: `9,990 done, 7 failed`.
fn counted(tally: Tally) -> Option<String> {
    let parts: Vec<String> = tally
        .states()
        .map(|(state, count)| format!("{} {}", number(count.into()), word(state)))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn items_text(items: &super::tree::Counts) -> String {
    if items.are_rounds {
        let rounds = if items.count == 1 { "round" } else { "rounds" };
        return format!("{} {rounds}", items.count);
    }
    let done = items.tally.count(State::Succeeded) + items.tally.count(State::Reused);
    let mut parts = vec![format!(
        "{} of {} done",
        number(done.into()),
        number(items.count.into())
    )];
    for (state, count) in items.tally.states().filter(|(state, _)| !state.is_good()) {
        let is_left = items.keeps_ok && matches!(state, State::Failed | State::Blocked);
        let how = if is_left { "left out" } else { word(state) };
        parts.push(format!("{} {how}", number(count.into())));
    }
    parts.join(", ")
}

/// Says how often something was done to a run.
fn often(what: &str, count: usize) -> String {
    match count {
        0 => String::new(),
        1 => format!(", {what} once"),
        many => format!(", {what} {many} times"),
    }
}
