//! What people want: each order makes one fact, or there is a reason why it
//! changes nothing.

use crate::address::{Part, Ticket};
use crate::amount::{Money, Timestamp};
use crate::event::{Event, Fact, Status, Verdict};
use crate::handle::{Handle, Values};
use crate::letter::Objection;
use crate::ty::Type;
use crate::value::Value;

use super::Run;
use super::scope::load;
use super::state::{OrphanState, Phase, State};
use super::wish::{Input, Replan};

impl Run {
    /// Returns the event that an order makes, or why it makes none.
    pub fn order(
        &self,
        order: Input,
        now: Timestamp,
        values: &dyn Values,
    ) -> Result<Event, Objection> {
        let now = now.max(self.last_at);
        let fact = self.ordered(order, now, values)?;
        Ok(Event { at: now, fact })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others are about the whole run or a part of it"
    )]
    pub(super) fn ordered(
        &self,
        order: Input,
        now: Timestamp,
        values: &dyn Values,
    ) -> Result<Fact, Objection> {
        match order {
            Input::Answer {
                ticket,
                shown,
                value,
                by,
            } => {
                self.check_answer(&ticket, &shown, &value, now)?;
                let value = values.put(&value);
                Ok(Fact::Answered { ticket, value, by })
            }
            Input::Resolve {
                ticket,
                verdict,
                bill,
                by,
            } => {
                self.check_verdict(&ticket, &verdict, values)?;
                Ok(Fact::Resolved {
                    ticket,
                    verdict,
                    bill,
                    by,
                })
            }
            Input::Rebill { ticket, bill } if self.presumed.contains_key(&ticket) => {
                Ok(Fact::Rebilled { ticket, bill })
            }
            Input::Rebill { .. } => Err(Objection::NotPresumed),
            _ => self.ordered_of_parts(order),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what isn't an order of people changes nothing here"
    )]
    fn ordered_of_parts(&self, order: Input) -> Result<Fact, Objection> {
        match order {
            Input::Pause { by } => {
                self.check_open()?;
                match self.paused {
                    None => Ok(Fact::PauseAsked { by }),
                    Some(_) => Err(Objection::PausedAlready),
                }
            }
            // What doesn't fit is asked for again.
            Input::Resume { by } if self.is_paused() || self.is_short() => {
                Ok(Fact::ResumeAsked { by })
            }
            Input::Resume { .. } => Err(Objection::NotPaused),
            Input::Cancel { part, by, why } => {
                self.check_open()?;
                self.check_cancel(&part)?;
                let Part { at: scope, item } = part;
                Ok(Fact::CancelAsked {
                    scope,
                    item,
                    by,
                    why,
                })
            }
            Input::Limit { at, amount, by } => {
                let is_known = at.as_ref().is_none_or(|at| self.budgets.contains_key(at));
                if !is_known || amount < Money(0) {
                    return Err(Objection::NoBudget);
                }
                Ok(Fact::LimitsChanged { at, amount, by })
            }
            Input::Reopen { by, part } => {
                self.check_reopen(part.as_ref())?;
                let item = part.as_ref().and_then(|part| part.item);
                let at = part.map(|part| part.at);
                Ok(Fact::Reopened { by, at, item })
            }
            Input::Reset { at, estate, by } => {
                if at.node.0 as usize >= self.shape.nodes.len() {
                    return Err(Objection::Nowhere);
                }
                Ok(Fact::Reset { at, by, estate })
            }
            Input::Replan(replan) if self.offered.contains_key(&replan.plan) => {
                let Replan {
                    plan,
                    sheet,
                    inputs,
                    files,
                    estate,
                    by,
                } = *replan;
                Ok(Fact::PlanReplaced {
                    plan,
                    sheet,
                    by,
                    inputs,
                    files,
                    estate,
                })
            }
            Input::Replan(_) => Err(Objection::NoPlan),
            _ => Err(Objection::Nowhere),
        }
    }

    fn check_open(&self) -> Result<(), Objection> {
        self.status()
            .map_or(Ok(()), |status| Err(Objection::Over(status)))
    }

    /// An answer holds for what was shown, in time, and for nothing else.
    fn check_answer(
        &self,
        ticket: &Ticket,
        shown: &crate::digest::Digest,
        value: &Value,
        now: Timestamp,
    ) -> Result<(), Objection> {
        let cell = self.attempt(ticket);
        let step = cell.and_then(|cell| self.step(cell));
        let Some(Phase::Asking(_, asking)) = step.map(|step| &step.phase) else {
            return Err(Objection::NotAsked);
        };
        if asking.shown != *shown {
            return Err(Objection::OtherShown);
        }
        if asking.expires.is_some_and(|expires| expires <= now) {
            return Err(Objection::Expired);
        }
        self.check_value(ticket, value)
    }

    fn check_verdict(
        &self,
        ticket: &Ticket,
        verdict: &Verdict,
        values: &dyn Values,
    ) -> Result<(), Objection> {
        let step = self.attempt(ticket).and_then(|cell| self.step(cell));
        let is_unknown = step.is_some_and(|step| matches!(step.phase, Phase::Unknown(_)));
        if is_unknown {
            return match verdict {
                Verdict::Happened(value) => self.check_handle(ticket, value, values),
                Verdict::DidNot | Verdict::GiveUp => Ok(()),
            };
        }
        let orphan = self.orphans.get(ticket);
        match orphan.and_then(|orphan| Some((orphan, orphan.state()?))) {
            Some((orphan, OrphanState::Unknown)) => match verdict {
                Verdict::Happened(value) => orphan.former.check_handle(ticket, value, values),
                Verdict::DidNot | Verdict::GiveUp => Ok(()),
            },
            Some(_) | None => Err(Objection::NotUnknown),
        }
    }

    fn check_handle(
        &self,
        ticket: &Ticket,
        handle: &Handle,
        values: &dyn Values,
    ) -> Result<(), Objection> {
        let value = load(handle, values);
        let value = value.map_err(|error| Objection::Misfit(error.to_string().into()))?;
        self.check_value(ticket, &value)
    }

    fn check_value(&self, ticket: &Ticket, value: &Value) -> Result<(), Objection> {
        let cell = self.attempt(ticket).or_else(|| self.cell_of(ticket));
        let node = cell.map_or(ticket.at.node, |cell| self.node_of(cell));
        let ty = self.plan.node(node).ty.as_ref();
        let fits = match ty {
            Some(ty) => ty.check(value),
            None => Type::None.check(value),
        };
        fits.map_err(|mismatch| Objection::Misfit(mismatch.to_string().into()))
    }

    /// What is over stays so.
    fn check_cancel(&self, part: &Part) -> Result<(), Objection> {
        let cell = self.find(&part.at).ok_or(Objection::Nowhere)?;
        if self.frames.cell(cell).state.is_settled() {
            return Err(Objection::Settled);
        }
        match part.item {
            Some(item) if self.open_item(cell, item).is_none() => {
                let items = self.items(cell);
                let is_known = items.is_some_and(|items| item < items.next);
                Err(if is_known {
                    Objection::Settled
                } else {
                    Objection::Nowhere
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_reopen(&self, part: Option<&Part>) -> Result<(), Objection> {
        match self.status() {
            Some(Status::Failed | Status::Cancelled) => {}
            Some(Status::Succeeded) => return Err(Objection::Over(Status::Succeeded)),
            None => return Err(Objection::NotOver),
        }
        let Some(part) = part else { return Ok(()) };
        let way = self.way_to(&part.at).ok_or(Objection::Nowhere)?;
        let last = way.last().copied().ok_or(Objection::Nowhere)?;
        match &self.frames.cell(last).state {
            State::Failed(_) | State::Cut => match part.item {
                Some(item) if self.kept_item(last, item).is_none() => Err(Objection::NotFailed),
                Some(_) | None => Ok(()),
            },
            State::Waiting
            | State::Value(_)
            | State::Step(_)
            | State::Region(_)
            | State::Done(_)
            | State::Blocked => Err(Objection::NotFailed),
        }
    }
}
