//! How a played attempt gets what it needs: as in the driver, with nothing
//! written down.

use std::sync::Arc;

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::arbiter::{Decision, Ending, HoldId, Rebill, Reply};
use flow_core::effect::{Effect, FailureClass};
use flow_core::event::{Event, Fact, Grant, Origin, Then};
use flow_core::handle::Handle;
use flow_core::run::{Action, Input, Prepared, Refusal, Shared};
use flow_core::step::Bill;

use super::{Kept, Playing};
use crate::driver::is_free;

impl Playing<'_> {
    /// Takes up the wish to admit an attempt.
    pub(super) fn admit(&mut self, ticket: &Ticket) {
        if self.granted.contains_key(ticket) {
            return;
        }
        // A wish that comes again asks for something else than before.
        self.take_back(ticket);
        if self.granted.len() >= self.stage.parallel {
            self.queued.push_back(ticket.clone());
            return;
        }
        let prepared = match self.prepare(ticket) {
            Ok(prepared) => Box::new(prepared),
            Err(failure) => {
                self.refuse(ticket, Refusal::Unready(failure));
                return;
            }
        };
        if let Some(input) = self.look_up(&prepared) {
            self.inputs.push_back(input);
            return;
        }
        if !is_free(&prepared) {
            let now = self.stage.clock.get();
            let owner = self.stage.owner.clone();
            let demand = prepared.demand.clone();
            let decision = self.stage.arbiter.ask(demand, &owner, now);
            self.waiting.insert(ticket.clone(), prepared);
            self.heed(decision);
            return;
        }
        let key = self.flying_key(&prepared);
        if let Some(key) = key
            && let Some(others) = self.flying.get_mut(&key)
        {
            others.push(ticket.clone());
            self.waiting.insert(ticket.clone(), prepared);
            return;
        }
        self.flying.extend(key.map(|key| (key, Vec::new())));
        self.grant(prepared, Grant::default());
    }

    /// Admits those that waited for others to end.
    pub(super) fn admit_queued(&mut self) {
        while self.granted.len() < self.stage.parallel {
            let Some(ticket) = self.queued.pop_front() else {
                return;
            };
            self.admit(&ticket);
        }
    }

    fn refuse(&mut self, ticket: &Ticket, why: Refusal) {
        let ticket = ticket.clone();
        self.inputs.push_back(Input::Refused { ticket, why });
    }

    fn grant(&mut self, prepared: Box<Prepared>, grant: Grant) {
        let started = Box::new(prepared.intent(grant));
        self.granted.insert(prepared.ticket.clone(), prepared);
        self.inputs.push_back(Input::Granted(started));
    }

    /// Returns whether the result of an attempt is that of every equal one.
    fn is_shared(&self, prepared: &Prepared) -> bool {
        let is_alike = prepared.effect != Effect::Pure || self.cast.is_shared(prepared);
        is_alike && prepared.shared != Shared::No
    }

    fn flying_key(&self, prepared: &Prepared) -> Option<flow_core::digest::Digest> {
        let key = prepared.demand.key?;
        self.cast.is_shared(prepared).then_some(key)
    }

    fn look_up(&self, prepared: &Prepared) -> Option<Input> {
        if !self.is_shared(prepared) {
            return None;
        }
        let key = prepared.key.as_ref()?.digest;
        let kept = self.stage.kept.get(&key)?;
        let now = self.stage.clock.get();
        if kept.expires.is_some_and(|expires| expires <= now) {
            return None;
        }
        Some(Input::Reused {
            ticket: prepared.ticket.clone(),
            key,
            value: kept.value.clone(),
            from: kept.from.clone(),
        })
    }

    /// Takes up what the arbiter decided.
    pub(super) fn heed(&mut self, decision: Decision) {
        self.stage.arbiter_wake = decision.wake;
        for answer in decision.answers {
            let ticket = answer.hold.ticket;
            match answer.reply {
                Reply::Granted(grant) => match self.waiting.remove(&ticket) {
                    Some(prepared) => self.grant(prepared, grant),
                    None => self.arbiter_withdraw(&ticket),
                },
                Reply::Never(why) => {
                    self.waiting.remove(&ticket);
                    self.refuse(&ticket, why);
                }
                Reply::Landed { .. } => {
                    self.waiting.remove(&ticket);
                    self.queued.push_back(ticket);
                }
            }
        }
    }

    fn hold_of(&self, ticket: &Ticket) -> HoldId {
        HoldId {
            run: self.run.id().clone(),
            ticket: ticket.clone(),
        }
    }

    fn arbiter_withdraw(&mut self, ticket: &Ticket) {
        let hold = self.hold_of(ticket);
        let now = self.stage.clock.get();
        let decision = self.stage.arbiter.withdraw(&hold, now);
        self.heed(decision);
    }

    /// A grant came too late to be used.
    pub(super) fn give_back(&mut self, ticket: &Ticket) {
        // The same grant twice: the first is in use.
        if self.run.effect_of(ticket).is_some() {
            return;
        }
        let Some(prepared) = self.granted.remove(ticket) else {
            return;
        };
        if is_free(&prepared) {
            self.land(&prepared, None);
        } else {
            self.arbiter_withdraw(ticket);
        }
        self.admit_queued();
    }

    /// A wish was taken back.
    pub(super) fn withdraw(&mut self, action: &Action) {
        match action {
            Action::Admit { ticket } => self.take_back(ticket),
            Action::Start { .. } | Action::Poll { .. } | Action::Probe { .. } => {
                self.actions.retain(|other| other != action);
            }
            Action::Evaluate { .. } | Action::Stop { .. } | Action::Ask { .. } => {}
        }
    }

    /// Takes back what an attempt waits for.
    fn take_back(&mut self, ticket: &Ticket) {
        let Some(prepared) = self.waiting.remove(ticket) else {
            return;
        };
        if is_free(&prepared) {
            for others in self.flying.values_mut() {
                others.retain(|other| other != ticket);
            }
        } else {
            self.arbiter_withdraw(ticket);
        }
    }

    /// Tells the arbiter what an attempt cost.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other facts end no attempt")]
    pub(super) fn settle(&mut self, event: &Event) {
        let Some((ticket, bill)) = event.fact.settlement() else {
            return;
        };
        if let Fact::Rebilled { .. } | Fact::Resolved { .. } = event.fact {
            self.rebill(ticket, bill);
            return;
        }
        let ending = match &event.fact {
            Fact::Succeeded { .. } => Ending::Success,
            Fact::Failed { failure, .. } => Ending::Failure(failure.class),
            _ => Ending::Silence,
        };
        let known = self.granted.get(ticket);
        if known.is_some_and(|prepared| is_free(prepared)) {
            return;
        }
        let pools: Vec<Arc<str>> = known.map_or_else(Vec::new, |prepared| {
            let pools = prepared.demand.pools.iter();
            pools.map(|pool| pool.pool.clone()).collect()
        });
        let now = self.stage.clock.get();
        let hold = self.hold_of(ticket);
        let decision = self.stage.arbiter.settle(&hold, bill, ending, now);
        self.heed(decision);
        if let Fact::Failed {
            failure,
            then: Then::Again { wake, .. },
            ..
        } = &event.fact
            && failure.class == FailureClass::RateLimited
        {
            for pool in pools {
                let decision = self.stage.arbiter.pause(&pool, *wake, now);
                self.heed(decision);
            }
        }
    }

    fn rebill(&mut self, ticket: &Ticket, new: Bill) {
        let hold = self.hold_of(ticket);
        let Some(known) = self.stage.arbiter.hold(&hold).cloned() else {
            return;
        };
        let old = self.run.presumed_of(ticket).unwrap_or(Money(0));
        let rebill = Rebill {
            hold,
            grant: known.grant(),
            old: Bill::Presumed(old),
            new,
        };
        let now = self.stage.clock.get();
        let decision = self.stage.arbiter.rebill(rebill, now);
        self.heed(decision);
    }

    /// An attempt is over: its result is shared, and others take its place.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other facts end no attempt")]
    pub(super) fn share(&mut self, event: &Event) {
        let (Fact::Succeeded { ticket, .. }
        | Fact::Failed { ticket, .. }
        | Fact::Stopped { ticket, .. }
        | Fact::AttemptLost { ticket, .. }
        | Fact::Waits { ticket, .. }
        | Fact::Asked { ticket, .. }) = &event.fact
        else {
            return;
        };
        let Some(prepared) = self.granted.remove(ticket) else {
            return;
        };
        let value = match &event.fact {
            Fact::Succeeded { value, .. } => Some(value),
            _ => None,
        };
        if let Some(value) = value {
            self.keep_result(event, &prepared, value);
        }
        if is_free(&prepared) {
            self.land(&prepared, value);
        }
        self.admit_queued();
    }

    /// Those that waited for an equal attempt get its result, or their turn.
    fn land(&mut self, prepared: &Prepared, value: Option<&Handle>) {
        let Some(key) = self.flying_key(prepared) else {
            return;
        };
        let Some(others) = self.flying.remove(&key) else {
            return;
        };
        for ticket in others {
            self.waiting.remove(&ticket);
            match value {
                Some(value) => self.inputs.push_back(Input::Reused {
                    ticket,
                    key,
                    value: value.clone(),
                    from: self.here(),
                }),
                None => self.queued.push_back(ticket),
            }
        }
    }

    fn here(&self) -> Origin {
        Origin {
            run: self.run.id().clone(),
            seq: self.events.saturating_sub(1),
        }
    }

    fn keep_result(&mut self, event: &Event, prepared: &Prepared, value: &Handle) {
        if !self.is_shared(prepared) {
            return;
        }
        let Some(key) = &prepared.key else { return };
        let expires = match prepared.shared {
            Shared::No | Shared::Ever => None,
            Shared::For(length) => event.at.checked_add(length),
        };
        let kept = Kept {
            value: value.clone(),
            expires,
            from: self.here(),
        };
        self.stage.kept.insert(key.digest, kept);
    }
}
