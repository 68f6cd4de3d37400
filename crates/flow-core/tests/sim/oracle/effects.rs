//! What really happened, against what the log says of it.

use std::collections::BTreeMap;

use flow_core::address::At;
use flow_core::amount::Money;
use flow_core::effect::{Act, Effect};
use flow_core::step::Bill;

use super::reading::{Claim, Phase, Reading};
use super::{Check, Fault};
use crate::outside::{Happening, Outside};

/// Checks all that happened in the name of a run.
pub(super) fn check(reading: &Reading<'_>, outside: &Outside) -> Result<(), Fault> {
    intents(reading, outside)?;
    happenings(reading, outside)?;
    charges(reading, outside)
}

fn intents(reading: &Reading<'_>, outside: &Outside) -> Result<(), Fault> {
    for departure in outside.departed.iter().filter(|one| one.run == reading.run) {
        // What only computes or looks may be done before that is written.
        if !departure.effect.costs() {
            continue;
        }
        let is_known = reading.attempts.contains_key(&departure.ticket);
        if !departure.is_announced || !is_known {
            let what = format!("{} left without an intent", departure.ticket);
            return Err(Fault::new(Check::Intent, what));
        }
    }
    Ok(())
}

fn happenings(reading: &Reading<'_>, outside: &Outside) -> Result<(), Fault> {
    let mut counts: BTreeMap<(At, u32), Vec<&Happening>> = BTreeMap::new();
    for done in outside.happened.iter().filter(|one| one.run == reading.run) {
        let key = (done.ticket.at.clone(), done.ticket.generation);
        counts.entry(key).or_default().push(done);
        let Some(attempt) = reading.attempts.get(&done.ticket) else {
            continue;
        };
        if attempt.claims == Some(Claim::Not) && !done.was_denied {
            let what = format!("{} happened, and the log says it didn't", done.ticket);
            return Err(Fault::new(Check::Effect, what));
        }
    }
    for ((at, _), done) in counts {
        // A target that says that something didn't happen is believed.
        let honest = done.iter().filter(|done| !done.was_denied).count();
        let kept = done.len() - usize::from(honest < done.len());
        let is_kept = match done[0].effect {
            Effect::Act(Act::Probed) => honest <= 1 && kept <= 1 || honest < done.len(),
            Effect::Act(Act::Keyed(_) | Act::Once) => done.len() <= 1,
            Effect::Pure | Effect::Read | Effect::Paid => true,
        };
        if !is_kept {
            let what = format!("{at} happened {} times", done.len());
            return Err(Fault::new(Check::Effect, what));
        }
    }
    Ok(())
}

fn charges(reading: &Reading<'_>, outside: &Outside) -> Result<(), Fault> {
    for charge in outside.charged.iter().filter(|one| one.run == reading.run) {
        let Some(attempt) = reading.attempts.get(&charge.ticket) else {
            let what = format!("{} was charged and never started", charge.ticket);
            return Err(Fault::new(Check::Charge, what));
        };
        let total = outside.charge_of(reading.run, &charge.ticket);
        // Nobody can know of more than the bound but from the bill.
        let least = total.min(charge.bound);
        let counted = match attempt.bill {
            Some(Bill::Exact(amount)) => amount,
            Some(bill) => bill.amount(),
            None if attempt.phase == Phase::Over => Money(0),
            None => attempt.grant.hold,
        };
        if counted < least {
            let what = format!(
                "{} was charged {total}, and counts as {counted}",
                charge.ticket
            );
            return Err(Fault::new(Check::Charge, what));
        }
    }
    Ok(())
}
