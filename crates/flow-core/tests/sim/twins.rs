//! Twins: a world and the same world undisturbed, and a world twice.

use std::collections::BTreeSet;

use flow_core::effect::FailureClass;
use flow_core::event::{Event, Fact, Then, Timer};
use flow_core::run::Standing;

use crate::oracle::{Check, Fault};
use crate::script::Mood;
use crate::world::{Outcome, Tells, Traits, World};

/// Compares a world that was disturbed by crashes alone with the same world
/// without them: runs in which neither a race nor time nor money decided give
/// the same.
pub(crate) fn compare(seed: u64, traits: Traits, outcome: &Outcome) -> Result<(), Fault> {
    let is_comparable = traits.mood != Mood::Rough
        && traits.crashes > 0
        && traits.meddling == 0
        && !traits.is_moody
        && traits.mutant.is_none();
    if !is_comparable {
        return Ok(());
    }
    let calm = Traits {
        crashes: 0,
        is_split: false,
        ..traits
    };
    let twin = World::new(seed, calm).live(Tells::Fault)?;
    for run in 0..outcome.logs.len() {
        let both = [outcome, &twin];
        let is_over = both.iter().all(|one| one.standings[run] == Standing::Over);
        let is_alike = both.iter().all(|one| one.logs[run].iter().all(is_plain));
        if !is_over || !is_alike {
            continue;
        }
        let of = |one: &Outcome| (one.statuses[run], one.outputs[run].clone());
        if of(outcome) != of(&twin) {
            let what = format!(
                "run {run} gave {:?}, and undisturbed {:?}",
                of(outcome),
                of(&twin)
            );
            return Err(Fault::new(Check::Twin, what));
        }
    }
    Ok(())
}

/// Whether an event says nothing of a race, of time or of money, and of no loss
/// that couldn't be made good.
fn is_plain(event: &Event) -> bool {
    !matches!(
        event.fact,
        Fact::RaceWon { .. }
            // Equal calls share a result, and which is first made depends on time.
            | Fact::Reused { .. }
            | Fact::Elapsed(Timer::Within(_) | Timer::Expiry(_))
            | Fact::AttemptLost {
                then: Then::Fail | Then::FallBack,
                ..
            }
    ) && !matches!(
        &event.fact,
        Fact::Failed { failure, .. } if failure.class == FailureClass::Timeout
    ) && !matches!(
        &event.fact,
        Fact::Refused { failure, .. } if failure.class != FailureClass::Bug
    )
}

/// What worlds meet: nearly all facts there are, and what follows failures.
#[test]
fn worlds_meet_nearly_everything() {
    let mut met = BTreeSet::new();
    for seed in 0..400 {
        let world = World::new(seed, Traits::draw(seed));
        let Ok(outcome) = world.live(Tells::Fault) else {
            continue;
        };
        for event in outcome.logs.iter().flatten() {
            let text = format!("{:?}", event.fact);
            let words = text.split(|c: char| !c.is_alphanumeric());
            met.insert(words.clone().next().unwrap_or_default().to_owned());
            let then = words.skip_while(|word| *word != "then").nth(2);
            met.extend(then.map(|then| format!("then {then}")));
        }
        met.extend(
            outcome
                .standings
                .iter()
                .map(|standing| format!("{standing:?}")),
        );
    }
    let expected = [
        "RunStarted OwnerTook PauseAsked ResumeAsked CancelAsked Opened LimitsChanged",
        "PlanReplaced Reset Adopted RunSettled Reopened ItemsExpanded BranchTaken RoundOpened",
        "RaceWon Yielded Broke Reused AttemptStarted WasSent Submitted Succeeded Failed Stopped",
        "AttemptLost Probed Resolved Rebilled Elapsed Waits Asked Answered Refused",
        "Over Waiting Unknown Short Paused",
    ];
    let thens = [
        "Fail", "FallBack", "Again", "Probe", "Unknown", "Hold", "Cut",
    ];
    let mut missing: Vec<String> = expected.join(" ").split(' ').map(str::to_owned).collect();
    missing.extend(thens.map(|then| format!("then {then}")));
    missing.retain(|name| !met.contains(name));
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn equal_seeds_give_equal_logs() {
    for seed in 0..120 {
        let live = || World::new(seed, Traits::draw(seed)).live(Tells::Fault);
        let (Ok(one), Ok(other)) = (live(), live()) else {
            continue;
        };
        assert_eq!(one.logs, other.logs, "{seed}");
    }
}
