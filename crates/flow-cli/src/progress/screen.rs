//! Where a run is shown: a terminal, or a stream of lines.

use std::io::Write;
use std::time::Duration;

use flow_core::address::Ticket;
use flow_core::amount::{Money, Timestamp};
use flow_core::event::Event;
use flow_core::run::Run;
use flow_core::step::Progress;
use flow_runtime::driver::View;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Show;
use super::bars::Slots;
use super::tally::{Busy, Tally};
use super::told::Told;
use crate::args::Color;
use crate::output::{Looks, message_looks};
use crate::page::{length, number};
use crate::tell::name;

/// How often a terminal is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// How often is looked whether a line is due where there is no terminal.
const LOOK: Duration = Duration::from_secs(1);

/// How long nothing may be said where there is no terminal, in milliseconds.
const SILENCE: i64 = 30_000;

/// A terminal.
pub(crate) struct Screen {
    color: Color,
    told: Told,
    tally: Option<Tally>,
    slots: Slots,
    bars: MultiProgress,
    lines: Vec<ProgressBar>,
}

impl Screen {
    /// Shows a run on standard error.
    pub(crate) fn new(color: Color, looks: Looks) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(20);
        Self {
            color,
            told: Told::new(looks),
            tally: None,
            slots: Slots::default(),
            bars: MultiProgress::with_draw_target(target),
            lines: Vec::new(),
        }
    }

    fn draw(&mut self, texts: &[String]) {
        while self.lines.len() > texts.len() {
            if let Some(line) = self.lines.pop() {
                line.finish_and_clear();
                self.bars.remove(&line);
            }
        }
        while self.lines.len() < texts.len() {
            let line = self.bars.add(ProgressBar::new_spinner());
            line.set_style(style());
            self.lines.push(line);
        }
        for (line, text) in self.lines.iter().zip(texts) {
            line.set_message(text.clone());
        }
    }
}

/// A line is shown as it is; one that no longer fits is cut.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_msg}").expect("the template is right")
}

impl Show for Screen {
    fn begin(&mut self, run: &Run, done: u64, now: Timestamp) {
        self.tally = Some(Tally::new(run, done, now));
    }

    fn event(&mut self, view: &View<'_>, event: &Event) {
        let total = count(self.tally.as_mut(), view, event);
        if let Some(line) = self.told.event(view, event, total) {
            self.say(&line);
        }
    }

    fn say(&mut self, text: &str) {
        // A message that nobody can read changes nothing.
        drop(self.bars.println(text));
    }

    fn progress(&mut self, ticket: &Ticket, progress: &Progress) {
        if let Some(tally) = &mut self.tally {
            tally.progress(ticket, progress);
        }
    }

    fn tick(&mut self, now: Timestamp) {
        let Some(tally) = &self.tally else { return };
        let looks = message_looks(self.color);
        let room = terminal_size::terminal_size().map_or(24, |(_, height)| height.0);
        let room = usize::from(room).saturating_sub(3).max(1);
        self.slots.update(tally, now, room);
        let texts = self.slots.lines(tally, now, looks);
        self.draw(&texts);
    }

    fn close(&mut self) {
        self.draw(&[]);
        drop(self.bars.clear());
    }

    fn pace(&self) -> Duration {
        FRAME
    }
}

/// A stream of lines.
pub(crate) struct Lines {
    told: Told,
    tally: Option<Tally>,
    /// When something was last said.
    said: Option<Timestamp>,
    looks: Looks,
}

impl Lines {
    /// Shows a run on standard error.
    pub(crate) fn new(looks: Looks) -> Self {
        Self {
            told: Told::new(looks),
            tally: None,
            said: None,
            looks,
        }
    }
}

impl Show for Lines {
    fn begin(&mut self, run: &Run, done: u64, now: Timestamp) {
        self.tally = Some(Tally::new(run, done, now));
    }

    fn event(&mut self, view: &View<'_>, event: &Event) {
        let total = count(self.tally.as_mut(), view, event);
        if let Some(line) = self.told.event(view, event, total) {
            self.said = Some(event.at);
            self.say(&line);
        }
    }

    fn say(&mut self, text: &str) {
        let mut stream = std::io::stderr().lock();
        // A message that nobody can read changes nothing.
        drop(writeln!(stream, "{text}"));
    }

    fn progress(&mut self, ticket: &Ticket, progress: &Progress) {
        if let Some(tally) = &mut self.tally {
            tally.progress(ticket, progress);
        }
    }

    fn tick(&mut self, now: Timestamp) {
        let Some(tally) = &self.tally else { return };
        let since = self.said.unwrap_or(tally.since);
        if now.0 - since.0 >= SILENCE {
            let text = summary(tally, now, self.looks);
            self.said = Some(now);
            self.say(&text);
        }
    }

    fn close(&mut self) {}

    fn pace(&self) -> Duration {
        LOOK
    }
}

/// Says in one line how far a run is.
fn summary(tally: &Tally, now: Timestamp, looks: Looks) -> String {
    let dot = if looks.unicode { " · " } else { " - " };
    let mut parts = vec![format!(
        "{} of {} done",
        number(tally.done),
        number(tally.total)
    )];
    if tally.failed > 0 {
        parts.push(format!("{} failed", number(tally.failed)));
    }
    let busy: Vec<&str> = (tally.doing.values())
        .filter(|doing| doing.state != Busy::Unknown)
        .map(|doing| &*doing.path)
        .collect();
    match busy.as_slice() {
        [] => {}
        [first, second, _, _, ..] => parts.push(format!(
            "at {first}, {second} and {} more",
            number(busy.len() as u64 - 2)
        )),
        few => parts.push(format!("at {}", few.join(", "))),
    }
    if tally.costs.spent > Money(0) {
        parts.push(tally.costs.spent.to_string());
    }
    if let Some(rest) = tally.rest(now) {
        parts.push(format!("about {} left", length(rest)));
    }
    parts.join(dot)
}

/// Counts an event; returns how many steps there are.
fn count(tally: Option<&mut Tally>, view: &View<'_>, event: &Event) -> u64 {
    let plan = view.run.plan();
    let Some(tally) = tally else { return 0 };
    tally.event(plan, event, &|at| name(view, at));
    tally.costs = view.run.costs();
    tally.budget = view.run.budget();
    tally.total
}
