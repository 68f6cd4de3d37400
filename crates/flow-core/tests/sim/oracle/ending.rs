//! How a run ends, and how it is left.

use flow_core::address::At;
use flow_core::event::Status;
use flow_core::handle::Handle;
use flow_core::plan::NodeKind;
use flow_core::run::Standing;
use flow_core::value::Value;

use super::reading::{Phase, Reading};
use super::state::Stand;
use super::{Case, Check, Fault};

fn fault(what: String) -> Result<(), Fault> {
    Err(Fault::new(Check::Ending, what))
}

impl Reading<'_> {
    /// Checks that a run may end so.
    pub(super) fn check_ending(
        &self,
        status: Status,
        output: Option<&Handle>,
    ) -> Result<(), Fault> {
        let mut attempts = self.attempts.keys();
        if let Some(ticket) = attempts.find(|ticket| self.is_in_progress(ticket)) {
            return fault(format!("the run ends, and {ticket} is in progress"));
        }
        for (ticket, attempt) in &self.attempts {
            if attempt.bill.is_none() && attempt.grant.hold.0 > 0 {
                let what = format!("the run ends, and the hold of {ticket} is not resolved");
                return Err(Fault::new(Check::Hold, what));
            }
        }
        let stand = self.stand(&At::root());
        let expected = match stand {
            Stand::Open => return fault("the run ends, and something in it is open".into()),
            Stand::Value => Status::Succeeded,
            Stand::Dead if self.is_cancelled(&At::root()) => Status::Cancelled,
            Stand::Dead => Status::Failed,
        };
        // A part that was cancelled leaves a whole that failed or was cancelled.
        let is_partly = !self.cancelled.is_empty() && stand == Stand::Dead;
        let is_whole_cancelled = self.is_cancelled(&At::root()) && status == Status::Cancelled;
        let is_right =
            status == expected || is_partly && status != Status::Succeeded || is_whole_cancelled;
        if !is_right {
            return fault(format!("the run ends {status:?}, and is {expected:?}"));
        }
        if status != Status::Succeeded {
            return Ok(());
        }
        let NodeKind::Workflow(root) = &self.plan.node(At::root().node).kind else {
            return fault("the run is of no workflow".into());
        };
        let given = output.and_then(|output| self.load(output));
        let result = root.block.result.as_ref();
        let expected = result.map(|_| self.value(&At::root()));
        let is_right = match &expected {
            None => given.is_none() || given == Some(Value::None),
            Some(expected) => expected.is_some() && given == *expected,
        };
        if !is_right {
            let what = format!("the run gives {given:?}, the plan says {expected:?}");
            return Err(Fault::new(Check::Value, what));
        }
        self.items_are_whole()
    }

    /// Checks that every item is accounted for.
    fn items_are_whole(&self) -> Result<(), Fault> {
        for (at, items) in &self.items {
            if self.stand(at) != Stand::Value {
                continue;
            }
            let NodeKind::For(each) = &self.plan.node(at.node).kind else {
                continue;
            };
            for item in 0..items.count {
                let stand = self.stand_of_item(at, item, &each.body);
                let is_kept = stand == Stand::Value || each.keep_ok && stand == Stand::Dead;
                if !is_kept {
                    let what = format!("item {item} of {at} is {stand:?}, and {at} has a value");
                    return Err(Fault::new(Check::Items, what));
                }
            }
        }
        Ok(())
    }
}

/// Checks how a run is left when nothing more happens in its world.
pub(super) fn check(reading: &Reading<'_>, case: &Case) -> Result<(), Fault> {
    match (case.standing, reading.status) {
        (Standing::Over, Some(_)) => Ok(()),
        (Standing::Over, None) => fault("the run is over, and the log doesn't say so".into()),
        (Standing::Working | Standing::Sleeping(_), _) => {
            let what = format!("the run is left {:?}", case.standing);
            Err(Fault::new(Check::Stall, what))
        }
        (Standing::Waiting | Standing::Unknown, None) => {
            let mut attempts = reading.attempts.iter();
            let waits = attempts.any(|(ticket, attempt)| match attempt.phase {
                Phase::Asking | Phase::Unknown | Phase::Open => true,
                // Nobody probes for a step that was reset.
                Phase::Probing(_) => reading.last.get(&ticket.at) != Some(ticket),
                Phase::Running | Phase::Remote | Phase::Waiting(_) | Phase::Over => false,
            });
            if waits {
                Ok(())
            } else {
                fault("the run waits for people, and none was asked".into())
            }
        }
        (Standing::Short | Standing::Paused, None) => Ok(()),
        (standing, Some(_)) => fault(format!("the log is settled, and the run {standing:?}")),
    }
}
