//! Questions: what is shown, what an answer must be, when it is too late.

use std::sync::Arc;

use flow_core::amount::Duration;
use flow_core::step::{Question, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;

use crate::desk::{FakeDesk, NOW, call, record, report, texts, value};

async fn asked<const N: usize>(step: &str, args: [(&str, Value); N], result: Type) -> Question {
    let desk = Arc::new(FakeDesk::new());
    let report = report(call(&desk, step, args, result)).await;
    let StepReport::Ask(question) = report else {
        panic!("{report:?}");
    };
    question
}

async fn approval(show: Value) -> Question {
    let args = [
        ("question", Value::text("Post it?")),
        ("show", show),
        ("expires", Value::Duration(Duration::HOUR)),
    ];
    asked("approve", args, Type::Bool).await
}

#[tokio::test]
async fn an_approval_shows_what_it_is_about_and_is_refused_when_it_is_too_late() {
    let question = approval(Value::text("a fox")).await;
    let form = [
        ("kind", Value::text("approve")),
        ("question", Value::text("Post it?")),
        ("show", Value::text("a fox")),
    ];
    assert_eq!(question.form, record(form));
    assert_eq!(question.answer, Type::Bool);
    assert_eq!(question.otherwise, Some(Value::Bool(false)));
    assert_eq!(question.expires, NOW.checked_add(Duration::HOUR));
}

#[tokio::test]
async fn an_answer_holds_for_what_was_shown_and_nothing_else() {
    let fox = approval(Value::text("a fox")).await;
    assert_eq!(fox.shown, approval(Value::text("a fox")).await.shown);
    assert_ne!(fox.shown, approval(Value::text("an owl")).await.shown);
}

#[tokio::test]
async fn a_secret_is_never_shown() {
    let desk = Arc::new(FakeDesk::new());
    let args = [
        ("question", Value::text("Is it this?")),
        ("show", Value::Secret("TOKEN".into())),
    ];
    let failure = value(report(call(&desk, "approve", args, Type::Bool)).await).unwrap_err();
    assert!(failure.message.contains("a secret can't be written here"));
}

#[tokio::test]
async fn a_value_is_asked_for_by_its_type_without_a_way_out() {
    let args = [
        ("question", Value::text("How many?")),
        ("about", Value::text("")),
        ("suggestion", Value::Int(3)),
    ];
    let question = asked("human.ask", args, Type::int()).await;
    assert_eq!(question.answer, Type::int());
    assert_eq!((question.otherwise, question.expires), (None, None));
}

fn choice(from: &[&str], count: i64) -> [(&'static str, Value); 3] {
    [
        ("question", Value::text("Which?")),
        ("from", texts(from.iter().copied())),
        ("count", Value::Int(count)),
    ]
}

#[tokio::test]
async fn so_many_are_chosen_as_were_asked_for() {
    let result = Type::list(Type::text());
    let question = asked("human.choose", choice(&["a", "b", "c"], 2), result).await;
    let check = |items: &[&str]| question.answer.check(&texts(items.iter().copied()));
    assert!(check(&["a", "c"]).is_ok());
    assert!(check(&["a"]).is_err() && check(&["a", "b", "c"]).is_err());
}

#[tokio::test]
async fn nobody_is_asked_if_there_is_no_choice() {
    for from in [&[][..], &["a"], &["a", "b"]] {
        let desk = Arc::new(FakeDesk::new());
        let result = Type::list(Type::text());
        let report = report(call(&desk, "human.choose", choice(from, 2), result)).await;
        assert_eq!(value(report).unwrap(), texts(from.iter().copied()));
    }
}
