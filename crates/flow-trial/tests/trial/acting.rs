//! People act on runs, from other processes: at once, too late, and while the one
//! who drives the run is stopped or killed.

use flow_core::amount::Money;
use flow_core::event::{Fact, Status};
use flow_trial::point;

use crate::bench::{Bench, Scenario};
use crate::children::{survivors, wait_for};
use crate::flow::{Ended, Flow, Started};
use crate::oracle::{Books, outputs, wait_for_fact};

const LIVE: Scenario = Scenario::new("live", &[]);
const ASK: Scenario = Scenario::new("ask", &[]);

/// Acts on a run.
fn act(bench: &Bench, args: &[&str]) -> Flow {
    bench
        .flow()
        .args(args)
        .args(["--store"])
        .args([bench.store()])
}

fn code(ended: &Ended, expected: i32) {
    assert_eq!(ended.code(), Some(expected), "{ended:#?}");
}

/// How often a question of a run was answered, and with what.
fn answers(bench: &Bench, run: &str) -> Vec<bool> {
    let facts = Books::of(bench, run).facts.into_iter();
    let answers = facts.filter_map(|(_, fact)| {
        let Fact::Answered { value, .. } = fact else {
            return None;
        };
        Some(format!("{value:?}").contains("true"))
    });
    answers.collect()
}

/// A run that a process drives, and that asks something.
fn live(bench: &Bench) -> (Started, String) {
    let owner = bench.run(LIVE).start();
    let run = owner.run();
    wait_for_fact(bench, &run, |fact| matches!(fact, Fact::Asked { .. }));
    (owner, run)
}

#[test]
fn of_two_who_answer_at_once_the_first_counts_and_the_other_is_told() {
    for is_driven in [true, false] {
        for round in 0..5 {
            let bench = Bench::new();
            let (owner, run) = if is_driven {
                let (owner, run) = live(&bench);
                (Some(owner), run)
            } else {
                let waits = bench.run(ASK).end();
                code(&waits, 5);
                (None, waits.run().unwrap())
            };
            let both = ["approve", "reject"].map(|verb| act(&bench, &[verb, &run]).start());
            let both = both.map(Started::end);
            let codes = both.each_ref().map(|ended| ended.code().unwrap());
            assert!(
                codes == [0, 11] || codes == [11, 0],
                "round {round}: {both:#?}"
            );
            let agreed = codes[0] == 0;
            assert_eq!(answers(&bench, &run), [agreed]);
            let ended = match owner {
                Some(owner) => {
                    bench.server.open_gate();
                    owner.end()
                }
                None => bench.resume(&run).end(),
            };
            code(&ended, 0);
            let posted = bench.server.truth().effects_by_name().get("post").copied();
            assert_eq!(posted, agreed.then_some(1), "{ended:#?}");
            assert_eq!(outputs(&ended) == "not posted", !agreed);
        }
    }
}

#[test]
fn an_answer_to_a_stopped_process_counts_when_it_goes_on() {
    let bench = Bench::new();
    let mut owner = bench
        .run(LIVE)
        .env(point::STOP_AT, "sent live/aside")
        .start();
    let run = owner.run();
    owner.stopped();
    // It may have asked before it stopped, or not yet.
    owner.go_on();
    wait_for_fact(&bench, &run, |fact| matches!(fact, Fact::Asked { .. }));
    owner.stop();
    owner.stopped();
    let left = act(&bench, &["approve", &run]).end();
    code(&left, 9);
    assert!(
        left.err.iter().any(|line| line.contains("stopped")),
        "{left:#?}"
    );
    assert!(answers(&bench, &run).is_empty());
    owner.go_on();
    wait_for_fact(&bench, &run, |fact| matches!(fact, Fact::Answered { .. }));
    code(&act(&bench, &["approve", &run, "agreed"]).end(), 11);
    bench.server.open_gate();
    code(&owner.end(), 0);
    assert_eq!(answers(&bench, &run), [true]);
    assert_eq!(bench.server.truth().effects_by_name().get("post"), Some(&1));
}

#[test]
fn whoever_is_killed_between_a_letter_and_its_answer_nothing_is_lost_or_done_twice() {
    // Whoever answers a run that nobody drives is killed at each of its points.
    let mut kills = 0;
    for point in 1..30 {
        let bench = Bench::new();
        let waits = bench.run(ASK).end();
        let run = waits.run().unwrap();
        let killed = act(&bench, &["approve", &run]).kill_at(point).end();
        kills += u32::from(killed.is_killed());
        // What was written down counts; what wasn't is said again.
        let resumed = bench.resume(&run).end();
        let ended = if resumed.code() == Some(5) {
            code(&act(&bench, &["approve", &run]).end(), 0);
            bench.resume(&run).end()
        } else {
            resumed
        };
        if ended.code() == Some(2) {
            // It was over before.
            code(&killed, 0);
        } else {
            code(&ended, 0);
        }
        assert_eq!(answers(&bench, &run), [true], "at {point}");
        let posted = bench.server.truth().effects_by_name().get("post").copied();
        assert_eq!(posted, Some(1), "at {point}");
        if !killed.is_killed() {
            break;
        }
    }
    assert!(kills >= 3, "{kills} kills");
}

#[test]
fn a_letter_outlives_the_process_it_was_written_to() {
    let bench = Bench::new();
    let (mut owner, run) = live(&bench);
    owner.stop();
    owner.stopped();
    code(&act(&bench, &["approve", &run]).end(), 9);
    owner.kill();
    assert!(owner.end().is_killed());
    bench.server.open_gate();
    let ended = bench.resume(&run).end();
    code(&ended, 0);
    assert_eq!(answers(&bench, &run), [true]);
    assert_eq!(bench.server.truth().effects_by_name().get("post"), Some(&1));
}

#[test]
fn no_child_survives_a_run_that_is_cancelled_from_elsewhere() {
    let bench = Bench::new();
    let owner = bench.run(Scenario::new("child", &[])).start();
    let run = owner.run();
    wait_for(&bench, "the command begins", |count| count >= 4);
    code(&act(&bench, &["cancel", &run, "--why", "enough"]).end(), 0);
    let ended = owner.end();
    code(&ended, 4);
    assert_eq!(survivors(&bench).len(), 0);
    let facts = Books::of(&bench, &run).facts;
    let (_, last) = facts.last().unwrap();
    let expected = Status::Cancelled;
    assert!(
        matches!(last, Fact::RunSettled { status, .. } if *status == expected),
        "{last:?}"
    );
    // It is over: that is no second time.
    code(&act(&bench, &["cancel", &run]).end(), 0);
    code(&act(&bench, &["pause", &run]).end(), 11);
}

#[test]
fn a_run_that_is_paused_from_elsewhere_finishes_what_runs_and_goes_on_later() {
    let bench = Bench::new();
    let scenario = Scenario::new("chain", &["second=gate"]);
    let owner = bench.run(scenario).start();
    let run = owner.run();
    wait_for_fact(
        &bench,
        &run,
        |fact| matches!(fact, Fact::AttemptStarted(started) if started.effect.costs()),
    );
    code(&act(&bench, &["pause", &run]).end(), 0);
    bench.server.open_gate();
    code(&owner.end(), 8);
    let truth = bench.server.truth();
    assert_eq!((truth.arrived("draft"), truth.arrived("final")), (1, 0));
    code(&bench.resume(&run).end(), 0);
    assert_eq!(bench.server.truth().arrived("draft"), 1);
}

#[test]
fn somebody_says_what_became_of_an_act() {
    // It happened, and its answer was lost.
    let bench = Bench::new();
    let first = bench.run(Scenario::new("once", &["fail=lost"])).end();
    code(&first, 6);
    let run = first.run().unwrap();
    let resolve = |rest: &[&str]| {
        act(
            &bench,
            &[&["effects", "resolve", &run, "first"], rest].concat(),
        )
        .end()
    };
    let listed = act(&bench, &["effects", &run]).end();
    assert!(listed.out.contains("unknown"), "{listed:#?}");
    // What it gave has to be said, if it gives something.
    code(&resolve(&["--happened"]), 2);
    code(&resolve(&["--happened", "first done"]), 0);
    code(&resolve(&["--did-not"]), 11);
    let ended = bench.resume(&run).end();
    code(&ended, 0);
    assert_eq!(outputs(&ended)["first"], "first done");
    let effects = bench.server.truth();
    let effects = effects.effects_by_name();
    assert_eq!(
        (effects.get("first"), effects.get("second")),
        (Some(&1), Some(&1))
    );

    // It didn't happen, and is done then.
    let bench = Bench::new();
    let first = bench.run(Scenario::new("once", &["fail=drop,ok"])).end();
    code(&first, 6);
    let run = first.run().unwrap();
    let args = ["effects", "resolve", &run, "first", "--did-not"];
    code(&act(&bench, &args).end(), 0);
    code(&bench.resume(&run).end(), 0);
    let effects = bench.server.truth();
    assert_eq!(effects.effects_by_name().get("first"), Some(&1));
}

#[test]
fn a_bill_that_comes_later_is_what_counts() {
    let bench = Bench::new();
    let scenario = Scenario::new("chain", &["second=lost,ok"]);
    let ended = bench.run(scenario).end();
    code(&ended, 0);
    let run = ended.run().unwrap();
    let presumed = Money(100_000_000);
    assert_eq!(Books::of(&bench, &run).presumed, presumed);
    let listed = act(&bench, &["effects"]).end();
    assert!(listed.out.contains("may have been charged"), "{listed:#?}");
    let bill = |amount: &str| act(&bench, &["effects", "bill", &run, "draft", amount]).end();
    code(&bill("a lot"), 2);
    code(&bill("$0.03"), 0);
    code(&bill("$0.04"), 11);
    let books = Books::of(&bench, &run);
    assert_eq!(books.presumed, Money(0));
    assert_eq!(books.spent, Money(600_000_000 + 30_000_000));
    let listed = act(&bench, &["effects"]).end();
    assert_eq!(listed.out, "", "{listed:#?}");
}

#[test]
fn a_price_that_was_too_low_is_used_again_when_somebody_trusts_it() {
    let bench = Bench::new();
    let scenario = Scenario::new("budget", &["count=20", "wide=1", "fail=bill:3,ok"]);
    let first = bench.run(scenario).end();
    let arrived = |name: &str| bench.server.truth().arrived(name);
    assert_eq!((arrived("paid-0"), arrived("paid-1")), (1, 0), "{first:#?}");
    code(&act(&bench, &["effects", "trust", "trial.pain"]).end(), 11);
    code(&act(&bench, &["effects", "trust", "trial.paid"]).end(), 0);
    code(&act(&bench, &["effects", "trust", "trial.paid"]).end(), 11);
    let second = bench.run(scenario).end();
    // Each of them is too dear the first time.
    assert_eq!(
        (arrived("paid-1"), arrived("paid-2")),
        (1, 0),
        "{second:#?}"
    );
}
