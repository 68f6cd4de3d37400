//! Budgets: holds, bills and periods.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::plan::Period;
use crate::run::Fits;

const DAY: i64 = 86_400_000;

fn run(name: &str) -> LedgerId {
    LedgerId::Run(RunId(name.into()))
}

fn per_day(day: &str) -> LedgerId {
    LedgerId::ProjectPeriod {
        period: Period::Day,
        day: day.into(),
    }
}

#[test]
fn spent_and_held_stay_within_every_limit() {
    let mut desk = Desk::new(Terms {
        budgets: Budgets {
            project: Some(Money(100)),
            ..Budgets::default()
        },
        ..Terms::default()
    });
    let one = |attempt, amount| demand("a", attempt).costs(amount).within(run("a"), 60);
    assert_eq!(desk.ask(one(1, 40)), "a1 granted");
    assert_eq!(desk.ask(one(2, 30)), "");
    assert_eq!(
        desk.reason("a", 2),
        Some(Reason::Budget {
            ledger: run("a"),
            left: Money(20),
            needs: Money(30),
        })
    );
    // Another run has its own budget, but not its own project.
    let other = |attempt, amount| demand("b", attempt).costs(amount).within(run("b"), 90);
    assert_eq!(desk.ask(other(1, 70)), "");
    assert_eq!(desk.ask(other(2, 5)), "", "nobody gets past the first");
    assert_eq!(desk.settle("a", 1, 10), "b1 granted, b2 granted");
    assert_eq!(desk.sums(&LedgerId::Project), (10, 75));
    // It lacked room in its run, and now lacks it in the project.
    let reason = desk.reason("a", 2);
    assert!(matches!(reason, Some(Reason::Budget { ledger, .. }) if ledger == LedgerId::Project));
    assert_eq!(desk.settle("b", 1, 20), "a2 granted");
    assert_eq!(desk.sums(&LedgerId::Project), (30, 35));
    assert_eq!(desk.settle("a", 2, 30), "");
    assert_eq!(desk.settle("b", 2, 5), "");
    assert_eq!(desk.sums(&LedgerId::Project), (65, 0));
    assert_eq!(desk.sums(&run("a")), (40, 0));
    assert_eq!(desk.sums(&run("b")), (25, 0));
}

#[test]
fn the_lower_of_two_limits_holds() {
    let mut desk = Desk::new(Terms {
        budgets: Budgets {
            providers: [("p".into(), Money(10))].into(),
            ..Budgets::default()
        },
        ..Terms::default()
    });
    let provider = LedgerId::Provider("p".into());
    let one = |attempt, limit| {
        demand("a", attempt)
            .costs(11)
            .within(provider.clone(), limit)
    };
    assert_eq!(desk.ask(one(1, None)), "a1 needs 11 of 10");
    assert_eq!(desk.ask(one(2, Some(20))), "a2 needs 11 of 10");
    assert_eq!(desk.ask(one(3, Some(5))), "a3 needs 11 of 5");
}

#[test]
fn what_can_never_fit_is_refused_at_once() {
    let mut desk = Desk::new(Terms::default());
    let one = |attempt, amount| demand("a", attempt).costs(amount).within(run("a"), 10);
    assert_eq!(desk.ask(one(1, 6)), "a1 granted");
    let refusal = |desk: &mut Desk, demand| {
        let decision = desk.arbiter.ask(demand, &me(), desk.now());
        let [answer] = decision.answers.try_into().unwrap();
        answer.reply
    };
    let budget = |left, needs, fits_empty| {
        Reply::Never(Refusal::Budget {
            ledger: run("a"),
            left: Money(left),
            needs: Money(needs),
            fits_empty,
            until: None,
        })
    };
    let found = refusal(&mut desk, one(2, 11));
    assert_eq!(found, budget(10, 11, Fits::No));
    desk.settle("a", 1, 3);
    let found = refusal(&mut desk, one(3, 8));
    assert_eq!(found, budget(7, 8, Fits::Yes));
    // What costs nothing needs no room.
    assert_eq!(desk.ask(one(4, 7)), "a4 granted");
    desk.settle("a", 4, 7);
    assert_eq!(desk.ask(one(5, 0)), "a5 granted");
    assert_eq!(desk.ask(one(6, -3)), "a6 granted");
    assert_eq!(desk.settle("a", 6, -3), "");
    assert_eq!(desk.sums(&run("a")), (10, 0));
    assert_eq!(desk.ask(one(7, 1)), "a7 needs 1 of 0");
}

#[test]
fn a_hold_is_settled_once() {
    let mut desk = Desk::new(Terms::default());
    let one = |attempt| demand("a", attempt).costs(10).within(run("a"), 100);
    for attempt in 1..=3 {
        desk.ask(one(attempt));
    }
    assert_eq!(desk.sums(&run("a")), (0, 30));
    desk.settle("a", 1, 4);
    desk.settle("a", 1, 4);
    assert_eq!(desk.sums(&run("a")), (4, 20));
    let presumed = Bill::Presumed(Money(10));
    desk.end("a", 2, presumed, Ending::Silence);
    desk.end("a", 2, presumed, Ending::Silence);
    desk.settle("a", 2, 1);
    assert_eq!(desk.sums(&run("a")), (14, 10));
    desk.withdraw("a", 3);
    desk.withdraw("a", 3);
    desk.settle("a", 3, 9);
    desk.settle("a", 9, 9);
    assert_eq!(desk.sums(&run("a")), (14, 0));
    // The attempt is known to be over.
    assert_eq!(desk.ask(one(2)), "a2 bug");
}

#[test]
fn asking_again_gives_the_same_grant() {
    let mut desk = Desk::new(slots([("p", 1)]));
    let one = || demand("a", 1).costs(10).within(run("a"), 100).pool("p");
    let first = desk.arbiter.ask(one(), &me(), desk.now());
    let second = desk.arbiter.ask(one(), &me(), desk.now());
    assert_eq!(first.answers, second.answers);
    assert_eq!(second.events, []);
    let expected = Grant {
        hold: Money(10),
        ledgers: vec![LedgerId::Project, run("a")],
        pools: vec!["p".into()],
        price: None,
    };
    assert_eq!(first.answers[0].reply, Reply::Granted(expected));
    assert_eq!(desk.sums(&run("a")), (0, 10));
    assert_eq!(desk.arbiter.taken("p"), 1);
}

fn rebill(desk: &mut Desk, attempt: u32, old: Bill, new: Bill) -> String {
    let grant = Grant {
        hold: Money(10),
        ledgers: vec![LedgerId::Project, run("a")],
        pools: vec!["p".into()],
        price: Some("fox".into()),
    };
    let rebill = Rebill {
        hold: hold("a", attempt),
        grant,
        old,
        new,
    };
    let decision = desk.arbiter.rebill(rebill, desk.now());
    desk.tell(decision)
}

#[test]
fn a_bill_that_comes_later_replaces_the_one_before() {
    let mut desk = Desk::new(slots([("p", 1)]));
    let one = |attempt| {
        let one = demand("a", attempt).costs(10).within(run("a"), 20);
        one.pool("p").price("fox")
    };
    let [exact, presumed] = [Bill::Exact, Bill::Presumed].map(|bill| move |of| bill(Money(of)));
    desk.ask(one(1));
    desk.end("a", 1, presumed(10), Ending::Silence);
    assert_eq!(desk.sums(&run("a")), (10, 0));
    for _ in 0..2 {
        rebill(&mut desk, 1, presumed(10), exact(3));
        assert_eq!(desk.sums(&run("a")), (3, 0));
    }
    rebill(&mut desk, 1, exact(3), Bill::None);
    assert_eq!(desk.sums(&LedgerId::Project), (0, 0));
    // An exact bill is forgotten, and known again when it is replaced.
    desk.ask(one(2));
    desk.settle("a", 2, 7);
    assert_eq!(desk.arbiter.hold(&hold("a", 2)), None);
    for _ in 0..2 {
        rebill(&mut desk, 2, exact(7), exact(2));
        assert_eq!(desk.sums(&run("a")), (2, 0));
    }
    // One that overtakes the outcome is the outcome.
    desk.ask(one(3));
    assert_eq!(desk.ask(one(4)), "");
    assert_eq!(rebill(&mut desk, 3, exact(9), exact(8)), "a4 granted");
    desk.settle("a", 3, 9);
    assert_eq!(desk.sums(&run("a")), (10, 10));
    // At the end of the run only what nobody knows is kept.
    desk.end("a", 4, presumed(10), Ending::Silence);
    let now = desk.now();
    let run = RunId("a".into());
    let decision = desk.arbiter.close_run(&run, now);
    assert_eq!(decision.events, [ArbEvent::RunClosed { run: run.clone() }]);
    let left: Vec<_> = desk
        .arbiter
        .holds_of(&run)
        .map(|(id, _)| id.clone())
        .collect();
    assert_eq!(left, [hold("a", 4)]);
}

#[test]
fn a_price_that_was_wrong_is_not_used_until_somebody_trusts_it() {
    let mut desk = Desk::new(Terms::default());
    let one = |attempt, price: &str| {
        let one = demand("a", attempt).costs(10).within(run("a"), 20);
        one.price(price)
    };
    desk.ask(one(1, "fox"));
    desk.ask(one(2, "fox"));
    assert_eq!(desk.ask(one(3, "fox")), "");
    // All of it counts, also what is above the limit.
    assert_eq!(desk.settle("a", 1, 35), "a3 budget");
    assert_eq!(desk.sums(&run("a")), (35, 10));
    let decision = desk.arbiter.ask(one(4, "fox"), &me(), desk.now());
    let Reply::Never(Refusal::Never(failure)) = &decision.answers[0].reply else {
        panic!("{decision:?}");
    };
    assert_eq!(
        &*failure.message,
        "the price `fox` isn't trusted: $0.000000035 was billed where it says $0.00000001 at most; if the bill is right, correct the price, and `flow effects trust fox` trusts it again"
    );
    let other = demand("b", 1).costs(10).price("owl");
    assert_eq!(desk.ask(other), "b1 granted");
    let now = desk.now();
    desk.arbiter.trust(&"fox".into(), now);
    let again = demand("b", 2).costs(10).price("fox");
    assert_eq!(desk.ask(again), "b2 granted");
    // What is only presumed says nothing about a price.
    desk.end("b", 2, Bill::Presumed(Money(90)), Ending::Silence);
    assert_eq!(desk.arbiter.distrusted().count(), 0);
}

#[test]
fn a_day_begins_with_an_empty_ledger() {
    let mut desk = Desk::new(Terms {
        budgets: Budgets {
            project_per: [(Period::Day, Money(10))].into(),
            ..Budgets::default()
        },
        ..Terms::default()
    });
    let one = |attempt, amount| demand("a", attempt).costs(amount);
    assert_eq!(desk.ask(one(1, 8)), "a1 granted");
    assert_eq!(desk.ask(one(2, 10)), "");
    assert_eq!(desk.wake, Some(DAY - 1_000_000));
    assert_eq!(desk.pass(DAY - 1_000_001), "");
    assert_eq!(desk.pass(1), "a2 granted");
    // The bill of an attempt belongs to the day on which it was granted.
    desk.settle("a", 1, 8);
    assert_eq!(desk.sums(&per_day("1970-01-01")), (8, 0));
    assert_eq!(desk.sums(&per_day("1970-01-02")), (0, 10));
    // A clock that is set back doesn't open yesterday's budget again.
    desk.now -= DAY / 2;
    assert_eq!(desk.ask(one(3, 2)), "");
    let now = desk.now();
    assert_eq!(&*desk.arbiter.day(Period::Day, now), "1970-01-02");
    assert_eq!(desk.settle("a", 2, 9), "a3 needs 2 of 1");
}

#[test]
fn demands_that_wait_can_be_changed_and_withdrawn() {
    let mut desk = Desk::new(Terms::default());
    let one = |attempt, amount, limit| demand("a", attempt).costs(amount).within(run("a"), limit);
    desk.ask(one(1, 8, 10));
    assert_eq!(desk.ask(one(2, 10, 10)), "");
    assert_eq!(desk.ask(one(3, 5, 10)), "");
    assert_eq!(desk.ask(one(4, 2, 10)), "");
    assert_eq!(desk.withdraw("a", 3), "");
    // Who was behind it may fit where it didn't.
    assert_eq!(desk.withdraw("a", 2), "a4 granted");
    assert_eq!(desk.ask(one(3, 5, 10)), "");
    assert_eq!(desk.reason("a", 2), None);
    // With a larger budget it needs not wait any more.
    assert_eq!(desk.ask(one(3, 5, 15)), "a3 granted");
    assert_eq!(desk.arbiter.waiting().count(), 0);
}

#[test]
fn what_no_attempt_came_for_is_given_back() {
    let mut desk = Desk::new(slots([("p", 2)]));
    let one = |run_name: &str, attempt| {
        let one = demand(run_name, attempt).costs(10);
        one.within(run(run_name), 20).pool("p")
    };
    desk.ask(one("a", 1));
    desk.ask(one("a", 2));
    assert_eq!(desk.ask(one("b", 1)), "");
    let open = BTreeSet::from([hold("a", 2).ticket]);
    let now = desk.now();
    let decision = desk.arbiter.keep_only(&RunId("a".into()), &open, now);
    assert_eq!(desk.tell(decision), "b1 granted");
    assert_eq!(desk.sums(&run("a")), (0, 10));
    assert_eq!(desk.arbiter.taken("p"), 2);
}

#[test]
fn ledgers_can_be_added_up_again() {
    let mut desk = Desk::new(Terms::default());
    let one = |attempt| demand("a", attempt).costs(10).within(run("a"), 90);
    for attempt in 1..=3 {
        desk.ask(one(attempt));
    }
    desk.settle("a", 1, 7);
    desk.end("a", 2, Bill::Presumed(Money(10)), Ending::Silence);
    let mut spent = BTreeMap::from([(LedgerId::Project, Money(17)), (run("a"), Money(17))]);
    assert_eq!(desk.arbiter.verify(&spent), []);
    spent.insert(run("a"), Money(16));
    let wrong = Ledger {
        spent: Money(17),
        held: Money(11),
    };
    let row = Row::Ledger(LedgerId::Project, wrong);
    desk.arbiter.merge([Change::Put(row)]);
    let mismatch = |ledger, what, found, expected| Mismatch {
        ledger,
        what,
        found: Money(found),
        expected: Money(expected),
    };
    assert_eq!(
        desk.arbiter.verify(&spent),
        [
            mismatch(LedgerId::Project, What::Held, 11, 10),
            mismatch(run("a"), What::Spent, 17, 16),
        ]
    );
}

#[test]
fn sums_beyond_all_measure_come_back() {
    let mut desk = Desk::new(Terms::default());
    let one = |attempt, amount| demand("a", attempt).costs(amount).within(run("a"), None);
    desk.ask(one(1, i64::MAX));
    desk.ask(one(2, i64::MAX));
    desk.ask(one(3, 5));
    assert_eq!(desk.sums(&run("a")), (0, i64::MAX));
    desk.withdraw("a", 1);
    assert_eq!(desk.sums(&run("a")), (0, i64::MAX));
    desk.withdraw("a", 2);
    assert_eq!(desk.sums(&run("a")), (0, 5));
}
