//! Jobs that run elsewhere, and questions about acts.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flow_core::amount::{Money, Timestamp};
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::step::{Bill, Executor, Found, Sent, StepReport};
use flow_core::value::Value;

use super::{Project, failure, it};
use crate::children::{gone, key, ready};
use crate::desk::{FakeDesk, record};

fn job() -> Value {
    record([("id", Value::Int(7))])
}

/// Asks for a job.
async fn polled(script: &str) -> (StepReport, Arc<FakeDesk>) {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Paid);
    let key = key(&call);
    let project = Project::new(script);
    let report = project.plugins().poll(call, job()).await;
    desk.released().await;
    gone(&key).await;
    (report, desk)
}

#[tokio::test]
async fn a_job_that_was_handed_in_is_a_value() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Paid);
    let script = r#"echo '{"job": {"id": 7}, "expires": "2027-01-15T09:00:00Z"}'"#;
    let report = Project::new(script).report(&desk, call).await;
    assert_eq!(
        report,
        StepReport::Submitted {
            job: job(),
            expires: Some(Timestamp(1_800_003_600_000)),
        }
    );
}

#[tokio::test]
async fn a_job_is_asked_for_until_it_is_over() {
    // It is another process each time; what it remembers is in its folder.
    let script = r#"
        grep -o '"ask": *"poll"\|"job": *{[^}]*}' >&2
        echo x >> times
        if [ "$(wc -l < times)" -lt 3 ]; then echo '{"wait": "1ms"}'; exit; fi
        echo '{"result": "done", "cost": "$0.01"}'
    "#;
    let (report, desk) = polled(script).await;
    assert_eq!(
        report,
        StepReport::Done {
            value: Value::text("done"),
            bill: Bill::Exact(Money(Money::DOLLAR.0 / 100)),
        }
    );
    let told = desk.log_text().replace(": ", ":");
    let once = "\"ask\":\"poll\"\n\"job\":{\"id\":7}";
    assert_eq!(told, [once; 3].join("\n"));
}

#[tokio::test]
async fn a_job_that_is_waited_for_can_be_stopped() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Paid);
    let project = Project::new(r#"echo ready >&2; echo '{"wait": "1h"}'"#);
    let work = tokio::spawn(project.plugins().poll(call, job()));
    ready(&desk).await;
    desk.is_stopped.store(true, Ordering::SeqCst);
    let stopped = StepReport::Stopped {
        sent: Sent::Maybe,
        bill: None,
    };
    assert_eq!(work.await.unwrap(), stopped);
}

#[tokio::test]
async fn a_job_may_cost_something_whatever_hinders_asking_for_it() {
    let (report, _) = polled("echo '{\"sent\": true}'; exit 1").await;
    assert_eq!(failure(report).sent, Sent::Maybe);
    let (report, _) = polled(r#"echo '{"job": 8}'"#).await;
    let failed = failure(report);
    assert_eq!(
        &*failed.message,
        "line 1 of `my.it` answers something else than was asked; `\"ask\": \"poll\"` is answered \
         by `result`, `failure` or `wait`"
    );
    let desk = Arc::new(FakeDesk::new());
    let mut call = it(&desk, Effect::Paid);
    call.run = Some("./steps/gone".into());
    let project = Project::new("");
    let failed = failure(project.plugins().poll(call, job()).await);
    assert_eq!(
        (failed.class, failed.sent),
        (FailureClass::Invalid, Sent::Maybe)
    );
}

#[tokio::test]
async fn an_attempt_has_no_job_to_wait_for() {
    let said = super::wrong(r#"echo '{"wait": "1s"}'"#).await;
    assert!(
        said.contains("answers something else than was asked"),
        "{said}"
    );
}

/// Asks whether an act happened.
async fn probed(script: &str) -> (Found, String) {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Act(Act::Probed));
    let key = key(&call);
    let found = Project::new(script).plugins().probe(call).await;
    desk.released().await;
    gone(&key).await;
    (found, desk.log_text())
}

#[tokio::test]
async fn a_probe_says_whether_it_happened() {
    let yes = r#"grep -q '"ask": *"probe"' && echo '{"found": "yes", "result": "x"}'"#;
    assert_eq!(probed(yes).await.0, Found::Yes(Value::text("x")));
    assert_eq!(probed(r#"echo '{"found": "no"}'"#).await.0, Found::No);
    let unknown = probed(r#"echo '{"found": "unknown"}'"#).await;
    assert_eq!(unknown, (Found::CannotTell, String::new()));
}

#[tokio::test]
async fn a_probe_that_says_something_else_can_not_tell_and_the_log_says_why() {
    for (script, says) in [
        ("exit 1", "ended with exit code 1 and without an answer"),
        ("echo yes", "line 1 of `my.it` is no JSON"),
        (
            r#"echo '{"result": "x"}'"#,
            "`\"ask\": \"probe\"` is answered by `found`",
        ),
        (
            r#"echo '{"found": "yes"}'"#,
            "expected `text`, found `null`",
        ),
        (
            r#"echo '{"failure": "auth", "message": "no key"}'"#,
            "no key",
        ),
    ] {
        let (found, log) = probed(script).await;
        assert_eq!(found, Found::CannotTell, "{script}");
        assert!(log.contains(says), "{script}: {log}");
    }
}
