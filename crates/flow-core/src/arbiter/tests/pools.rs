//! Pools: slots, rates, pauses, breakers and keys in flight.

use std::num::NonZeroU32;

use super::*;
use crate::amount::Duration;

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn seconds(count: i64) -> Duration {
    Duration(count * Duration::SECOND.0)
}

/// Returns terms with one pool.
fn pool(pool: PoolTerms) -> Terms {
    Terms {
        pools: [("p".into(), pool)].into(),
        ..Terms::default()
    }
}

fn breaker() -> PoolTerms {
    PoolTerms {
        breaker: Some(BreakerTerms {
            failures: number(2),
            pause: seconds(30),
        }),
        ..PoolTerms::default()
    }
}

#[test]
fn slots_are_given_out_once_and_given_back() {
    let mut desk = Desk::new(slots([("p", 2), ("none", 0)]));
    let one = |attempt| demand("a", attempt).pool("p");
    assert_eq!(desk.ask(one(1)), "a1 granted");
    assert_eq!(desk.ask(one(2)), "a2 granted");
    assert_eq!(desk.ask(one(3)), "");
    let reason = Reason::Slots {
        pool: "p".into(),
        slots: 2,
    };
    assert_eq!(desk.reason("a", 3), Some(reason));
    assert_eq!(desk.ask(one(4)), "");
    let turn = Reason::Turn(Resource::Pool("p".into()));
    assert_eq!(desk.reason("a", 4), Some(turn));
    assert_eq!(desk.settle("a", 2, 0), "a3 granted");
    assert_eq!(desk.settle("a", 2, 0), "");
    assert_eq!(desk.arbiter.taken("p"), 2);
    assert_eq!(desk.ask(demand("b", 1).pool("none")), "b1 capacity");
    assert_eq!(desk.ask(demand("b", 2).pool("other")), "b2 granted");
}

#[test]
fn a_job_keeps_only_its_own_slot() {
    let mut desk = Desk::new(slots([("p", 1), ("p/jobs", 1)]));
    let one = |attempt| demand("a", attempt).pool("p").pool("p/jobs").costs(5);
    desk.ask(one(1));
    assert_eq!(desk.ask(demand("b", 1).pool("p")), "");
    let now = desk.now();
    let narrowed = desk.arbiter.narrow(&hold("a", 1), &["p/jobs".into()], now);
    assert_eq!(desk.tell(narrowed), "b1 granted");
    assert_eq!(
        (desk.arbiter.taken("p"), desk.arbiter.taken("p/jobs")),
        (1, 1)
    );
    assert_eq!(desk.sums(&LedgerId::Project), (0, 5));
    let again = desk.arbiter.narrow(&hold("a", 1), &["p/jobs".into()], now);
    assert_eq!(again.events, []);
    // It keeps what it has, not what it gave back.
    let again = desk.arbiter.narrow(&hold("a", 1), &["p".into()], now);
    assert_eq!(desk.tell(again), "");
    assert_eq!(
        (desk.arbiter.taken("p"), desk.arbiter.taken("p/jobs")),
        (1, 0)
    );
}

#[test]
fn slots_of_a_dead_process_are_free() {
    let mut desk = Desk::new(slots([("p", 1)]));
    let other = OwnerId("other".into());
    let one = |run: &str, attempt| demand(run, attempt).pool("p").costs(5);
    assert_eq!(desk.ask_for(one("a", 1), &other), "a1 granted");
    assert_eq!(desk.ask_for(one("a", 2), &other), "");
    assert_eq!(desk.ask(one("b", 1)), "");
    let now = desk.now();
    let decision = desk.arbiter.owner_gone(&other, now);
    assert_eq!(desk.tell(decision), "b1 granted");
    assert_eq!(desk.reason("a", 2), None);
    // The money of its attempt is held until somebody says what became of it.
    assert_eq!(desk.sums(&LedgerId::Project), (0, 10));
    // Who takes the run over has to wait for a slot, but not for money.
    assert_eq!(desk.ask(one("a", 1)), "");
    assert_eq!(desk.settle("b", 1, 5), "a1 granted");
    assert_eq!(desk.arbiter.taken("p"), 1);
    assert_eq!(desk.sums(&LedgerId::Project), (5, 5));
    assert_eq!(desk.settle("a", 1, 5), "");
    assert_eq!(desk.arbiter.taken("p"), 0);
}

#[test]
fn a_rate_lets_so_many_begin() {
    let mut desk = Desk::new(pool(PoolTerms {
        rate: Some(Rate {
            burst: number(2),
            per: seconds(10),
        }),
        ..PoolTerms::default()
    }));
    let one = |attempt| demand("a", attempt).pool("p");
    assert_eq!(desk.ask(one(1)), "a1 granted");
    assert_eq!(desk.ask(one(2)), "a2 granted");
    assert_eq!(desk.ask(one(3)), "");
    assert_eq!(desk.reason("a", 3), Some(Reason::Rate("p".into())));
    assert_eq!(desk.wake, Some(5_000));
    assert_eq!(desk.ask(one(4)), "");
    // What ends gives no token back.
    assert_eq!(desk.settle("a", 1, 0), "");
    assert_eq!(desk.pass(4_999), "");
    assert_eq!(desk.pass(1), "a3 granted");
    assert_eq!(desk.wake, Some(5_000));
    // A clock that is set back a little stands still, and brings none.
    desk.now -= 30_000;
    assert_eq!(desk.pass(30_000), "");
    // One that is set back far goes on from there.
    desk.now -= 3_600_000;
    assert_eq!(desk.pass(0), "");
    assert_eq!(desk.wake, Some(5_000));
    assert_eq!(desk.pass(4_999), "");
    assert_eq!(desk.pass(1), "a4 granted");
}

#[test]
fn a_pool_is_left_in_peace_when_the_other_side_asks() {
    let mut desk = Desk::new(Terms::default());
    let until = Timestamp(desk.now + 20_000);
    let now = desk.now();
    desk.arbiter.pause(&"p".into(), until, now);
    // A shorter pause doesn't end a longer one.
    let shorter = desk
        .arbiter
        .pause(&"p".into(), Timestamp(desk.now + 5), now);
    assert_eq!(shorter.events, []);
    assert_eq!(desk.ask(demand("a", 1).pool("p").or_else()), "");
    assert_eq!(desk.reason("a", 1), Some(Reason::Pause("p".into())));
    assert_eq!(desk.ask(demand("a", 2).pool("q")), "a2 granted");
    assert_eq!(desk.wake, Some(20_000));
    assert_eq!(desk.pass(20_000), "a1 granted");
}

#[test]
fn a_pool_that_fails_is_left_alone_for_a_while() {
    let mut desk = Desk::new(pool(breaker()));
    let one = |attempt| demand("a", attempt).pool("p");
    for attempt in 1..=4 {
        assert_eq!(desk.ask(one(attempt)), format!("a{attempt} granted"));
    }
    desk.fail("a", 1, FailureClass::Timeout);
    // What isn't the other side's fault neither counts nor excuses.
    desk.fail("a", 2, FailureClass::Invalid);
    desk.fail("a", 3, FailureClass::Transient);
    assert_eq!(desk.ask(one(5)), "");
    assert_eq!(desk.reason("a", 5), Some(Reason::Breaker("p".into())));
    assert_eq!(desk.wake, Some(30_000));
    assert_eq!(desk.ask(one(6).or_else()), "a6 capacity");
    // One is let through, and its failure prolongs it.
    assert_eq!(desk.ask(one(7)), "");
    assert_eq!(desk.pass(30_000), "a5 granted");
    assert_eq!(desk.ask(one(8).or_else()), "a8 capacity");
    assert_eq!(desk.fail("a", 5, FailureClass::Capacity), "");
    assert_eq!(desk.wake, Some(30_000));
    assert_eq!(desk.pass(30_000), "a7 granted");
    // Silence of the one lets the next through.
    assert_eq!(desk.ask(one(9)), "");
    assert_eq!(desk.end("a", 7, Bill::None, Ending::Silence), "a9 granted");
    assert_eq!(desk.ask(one(10)), "");
    assert_eq!(desk.ask(one(11)), "");
    assert_eq!(desk.settle("a", 9, 0), "a10 granted, a11 granted");
}

#[test]
fn a_success_closes_a_breaker_and_forgets_failures() {
    let mut desk = Desk::new(pool(breaker()));
    let one = |attempt| demand("a", attempt).pool("p");
    for attempt in 1..=4 {
        desk.ask(one(attempt));
    }
    desk.fail("a", 1, FailureClass::Timeout);
    desk.settle("a", 2, 0);
    desk.fail("a", 3, FailureClass::Timeout);
    assert_eq!(desk.ask(one(5)), "a5 granted");
    desk.fail("a", 4, FailureClass::Timeout);
    assert_eq!(desk.ask(one(6)), "");
    assert_eq!(desk.settle("a", 5, 0), "a6 granted");
}

#[test]
fn who_waits_with_a_fallback_is_told_when_a_breaker_opens() {
    let mut terms = pool(PoolTerms {
        slots: Some(2),
        ..breaker()
    });
    terms.budgets.project = Some(Money(10));
    let mut desk = Desk::new(terms);
    desk.ask(demand("a", 1).pool("p"));
    desk.ask(demand("a", 2).pool("p").costs(10));
    assert_eq!(desk.ask(demand("b", 1).pool("p").or_else()), "");
    assert_eq!(desk.ask(demand("b", 2).pool("p")), "");
    assert_eq!(desk.fail("a", 1, FailureClass::Timeout), "b1 granted");
    // One that stands in another line is told too.
    assert_eq!(desk.fail("b", 1, FailureClass::Invalid), "b2 granted");
    desk.settle("b", 2, 0);
    assert_eq!(desk.ask(demand("b", 3).pool("p").costs(5).or_else()), "");
    assert!(matches!(desk.reason("b", 3), Some(Reason::Budget { .. })));
    desk.ask(demand("c", 1).pool("p"));
    desk.fail("c", 1, FailureClass::Timeout);
    desk.ask(demand("c", 2).pool("p"));
    assert_eq!(desk.fail("c", 2, FailureClass::Timeout), "b3 capacity");
}

#[test]
fn who_waits_with_a_fallback_is_told_when_another_tries_the_pool() {
    let mut terms = pool(breaker());
    terms.budgets.project = Some(Money(10));
    let mut desk = Desk::new(terms);
    for attempt in 1..=2 {
        desk.ask(demand("a", attempt).pool("p"));
        desk.fail("a", attempt, FailureClass::Timeout);
    }
    desk.ask(demand("a", 3).costs(10));
    desk.pass(30_000);
    assert_eq!(desk.ask(demand("b", 1).pool("p").costs(5).or_else()), "");
    assert_eq!(
        desk.ask(demand("c", 1).pool("p")),
        "b1 capacity, c1 granted"
    );
}

#[test]
fn a_job_without_its_slot_still_speaks_for_its_pool() {
    let mut desk = Desk::new(pool(breaker()));
    for attempt in 1..=3 {
        desk.ask(demand("a", attempt).pool("p"));
    }
    let now = desk.now();
    desk.arbiter.narrow(&hold("a", 3), &[], now);
    desk.fail("a", 1, FailureClass::Timeout);
    desk.fail("a", 2, FailureClass::Timeout);
    assert_eq!(desk.ask(demand("a", 4).pool("p")), "");
    assert_eq!(desk.settle("a", 3, 0), "a4 granted");
}

#[test]
fn who_waits_with_a_fallback_is_told_what_others_saw() {
    let terms = Terms {
        pools: [
            ("p".into(), breaker()),
            (
                "q".into(),
                PoolTerms {
                    slots: Some(1),
                    ..PoolTerms::default()
                },
            ),
        ]
        .into(),
        ..Terms::default()
    };
    let mut desk = Desk::new(terms);
    desk.ask(demand("a", 1).pool("q"));
    assert_eq!(desk.ask(demand("b", 1).pool("q").pool("p").or_else()), "");
    let open = Breaker {
        failures: 2,
        state: BreakerState::Open {
            until: Timestamp(desk.now + 30_000),
        },
    };
    let row = Row::Breaker("p".into(), open);
    desk.arbiter.merge([Change::Put(row)]);
    assert_eq!(desk.pass(0), "b1 capacity");
    // A clock that is set back shuts again what had opened.
    desk.now += 40_000;
    assert_eq!(desk.ask(demand("b", 2).pool("q").pool("p").or_else()), "");
    desk.now -= 20_000;
    assert_eq!(desk.pass(0), "b2 capacity");
}

#[test]
fn of_equal_calls_one_flies_and_the_others_are_told() {
    let mut desk = Desk::new(slots([("p", 1)]));
    let one = |run: &str, attempt| demand(run, attempt).key("fox").pool("p").costs(5);
    assert_eq!(desk.ask(one("a", 1)), "a1 granted");
    assert_eq!(desk.ask(one("b", 1)), "");
    assert_eq!(desk.ask(one("b", 2)), "");
    assert!(matches!(desk.reason("b", 1), Some(Reason::Key { by, .. }) if by == hold("a", 1)));
    // They hold nobody else up.
    assert_eq!(desk.ask(demand("c", 1).pool("p").key("owl")), "");
    assert_eq!(desk.settle("a", 1, 5), "b1 landed, b2 landed, c1 granted");
    // The result wasn't there: they ask again.
    assert_eq!(desk.ask(one("b", 1)), "");
    assert_eq!(desk.settle("c", 1, 0), "b1 granted");
    assert_eq!(desk.sums(&LedgerId::Project), (5, 5));
}

#[test]
fn equal_calls_that_wait_for_a_slot_fly_one_by_one() {
    let mut desk = Desk::new(slots([("p", 2)]));
    desk.ask(demand("a", 1).pool("p"));
    desk.ask(demand("a", 2).pool("p"));
    let one = |attempt| demand("b", attempt).key("fox").pool("p");
    assert_eq!(desk.ask(one(1)), "");
    assert_eq!(desk.ask(one(2)), "");
    assert_eq!(desk.settle("a", 1, 0), "b1 granted");
    assert_eq!(desk.settle("a", 2, 0), "");
    assert!(matches!(desk.reason("b", 2), Some(Reason::Key { .. })));
    let now = desk.now();
    let decision = desk.arbiter.owner_gone(&me(), now);
    assert_eq!(desk.tell(decision), "", "its demands are gone with it");
}

#[test]
fn the_key_of_a_dead_process_has_landed() {
    let mut desk = Desk::new(Terms::default());
    let other = OwnerId("other".into());
    let one = |run: &str| demand(run, 1).key("fox");
    assert_eq!(desk.ask_for(one("a"), &other), "a1 granted");
    assert_eq!(desk.ask(one("b")), "");
    let now = desk.now();
    let decision = desk.arbiter.owner_gone(&other, now);
    assert_eq!(desk.tell(decision), "b1 landed");
    assert_eq!(desk.ask(one("b")), "b1 granted");
    // Who takes the run over waits for the one that flies now.
    assert_eq!(desk.ask(one("a")), "");
    assert_eq!(desk.settle("b", 1, 0), "a1 landed");
    assert_eq!(desk.ask(one("a")), "a1 granted");
}
