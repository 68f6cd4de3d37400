//! What programs say of what they cost.

use flow_core::amount::Money;
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::step::{Bill, Sent, StepReport};

use super::{failure, ran, ran_as};

const CENT: Money = Money(Money::DOLLAR.0 / 100);
const BOUND: Money = Money(Money::DOLLAR.0 / 10);

fn bill(report: &StepReport) -> Bill {
    let StepReport::Done { bill, .. } = *report else {
        panic!("{report:?}");
    };
    bill
}

#[tokio::test]
async fn the_bill_is_what_the_answer_says_or_else_the_last_that_was_said() {
    for (script, expected) in [
        (
            r#"echo '{"result": "x", "cost": "$0.01"}'"#,
            Bill::Exact(CENT),
        ),
        (
            r#"echo '{"cost": "$0.01"}'; echo '{"result": "x"}'"#,
            Bill::Exact(CENT),
        ),
        (
            r#"echo '{"cost": "$0.05"}'; echo '{"result": "x", "cost": "$0.01"}'"#,
            Bill::Exact(CENT),
        ),
        (r#"echo '{"result": "x", "cost": "$0"}'"#, Bill::None),
        // Nobody knows it: it counts as its bound.
        (r#"echo '{"result": "x"}'"#, Bill::Presumed(BOUND)),
    ] {
        assert_eq!(
            bill(&ran_as(Effect::Paid, script).await),
            expected,
            "{script}"
        );
    }
    let free = ran(r#"echo '{"result": "x"}'"#).await;
    assert_eq!(bill(&free), Bill::None);
}

#[tokio::test]
async fn a_failure_may_have_cost_something_all_the_same() {
    for (script, expected) in [
        (
            r#"echo '{"failure": "policy", "cost": "$0.01"}'"#,
            Some(Bill::Exact(CENT)),
        ),
        (
            r#"echo '{"failure": "policy", "cost": "$0"}'"#,
            Some(Bill::None),
        ),
        // The run counts the bound where a request may have got out.
        (r#"echo '{"failure": "policy"}'"#, None),
        (r#"echo '{"cost": "$0.01"}'; exit 1"#, None),
        (
            r#"echo '{"cost": "$0.50"}'; exit 1"#,
            Some(Bill::Presumed(Money(Money::DOLLAR.0 / 2))),
        ),
        // Who says that nothing was sent and that it cost something isn't
        // believed in both.
        (
            r#"echo '{"sent": false}'; echo '{"cost": "$0.01"}'; exit 1"#,
            Some(Bill::Presumed(BOUND)),
        ),
        (
            r#"echo '{"result": 7, "cost": "$0.01"}'"#,
            Some(Bill::Exact(CENT)),
        ),
    ] {
        let failure = failure(ran_as(Effect::Paid, script).await);
        assert_eq!(failure.bill, expected, "{script}");
    }
}

#[tokio::test]
async fn a_step_that_is_free_can_cost_nothing() {
    let failure = failure(ran(r#"echo '{"result": "x", "cost": "$0.01"}'"#).await);
    assert_eq!(failure.class, FailureClass::Bug);
    assert_eq!(failure.bill, Some(Bill::Exact(CENT)));
    assert_eq!(
        &*failure.message,
        "`my.it` says that it cost $0.01, and is declared `effect read`, which costs nothing; \
         declare `effect paid` and its `cost`"
    );
    let act = ran_as(
        Effect::Act(Act::Once),
        r#"echo '{"result": "x", "cost": "$0.01"}'"#,
    );
    assert_eq!(bill(&act.await), Bill::Exact(CENT));
}

#[tokio::test]
async fn a_program_that_dies_may_have_been_charged() {
    let failure = failure(ran_as(Effect::Paid, "kill -9 $$").await);
    assert_eq!((failure.sent, failure.bill), (Sent::Maybe, None));
}
