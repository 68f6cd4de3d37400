//! Broken worlds: each must be noticed, and by a check that is meant for it.
//!
//! A mutant breaks what happens between a run, who grants, and the log: not the
//! machines themselves.

use std::collections::BTreeMap;

use crate::oracle::Check;
use crate::script::Mood;
use crate::world::{Tells, Traits, World};

/// What is broken in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// The run follows a plan that lacks an edge.
    EdgeIgnored,
    /// The money of a stopped attempt is forgotten: on a race or a cancel.
    HoldForgottenWhenStopped,
    /// The money of a lost attempt is forgotten: on a resume.
    HoldForgottenWhenLost,
    /// What is held is forgotten in a crash.
    HoldForgottenOnCrash,
    /// What is held is not counted.
    DoubleGrant,
    /// The last item of a `for` is left out.
    ItemDropped,
    /// An outcome is written twice.
    SettledTwice,
    /// A request leaves before its intent is safe.
    EffectBeforeIntent,
    /// An unknown outcome is taken for a failure, and the fallback for it.
    FallbackOnUnknown,
    /// An act is sent twice.
    SentTwice,
    /// An attempt may begin although the run is paused.
    PauseIgnored,
    /// A presumed bill is written as none.
    BillForgotten,
    /// A wish is lost on its way to who carries it out.
    WishLost,
    /// A wish is missing in what an event changed.
    DeltaShort,
    /// A replay leaves out an event.
    ReplayShort,
    /// A loser of a race is taken for its winner.
    WrongWinner,
    /// The bound of a call is not held.
    NothingHeld,
    /// A lost act that can't be repeated is repeated.
    OnceRepeated,
}

/// How many worlds there are at most until a mutant is noticed.
const WORLDS_MAX: u64 = 1_000;

/// Returns in which worlds something is broken, and which checks are meant to
/// notice it.
fn cases() -> Vec<(Mutant, Traits, &'static [Check])> {
    let calm = Traits {
        mood: Mood::Calm,
        is_split: false,
        is_moody: false,
        has_desk: false,
        crashes: 0,
        meddling: 0,
        mutant: None,
    };
    let rough = Traits {
        mood: Mood::Rough,
        ..calm
    };
    let crashed = Traits {
        crashes: 3,
        ..rough
    };
    let meddled = Traits {
        meddling: 6,
        ..rough
    };
    vec![
        (Mutant::EdgeIgnored, calm, &[Check::Order, Check::Value]),
        (Mutant::HoldForgottenWhenStopped, meddled, &[Check::Budget]),
        (Mutant::HoldForgottenWhenLost, crashed, &[Check::Budget]),
        (
            Mutant::HoldForgottenOnCrash,
            crashed,
            &[Check::Ledger, Check::Budget],
        ),
        (Mutant::DoubleGrant, rough, &[Check::Budget]),
        (Mutant::ItemDropped, calm, &[Check::Items]),
        (Mutant::SettledTwice, calm, &[Check::Once]),
        (Mutant::EffectBeforeIntent, calm, &[Check::Intent]),
        (Mutant::FallbackOnUnknown, rough, &[Check::Fallback]),
        (Mutant::SentTwice, calm, &[Check::Effect]),
        (Mutant::PauseIgnored, meddled, &[Check::Rest]),
        (Mutant::BillForgotten, crashed, &[Check::Charge]),
        (Mutant::WishLost, calm, &[Check::Stall]),
        (Mutant::DeltaShort, calm, &[Check::Delta]),
        (Mutant::ReplayShort, rough, &[Check::Replay]),
        (Mutant::WrongWinner, calm, &[Check::Race]),
        (Mutant::NothingHeld, calm, &[Check::Hold]),
        (Mutant::OnceRepeated, crashed, &[Check::Effect]),
    ]
}

#[test]
fn every_mutant_is_noticed_by_a_check_that_is_meant_for_it() {
    let mut missed = Vec::new();
    for (mutant, traits, meant) in cases() {
        let traits = Traits {
            mutant: Some(mutant),
            ..traits
        };
        let mut noticed: BTreeMap<Check, u32> = BTreeMap::new();
        let is_noticed = (0..WORLDS_MAX).any(|seed| {
            let Err(fault) = World::new(seed, traits).live(Tells::Fault) else {
                return false;
            };
            *noticed.entry(fault.check).or_default() += 1;
            meant.contains(&fault.check)
        });
        if !is_noticed {
            missed.push(format!("{mutant:?}: only {noticed:?}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn the_same_worlds_without_a_mutant_are_well() {
    for (_, traits, _) in cases() {
        for seed in 0..12 {
            let fault = World::new(seed, traits).live(Tells::Fault).err();
            assert_eq!(
                fault.map(|fault| fault.to_string()),
                None,
                "{seed}: {traits:?}"
            );
        }
    }
}
