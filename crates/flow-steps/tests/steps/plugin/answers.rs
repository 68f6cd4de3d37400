//! What programs answer, and what that means.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flow_core::amount::Duration;
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::step::{Bill, Progress, Sent, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;

use super::{Project, failure, it, ran, ran_as, wrong};
use crate::desk::{FakeDesk, value};

#[tokio::test]
async fn a_result_is_a_value_of_the_declared_type() {
    let report = ran(r#"cat >/dev/null; echo '{"result": "FOX"}'"#).await;
    assert_eq!(value(report).unwrap(), Value::text("FOX"));
}

#[tokio::test]
async fn a_last_line_needs_no_end_and_blank_ones_are_nothing() {
    let report = ran(r#"echo; echo '  '; printf '{"result": "FOX"}'"#).await;
    assert_eq!(value(report).unwrap(), Value::text("FOX"));
}

#[tokio::test]
async fn progress_and_log_are_handed_on_while_it_runs() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Read);
    let script = r#"
        echo '{"progress": 0.25, "message": "a quarter"}'
        printf '%s\n' '{"log": "one\ntwo"}'
        echo 'three' >&2
        echo '{"progress": null, "message": "more"}'
        echo '{"result": "FOX"}'
    "#;
    let report = Project::new(script).report(&desk, call).await;
    assert!(value(report).is_ok());
    let told = |done, note: &str| Progress {
        done,
        note: note.into(),
    };
    assert_eq!(
        *desk.progress.lock().unwrap(),
        [told(Some(0.25), "a quarter"), told(None, "more")]
    );
    let log = desk.log_text();
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["one", "three", "two"]);
}

#[tokio::test]
async fn a_failure_has_all_that_was_said_of_it() {
    let script = r#"echo '{"failure": "rate_limited", "sent": "refused", "retry_after": "30s",
                          "message": "slow down"}' | tr -d '\n'"#;
    let failure = failure(ran_as(Effect::Paid, script).await);
    assert_eq!(failure.class, FailureClass::RateLimited);
    assert_eq!(failure.sent, Sent::Refused);
    assert_eq!(failure.bill, None);
    assert_eq!(failure.retry_after, Some(Duration(30 * Duration::SECOND.0)));
    assert_eq!(&*failure.message, "slow down");
}

#[tokio::test]
async fn what_was_sent_is_what_was_said_or_else_what_is_honest() {
    let once = Effect::Act(Act::Once);
    let fails = r#"echo '{"failure": "transient""#;
    for (script, expected) in [
        (format!(r#"{fails}, "sent": "no"}}'"#), Sent::No),
        (format!(r#"{fails}, "sent": "refused"}}'"#), Sent::Refused),
        (format!(r#"{fails}, "sent": "yes"}}'"#), Sent::Maybe),
        (format!("{fails}}}'"), Sent::Maybe),
        // Who says when it is sent is believed that it wasn't.
        (format!(r#"echo '{{"sent": false}}'; {fails}}}'"#), Sent::No),
        (r#"echo '{"sent": false}'; exit 3"#.to_owned(), Sent::No),
        (r#"echo '{"sent": false}'; kill -9 $$"#.to_owned(), Sent::No),
        (
            r#"echo '{"sent": false}'; echo '{"sent": true}'; exit 3"#.to_owned(),
            Sent::Maybe,
        ),
        (
            format!(r#"echo '{{"sent": true}}'; {fails}, "sent": "no"}}'"#),
            Sent::Maybe,
        ),
        ("exit 3".to_owned(), Sent::Maybe),
        ("kill -9 $$".to_owned(), Sent::Maybe),
        // A result that can't be read is one all the same.
        (
            r#"echo '{"sent": false}'; echo '{"result": 7}'"#.to_owned(),
            Sent::Maybe,
        ),
    ] {
        let failure = failure(ran_as(once, &script).await);
        assert_eq!(failure.sent, expected, "{script}");
    }
}

#[tokio::test]
async fn the_end_without_an_answer_is_a_defect_of_the_program() {
    let failed = failure(ran("echo 'no such module' >&2; exit 1").await);
    assert_eq!(failed.class, FailureClass::Bug);
    assert_eq!(
        &*failed.message,
        "`my.it` ended with exit code 1 and without an answer: no such module"
    );
    let failed = failure(ran("exit 0").await);
    assert_eq!(failed.class, FailureClass::Bug);
    assert_eq!(
        &*failed.message,
        "`my.it` ended without an answer; its last line is `{\"result\": …}` or `{\"failure\": …}`"
    );
    let failed = failure(ran("kill -9 $$").await);
    assert_eq!(failed.class, FailureClass::Transient);
    assert_eq!(&*failed.message, "`my.it` was ended by signal 9");
}

#[tokio::test]
async fn an_answer_counts_whatever_the_exit_code() {
    let report = ran(r#"echo '{"result": "FOX"}'; exit 3"#).await;
    assert_eq!(value(report).unwrap(), Value::text("FOX"));
}

#[tokio::test]
async fn what_is_wrong_with_a_line_names_it_and_what_to_do() {
    assert_eq!(
        wrong(r#"echo '{"progress": 0.1}'; echo hello; sleep 600"#).await,
        "line 2 of `my.it` is no JSON (expected value at line 1 column 1): `hello`; standard \
         output is for answers, a JSON object on each line; write everything else to standard \
         error"
    );
    assert_eq!(
        wrong(r#"echo '{"result": "a"}'; echo; echo '{"result": "b"}'"#).await,
        "`my.it` answered twice, on line 1 and on line 3; the answer is its last line"
    );
    assert_eq!(
        wrong(r#"echo '{"result": 7}'"#).await,
        "the result of `my.it` on line 1: expected `text`, found `7`; its declaration says `text`"
    );
    assert_eq!(
        wrong(r#"echo '{"found": "yes"}'"#).await,
        "line 1 of `my.it` answers something else than was asked; `\"ask\": \"run\"` is answered \
         by `result`, `failure` or `job`"
    );
    assert_eq!(
        wrong(r#"echo '{"result": "a", "dry_run": true}'"#).await,
        "`my.it` made a dry run, and nobody asked for one; `dry_run` stands in an answer only if \
         it stands in the request"
    );
}

#[tokio::test]
async fn what_comes_after_the_answer_is_noted_and_left() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Read);
    let script = r#"echo '{"result": "FOX"}'; echo '{"log": "late"}'; echo bye"#;
    let report = Project::new(script).report(&desk, call).await;
    assert_eq!(value(report).unwrap(), Value::text("FOX"));
    assert_eq!(
        desk.log_text(),
        "flow: nothing counts after the answer on line 1"
    );
}

#[tokio::test]
async fn a_step_that_gives_nothing_gives_null() {
    let desk = Arc::new(FakeDesk::new());
    let mut call = it(&desk, Effect::Act(Act::Once));
    call.result = Some(Type::None);
    let script = r#"echo '{"result": null, "cost": "$0"}'"#;
    let report = Project::new(script).report(&desk, call).await;
    assert_eq!(
        report,
        StepReport::Done {
            value: Value::None,
            bill: Bill::None
        }
    );
    assert!(desk.was_sent.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_large_result_is_whole() {
    let script = r#"printf '{"result": "'; head -c 3000000 /dev/zero | tr '\0' 'x'; printf '"}\n'"#;
    let Value::Text(text) = value(ran(script).await).unwrap() else {
        panic!();
    };
    assert_eq!(text.len(), 3_000_000);
}
