//! Faults: whatever goes wrong once, the oracle sees it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a fault is about the facts that are named"
)]

use std::sync::Arc;

use super::random::play;
use super::world::{Record, World};
use super::{Answer, ArbEvent, Hold, LedgerId, Reason, Reply};
use crate::plan::Period;

/// Something that goes wrong once.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The same attempt is granted twice.
    GrantedTwice,
    /// An attempt is granted something, and nothing is held for it.
    HoldForgotten,
    /// One that has to wait is granted what it asks for.
    GrantedTooMuch,
    /// An attempt gets some of its slots.
    GrantedHalf,
    /// It is held in the ledgers of the day before.
    DayIgnored,
    /// An attempt isn't told what it was granted.
    Untold,
    /// An attempt is told twice.
    ToldTwice,
    /// A bill counts twice.
    SettledTwice,
    /// A bill is lost.
    BillForgotten,
    /// A bill is another.
    BillWrong,
    /// What nobody knows counts as nothing.
    PresumedForgotten,
    /// A later bill is lost.
    RebillForgotten,
    /// A dead process keeps its slots.
    DeadKeepsSlots,
    /// Slots that were given back stay taken.
    NarrowForgotten,
    /// A token is taken and not counted.
    TokenForgotten,
    /// A pool that failed isn't left alone.
    BreakerForgotten,
    /// A breaker lets several through.
    ProbeForgotten,
    /// A price that was wrong is trusted.
    DistrustForgotten,
    /// A pause isn't kept.
    PauseForgotten,
    /// The clock was set back, and those who wait for an instant wait longer.
    ClockForgotten,
}

const FAULTS: [Fault; 20] = [
    Fault::GrantedTwice,
    Fault::HoldForgotten,
    Fault::GrantedTooMuch,
    Fault::GrantedHalf,
    Fault::DayIgnored,
    Fault::Untold,
    Fault::ToldTwice,
    Fault::SettledTwice,
    Fault::BillForgotten,
    Fault::BillWrong,
    Fault::PresumedForgotten,
    Fault::RebillForgotten,
    Fault::DeadKeepsSlots,
    Fault::NarrowForgotten,
    Fault::TokenForgotten,
    Fault::BreakerForgotten,
    Fault::ProbeForgotten,
    Fault::DistrustForgotten,
    Fault::PauseForgotten,
    Fault::ClockForgotten,
];

/// How often each goes wrong, in as many worlds.
const TIMES: u32 = 2;

#[test]
fn the_oracle_sees_every_fault() {
    for fault in FAULTS {
        let mut done = 0;
        for seed in 0..60 {
            // Not always the first chance.
            let mut chances = seed % 3;
            let mut injected = false;
            let result = play(seed, |world, record| {
                if !injected {
                    let mut faulty = record.clone();
                    if inject(fault, world, &mut faulty) {
                        if chances == 0 {
                            *record = faulty;
                            injected = true;
                        }
                        chances = chances.saturating_sub(1);
                    }
                }
            });
            if injected {
                done += 1;
                assert!(result.is_err(), "seed {seed}: {fault:?} wasn't seen");
            }
            if done == TIMES {
                break;
            }
        }
        assert_eq!(done, TIMES, "{fault:?} had no chance");
    }
}

/// Makes a record wrong, if it can be wrong in this way.
fn inject(fault: Fault, world: &World, record: &mut Record) -> bool {
    let Record {
        events, answers, ..
    } = record;
    match fault {
        Fault::GrantedTwice => again(events, |event| matches!(event, ArbEvent::Held(..))),
        Fault::HoldForgotten => lose(events, |event| matches!(event, ArbEvent::Held(..))),
        Fault::GrantedTooMuch => grant_too_much(world, record),
        Fault::GrantedHalf => change(events, |event| match event {
            ArbEvent::Held(_, hold) => hold.pools.pop().is_some(),
            _ => false,
        }),
        Fault::DayIgnored => ignore_day(record),
        Fault::Untold => lose(answers, |_| true),
        Fault::ToldTwice => again(answers, |_| true),
        Fault::SettledTwice => again(events, |event| matches!(event, ArbEvent::Settled { .. })),
        Fault::BillForgotten => lose(events, |event| matches!(event, ArbEvent::Settled { .. })),
        Fault::BillWrong => change(events, |event| match event {
            ArbEvent::Settled { bill, .. } => {
                bill.0 += 1;
                true
            }
            _ => false,
        }),
        Fault::PresumedForgotten => change(events, |event| match event {
            ArbEvent::Presumed { hold, .. } => {
                let hold = hold.clone();
                *event = ArbEvent::Released { hold };
                true
            }
            _ => false,
        }),
        Fault::RebillForgotten => lose(
            events,
            |event| matches!(event, ArbEvent::Rebilled { old, new, .. } if old.amount() != new.amount()),
        ),
        Fault::DeadKeepsSlots => lose(events, |event| matches!(event, ArbEvent::OwnerGone { .. })),
        Fault::NarrowForgotten => lose(events, |event| matches!(event, ArbEvent::Narrowed { .. })),
        Fault::TokenForgotten => lose(events, |event| matches!(event, ArbEvent::TokenTaken { .. })),
        Fault::BreakerForgotten => lose(events, |event| matches!(event, ArbEvent::Tripped { .. })),
        Fault::ProbeForgotten => lose(events, |event| matches!(event, ArbEvent::HalfOpened { .. })),
        Fault::DistrustForgotten => {
            lose(events, |event| matches!(event, ArbEvent::Distrusted { .. }))
        }
        Fault::PauseForgotten => lose(events, |event| matches!(event, ArbEvent::Paused { .. })),
        Fault::ClockForgotten => lose(events, |event| {
            matches!(event, ArbEvent::ClockSetBack { .. })
        }),
    }
}

/// Repeats the first one of a kind.
fn again<T: Clone>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> bool {
    let one = all.iter().find(|one| is_it(one)).cloned();
    all.extend(one.clone());
    one.is_some()
}

/// Loses the first one of a kind.
fn lose<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> bool {
    let at = all.iter().position(is_it);
    at.map(|at| all.remove(at)).is_some()
}

/// Changes the first one that can be changed.
fn change<T>(all: &mut [T], change: impl FnMut(&mut T) -> bool) -> bool {
    all.iter_mut().any(change)
}

fn grant_too_much(world: &World, record: &mut Record) -> bool {
    let lacks = |reason: &Reason| matches!(reason, Reason::Budget { .. } | Reason::Slots { .. });
    let asked = world.asked.iter().find(|(demand, _)| {
        let waiting = world.arbiter.reason(&demand.hold);
        let is_new = world.arbiter.hold(&demand.hold).is_none();
        is_new && waiting.is_some_and(|waiting| lacks(&waiting.reason))
    });
    let Some((demand, owner)) = asked else {
        return false;
    };
    let mut demand = demand.clone();
    demand.normalise();
    world.arbiter.surround(&mut demand);
    let ledgers = demand
        .ledgers
        .iter()
        .map(|one| world.arbiter.dated(&one.ledger));
    let hold = Hold::new(&demand, owner, ledgers.collect());
    let reply = Reply::Granted(hold.grant());
    let id = demand.hold;
    record.waiting.retain(|waiting| *waiting != id);
    record
        .events
        .push(ArbEvent::Held(id.clone(), Box::new(hold)));
    record.answers.push(Answer { hold: id, reply });
    true
}

/// Puts a grant into the ledger of the first day of all.
fn ignore_day(record: &mut Record) -> bool {
    let first: Arc<str> = "1971-02-28".into();
    let Record {
        events, answers, ..
    } = record;
    let yesterday = |ledgers: &mut Vec<LedgerId>| {
        let mut days = ledgers.iter_mut().filter(|ledger| {
            ledger.period() == Some(Period::Day) && ledger.day().is_some_and(|day| *day > first)
        });
        days.next().map(|day| *day = day.dated(&first)).is_some()
    };
    change(events, |event| match event {
        ArbEvent::Held(_, hold) => yesterday(&mut hold.ledgers),
        _ => false,
    }) && change(answers, |answer| match &mut answer.reply {
        Reply::Granted(grant) => yesterday(&mut grant.ledgers),
        Reply::Never(_) | Reply::Landed { .. } => false,
    })
}
