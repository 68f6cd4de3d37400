//! The log of a run as text.

use std::fmt::Write as _;

use flow_core::address::{At, Ticket};
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::effect::Effect;
use flow_core::event::{Fact, Failure, Then, Timer};

use super::world::World;

impl World {
    pub(super) fn printed(&self) -> String {
        let end = self.end();
        format!("{}{end}\n", self.events(0))
    }

    /// Returns the events from one on.
    pub(super) fn events(&self, from: usize) -> String {
        let mut out = String::new();
        let mut refused = self.refused.iter().peekable();
        let mut line = |at: Timestamp, what: &str| {
            let at = Duration(at.0 * Duration::MILLISECOND.0);
            writeln!(out, "{:>8}  {what}", at.to_string()).unwrap();
        };
        for (number, event) in self.log.iter().enumerate().skip(from) {
            while let Some((_, at, what)) = refused.next_if(|(before, ..)| *before <= number) {
                line(*at, what);
            }
            line(event.at, &self.fact(&event.fact));
        }
        for (_, at, what) in refused {
            line(*at, what);
        }
        out
    }

    /// Returns how it stands.
    pub(super) fn end(&self) -> String {
        let mut out = String::new();
        let standing = self.run.standing();
        let costs = self.run.costs();
        write!(out, "{standing:?}").unwrap();
        if let Some(status) = self.run.status() {
            write!(out, " {status:?}").unwrap();
        }
        if costs.spent > Money(0) || costs.presumed > Money(0) {
            write!(out, ", spent {}, presumed {}", costs.spent, costs.presumed).unwrap();
        }
        if let Some(output) = self.run.output(&self.memory)
            && let Some(ty) = &self.plan.node(flow_core::plan::NodeId(0)).ty
        {
            let json = flow_core::json::to_json(&output, ty).unwrap();
            write!(out, ": {json}").unwrap();
        }
        out
    }

    fn path(&self, at: &At) -> String {
        let node = self.run.plan_path(at.node);
        if at.ords.is_empty() {
            node.to_string()
        } else {
            format!("{node} {:?}", at.ords.as_slice())
        }
    }

    fn attempt(&self, ticket: &Ticket) -> String {
        if ticket.generation < self.edits.count {
            let path = self.run.path_of(ticket, &self.memory);
            return format!("{path}#{} from before", ticket.attempt);
        }
        format!("{}#{}", self.path(&ticket.at), ticket.attempt)
    }

    /// Returns a fact about the run or a region as text.
    fn fact(&self, fact: &Fact) -> String {
        let item = |item: &Option<u32>| item_told(*item);
        match fact {
            Fact::RunStarted(_) => "started".into(),
            Fact::OwnerTook { epoch, .. } => format!("taken by owner {epoch}"),
            Fact::ProgramsFound { programs } => format!("{} programs found", programs.len()),
            Fact::PauseAsked { .. }
            | Fact::ResumeAsked { .. }
            | Fact::CancelAsked { .. }
            | Fact::LimitsChanged { .. }
            | Fact::Resolved { .. }
            | Fact::Reset { .. }
            | Fact::Reopened { .. } => self.order_told(fact),
            Fact::RunSettled { status, .. } => format!("settled: {status:?}"),
            Fact::Opened { at, within, budget } => {
                let within = within.map(|within| format!(" within {within}"));
                let budget = budget.as_ref().map(|set| format!(" budget {}", set.amount));
                let limits = [within, budget].map(Option::unwrap_or_default).concat();
                format!("{} opened{limits}", self.path(at))
            }
            Fact::ItemsExpanded {
                at,
                count,
                parallel,
                ..
            } => format!("{} has {count} items, {parallel} at once", self.path(at)),
            Fact::BranchTaken { at, arm } => {
                let arm = arm.map_or("no arm".into(), |arm| format!("arm {arm}"));
                format!("{} takes {arm}", self.path(at))
            }
            Fact::RoundOpened { at, round, .. } => {
                format!("{} begins round {round}", self.path(at))
            }
            Fact::RaceWon { at, arm } => format!("{} is won by {arm}", self.path(at)),
            Fact::Yielded { at, item: of, .. } => {
                format!("{}{} has its value", self.path(at), item(of))
            }
            Fact::Broke {
                at,
                item: of,
                failure,
                then,
            } => told(
                &format!("{}{} broke", self.path(at), item(of)),
                failure,
                *then,
            ),
            Fact::Refused {
                at, failure, then, ..
            } => told(&format!("{} refused", self.path(at)), failure, *then),
            Fact::PlanReplaced { .. } => "goes on under another plan".into(),
            Fact::Adopted { at, from, .. } => {
                format!("{} is taken over from event {}", self.path(at), from.seq)
            }
            Fact::Joined { at, .. } => format!("{} goes on", self.path(at)),
            Fact::Reused { .. }
            | Fact::AttemptStarted(_)
            | Fact::WasSent { .. }
            | Fact::Submitted { .. }
            | Fact::Succeeded { .. }
            | Fact::Failed { .. }
            | Fact::Stopped { .. }
            | Fact::AttemptLost { .. }
            | Fact::Probed { .. }
            | Fact::Rebilled { .. }
            | Fact::Elapsed(_)
            | Fact::Waits { .. }
            | Fact::Asked { .. }
            | Fact::Answered { .. } => self.fact_of_attempt(fact),
        }
    }

    /// Returns an order as text.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only orders come here")]
    fn order_told(&self, fact: &Fact) -> String {
        match fact {
            Fact::PauseAsked { by } => format!("paused by {by}"),
            Fact::ResumeAsked { by } => format!("resumed by {by}"),
            Fact::CancelAsked { scope, item, .. } => {
                format!("{}{} cancelled", self.path(scope), item_told(*item))
            }
            Fact::Reset { at, .. } => format!("{} forgotten", self.path(at)),
            Fact::Resolved {
                ticket, verdict, ..
            } => format!("{} resolved: {verdict:?}", self.attempt(ticket)),
            Fact::Reopened {
                at: Some(at), item, ..
            } => format!("{}{} reopened", self.path(at), item_told(*item)),
            Fact::LimitsChanged { amount, .. } => format!("the budget is {amount} now"),
            _ => "reopened".into(),
        }
    }

    /// Returns a fact about an attempt as text.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what no script leads to is shown as it is"
    )]
    fn fact_of_attempt(&self, fact: &Fact) -> String {
        match fact {
            Fact::AttemptStarted(started) => {
                let effect = match started.effect {
                    Effect::Pure => String::new(),
                    effect => format!(" ({effect})"),
                };
                let hold = started.grant.hold;
                let hold = (hold > Money(0)).then(|| format!(", holds {hold}"));
                let attempt = self.attempt(&started.ticket);
                format!("{attempt} starts{effect}{}", hold.unwrap_or_default())
            }
            Fact::Submitted { ticket, .. } => format!("{} handed in a job", self.attempt(ticket)),
            Fact::Succeeded { ticket, .. } => format!("{} succeeded", self.attempt(ticket)),
            Fact::Failed {
                ticket,
                failure,
                then,
                ..
            } => {
                let class = failure.class.word();
                format!("{} failed ({class}), {}", self.attempt(ticket), what(*then))
            }
            Fact::Stopped { ticket, then, .. } => {
                format!("{} stopped, {}", self.attempt(ticket), what(*then))
            }
            Fact::AttemptLost { ticket, then, .. } => {
                format!("{} was lost, {}", self.attempt(ticket), what(*then))
            }
            Fact::Probed {
                ticket,
                found: Some(_),
                ..
            } => format!("{} was found", self.attempt(ticket)),
            Fact::Probed { ticket, then, .. } => {
                format!("{} was not found, {}", self.attempt(ticket), what(*then))
            }
            Fact::Elapsed(Timer::Pause(at)) => format!("{} has paused", self.path(at)),
            Fact::Elapsed(Timer::Within(at)) => format!("{} is too late", self.path(at)),
            Fact::Elapsed(Timer::Wait(ticket) | Timer::Expiry(ticket)) => {
                format!("{} has waited", self.attempt(ticket))
            }
            Fact::Asked { ticket, .. } => format!("{} asks", self.attempt(ticket)),
            Fact::Answered { ticket, by, .. } => {
                format!("{} answered by {by}", self.attempt(ticket))
            }
            other => format!("{other:?}"),
        }
    }
}

fn item_told(item: Option<u32>) -> String {
    item.map(|item| format!("[{item}]")).unwrap_or_default()
}

fn what(then: Then) -> String {
    match then {
        Then::Fail => "has failed".into(),
        Then::FallBack => "falls back".into(),
        Then::Again { counts, .. } => format!("again (counts: {counts:?})"),
        Then::Probe { .. } => "is looked for".into(),
        Then::Unknown => "unknown".into(),
        Then::Hold => "is held".into(),
        Then::HoldUntil { .. } => "is held until its budget begins anew".into(),
        Then::Cut => "is not wanted".into(),
    }
}

fn told(what_failed: &str, failure: &Failure, then: Then) -> String {
    let (class, message) = (failure.class.word(), &failure.message);
    format!("{what_failed} ({class}: {message}), {}", what(then))
}
