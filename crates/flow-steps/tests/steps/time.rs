//! `wait` and `wait.until` say until when.

use std::sync::Arc;

use flow_core::amount::{Duration, Timestamp};
use flow_core::step::StepReport;
use flow_core::ty::Type;
use flow_core::value::Value;

use crate::desk::{FakeDesk, NOW, call, report, value};

async fn waits(step: &str, name: &str, argument: Value) -> StepReport {
    let desk = Arc::new(FakeDesk::new());
    report(call(&desk, step, [(name, argument)], Type::Time)).await
}

#[tokio::test]
async fn waiting_for_some_time_ends_so_much_later() {
    let until = NOW.checked_add(Duration::HOUR).unwrap();
    let expected = StepReport::Wait {
        until,
        value: Value::Time(until),
    };
    assert_eq!(
        waits("wait", "for", Value::Duration(Duration::HOUR)).await,
        expected
    );
    assert_eq!(
        waits("wait.until", "at", Value::Time(until)).await,
        expected
    );
}

#[tokio::test]
async fn an_instant_that_has_passed_is_given_all_the_same() {
    let past = Timestamp(3);
    let expected = StepReport::Wait {
        until: past,
        value: Value::Time(past),
    };
    assert_eq!(waits("wait.until", "at", Value::Time(past)).await, expected);
}

#[tokio::test]
async fn an_argument_that_is_not_as_declared_is_a_bug_that_is_told() {
    let failure = value(waits("wait", "for", Value::text("1h")).await).unwrap_err();
    assert_eq!(
        &*failure.message,
        "`wait` was not given `for` as it is declared"
    );
}
