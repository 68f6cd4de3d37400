//! A copy of a run that is walked as far as it goes for nothing: everything is
//! taken over that can be, nothing is begun.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::address::{At, Ticket};
use crate::amount::{Money, Timestamp};
use crate::digest::Digest;
use crate::event::Fact;
use crate::handle::Values;
use crate::key::KeptParts;
use crate::path::StepPath;
use crate::run::{Action, Input, Leftover, Prepared, Refusal, Run};

use super::estate::Estate;
use super::takeover::Takeover;

/// The most items of a `for` that are opened at once: all that can be said is
/// said of them.
const OPEN_MAX: u32 = 10_000;

/// A copy of a run that is walked as far as it goes for nothing.
pub(super) struct Forecast<'a> {
    pub(super) run: Run,
    pub(super) takeover: Takeover,
    now: Timestamp,
    values: &'a dyn Values,
    actions: VecDeque<Action>,
    /// What is to be admitted, as long as nothing was taken over for it.
    pub(super) waiting: BTreeMap<Ticket, Waiting>,
    /// Where results were taken over, and which.
    pub(super) adopted: Vec<(At, StepPath, usize)>,
    /// Where attempts were taken over, and which.
    pub(super) joined: BTreeMap<Ticket, (At, StepPath)>,
    /// What is left of attempts from before.
    pub(super) leftovers: Vec<Leftover>,
}

/// An attempt that would begin.
pub(super) struct Waiting {
    pub(super) at: At,
    pub(super) place: StepPath,
    pub(super) key: Option<Digest>,
    pub(super) parts: Option<KeptParts>,
    /// What one attempt costs at most.
    pub(super) amount: Money,
}

impl<'a> Forecast<'a> {
    /// Walks a run that goes on with an estate.
    pub(super) fn of(run: Run, estate: Estate, values: &'a dyn Values) -> Self {
        let run = run.without_order();
        let mut forecast = Self {
            takeover: Takeover::new(estate, run.plan()),
            now: run.last_at(),
            leftovers: run.leftovers(values),
            run,
            values,
            actions: VecDeque::new(),
            waiting: BTreeMap::new(),
            adopted: Vec::new(),
            joined: BTreeMap::new(),
        };
        forecast.go();
        forecast
    }

    fn go(&mut self) {
        let by: Arc<str> = "a sheet".into();
        self.feed(Input::Resume { by });
        self.actions = self.run.outstanding().into();
        loop {
            while let Some(action) = self.actions.pop_front() {
                match action {
                    Action::Evaluate { at, item } => self.feed(Input::Evaluate { at, item }),
                    Action::Admit { ticket } if ticket.attempt == 1 => self.offer(ticket),
                    Action::Admit { .. }
                    | Action::Start { .. }
                    | Action::Poll { .. }
                    | Action::Probe { .. }
                    | Action::Stop { .. }
                    | Action::Ask { .. } => {}
                }
            }
            let Some(input) = self.takeover.next(&self.run, self.values) else {
                break;
            };
            self.take_over(input);
        }
        let run = &self.run;
        self.waiting.retain(|ticket, _| run.is_admissible(ticket));
    }

    fn offer(&mut self, ticket: Ticket) {
        if !self.run.is_admissible(&ticket) {
            return;
        }
        let day = |_| Arc::from("");
        match self.run.prepare(&ticket, &day, self.values) {
            Ok(prepared) => {
                self.takeover.offer(&prepared);
                self.waiting.insert(ticket, Waiting::of(&prepared));
            }
            Err(failure) => self.feed(Input::Refused {
                ticket,
                why: Refusal::Unready(failure),
            }),
        }
    }

    fn take_over(&mut self, input: Input) {
        if let Input::Adopted { ticket, from, .. } = &input
            && let Some(waiting) = self.waiting.remove(ticket)
            && let Some(at) = self.takeover.number(from)
        {
            self.adopted.push((waiting.at, waiting.place, at));
        }
        if let Input::Joined { ticket, left } = &input
            && let Some(waiting) = self.waiting.remove(ticket)
        {
            let where_it_is = (waiting.at, waiting.place);
            self.joined.insert(left.clone(), where_it_is);
        }
        self.feed(input);
    }

    fn feed(&mut self, input: Input) {
        for mut event in self.run.decide(input, self.now, self.values) {
            if let Fact::ItemsExpanded {
                count, parallel, ..
            } = &mut event.fact
            {
                // Nothing is begun, so all items can be looked at.
                *parallel = (*count).min(OPEN_MAX).max(*parallel);
            }
            let delta = self.run.apply(&event);
            self.actions.extend(delta.actions);
        }
    }
}

impl Waiting {
    fn of(prepared: &Prepared) -> Self {
        let key = prepared.key.as_ref();
        Self {
            at: prepared.ticket.at.clone(),
            place: prepared.path.inside(),
            key: key.map(|key| key.digest),
            parts: key.map(|key| KeptParts::of(&key.parts)),
            amount: prepared.demand.amount,
        }
    }
}
