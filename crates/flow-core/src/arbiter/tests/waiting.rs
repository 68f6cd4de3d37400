//! Waiting: turns, elders, and what is kept of all this.

use super::*;

fn run(name: &str) -> LedgerId {
    LedgerId::Run(RunId(name.into()))
}

#[test]
fn a_large_run_does_not_starve_a_small_one() {
    let mut desk = Desk::new(slots([("p", 1)]));
    for attempt in 1..=1000 {
        desk.ask(demand("big", attempt).pool("p"));
    }
    desk.ask(demand("small", 1).pool("p"));
    assert_eq!(desk.settle("big", 1, 0), "big2 granted");
    assert_eq!(desk.settle("big", 2, 0), "small1 granted");
    assert_eq!(desk.settle("small", 1, 0), "big3 granted");
}

#[test]
fn who_needs_another_pool_is_not_held_up() {
    let mut desk = Desk::new(slots([("p", 1), ("q", 1)]));
    desk.ask(demand("a", 1).pool("p"));
    assert_eq!(desk.ask(demand("a", 2).pool("p").pool("q")), "");
    assert_eq!(desk.ask(demand("a", 3).pool("q")), "a3 granted");
    assert_eq!(desk.settle("a", 1, 0), "");
    assert_eq!(desk.settle("a", 3, 0), "a2 granted");
}

#[test]
fn a_large_demand_is_not_starved_by_small_ones() {
    let mut desk = Desk::new(Terms::default());
    let one = |run_name: &str, attempt, amount| {
        let one = demand(run_name, attempt).costs(amount);
        one.within(LedgerId::Provider("p".into()), 100)
    };
    desk.ask(one("a", 1, 30));
    desk.ask(one("a", 2, 30));
    assert_eq!(desk.ask(one("big", 1, 90)), "");
    for attempt in 1..=20 {
        assert_eq!(desk.ask(one("b", attempt, 1)), "");
    }
    assert_eq!(desk.settle("a", 1, 0), "");
    assert_eq!(
        desk.settle("a", 2, 0),
        "big1 granted, b1 granted, b2 granted, b3 granted, b4 granted, b5 granted, b6 granted, b7 granted, b8 granted, b9 granted, b10 granted"
    );
}

/// Whoever needs two things at once could be passed for ever by those who need
/// one of them.
#[test]
fn a_demand_for_two_things_is_not_passed_for_ever() {
    let mut desk = Desk::new(slots([("p", 1), ("q", 1)]));
    desk.ask(demand("a", 1).pool("p"));
    desk.ask(demand("b", 1).pool("q"));
    assert_eq!(desk.ask(demand("both", 1).pool("p").pool("q")), "");
    let mut rounds = 0;
    let (mut a, mut b) = (1, 1);
    loop {
        rounds += 1;
        assert!(rounds < 100, "it was passed {rounds} times");
        // The next of each asks before the last one is over.
        desk.ask(demand("a", a + 1).pool("p"));
        let told = desk.settle("a", a, 0);
        if told.contains("both1") {
            break;
        }
        a += 1;
        desk.ask(demand("b", b + 1).pool("q"));
        let told = desk.settle("b", b, 0);
        if told.contains("both1") {
            break;
        }
        b += 1;
    }
    assert_eq!((desk.arbiter.taken("p"), desk.arbiter.taken("q")), (1, 1));
    // What was set aside for it is free again.
    let told = desk.settle("both", 1, 0);
    assert_eq!(told.matches("granted").count(), 2, "{told}");
}

#[test]
fn what_was_kept_is_loaded() {
    let mut terms = slots([("p", 1)]);
    terms.budgets.project = Some(Money(50));
    let mut desk = Desk::new(terms.clone());
    desk.ask(
        demand("a", 1)
            .costs(10)
            .within(run("a"), 20)
            .pool("p")
            .key("fox"),
    );
    desk.ask(demand("a", 2).costs(10).within(run("a"), 30).price("owl"));
    desk.end("a", 2, Bill::Exact(Money(11)), Ending::Silence);
    let mut kept = std::collections::BTreeMap::new();
    for change in desk.arbiter.changes() {
        match change {
            Change::Put(row) => drop(kept.insert(row.key(), row)),
            Change::Gone(key) => drop(kept.remove(&key)),
        }
    }
    assert_eq!(desk.arbiter.changes(), []);
    let loaded = Arbiter::load(terms, kept.into_values());
    assert_eq!(loaded.books, desk.arbiter.books);
    assert!(loaded.rows().eq(desk.arbiter.rows()));
}

#[test]
fn demands_go_on_waiting_when_others_have_written() {
    let terms = slots([("p", 1)]);
    let mut desk = Desk::new(terms.clone());
    let mut other = Desk::new(terms);
    other.ask_for(
        demand("b", 1).pool("p").key("fox"),
        &OwnerId("other".into()),
    );
    desk.arbiter.replace(other.arbiter.rows());
    assert_eq!(desk.ask(demand("a", 1).pool("p")), "");
    assert_eq!(desk.ask(demand("a", 2).key("fox")), "");
    other.settle("b", 1, 0);
    let changes = other.arbiter.changes();
    desk.arbiter.merge(changes);
    assert_eq!(desk.pass(0), "a2 landed, a1 granted");
}

#[test]
fn new_terms_hold_for_those_who_wait() {
    let mut desk = Desk::new(slots([("p", 1)]));
    for attempt in 1..=4 {
        desk.ask(demand("a", attempt).pool("p"));
    }
    let now = desk.now();
    let decision = desk.arbiter.set_terms(slots([("p", 3)]), now);
    assert_eq!(desk.tell(decision), "a2 granted, a3 granted");
    let decision = desk.arbiter.set_terms(slots([("p", 0)]), now);
    assert_eq!(desk.tell(decision), "a4 capacity");
}

#[test]
fn a_run_that_nobody_works_on_needs_no_memory() {
    let mut desk = Desk::new(Terms::default());
    desk.ask(demand("a", 1).costs(10).within(run("a"), 20));
    desk.settle("a", 1, 4);
    let rows: Vec<_> = desk.arbiter.rows().collect();
    desk.arbiter.unload(&RunId("a".into()));
    assert_eq!(desk.sums(&run("a")), (0, 0));
    assert_eq!(desk.sums(&LedgerId::Project), (4, 0));
    desk.arbiter.merge(rows.into_iter().map(Change::Put));
    assert_eq!(desk.sums(&run("a")), (4, 0));
    // One that still holds something stays.
    desk.ask(demand("a", 2).costs(10).within(run("a"), 20));
    desk.arbiter.unload(&RunId("a".into()));
    assert_eq!(desk.sums(&run("a")), (4, 10));
}

#[test]
fn ten_thousand_demands_cost_no_more_than_one() {
    let mut desk = Desk::new(slots([("p", 4), ("q", 1), ("r", 1)]));
    desk.ask(demand("other", 1).pool("q"));
    for attempt in 1..=10_000 {
        // Some of them have a budget of their own.
        let own = LedgerId::Instance(
            RunId("big".into()),
            At::new(crate::plan::NodeId(3), [attempt]),
        );
        let mut one = demand("big", attempt)
            .pool("p")
            .costs(5)
            .within(run("big"), 1_000_000);
        if attempt % 3 == 0 {
            one = one.within(own, 10);
        }
        desk.ask(one);
        let mut other = demand("other", attempt + 1).pool("q");
        if attempt % 2 == 0 {
            other = other.pool("r");
        }
        desk.ask(other);
    }
    let before = desk.arbiter.queue.looks;
    for attempt in 1..=1_000 {
        let told = desk.settle("big", attempt, 5);
        assert_eq!(told, format!("big{} granted", attempt + 4));
    }
    for attempt in 1..=1_000 {
        let told = desk.settle("other", attempt, 0);
        assert_eq!(told, format!("other{} granted", attempt + 1));
    }
    let looks = desk.arbiter.queue.looks - before;
    assert!(looks <= 3 * 2_000, "{looks}");
}

/// Everybody wants several things at once, of which there is never enough, and
/// for everyone that is served another comes.
#[test]
fn nobody_is_passed_for_ever() {
    const THINGS: [&str; 3] = ["p", "q", "r"];
    let mut draw = crate::draw::Draw::new(7, &crate::path::StepPath::root("crowd"), 0);
    let mut desk = Desk::new(slots([("p", 1), ("q", 1), ("r", 2)]));
    let (mut open, mut asked) = (Vec::new(), std::collections::BTreeMap::new());
    let (mut next, mut grants, mut longest) = (1, 0, 0);
    while grants < 20_000 {
        while asked.len() < 24 {
            let run = ["a", "b", "c", "d", "e", "f"][draw.pick(6).unwrap()];
            let mut one = demand(run, next);
            let wants = 1 + draw.below(15);
            for (at, pool) in THINGS.iter().enumerate() {
                if wants >> at & 1 == 1 {
                    one = one.pool(pool);
                }
            }
            if wants >> 3 == 1 {
                let amount = if draw.below(10) == 0 { 100 } else { 30 };
                one = one.costs(amount).within(LedgerId::Project, 100);
            }
            next += 1;
            asked.insert(one.hold.clone(), grants);
            let decision = desk.arbiter.ask(one, &me(), desk.now());
            crowd(decision, &mut open, &mut asked, &mut grants, &mut longest);
        }
        let at = draw.pick(open.len()).unwrap();
        let id = open.swap_remove(at);
        let decision = desk
            .arbiter
            .settle(&id, Bill::None, Ending::Success, desk.now());
        crowd(decision, &mut open, &mut asked, &mut grants, &mut longest);
    }
    assert!(longest < 400, "one was passed {longest} times");
}

/// Notes who was served, and how many others were since they asked.
fn crowd(
    decision: Decision,
    open: &mut Vec<HoldId>,
    asked: &mut std::collections::BTreeMap<HoldId, u64>,
    grants: &mut u64,
    longest: &mut u64,
) {
    for answer in decision.answers {
        let since = asked.remove(&answer.hold).unwrap();
        *longest = (*longest).max(*grants - since);
        *grants += 1;
        open.push(answer.hold);
    }
}
