//! How an attempt gets what it needs: a result that is there already, or a
//! grant of the arbiter.

use std::sync::Arc;

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::arbiter::{Decision, Ending, HoldId, Rebill, Reply, Row};
use flow_core::event::{Event, Fact, Grant, Origin, Then};
use flow_core::handle::Handle;
use flow_core::key::{KeptParts, ResultKey};
use flow_core::run::{Action, Input, Prepared, Refusal, Shared};

use super::clerk::Hands;
use super::draft::{Asked, handle_of, held, ticket_bytes};
use super::{DriveError, Driver};
use crate::store::{AskChange, CacheEntry, Missed, PartsRow, SharedChange, SharedRow};
use crate::values::artifacts;

impl Driver {
    /// Takes up the wish to admit an attempt.
    pub(super) fn admit(&mut self, ticket: &Ticket) {
        if self.granted.contains_key(ticket) || self.hands == Hands::Folded {
            return;
        }
        // A wish that comes again asks for something else than before.
        self.take_back(ticket);
        if !self.offer(ticket) {
            self.admit_now(ticket);
        }
    }

    /// Admits an attempt for which there is nothing to be taken over.
    pub(super) fn admit_now(&mut self, ticket: &Ticket) {
        if self.granted.len() >= self.around.parallel || !self.has_room() {
            self.queued.push_back(ticket.clone());
            return;
        }
        let now = self.around.clock.now();
        let arbiter = std::cell::RefCell::new(&mut self.arbiter);
        let day = |period| arbiter.borrow_mut().day(period, now);
        let prepared = match self.run.prepare(ticket, &day, &self.values) {
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
            let owner = self.owner.clone();
            let decision = self.arbiter.ask(prepared.demand.clone(), &owner, now);
            self.waiting.insert(ticket.clone(), prepared);
            self.heed(decision);
            return;
        }
        let key = prepared.demand.key;
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
        while self.granted.len() < self.around.parallel && self.has_room() {
            let Some(ticket) = self.queued.pop_front() else {
                return;
            };
            if !self.granted.contains_key(&ticket) {
                self.take_back(&ticket);
                self.admit_now(&ticket);
            }
        }
    }

    pub(super) fn refuse(&mut self, ticket: &Ticket, why: Refusal) {
        let ticket = ticket.clone();
        self.inputs.push_back(Input::Refused { ticket, why });
    }

    fn grant(&mut self, prepared: Box<Prepared>, grant: Grant) {
        // What is shared has its parts in the cache.
        if prepared.shared == Shared::No
            && prepared.tries == 1
            && let Some(key) = &prepared.key
        {
            self.note_parts(key, None);
        }
        let started = Box::new(prepared.intent(grant));
        self.granted.insert(prepared.ticket.clone(), prepared);
        self.inputs.push_back(Input::Granted(started));
    }

    /// Looks for a result that is there already.
    fn look_up(&mut self, prepared: &Prepared) -> Option<Input> {
        let is_wanted = self.around.reuse == Reuse::Results && !self.is_anew(prepared);
        if prepared.shared == Shared::No || !is_wanted {
            return None;
        }
        let key = prepared.key.as_ref()?;
        // What can't be read is made again. One is seldom looked for alone.
        self.reader.hold_on();
        let found = self.reader.cached(&key.digest).ok().flatten()?;
        let entry = found.entry;
        let now = self.around.clock.now();
        let expired = entry.expires.filter(|expires| *expires <= now);
        let missed = match (found.evicted, expired) {
            (Some(since), _) => Some(Missed::Evicted(since)),
            (None, Some(since)) => Some(Missed::Stale(since)),
            (None, None) => None,
        };
        if missed.is_some() {
            // Its entry will be another's soon: this is what stays to tell.
            self.note_parts(key, missed);
            return None;
        }
        let value = handle_of(&entry.value)?;
        Some(Input::Reused {
            ticket: prepared.ticket.clone(),
            key: key.digest,
            value,
            from: Origin {
                run: entry.run,
                seq: entry.seq,
            },
        })
    }

    /// Keeps what an attempt is made of, to say later how another differs.
    fn note_parts(&mut self, key: &ResultKey, missed: Option<Missed>) {
        self.draft.parts.push(PartsRow {
            key: key.digest,
            parts: KeptParts::of(&key.parts).encode(),
            missed,
        });
    }

    /// Takes up what the arbiter decided.
    pub(super) fn heed(&mut self, decision: Decision) {
        self.arbiter_wake = decision.wake;
        for answer in decision.answers {
            let ticket = answer.hold.ticket;
            match answer.reply {
                Reply::Granted(grant) => {
                    let Some(prepared) = self.waiting.remove(&ticket) else {
                        self.arbiter_withdraw(&ticket);
                        continue;
                    };
                    let demand = Box::new(prepared.demand.clone());
                    self.draft.asked.push(Asked::Granted(demand));
                    self.grant(prepared, grant);
                }
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

    pub(super) fn hold_of(&self, ticket: &Ticket) -> HoldId {
        HoldId {
            run: self.run.id().clone(),
            ticket: ticket.clone(),
        }
    }

    fn arbiter_withdraw(&mut self, ticket: &Ticket) {
        let hold = self.hold_of(ticket);
        let decision = self.arbiter.withdraw(&hold, self.around.clock.now());
        self.draft.asked.push(Asked::Withdrawn(ticket.clone()));
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
                self.draft.actions.retain(|other| other != action);
            }
            Action::Ask { ticket } => self.draft.asks.push(AskChange::Over {
                ticket: ticket_bytes(ticket),
            }),
            Action::Evaluate { .. } | Action::Stop { .. } => {}
        }
    }

    /// A question goes on that was asked before the run began again.
    pub(super) fn ask_on(&mut self, ticket: &Ticket) {
        if let Some(event) = self.run.asked(ticket) {
            self.draft.ask(&event);
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
        let now = self.around.clock.now();
        let hold = self.hold_of(ticket);
        let pools: Vec<Arc<str>> = known
            .map(|prepared| {
                prepared
                    .demand
                    .pools
                    .iter()
                    .map(|pool| pool.pool.clone())
                    .collect()
            })
            .unwrap_or_default();
        let decision = self.arbiter.settle(&hold, bill, ending, now);
        let asked = Asked::Settled(ticket.clone(), bill, ending);
        self.draft.asked.push(asked);
        self.heed(decision);
        if let Fact::Failed {
            failure,
            then: Then::Again { wake, .. },
            ..
        } = &event.fact
            && failure.class == flow_core::effect::FailureClass::RateLimited
        {
            for pool in pools {
                let decision = self.arbiter.pause(&pool, *wake, now);
                self.heed(decision);
            }
        }
    }

    fn rebill(&mut self, ticket: &Ticket, new: flow_core::step::Bill) {
        let hold = self.hold_of(ticket);
        let known = self.arbiter.hold(&hold).cloned();
        let Some(known) = known else { return };
        let old = self.run.presumed_of(ticket).unwrap_or(Money(0));
        let rebill = Rebill {
            hold,
            grant: known.grant(),
            old: flow_core::step::Bill::Presumed(old),
            new,
        };
        let decision = self.arbiter.rebill(rebill, self.around.clock.now());
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
        match (value, &prepared.key) {
            (Some(value), _) => self.keep_result(event, &prepared, value),
            (None, Some(key)) if prepared.shared != Shared::No => self.note_parts(key, None),
            (None, _) => {}
        }
        if is_free(&prepared) {
            self.land(&prepared, value);
        }
        self.admit_queued();
    }

    /// Those that waited for an equal attempt get its result, or their turn.
    fn land(&mut self, prepared: &Prepared, value: Option<&Handle>) {
        let Some(key) = prepared.demand.key else {
            return;
        };
        let Some(others) = self.flying.remove(&key) else {
            return;
        };
        let seq = self.seq.saturating_sub(1);
        for ticket in others {
            self.waiting.remove(&ticket);
            match value {
                Some(value) => self.inputs.push_back(Input::Reused {
                    ticket,
                    key,
                    value: value.clone(),
                    from: Origin {
                        run: self.run.id().clone(),
                        seq,
                    },
                }),
                None => self.queued.push_back(ticket),
            }
        }
    }

    fn keep_result(&mut self, event: &Event, prepared: &Prepared, value: &Handle) {
        let Some(key) = &prepared.key else { return };
        let expires = match prepared.shared {
            Shared::No => return,
            Shared::Ever => None,
            Shared::For(length) => event.at.checked_add(length),
        };
        if !self.is_of_its_program(prepared) {
            return;
        }
        let Some(held) = held(value) else { return };
        let blobs = match value {
            Handle::Small(value) => artifacts(value),
            Handle::Stored(_) | Handle::Listed(_) => Vec::new(),
        };
        self.draft.cache.push(CacheEntry {
            key: key.digest,
            value: held,
            blobs,
            parts: KeptParts::of(&key.parts).encode(),
            made: event.at,
            expires,
            run: self.run.id().clone(),
            seq: self.seq.saturating_sub(1),
        });
    }

    // What runs share.

    /// Returns the rows that changed, and counts the version on.
    pub(super) fn shared_change(&mut self) -> Option<SharedChange> {
        let changes = self.arbiter.changes();
        if changes.is_empty() {
            return None;
        }
        let rows = changes.iter().map(|change| {
            let row = change.stored();
            SharedRow {
                kind: row.kind,
                key: row.key,
                body: row.body,
            }
        });
        let version = self.shared;
        self.shared += 1;
        Some(SharedChange {
            version,
            rows: rows.collect(),
        })
    }

    /// Reads what runs share again: another process has changed it.
    pub(super) fn reload(&mut self) -> Result<(), DriveError> {
        self.reader.let_go();
        let state = self.reader.shared()?;
        self.shared = state.version;
        let rows = state.rows.iter().filter_map(|row| {
            let body = row.body.as_ref()?;
            Some(Row::read(row.kind, &row.key, body))
        });
        let rows: Vec<Row> = rows.collect::<Result<_, _>>().map_err(DriveError::Shared)?;
        self.arbiter.replace(rows);
        // What is loaded is no change.
        drop(self.arbiter.changes());
        Ok(())
    }
}

/// Whether results of other runs are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// They are.
    #[default]
    Results,
    /// Everything is made anew.
    Nothing,
}

/// Returns whether an attempt needs nothing that is shared.
pub(crate) fn is_free(prepared: &Prepared) -> bool {
    let demand = &prepared.demand;
    demand.amount == Money(0) && demand.ledgers.is_empty() && demand.pools.is_empty()
}
