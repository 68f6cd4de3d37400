//! What has to be durable before anything follows from it.
//!
//! What can be made again at no cost may be lost in a power cut, together with
//! all that came after it. What costs, acts, or was said by a person may not.

use crate::address::Ticket;
use crate::amount::Money;
use crate::event::{Fact, Then};
use crate::step::Bill;

use super::Run;

impl Run {
    /// Returns whether a fact has to be durable before anything follows from
    /// it. To be asked before the fact is applied.
    pub fn is_dear(&self, fact: &Fact) -> bool {
        let costs = |ticket: &Ticket| {
            let effect = self.effect_of(ticket);
            effect.is_some_and(crate::effect::Effect::costs)
        };
        match fact {
            Fact::AttemptStarted(started) => {
                started.effect.costs() || started.grant.hold > Money(0)
            }
            Fact::Succeeded { ticket, bill, .. } => *bill != Bill::None || costs(ticket),
            Fact::Failed {
                ticket, bill, then, ..
            }
            | Fact::Stopped {
                ticket, bill, then, ..
            }
            | Fact::AttemptLost { ticket, bill, then } => {
                let is_open = matches!(then, Then::Unknown | Then::Probe { .. });
                is_open || *bill != Bill::None || costs(ticket)
            }
            Fact::RunStarted(_)
            | Fact::OwnerTook { .. }
            | Fact::PauseAsked { .. }
            | Fact::ResumeAsked { .. }
            | Fact::CancelAsked { .. }
            | Fact::LimitsChanged { .. }
            | Fact::PlanReplaced { .. }
            | Fact::Reset { .. }
            | Fact::Adopted { .. }
            | Fact::Joined { .. }
            | Fact::RunSettled { .. }
            | Fact::Reopened { .. }
            | Fact::Submitted { .. }
            | Fact::Probed { .. }
            | Fact::Resolved { .. }
            | Fact::Rebilled { .. }
            | Fact::Asked { .. }
            | Fact::Answered { .. } => true,
            Fact::Opened { .. }
            | Fact::ProgramsFound { .. }
            | Fact::ItemsExpanded { .. }
            | Fact::BranchTaken { .. }
            | Fact::RoundOpened { .. }
            | Fact::RaceWon { .. }
            | Fact::Yielded { .. }
            | Fact::Broke { .. }
            | Fact::Reused { .. }
            | Fact::WasSent { .. }
            | Fact::Elapsed(_)
            | Fact::Waits { .. }
            | Fact::Refused { .. } => false,
        }
    }
}
