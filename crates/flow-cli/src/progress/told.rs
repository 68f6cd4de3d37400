//! What of a run is worth a line: all that goes wrong or waits for somebody,
//! and what went well if it took long, cost something or changed the world.

use std::collections::BTreeMap;

use flow_core::address::Ticket;
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::effect::Effect;
use flow_core::event::{Event, Fact};
use flow_core::step::Bill;
use flow_runtime::driver::View;

use crate::output::Looks;
use crate::page::length;
use crate::tell::{line, name};

/// What took so long is worth a line.
const LONG: i64 = 2000;

/// Of more steps than these only those outside of any `for` are told.
const CALM: u64 = 100;

/// So many failures get a line; the others are counted.
const FAILURES_MAX: u32 = 20;

/// Says what is worth a line.
#[derive(Debug)]
pub(crate) struct Told {
    looks: Looks,
    /// Attempts in progress: since when, and whether they act.
    began: BTreeMap<Ticket, (Timestamp, Effect)>,
    failures: u32,
}

impl Told {
    pub(crate) fn new(looks: Looks) -> Self {
        Self {
            looks,
            began: BTreeMap::new(),
            failures: 0,
        }
    }

    /// Returns the line of an event, if it is worth one.
    pub(crate) fn event(&mut self, view: &View<'_>, event: &Event, total: u64) -> Option<String> {
        if let Fact::AttemptStarted(started) = &event.fact {
            self.began
                .insert(started.ticket.clone(), (event.at, started.effect));
            return None;
        }
        if let Fact::Succeeded { ticket, bill, .. } = &event.fact {
            let (since, effect) = self.began.remove(ticket)?;
            return self.success(view, ticket, *bill, event.at.0 - since.0, effect, total);
        }
        self.forget(&event.fact);
        let text = line(view, &event.fact)?;
        let text = text.trim_end().to_owned();
        if !matches!(event.fact, Fact::Failed { .. } | Fact::Broke { .. }) {
            return Some(text);
        }
        self.failures += 1;
        match self.failures {
            0..=FAILURES_MAX => Some(text),
            more if more == FAILURES_MAX + 1 => Some(format!(
                "more fails than fits here; `flow show {}` has all of it",
                view.run.id()
            )),
            _ => None,
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other facts end no attempt")]
    fn forget(&mut self, fact: &Fact) {
        match fact {
            Fact::Failed { ticket, .. }
            | Fact::Stopped { ticket, .. }
            | Fact::AttemptLost { ticket, .. }
            | Fact::Asked { ticket, .. }
            | Fact::Waits { ticket, .. } => {
                self.began.remove(ticket);
            }
            _ => {}
        }
    }

    fn success(
        &self,
        view: &View<'_>,
        ticket: &Ticket,
        bill: Bill,
        millis: i64,
        effect: Effect,
        total: u64,
    ) -> Option<String> {
        let cost = bill.amount();
        let is_worth = millis >= LONG || cost > Money(0) || effect.acts();
        let is_calm = total <= CALM || ticket.at.ords.is_empty();
        if !is_worth || !is_calm {
            return None;
        }
        let (sign, dot) = if self.looks.unicode {
            ("✓", " · ")
        } else {
            ("ok:", " - ")
        };
        let took = Duration(millis.max(0).saturating_mul(Duration::MILLISECOND.0));
        let mut text = format!("{sign} {}{dot}{}", name(view, &ticket.at), length(took));
        if cost > Money(0) {
            text = format!("{text}{dot}{cost}");
        }
        Some(text)
    }
}
