//! What a run looks like on a terminal while it goes on: one bar for all of it,
//! and a line for each step that takes a while. Pure: lines out, nothing drawn.

use flow_core::address::Ticket;
use flow_core::amount::{Duration, Money, Timestamp};

use super::tally::{Busy, Doing, Tally};
use crate::output::Looks;
use crate::page::{length, number, short, wide};

/// A step has to take so long to get a line: what is over at once would only
/// flicker.
const PATIENCE: i64 = 250;

/// The most lines of steps.
const LINES_MAX: usize = 8;

/// How wide a bar is at most.
const BAR_MAX: usize = 40;

/// The signs of something that moves.
const MOVES: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠟"];

/// Which steps have which lines. One keeps its line for as long as it takes.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Option<Ticket>>,
}

impl Slots {
    /// Gives lines to those that wait for one, the oldest first.
    pub(crate) fn update(&mut self, tally: &Tally, now: Timestamp, room: usize) {
        for slot in &mut self.slots {
            if slot
                .as_ref()
                .is_some_and(|ticket| !tally.doing.contains_key(ticket))
            {
                *slot = None;
            }
        }
        let room = room.min(LINES_MAX);
        let mut waiting: Vec<(&Ticket, &Doing)> = (tally.doing.iter())
            .filter(|(_, doing)| now.0 - doing.since.0 >= PATIENCE)
            .filter(|(ticket, _)| !self.has(ticket))
            .collect();
        waiting.sort_by_key(|(_, doing)| doing.since);
        for (ticket, _) in waiting {
            if let Some(free) = self.slots.iter_mut().find(|slot| slot.is_none()) {
                *free = Some(ticket.clone());
            } else if self.slots.len() < room {
                self.slots.push(Some(ticket.clone()));
            } else {
                break;
            }
        }
        while self.slots.len() > room || matches!(self.slots.last(), Some(None)) {
            self.slots.pop();
        }
    }

    fn has(&self, ticket: &Ticket) -> bool {
        let mut slots = self.slots.iter().flatten();
        slots.any(|other| other == ticket)
    }

    /// Returns the lines, the bar of the whole run last.
    pub(crate) fn lines(&self, tally: &Tally, now: Timestamp, looks: Looks) -> Vec<String> {
        let shown = self.slots.iter().map(|slot| {
            let doing = slot.as_ref().and_then(|ticket| tally.doing.get(ticket));
            doing.map_or_else(String::new, |doing| step(doing, now, looks))
        });
        let mut lines: Vec<String> = shown.collect();
        let known = self.slots.iter().flatten().count();
        let others = tally.doing.len().saturating_sub(known);
        if others > 0 && known == LINES_MAX {
            lines.push(fit(format!("  and {} more", number(others as u64)), looks));
        }
        lines.push(whole(tally, now, looks));
        lines
    }
}

/// The line of a step.
fn step(doing: &Doing, now: Timestamp, looks: Looks) -> String {
    let mut right = Vec::new();
    match doing.state {
        Busy::Works => {}
        Busy::Remote => right.push("handed in".to_owned()),
        Busy::Sleeps(until) => right.push(format!("sleeps {}", left(until, now))),
        Busy::Pauses(until) => right.push(format!("again in {}", left(until, now))),
        Busy::Asks => right.push("asks".to_owned()),
        Busy::Unknown => right.push("unknown".to_owned()),
    }
    if let Some(progress) = &doing.progress {
        if let Some(part) = progress.done {
            right.push(format!("{}%", percent(part)));
        }
        if !progress.note.is_empty() {
            right.push(short(&progress.note, (looks.width / 3).max(10)));
        }
    }
    if doing.held > Money(0) {
        right.push(format!("up to {}", doing.held));
    }
    right.push(since(doing.since, now));
    // What there is no room for goes from the left, the time stays.
    let dot = if looks.unicode { " · " } else { " - " };
    let mut told = right.join(dot);
    let room = looks.width.saturating_sub(4);
    while wide(&told) + 12 > room && right.len() > 1 {
        right.remove(0);
        told = right.join(dot);
    }
    let name_room = room.saturating_sub(wide(&told) + 2).max(8);
    let name = middle(&doing.path, name_room);
    let gap = room.saturating_sub(wide(&name) + wide(&told));
    fit(format!("  {name}{:gap$}{told}", ""), looks)
}

/// The line of the whole run.
fn whole(tally: &Tally, now: Timestamp, looks: Looks) -> String {
    let turn = usize::try_from(now.0 / 100).unwrap_or(0) % MOVES.len();
    let sign = if looks.unicode {
        MOVES[turn]
    } else {
        ["|", "/", "-", "\\"][turn % 4]
    };
    let counted = format!("{}/{}", number(tally.done), number(tally.total));
    let mut parts = vec![counted, since(tally.since, now)];
    if let Some(money) = money(tally) {
        parts.push(money);
    }
    if tally.failed > 0 {
        parts.push(format!("{} failed", number(tally.failed)));
    }
    let running = tally.doing.values();
    let running = running.filter(|doing| doing.state == Busy::Works).count();
    if running > 0 {
        parts.push(format!("{} running", number(running as u64)));
    }
    if let Some(rest) = tally.rest(now) {
        parts.push(format!("about {} left", length(rough(rest))));
    }
    if tally.reused > 0 {
        parts.push(format!("{} reused", number(tally.reused)));
    }
    // The bar is as wide as what is said leaves room for.
    let dot = if looks.unicode { " · " } else { " - " };
    let room = looks.width.saturating_sub(2);
    while wide(&parts.join(dot)) + 12 > room && parts.len() > 2 {
        parts.pop();
    }
    let told = parts.join(dot);
    let bar_room = room.saturating_sub(wide(&told) + 2).min(BAR_MAX);
    let bar = bar(tally.done, tally.total, bar_room, looks.unicode);
    fit(format!("{sign} {bar} {told}"), looks)
}

fn money(tally: &Tally) -> Option<String> {
    let costs = tally.costs;
    let spent = costs.spent.saturating_add(costs.presumed);
    let is_free = spent == Money(0) && costs.held == Money(0);
    let mut text = match tally.budget {
        Some(budget) => format!("{spent} of {budget}"),
        None if is_free => return None,
        None => spent.to_string(),
    };
    if costs.held > Money(0) {
        text = format!("{text} ({} held)", costs.held);
    }
    Some(text)
}

fn bar(done: u64, total: u64, width: usize, unicode: bool) -> String {
    let (full, empty) = if unicode { ("━", "─") } else { ("#", "-") };
    let total = total.max(1);
    let done = done.min(total);
    let filled = u128::from(done) * width as u128 / u128::from(total);
    let filled = usize::try_from(filled).unwrap_or(width);
    format!("{}{}", full.repeat(filled), empty.repeat(width - filled))
}

fn percent(part: f64) -> String {
    format!("{:.0}", (part.clamp(0.0, 1.0) * 100.0).floor())
}

fn since(at: Timestamp, now: Timestamp) -> String {
    let millis = now.0.saturating_sub(at.0).max(0);
    // Hundredths that race are no help.
    match millis / 1000 {
        few @ 0..60 => format!("{few}s"),
        many => length(Duration(many.saturating_mul(Duration::SECOND.0))),
    }
}

fn left(until: Timestamp, now: Timestamp) -> String {
    since(now, until)
}

/// Rounds a guess to what it is worth.
fn rough(rest: Duration) -> Duration {
    let second = Duration::SECOND.0;
    let unit = match rest.0 / second {
        0..60 => 1,
        60..600 => 10,
        600..3600 => 60,
        _ => 600,
    };
    let unit = unit * second;
    Duration((rest.0 / unit).max(1).saturating_mul(unit))
}

/// Cuts a path in its middle: its ends tell most.
fn middle(path: &str, room: usize) -> String {
    let path = short(path, 400);
    let count = wide(&path);
    if count <= room {
        return path;
    }
    let head = room.saturating_sub(1) / 3;
    let tail = room.saturating_sub(1 + head);
    let begin: String = path.chars().take(head).collect();
    let end: String = path.chars().skip(count - tail).collect();
    format!("{begin}…{end}")
}

fn fit(line: String, looks: Looks) -> String {
    if wide(&line) <= looks.width {
        return line;
    }
    line.chars().take(looks.width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_core::address::At;
    use flow_core::plan::NodeId;
    use flow_core::step::Progress;

    const UNICODE: bool = true;

    fn looks(width: usize, unicode: bool) -> Looks {
        Looks {
            width,
            color: false,
            unicode,
        }
    }

    fn ticket(number: u32) -> Ticket {
        Ticket {
            at: At {
                node: NodeId(number),
                ords: flow_core::address::Ords::default(),
            },
            generation: 0,
            attempt: 1,
        }
    }

    fn doing(path: &str, since: i64) -> Doing {
        Doing {
            path: path.into(),
            since: Timestamp(since),
            state: Busy::Works,
            progress: None,
            held: Money(0),
        }
    }

    fn tally(count: u32) -> Tally {
        let mut tally = Tally {
            total: 10_000,
            done: 1_234,
            failed: 2,
            since: Timestamp(0),
            ..Tally::default()
        };
        for number in 0..count {
            let path = format!("stills[{number}]/a_step_with_a_name");
            tally
                .doing
                .insert(ticket(number), doing(&path, i64::from(number)));
        }
        tally
    }

    #[test]
    fn every_line_fits_whatever_the_width() {
        let mut tally = tally(40);
        tally.budget = Some(Money(2_500_000_000));
        tally.costs.held = Money(40_000_000);
        let first = tally.doing.values_mut().next().unwrap();
        first.progress = Some(Progress {
            done: Some(0.425),
            note: "rendering frame 17 of 40 with\n\u{1b}[31ma note that has no end "
                .repeat(9)
                .into(),
        });
        first.held = Money(40_000_000);
        for width in 40..200 {
            for unicode in [UNICODE, !UNICODE] {
                let mut slots = Slots::default();
                slots.update(&tally, Timestamp(65_000), 20);
                let lines = slots.lines(&tally, Timestamp(65_000), looks(width, unicode));
                assert_eq!(lines.len(), LINES_MAX + 2);
                for line in &lines {
                    assert!(wide(line) <= width, "{width}: {line}");
                    assert!(!line.contains(['\n', '\u{1b}']), "{line}");
                }
                let last = lines.last().unwrap();
                assert!(last.contains("1,234/10,000"), "{width}: {last}");
                assert!(lines[0].ends_with("1m5s"), "{width}: {}", lines[0]);
            }
        }
    }

    #[test]
    fn what_is_said_of_a_run_is_what_there_is_room_for() {
        let mut tally = tally(3);
        tally.budget = Some(Money(2_500_000_000));
        tally.costs.spent = Money(420_000_000);
        let slots = Slots::default();
        let whole = |width| slots.lines(&tally, Timestamp(42_000), looks(width, !UNICODE));
        assert_eq!(
            whole(90),
            [
                "| ###------------------------- 1,234/10,000 - 42s - $0.42 of $2.50 - 2 failed - 3 running"
            ]
        );
        assert_eq!(whole(40), ["| ##---------------- 1,234/10,000 - 42s"]);
    }

    #[test]
    fn a_step_keeps_its_line_and_one_that_is_over_at_once_gets_none() {
        let mut tally = tally(3);
        let mut slots = Slots::default();
        let names = |slots: &Slots, tally: &Tally, now| -> Vec<String> {
            let lines = slots.lines(tally, Timestamp(now), looks(60, UNICODE));
            let paths = lines.iter().take(lines.len() - 1);
            paths
                .map(|line| line.split_whitespace().next().unwrap_or("").to_owned())
                .collect()
        };
        slots.update(&tally, Timestamp(100), 8);
        assert_eq!(names(&slots, &tally, 100), [""; 0]);
        slots.update(&tally, Timestamp(1_000), 8);
        let all = names(&slots, &tally, 1_000);
        assert_eq!(all.len(), 3);
        // The one in the middle ends: the others stay where they are.
        tally.doing.remove(&ticket(1));
        slots.update(&tally, Timestamp(1_100), 8);
        assert_eq!(names(&slots, &tally, 1_100), [&*all[0], "", &*all[2]]);
        // The next gets the line that is free.
        tally.doing.insert(ticket(9), doing("new", 1_100));
        slots.update(&tally, Timestamp(2_000), 8);
        assert_eq!(names(&slots, &tally, 2_000), [&*all[0], "new", &*all[2]]);
    }

    #[test]
    fn paths_are_cut_in_their_middle() {
        assert_eq!(middle("stills[3]/drafts", 20), "stills[3]/drafts");
        assert_eq!(middle("stills[3]/drafts", 10), "sti…drafts");
    }
}
