//! What triggers and tests say, and what is said of wrong ones.

use flow_core::amount::Duration;
use flow_core::effect::FailureClass;

use super::{Called, Catchup, Overlap, Slot, StubReply, TestAction, When};
use crate::declare::tests::{compiled, faults};

const WORKFLOW: &str = "
type Order = { id: int, note: text? }
workflow w(n: int = 1, note: text?) -> int {
  notify(note ?? \"nothing\")
  return n
}
";

/// Asserts that each text behind the workflow has exactly one fault, or none.
fn each_has(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let faults = faults(&[("a.flow", &format!("{WORKFLOW}{text}\n"))]);
        let fits = match faults.as_slice() {
            [] => expected.is_empty(),
            [fault] => !expected.is_empty() && fault.starts_with(expected),
            _ => false,
        };
        assert!(fits, "{text}\nexpected: {expected}\nfound: {faults:#?}");
    }
}

#[test]
fn a_schedule_is_read_with_its_clauses() {
    let text = format!(
        "{WORKFLOW}
## Every morning.
trigger nightly = w(n: pick([1, 2]))
  cron \"0  6 * * *\" tz \"europe/berlin\" overlap queue catchup all max 3 jitter 5m
  paused pause after 3 failures
  budget $0.50 per day
  notify email \"studio@example.org\" on failure, budget
"
    );
    let files = [("a.flow", text.as_str())];
    assert_eq!(faults(&files), Vec::<String>::new());
    let trigger = &compiled(&files).triggers[0];
    assert_eq!(&*trigger.docs, "Every morning.");
    assert_eq!(&*trigger.workflow, "w");
    assert_eq!(trigger.args.len(), 2);
    let When::Cron(schedule) = &trigger.when else {
        panic!("{:?}", trigger.when);
    };
    assert_eq!(&*schedule.cron, "0 6 * * *");
    assert_eq!(&*schedule.tz, "Europe/Berlin");
    assert_eq!(schedule.catchup, Catchup::All(3));
    assert_eq!(schedule.jitter, Duration(5 * Duration::MINUTE.0));
    assert_eq!(trigger.overlap, Overlap::Queue);
    assert_eq!(trigger.pause_after, Some(3));
    assert!(trigger.paused);
    assert!(trigger.limits.budget.is_some());
    assert_eq!(trigger.notify.len(), 1);
}

#[test]
fn an_event_has_the_type_of_what_made_the_trigger_fire() {
    each_has(&[
        (
            "trigger t = w(n: event.body.id, note: event.headers[\"x\"]) on webhook \"/o\" body Order",
            "",
        ),
        (
            "trigger t = w(note: event.path) on file \"inbox/*.wav\"",
            "",
        ),
        (
            "workflow v(n: int) -> int { return n }\ntrigger t = v(event.output) on flow w done",
            "",
        ),
        (
            "trigger t = w(n: event.body.idd) on webhook \"/o\" body Order",
            "unknown-field at",
        ),
        (
            "trigger t = w(note: event.path) cron \"0 6 * * *\"",
            "unknown-name at `event",
        ),
    ]);
}

#[test]
fn wrong_triggers_are_reported_at_their_place() {
    each_has(&[
        ("trigger t = w() paused", "trigger-when at `t`"),
        (
            "trigger t = w() cron \"0 6 * * *\" budget $1 per year",
            "unknown-word at `year`",
        ),
        (
            "trigger t = w() cron \"0 6 * * *\" budget $1 or aks",
            "unknown-word at `aks`",
        ),
        (
            "workflow v() { shell.run([\"a\"]) effect pur }",
            "bad-effect at `pur`",
        ),
        (
            "trigger t = w() cron \"0 0 31 2 *\"",
            "bad-cron at `\"0 0 31 2 *\"`: there is no such day",
        ),
        ("trigger t = w() cron \"0 0 6 * * *\"", "bad-cron"),
        ("trigger t = w() cron \"@daily\"", "bad-cron"),
        (
            "trigger t = w() cron \"0 6 * * *\" tz \"Berlin\"",
            "bad-time-zone at `\"Berlin\"`",
        ),
        (
            "trigger t = w() cron \"0 6 * * *\" cron \"0 7 * * *\"",
            "trigger-clause",
        ),
        (
            "trigger t = w() cron \"0 6 * * *\" overlap skp",
            "unknown-word at `skp`",
        ),
        (
            "trigger t = w() cron \"0 6 * * *\" catchup all",
            "trigger-clause at `all`",
        ),
        (
            "trigger t = w() cron \"0 6 * * *\" catchup last max 3",
            "trigger-clause at `3`",
        ),
        (
            "trigger t = w() cron \"0 6 * * *\" pause after 0 failures",
            "count at `0`",
        ),
        (
            "trigger t = w() cron \"0 6 * * *\" notify email \"me\" on failure",
            "trigger-clause at `\"me\"`",
        ),
        (
            "trigger t = w() cron \"0 6 * * *\" notify email \"a@b.c\" on failed",
            "unknown-word at `failed`",
        ),
        (
            "trigger t = w() on file \"inbox/*\" jitter 5m",
            "trigger-clause at `jitter 5m`",
        ),
        (
            "trigger t = w() on file \"../inbox/*\"",
            "trigger-when at `\"../inbox/*\"`",
        ),
        (
            "trigger t = w() on webhook \"orders\"",
            "trigger-when at `\"orders\"`",
        ),
        (
            "trigger t = w() on webhook \"/o\" body Odrer",
            "unknown-type at `Odrer`",
        ),
        ("trigger t = w() on flow w finished", "trigger-loop"),
        ("trigger t = w() on flow x finished", "runs-workflow at `x`"),
        (
            "trigger t = notify(\"x\") cron \"0 6 * * *\"",
            "runs-workflow at `notify`",
        ),
        (
            "trigger t = w(m: 1) cron \"0 6 * * *\"",
            "unknown-argument at `m`",
        ),
    ]);
}

#[test]
fn a_test_is_read() {
    let text = format!(
        "{WORKFLOW}
test \"says it once\" {{
  stub notify = fails timeout times 2 then fails policy
  r = run w(n: 3)
  expect r.status == done and r.output == 3
  expect calls(notify) == 1
  expect r.cost <= $2.50
}}
"
    );
    let files = [("a.flow", text.as_str())];
    assert_eq!(faults(&files), Vec::<String>::new());
    let test = &compiled(&files).tests[0];
    let notify = Called::Step("notify".into());
    assert_eq!(test.slots, [Slot::Run, Slot::Calls(notify)]);
    assert_eq!(test.actions.len(), 5);
    let TestAction::Stub(stub) = &test.actions[0] else {
        panic!("{:?}", test.actions[0]);
    };
    let replies = [
        StubReply::Fails(FailureClass::Timeout, 2),
        StubReply::Fails(FailureClass::Policy, 1),
    ];
    assert_eq!(stub.replies, replies);
}

#[test]
fn answers_have_the_type_of_what_they_stand_for() {
    each_has(&[
        (
            "test \"t\" { stub approve = true r = run w() expect r.status == done }",
            "",
        ),
        (
            "test \"t\" { stub approve = 1 r = run w() expect r.status == done }",
            "type-mismatch at `1`",
        ),
        (
            "test \"t\" { stub w = 3 r = run w() expect r.status == done }",
            "",
        ),
        (
            "test \"t\" { stub human.ask = { a: 1 } r = run w() expect r.status == done }",
            "",
        ),
        (
            "test \"t\" { stub file.glob at \"x[2]/y\" = [] r = run w() expect r.status == done }",
            "",
        ),
    ]);
}

#[test]
fn wrong_tests_are_reported_at_their_place() {
    each_has(&[
        (
            "test \"t\" { stub aprove = true run w() expect true }",
            "unknown-step at `aprove`",
        ),
        (
            "test \"t\" { stub approve at \"a//b\" = true run w() expect true }",
            "bad-place at `\"a//b\"`",
        ),
        (
            "test \"t\" { stub approve = fails timeuot run w() expect true }",
            "unknown-word at `timeuot`",
        ),
        (
            "test \"t\" { stub approve = fails timeout times 0 run w() expect true }",
            "count at `0`",
        ),
        (
            "test \"t\" { stub approve = true stub approve = false run w() expect true }",
            "duplicate-name",
        ),
        (
            "test \"t\" { r = run v() expect true }",
            "runs-workflow at `v`",
        ),
        (
            "test \"t\" { r = run w() expect r.cots <= $1 }",
            "unknown-field",
        ),
        ("test \"t\" { r = run w() expect r.cost }", "no-truthiness"),
        (
            "test \"t\" { r = run w() expect calls(\"notify\") == 0 }",
            "arguments at `calls`",
        ),
        (
            "test \"t\" { r = run w() expect calls(notfy) == 0 }",
            "unknown-step at `notfy`",
        ),
        ("test \"t\" { r = run w() }", "expects-nothing at `\"t\"`"),
    ]);
}

#[test]
fn yaml_says_the_same() {
    let yaml = "
types:
  Order: { id: int, note: text? }
workflow: w
inputs:
  n: int = 1
  note: text?
steps:
  - step: notify
    of: ${note ?? 'nothing'}
return: ${n}
triggers:
  orders:
    run: w
    with: { n: \"${event.body.id}\" }
    on: webhook \"/o\" body Order
tests:
  works:
    - { stub: notify, replies: [{ fails: timeout times 2 }] }
    - { id: r, run: w, with: { n: 3 } }
    - expect: r.output == 3 and calls(notify) == 1
";
    let files = [("a.flow.yaml", yaml)];
    assert_eq!(faults(&files), Vec::<String>::new());
    let compiled = compiled(&files);
    assert_eq!(compiled.triggers.len(), 1);
    assert_eq!(compiled.tests[0].slots.len(), 2);
}
