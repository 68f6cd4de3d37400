//! Programs that harm themselves, each other or flow, if they could.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::step::{Bill, Executor, Sent, StepReport};
use flow_core::value::Value;

use super::{Project, failure, it, ran, ran_as, wrong};
use crate::children::{gone, key, ready};
use crate::desk::{FakeDesk, value};

#[tokio::test]
async fn a_program_that_floods_both_outputs_is_ended() {
    let said = wrong(
        r#"(while :; do head -c 500000 /dev/zero >&2; done) &
           while :; do printf '{"sent": true%60000s}\n' ''; done"#,
    );
    assert_eq!(
        said.await,
        "`my.it` wrote more than 64 MiB to standard output; what is large goes into a file"
    );
}

#[tokio::test]
async fn a_line_without_an_end_is_refused() {
    let said = wrong(r#"echo '{"progress": 0}'; cat /dev/zero"#).await;
    assert_eq!(
        said,
        "line 2 of `my.it` is longer than 16 MiB; what is large goes into a file"
    );
}

#[tokio::test]
async fn invalid_utf_8_is_refused_in_answers_and_kept_in_the_log() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Read);
    let script = r#"printf 'a\377b\n' >&2; printf '{"result": "\377"}\n'"#;
    let failed = failure(Project::new(script).report(&desk, call).await);
    assert!(
        failed
            .message
            .starts_with("line 1 of `my.it` is not in UTF-8: `{\"result\": \"\u{fffd}\"}`"),
        "{}",
        failed.message
    );
    assert_eq!(*desk.lines.lock().unwrap(), [b"a\xffb"]);
}

#[tokio::test]
async fn a_result_that_nests_for_ever_is_refused() {
    let said = wrong(r#"printf '{"result": '; head -c 100000 /dev/zero | tr '\0' '['"#).await;
    assert!(said.contains("recursion limit exceeded"), "{said}");
}

#[tokio::test]
async fn half_a_line_is_waited_for_until_the_attempt_is_stopped() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Act(Act::Once));
    let key = key(&call);
    let project = Project::new(r#"printf '{"res'; echo ready >&2; sleep 600"#);
    let work = tokio::spawn(project.plugins().start(call));
    ready(&desk).await;
    desk.is_stopped.store(true, Ordering::SeqCst);
    // What it didn't end is nothing.
    let failed = failure(work.await.unwrap());
    assert_eq!(
        (failed.class, failed.sent),
        (FailureClass::Bug, Sent::Maybe)
    );
    assert!(failed.message.contains("is no JSON"), "{}", failed.message);
    gone(&key).await;
}

#[tokio::test]
async fn a_program_that_exits_before_it_reads_is_not_an_error() {
    let desk = Arc::new(FakeDesk::new());
    let mut call = it(&desk, Effect::Read);
    let long = "x".repeat(3_000_000);
    call.args.insert("text".into(), Value::text(long.as_str()));
    let script = r#"exec <&-; echo '{"result": "x"}'"#;
    let report = Project::new(script).report(&desk, call).await;
    assert_eq!(value(report).unwrap(), Value::text("x"));
}

#[tokio::test]
async fn a_program_that_closes_its_output_is_ended() {
    let said = wrong("exec >&-; sleep 600").await;
    assert_eq!(said, "`my.it` closed its standard output without an answer");
}

#[tokio::test]
async fn a_program_that_answers_and_does_not_end_is_ended() {
    let report = ran(r#"echo '{"result": "x"}'; trap '' TERM; while :; do sleep 1; done"#).await;
    assert_eq!(value(report).unwrap(), Value::text("x"));
}

#[tokio::test]
async fn a_grandchild_that_holds_the_pipes_is_not_waited_for() {
    let report = ran(r#"(trap '' HUP TERM; sleep 600) & printf '{"result": "x"}'"#).await;
    assert_eq!(value(report).unwrap(), Value::text("x"));
}

#[tokio::test]
async fn what_may_not_have_been_heard_may_have_been_sent() {
    // The pipe is held, so there may be more to come.
    let script = r#"echo '{"sent": false}'; sleep 600 & exit 1"#;
    let failed = failure(ran_as(Effect::Act(Act::Once), script).await);
    assert_eq!(failed.sent, Sent::Maybe);
}

#[tokio::test]
async fn a_second_answer_takes_back_the_first_one_also_of_an_act() {
    let script = r#"echo '{"result": "x"}'; echo '{"failure": "transient"}'"#;
    let failed = failure(ran_as(Effect::Act(Act::Once), script).await);
    assert_eq!(
        (failed.class, failed.sent),
        (FailureClass::Bug, Sent::Maybe)
    );
}

#[tokio::test]
async fn a_program_that_ignores_being_asked_is_killed() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Paid);
    let key = key(&call);
    let project = Project::new(
        "trap '' TERM; (trap '' TERM; sleep 600) & echo ready >&2; while :; do sleep 1; done",
    );
    let work = tokio::spawn(project.plugins().start(call));
    ready(&desk).await;
    desk.is_stopped.store(true, Ordering::SeqCst);
    let stopped = StepReport::Stopped {
        sent: Sent::Maybe,
        bill: None,
    };
    assert_eq!(work.await.unwrap(), stopped);
    desk.released().await;
    gone(&key).await;
}

#[tokio::test]
async fn a_program_that_is_asked_to_stop_may_still_answer() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Act(Act::Once));
    let script = r#"
        trap 'echo "{\"result\": \"x\", \"cost\": \"\$0.01\"}"; exit 0' TERM
        echo ready >&2
        while :; do sleep 0.01; done
    "#;
    let project = Project::new(script);
    let work = tokio::spawn(project.plugins().start(call));
    ready(&desk).await;
    desk.is_stopped.store(true, Ordering::SeqCst);
    let cent = flow_core::amount::Money(flow_core::amount::Money::DOLLAR.0 / 100);
    let done = StepReport::Done {
        value: Value::text("x"),
        bill: Bill::Exact(cent),
    };
    assert_eq!(work.await.unwrap(), done);
}

#[tokio::test]
async fn dropping_the_work_ends_all_of_it() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Read);
    let key = key(&call);
    let project = Project::new("(sleep 600 & ) ; echo ready >&2; sleep 600");
    let work = tokio::spawn(project.plugins().start(call));
    ready(&desk).await;
    work.abort();
    desk.released().await;
    gone(&key).await;
}
