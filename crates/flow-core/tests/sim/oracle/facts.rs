//! What each event says, and whether it may be said.

use flow_core::address::{At, Ticket};
use flow_core::effect::FailureClass;
use flow_core::event::{Counts, Event, Fact, Failure, Same, Started, Then, Timer, Verdict};
use flow_core::handle::Handle;
use flow_core::plan::NodeKind;
use flow_core::step::{Bill, Sent};
use flow_core::value::Value;

use super::map;
use super::reading::{Attempt, Phase, Reading, Settled};
use super::state::Stand;
use super::{Check, Fault};

pub(super) type Answer = Result<(), Fault>;

pub(super) fn fault(check: Check, what: String) -> Answer {
    Err(Fault::new(check, what))
}

impl Reading<'_> {
    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event) -> Answer {
        if self.start.is_none() {
            let Fact::RunStarted(start) = &event.fact else {
                return fault(Check::Order, "the log does not begin with a start".into());
            };
            self.id = start.run.clone();
            self.budget = start.budget;
            self.start = Some((**start).clone());
            return Ok(());
        }
        if self.take_of_run(event)? || self.take_of_region(event)? {
            return Ok(());
        }
        self.take_of_attempt(event)
    }

    /// Takes an event about the run as a whole. Gives whether it was one.
    fn take_of_run(&mut self, event: &Event) -> Result<bool, Fault> {
        match &event.fact {
            Fact::RunStarted(_) => fault(Check::Once, "the run starts again".into())?,
            Fact::OwnerTook { epoch, .. } => {
                if *epoch <= self.epoch {
                    fault(Check::Order, format!("epoch {epoch} after {}", self.epoch))?;
                }
                self.epoch = *epoch;
            }
            Fact::PauseAsked { .. } => self.is_paused = true,
            Fact::ResumeAsked { .. } => {
                self.is_paused = false;
                self.let_go();
            }
            // What has its value keeps it.
            Fact::CancelAsked { scope, item, .. } => {
                let all = match item {
                    None => vec![scope.clone()],
                    Some(item) => self.parts_of_item(scope, *item),
                };
                for at in all {
                    if self.stand(&at) != Stand::Value || self.is_busy(&at) {
                        self.keep_what_is_done(&at);
                        self.cancelled.push(at);
                        self.forget_what_was_found();
                    }
                }
            }
            Fact::LimitsChanged { at, amount, .. } => {
                self.let_go();
                match at {
                    None => self.budget = Some(*amount),
                    Some(at) => {
                        if let Some(Some(budget)) = self.opened.get_mut(at) {
                            budget.amount = *amount;
                        }
                    }
                }
            }
            Fact::PlanReplaced { .. } | Fact::Reset { .. } => self.begin_again(),
            Fact::Reopened { at, .. } => {
                assert_eq!(*at, None, "worlds try everything again");
                self.reopen();
            }
            Fact::RunSettled { status, output } => {
                if self.status.is_some() {
                    fault(Check::Once, "the run is settled again".into())?;
                }
                self.check_ending(*status, output.as_ref())?;
                self.status = Some(*status);
            }
            Fact::Elapsed(timer) => self.elapsed(timer, event)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes an event about an instance without an attempt.
    fn take_of_region(&mut self, event: &Event) -> Result<bool, Fault> {
        match &event.fact {
            Fact::Opened { at, budget, within } => {
                self.check_limits(at, budget.as_ref().map(|set| set.amount), *within)?;
                self.opened.insert(at.clone(), budget.clone());
            }
            Fact::Adopted { at, value, .. } | Fact::Reused { at, value, .. } => {
                for instance in self.map.around(at) {
                    if self.settled.contains_key(&instance) {
                        fault(Check::Once, format!("{at} is taken over, but settled"))?;
                    }
                }
                self.settle(at, Settled::Value(value.clone()))?;
            }
            Fact::ItemsExpanded {
                at,
                count,
                parallel,
                ..
            } => self.expanded(at, *count, *parallel)?,
            Fact::BranchTaken { at, arm } => {
                self.check_branch(at, *arm)?;
                if self.choices.insert(at.clone(), *arm).is_some() {
                    fault(Check::Once, format!("{at} takes two branches"))?;
                }
            }
            Fact::RoundOpened {
                at,
                round,
                state,
                max,
            } => self.round(at, *round, state, *max)?,
            Fact::RaceWon { at, arm } => self.won(at, *arm)?,
            Fact::Yielded { at, item, value } => self.yielded(at, *item, value)?,
            Fact::Broke {
                at,
                item,
                failure,
                then,
            } => self.broke(at, *item, failure, *then)?,
            Fact::Refused {
                at, failure, then, ..
            } => self.refused(at, failure, *then)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn take_of_attempt(&mut self, event: &Event) -> Answer {
        match &event.fact {
            Fact::AttemptStarted(started) => self.started(started, event),
            Fact::WasSent { .. } => Ok(()),
            Fact::Submitted { ticket, .. } => self.go_on(ticket, Phase::Remote),
            Fact::Asked {
                ticket, otherwise, ..
            } => {
                self.bill(ticket, Bill::None);
                self.promised.insert(ticket.clone(), otherwise.clone());
                self.check_wanted(ticket)?;
                self.go_on(ticket, Phase::Asking)
            }
            Fact::Waits {
                ticket,
                until,
                value,
            } => {
                self.bill(ticket, Bill::None);
                self.promised.insert(ticket.clone(), Some(value.clone()));
                self.check_wanted(ticket)?;
                self.go_on(ticket, Phase::Waiting(*until))
            }
            Fact::Succeeded {
                ticket,
                value,
                bill,
            } => {
                self.bill(ticket, *bill);
                self.end(ticket, Some(Settled::Value(value.clone())))
            }
            Fact::Answered { ticket, value, .. } => {
                if self.phase(ticket) != Some(Phase::Asking) {
                    fault(
                        Check::Once,
                        format!("{ticket} is answered, and does not ask"),
                    )?;
                }
                self.end(ticket, Some(Settled::Value(value.clone())))
            }
            Fact::Failed { .. }
            | Fact::Stopped { .. }
            | Fact::AttemptLost { .. }
            | Fact::Probed { .. } => self.take_of_failure(event),
            Fact::Resolved {
                ticket,
                verdict,
                bill,
                ..
            } => self.resolved(ticket, verdict, *bill),
            Fact::Rebilled { ticket, bill } => {
                self.bill(ticket, *bill);
                Ok(())
            }
            _ => fault(Check::Order, format!("{:?} is read by nobody", event.fact)),
        }
    }

    /// Takes an event about an attempt that didn't succeed.
    fn take_of_failure(&mut self, event: &Event) -> Answer {
        match &event.fact {
            Fact::Failed {
                ticket,
                failure,
                sent,
                bill,
                then,
            } => self.failed(ticket, failure, Some(*sent), *bill, *then),
            Fact::Stopped {
                ticket,
                sent,
                bill,
                then,
            } => {
                let failure = Failure::new(FailureClass::Timeout, "stopped");
                self.failed(ticket, &failure, Some(*sent), *bill, *then)
            }
            Fact::AttemptLost { ticket, bill, then } => {
                let failure = Failure::new(FailureClass::UnknownOutcome, "lost");
                self.failed(ticket, &failure, None, *bill, *then)
            }
            Fact::Probed {
                ticket,
                found,
                then,
            } => {
                if let Some(value) = found {
                    return self.end(ticket, Some(Settled::Value(value.clone())));
                }
                let failure = Failure::new(FailureClass::Transient, "probed");
                self.after(ticket, &failure, Some(Sent::Refused), *then)
            }
            _ => fault(Check::Order, format!("{:?} is no failure", event.fact)),
        }
    }

    // Attempts.

    fn phase(&self, ticket: &Ticket) -> Option<Phase> {
        self.attempts.get(ticket).map(|attempt| attempt.phase)
    }

    fn started(&mut self, started: &Started, event: &Event) -> Answer {
        self.may_start(started, event.at)?;
        let ticket = &started.ticket;
        for at in self.map.around(&ticket.at) {
            let Some(owner) = self.map.owner(&at) else {
                continue;
            };
            let ord = at.ords.get(owner.ords.len()).copied();
            if let (Some(items), Some(ord)) = (self.items.get_mut(&owner), ord) {
                items.begun.insert(ord);
            }
        }
        let last = self.last.insert(ticket.at.clone(), ticket.clone());
        if let Some(last) = last.and_then(|last| self.attempts.get_mut(&last)) {
            last.phase = Phase::Over;
        }
        if let Some(tries) = self.tries.get_mut(&ticket.at) {
            tries.wake = None;
        }
        let attempt = Attempt {
            effect: started.effect,
            grant: started.grant.clone(),
            bill: None,
            phase: Phase::Running,
            claims: None,
        };
        self.attempts.insert(ticket.clone(), attempt);
        Ok(())
    }

    /// Nobody is asked, and nothing waited for, in vain.
    fn check_wanted(&self, ticket: &Ticket) -> Answer {
        if self.is_unwanted(&ticket.at) {
            let what = format!("{ticket} asks or waits, and nobody wants it");
            return fault(Check::Rest, what);
        }
        Ok(())
    }

    fn bill(&mut self, ticket: &Ticket, bill: Bill) {
        if let Some(attempt) = self.attempts.get_mut(ticket) {
            attempt.bill = Some(bill);
        }
    }

    fn go_on(&mut self, ticket: &Ticket, phase: Phase) -> Answer {
        match self.attempts.get_mut(ticket) {
            Some(attempt) if attempt.phase != Phase::Over => {
                attempt.phase = phase;
                Ok(())
            }
            Some(_) => fault(Check::Once, format!("{ticket} goes on after its end")),
            None => fault(Check::Once, format!("{ticket} goes on, and never started")),
        }
    }

    /// An attempt is over, and the instance has a result if this is its last.
    fn end(&mut self, ticket: &Ticket, settled: Option<Settled>) -> Answer {
        self.go_on(ticket, Phase::Over)?;
        if self.last.get(&ticket.at) != Some(ticket) {
            // The run has begun again since: it only has to be paid.
            return Ok(());
        }
        match settled {
            Some(settled) => self.settle(&ticket.at, settled),
            None => Ok(()),
        }
    }

    fn settle(&mut self, at: &At, settled: Settled) -> Answer {
        if self.settled.insert(at.clone(), settled).is_some() {
            return fault(Check::Once, format!("{at} is settled again"));
        }
        Ok(())
    }

    fn failed(
        &mut self,
        ticket: &Ticket,
        failure: &Failure,
        sent: Option<Sent>,
        bill: Bill,
        then: Then,
    ) -> Answer {
        self.bill(ticket, bill);
        self.after(ticket, failure, sent, then)
    }

    /// An attempt has not succeeded, and something follows.
    fn after(
        &mut self,
        ticket: &Ticket,
        failure: &Failure,
        sent: Option<Sent>,
        then: Then,
    ) -> Answer {
        self.claim(ticket, sent, then);
        match then {
            Then::Probe { wake } => return self.go_on(ticket, Phase::Probing(wake)),
            Then::Unknown => return self.go_on(ticket, Phase::Unknown),
            Then::Fail
            | Then::FallBack
            | Then::Again { .. }
            | Then::Hold
            | Then::HoldUntil { .. }
            | Then::Cut => {}
        }
        let is_last = self.last.get(&ticket.at) == Some(ticket);
        self.end(ticket, None)?;
        if let Then::Again {
            same: Same::Act, ..
        } = then
            && is_last
            && let Some(attempt) = self.attempts.get_mut(ticket)
            // What only costs is over: its bill says what it counts as.
            && attempt.effect.acts()
        {
            attempt.phase = Phase::Open;
        }
        if !is_last {
            return Ok(());
        }
        let effect = self.attempts[ticket].effect;
        if let Then::Again { counts, .. } = then {
            self.check_retry(&ticket.at, effect.acts(), failure, counts)?;
        }
        let is_known = matches!(sent, Some(Sent::No | Sent::Refused));
        if then == Then::FallBack && effect.acts() && !is_known {
            let what = format!("{ticket} falls back, and may have happened");
            return fault(Check::Fallback, what);
        }
        self.follow(&ticket.at, failure, Some(ticket), then)
    }

    fn resolved(&mut self, ticket: &Ticket, verdict: &Verdict, bill: Option<Bill>) -> Answer {
        let is_unknown = match self.phase(ticket) {
            Some(Phase::Unknown | Phase::Open) => true,
            // Nobody probes for a step that was reset.
            Some(Phase::Probing(_)) => self.last.get(&ticket.at) != Some(ticket),
            _ => false,
        };
        if !is_unknown {
            let what = format!("{ticket} is resolved, and not unknown");
            return fault(Check::Once, what);
        }
        if let Some(bill) = bill {
            self.bill(ticket, bill);
        }
        match verdict {
            Verdict::Happened(value) => self.end(ticket, Some(Settled::Value(value.clone()))),
            Verdict::DidNot => {
                self.end(ticket, None)?;
                self.did_not(ticket);
                Ok(())
            }
            Verdict::GiveUp => {
                let why = Failure::new(FailureClass::UnknownOutcome, "given up");
                self.end(ticket, Some(Settled::Failed(why)))
            }
        }
    }

    /// What follows if an act is known not to have happened.
    fn did_not(&mut self, ticket: &Ticket) {
        if self.last.get(&ticket.at) != Some(ticket) {
            return;
        }
        if let Some(tries) = self.tries.get_mut(&ticket.at) {
            tries.wake = None;
        }
        let at = &ticket.at;
        let has_fallback = map::fallback(&self.plan, at.node).is_some();
        // Its own time was over before: it isn't tried again.
        if self.late.contains(at) && has_fallback && !self.is_unwanted_by_others(at) {
            self.fallen.insert(at.clone());
        }
    }

    /// An attempt can't begin. What may have happened before stays unknown.
    fn refused(&mut self, at: &At, failure: &Failure, then: Then) -> Answer {
        let open = self.last.get(at).cloned();
        let open = open.filter(|ticket| self.phase(ticket) == Some(Phase::Open));
        match (open, then) {
            (Some(ticket), Then::Unknown) => {
                // Only time that is over refuses so.
                if failure.class == FailureClass::Timeout {
                    self.late.insert(at.clone());
                }
                self.go_on(&ticket, Phase::Unknown)
            }
            (Some(ticket), Then::Fail | Then::FallBack | Then::Cut) => {
                let what = format!("{ticket} may have happened, and {then:?} follows");
                fault(Check::Fallback, what)
            }
            (
                Some(_),
                Then::Again { .. } | Then::Hold | Then::HoldUntil { .. } | Then::Probe { .. },
            )
            | (None, _) => self.follow(at, failure, None, then),
        }
    }

    /// What follows a failure of an instance.
    pub(super) fn follow(
        &mut self,
        at: &At,
        failure: &Failure,
        ticket: Option<&Ticket>,
        then: Then,
    ) -> Answer {
        match then {
            Then::Fail => self.settle(at, Settled::Failed(failure.clone())),
            Then::Cut => self.settle(at, Settled::Cut),
            Then::FallBack => {
                let has_one = map::fallback(&self.plan, at.node).is_some();
                if !has_one || failure.class == FailureClass::UnknownOutcome && ticket.is_none() {
                    return fault(
                        Check::Fallback,
                        format!("{at} can't fall back: {failure:?}"),
                    );
                }
                for instance in self.map.around(at) {
                    if self.is_cancelled(&instance) {
                        let what = format!("{at} falls back, but was cancelled");
                        return fault(Check::Fallback, what);
                    }
                }
                if !self.fallen.insert(at.clone()) {
                    return fault(Check::Once, format!("{at} falls back again"));
                }
                Ok(())
            }
            Then::Again { wake, counts, .. } => {
                let is_region = !matches!(self.plan.node(at.node).kind, NodeKind::Step(_));
                let tries = self.tries.entry(at.clone()).or_default();
                tries.wake = Some(wake);
                tries.used += u32::from(counts == Counts::Yes);
                if is_region {
                    self.check_region_retry(at)?;
                    self.begin_again_inside(at);
                    self.late.remove(at);
                }
                Ok(())
            }
            Then::HoldUntil { wake } => {
                self.tries.entry(at.clone()).or_default().held = Some(wake);
                Ok(())
            }
            Then::Hold | Then::Probe { .. } | Then::Unknown => Ok(()),
        }
    }

    fn check_retry(&self, at: &At, acts: bool, failure: &Failure, counts: Counts) -> Answer {
        let NodeKind::Step(step) = &self.plan.node(at.node).kind else {
            return fault(Check::Retry, format!("{at} is tried again, and no step"));
        };
        if acts || counts == Counts::No {
            return Ok(());
        }
        let named = step.policies.retry.as_ref().map(|retry| &retry.on);
        let is_named = match named {
            Some(named) if !named.is_empty() => named.contains(&failure.class),
            Some(_) | None => matches!(
                failure.class,
                FailureClass::Transient | FailureClass::RateLimited | FailureClass::Capacity
            ),
        };
        if !is_named {
            let word = failure.class.word();
            return fault(Check::Retry, format!("{at} is tried again after {word}"));
        }
        Ok(())
    }

    fn check_region_retry(&self, at: &At) -> Answer {
        let NodeKind::Workflow(workflow) = &self.plan.node(at.node).kind else {
            return fault(Check::Retry, format!("{at} is tried again"));
        };
        let attempts = workflow.policies.retry.as_ref();
        let attempts = attempts.and_then(|retry| self.eval(&retry.attempts, at, None, None));
        let used = i64::from(self.tries[at].used);
        match attempts {
            Some(Value::Int(attempts)) if used < attempts => Ok(()),
            _ => fault(
                Check::Retry,
                format!("{at} is tried {used} times and again"),
            ),
        }
    }

    // Time.

    fn elapsed(&mut self, timer: &Timer, event: &Event) -> Answer {
        match timer {
            Timer::Pause(at) => {
                let tries = self.tries.get_mut(at);
                let wake = tries.and_then(|tries| tries.held.take().or(tries.wake));
                let probe = self.last.get(at).map(|ticket| self.attempts[ticket].phase);
                let due = match probe {
                    Some(Phase::Probing(wake)) => Some(wake),
                    _ => wake,
                };
                match due {
                    Some(due) if event.at < due => {
                        fault(Check::Time, format!("{at} goes on before {due}"))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            Timer::Within(at) => {
                if self.stand(at) != Stand::Value || self.is_busy(at) {
                    self.keep_what_is_done(at);
                    self.late.insert(at.clone());
                    self.forget_what_was_found();
                }
                Ok(())
            }
            Timer::Wait(ticket) => match self.phase(ticket) {
                Some(Phase::Waiting(until)) if until <= event.at => self.waited(ticket),
                Some(Phase::Waiting(until)) => {
                    fault(Check::Time, format!("{ticket} waits until {until}"))
                }
                _ => fault(Check::Once, format!("{ticket} ends its wait, and has none")),
            },
            Timer::Expiry(ticket) => {
                if self.phase(ticket) != Some(Phase::Asking) {
                    return fault(Check::Once, format!("{ticket} expires, and does not ask"));
                }
                self.expired(ticket)
            }
        }
    }

    /// A wait or a question ends by time; what it gives was said before.
    fn waited(&mut self, ticket: &Ticket) -> Answer {
        let given = self.promised.remove(ticket).flatten();
        let value = given.unwrap_or(Handle::Small(Value::None));
        self.end(ticket, Some(Settled::Value(value)))
    }

    fn expired(&mut self, ticket: &Ticket) -> Answer {
        match self.promised.get(ticket).cloned().flatten() {
            Some(value) => self.end(ticket, Some(Settled::Value(value))),
            // A failure follows.
            None => Ok(()),
        }
    }
}
