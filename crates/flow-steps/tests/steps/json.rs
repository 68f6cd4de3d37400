//! Values out of JSON.

use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::step::StepFailure;
use flow_core::ty::{FieldType, RecordType, Type};
use flow_core::value::Value;

use crate::desk::{computed, record, texts};

fn shot() -> Type {
    let field = |name: &str, ty: Type| FieldType {
        name: name.into(),
        ty,
        docs: "".into(),
    };
    Type::Record(Arc::new(RecordType {
        name: None,
        fields: vec![
            field("seconds", Type::float()),
            field("note", Type::text().optional()),
        ],
    }))
}

async fn parsed(text: &str, ty: Type) -> Result<Value, StepFailure> {
    computed("json.parse", [("text", Value::text(text))], ty).await
}

#[tokio::test]
async fn a_text_is_read_as_its_type_and_more_is_left_out() {
    let text = r#"[{"seconds": 2, "mood": {"x": 1}}]"#;
    let fields = [("seconds", Value::Float(2.0)), ("note", Value::None)];
    let expected = Value::list(vec![record(fields)]);
    assert_eq!(parsed(text, Type::list(shot())).await.unwrap(), expected);
}

#[tokio::test]
async fn what_does_not_fit_is_named_with_its_place() {
    let text = r#"[{"seconds": 1}, {"seconds": "two"}]"#;
    let failure = parsed(text, Type::list(shot())).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Invalid);
    assert_eq!(
        &*failure.message,
        "`[1].seconds`: expected `float`, found `\"two\"`"
    );
}

#[tokio::test]
async fn hostile_texts_are_refused() {
    let deep = "[".repeat(100_000);
    let levels = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for text in ["", "{", "nul", "1e999", &deep, &levels] {
        assert!(parsed(text, Type::Json).await.is_err(), "{}", text.len());
    }
}

async fn part(path: &str, ty: Type) -> Result<Value, StepFailure> {
    let items = Value::list(vec![record([("title", Value::text("Fox"))]), Value::None]);
    let value = record([("items", items), ("odd name", Value::Int(1))]);
    let args = [("value", value), ("path", Value::text(path))];
    computed("json.at", args, ty.optional()).await
}

#[tokio::test]
async fn a_part_is_taken_by_its_path() {
    let text = Type::text();
    assert_eq!(
        part("items[0].title", text.clone()).await.unwrap(),
        Value::text("Fox")
    );
    assert_eq!(
        part(r#"["odd name"]"#, Type::int()).await.unwrap(),
        Value::Int(1)
    );
    for path in ["items[7]", "items[1]", "nothing.at.all", "items[0].title.x"] {
        assert_eq!(
            part(path, text.clone()).await.unwrap(),
            Value::None,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_part_that_does_not_fit_is_a_failure() {
    let failure = part("items[0].title", Type::int()).await.unwrap_err();
    assert!(
        failure
            .message
            .starts_with("at `items[0].title`: expected `int`")
    );
    assert!(part("items[", Type::Json).await.is_err());
}

#[tokio::test]
async fn json_stays_what_it_is() {
    let all = part("", Type::Json).await.unwrap();
    let Value::Record(fields) = all else {
        panic!("{all:?}");
    };
    let names = texts(fields.keys().map(AsRef::as_ref));
    assert_eq!(names, texts(["items", "odd name"]));
}
