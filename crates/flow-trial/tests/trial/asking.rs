//! Asking about runs in all the states that there are, and whether the books
//! add up in each of them.

use serde_json::Value;

use crate::bench::{Bench, Scenario};

impl Bench {
    /// Asks something, and reads the answer.
    fn ask(&self, args: &[&str]) -> Value {
        let ended = self
            .flow()
            .args(args)
            .args(["--format", "json", "--store"])
            .args([self.store()])
            .end();
        serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{args:?}: {ended:#?}"))
    }

    /// Checks the store, all of it.
    fn is_well(&self) {
        let found = self.ask(&["doctor", "--verify"]);
        let all = found["findings"].as_array().unwrap();
        // How full the disk is has nothing to do with it.
        let wrong: Vec<&Value> = (all.iter())
            .filter(|one| one["level"] == "wrong" && one["check"] != "disk")
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// Returns the steps that are waited for, with how they stand.
fn waits(shown: &Value) -> Vec<(String, String)> {
    let waits = shown["waits"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    waits
        .iter()
        .map(|one| (text(&one["path"]), text(&one["state"])))
        .collect()
}

/// Returns the reasons of a kind.
fn reasons(why: &Value, kind: &str) -> Vec<Value> {
    let all = why["reasons"].as_array().unwrap().iter();
    all.filter(|reason| reason["kind"] == kind)
        .cloned()
        .collect()
}

#[test]
fn a_run_that_is_short_of_money_says_which_budget_and_how_much() {
    let bench = Bench::new();
    let ended = bench.run(Scenario::new("budget", &["wide=8"])).end();
    assert_eq!(ended.code(), Some(7), "{ended:#?}");
    let shown = bench.ask(&["show"]);
    // The first that didn't fit has paused it.
    assert!(
        ["paused", "short_of_money"].contains(&shown["state"].as_str().unwrap()),
        "{shown}"
    );
    assert_eq!(
        (&shown["budget"], &shown["spent"]),
        (&"$1".into(), &"$1".into())
    );
    let (path, state) = waits(&shown)
        .into_iter()
        .find(|(_, state)| state == "over_budget")
        .unwrap();
    assert_eq!(state, "over_budget");
    let why = bench.ask(&["why", &path]);
    let stands = reasons(&why, "stands");
    let text = stands[0]["text"].as_str().unwrap();
    assert!(
        text.contains("$0.01") && text.contains("the budget of `budget`"),
        "{text}"
    );
    let next = shown["next"][0]["command"].as_str().unwrap();
    assert!(next.contains("--budget"), "{next}");
    bench.is_well();
}

#[test]
fn a_run_that_waits_for_a_person_says_what_is_asked() {
    let bench = Bench::new();
    let ended = bench.run(Scenario::new("ask", &[])).end();
    assert_eq!(ended.code(), Some(5), "{ended:#?}");
    let shown = bench.ask(&["show"]);
    assert_eq!(shown["state"], "waiting");
    assert_eq!(
        waits(&shown),
        [("ask/agreed".to_owned(), "asking".to_owned())]
    );
    let note = shown["waits"][0]["note"].as_str().unwrap();
    assert!(note.contains("Post it?"), "{note}");
    let why = bench.ask(&["why", "posted"]);
    assert_eq!(
        reasons(&why, "pending")[0]["waits_for"][0]["path"],
        "ask/agreed"
    );
    let cost = bench.ask(&["why", "draft"]);
    assert_eq!(reasons(&cost, "cost")[0]["attempts"][0]["amount"], "$0.10");
    bench.is_well();
}

#[test]
fn an_act_of_unknown_outcome_is_shown_with_all_that_waits_for_it() {
    let bench = Bench::new();
    let ended = bench.run(Scenario::new("once", &["fail=lost"])).end();
    assert_eq!(ended.code(), Some(6), "{ended:#?}");
    let shown = bench.ask(&["show"]);
    assert_eq!(shown["counts"]["unknown"], 1, "{shown}");
    let why = bench.ask(&["why", "second"]);
    let waits = &reasons(&why, "pending")[0]["waits_for"];
    assert_eq!(waits[0]["path"], "once/first");
    assert_eq!(waits[0]["state"], "unknown");
    let first = bench.ask(&["why", "first"]);
    let attempt = &reasons(&first, "attempts")[0]["attempts"][0];
    assert_eq!(attempt["then"], "unknown");
    bench.is_well();
}

#[test]
fn a_bill_that_nobody_saw_is_presumed_and_explained() {
    let bench = Bench::new();
    let scenario = Scenario::new("chain", &[]);
    let first = bench.run(scenario).kill_at(12).end();
    assert!(first.is_killed(), "{first:#?}");
    let shown = bench.ask(&["show"]);
    assert_eq!(shown["state"], "interrupted");
    bench.is_well();
    let ended = bench.resume(&first.run().unwrap()).end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    let shown = bench.ask(&["show"]);
    assert_eq!(
        (&shown["state"], &shown["resumed"]),
        (&"succeeded".into(), &1.into())
    );
    bench.is_well();
}

#[test]
fn failures_of_many_items_are_told_once() {
    let bench = Bench::new();
    let inputs = &["count=40", "wide=8", "fail=400"];
    let ended = bench.run(Scenario::new("budget", inputs)).end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    let shown = bench.ask(&["show"]);
    let failures = shown["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert_eq!(
        (&failures[0]["count"], &failures[0]["handled"]),
        (&40.into(), &"left_out".into())
    );
    let made = &shown["steps"][0];
    assert_eq!(made["items"]["count"], 40);
    assert_eq!(made["items"]["counts"]["failed"], 40);
    // Many items are one row; asked for, they are forty.
    assert_eq!(made["steps"].as_array().unwrap().len(), 1);
    let items = bench.ask(&["show", "made", "--items", "--state", "failed"]);
    assert_eq!(items["steps"][0]["steps"].as_array().unwrap().len(), 40);
    let path = failures[0]["path"].as_str().unwrap();
    let step = bench.ask(&["show", path]);
    assert_eq!(step["attempts"][0]["class"], "invalid");
    bench.is_well();
}

#[test]
fn a_process_that_is_stopped_is_shown_as_the_owner_that_it_is() {
    let bench = Bench::new();
    let mut started = bench.run(Scenario::new("fan", &[])).stop_at(20).start();
    started.stopped();
    let shown = bench.ask(&["show"]);
    assert_eq!(shown["state"], "stopped");
    assert_eq!(shown["driver"]["pid"], started.id());
    assert_eq!(shown["driver"]["stopped"], true);
    let runs = bench.ask(&["runs", "--state", "stopped"]);
    assert_eq!(runs["runs"][0]["pid"], started.id());
    let doctor = bench.ask(&["doctor"]);
    assert!(doctor.to_string().contains("kill -CONT"), "{doctor}");
    started.go_on();
    let ended = started.end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    bench.is_well();
}

#[test]
fn the_books_add_up_wherever_a_run_was_killed() {
    for (name, inputs) in [
        ("budget", &["count=30", "wide=4", "fail=lost,ok"][..]),
        ("jobs", &[]),
        ("acts", &["once=lost"]),
        ("race", &[]),
    ] {
        for point in [3, 11, 17] {
            let bench = Bench::new();
            let scenario = Scenario::new(name, inputs);
            let first = bench.run(scenario).kill_at(point).end();
            if first.run().is_none() {
                continue;
            }
            bench.is_well();
            bench.again(scenario, first.run().as_deref()).end();
            bench.is_well();
        }
    }
}
