//! What programs are asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flow_core::amount::{Duration, Money, Size};
use flow_core::effect::{Act, Effect};
use flow_core::step::StepCall;
use flow_core::ty::{EnumType, FieldType, Media, RecordType, Type, VariantType};
use flow_core::value::Value;
use serde_json::{Value as Json, json};

use super::{Project, it};
use crate::desk::{FakeDesk, record, value};

/// Answers, and leaves what it was asked in the log.
const TELL: &str = r#"cat >&2; echo '{"result": "x"}'"#;

async fn asked(desk: &Arc<FakeDesk>, call: StepCall) -> Json {
    let report = Project::new(TELL).report(desk, call).await;
    assert!(value(report).is_ok());
    serde_json::from_str(&desk.log_text()).unwrap()
}

#[tokio::test]
async fn a_request_has_all_fields_in_one_line() {
    let desk = Arc::new(FakeDesk::new());
    let mut call = it(&desk, Effect::Read);
    call.tries = 2;
    call.seed = u64::MAX;
    call.timeout = Some(Duration(90 * Duration::SECOND.0));
    call.failure = Some("it was slow".into());
    call.type_arg = Some(Type::list(Type::int()));
    let key = call.idempotency.to_string();
    let request = asked(&desk, call).await;
    let folder = request["folder"].as_str().unwrap().to_owned();
    assert!(folder.ends_with("/attempt/work"), "{folder}");
    assert_eq!(
        request,
        json!({
            "version": 1,
            "ask": "run",
            "step": "my.it",
            "path": "test/my.it",
            "effect": "read",
            "arguments": { "text": "fox" },
            "type": { "type": "array", "items": { "type": "integer" } },
            "attempt": 2,
            "key": key,
            "seed": (1_u64 << 53) - 1,
            "deadline": "2027-01-15T08:01:30Z",
            "bound": "$0",
            "folder": folder,
            "failure": "it was slow",
            "job": null,
            "dry_run": false,
        })
    );
    assert_eq!(desk.lines.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_known_is_null() {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Act(Act::Keyed(None)));
    let call = StepCall {
        bound: Money(0),
        ..call
    };
    let request = asked(&desk, call).await;
    for name in ["type", "deadline", "failure", "job"] {
        assert_eq!(request[name], Json::Null, "{name}");
    }
    assert_eq!(request["effect"], "act keyed");
}

#[tokio::test]
async fn arguments_are_written_by_their_types() {
    let desk = Arc::new(FakeDesk::new());
    let mut call = it(&desk, Effect::Read);
    let look = Type::Enum(Arc::new(EnumType {
        name: None,
        variants: vec![VariantType {
            name: "wide".into(),
            outside: "16:9".into(),
        }],
    }));
    let shot = Type::Record(Arc::new(RecordType {
        name: None,
        fields: vec![FieldType {
            name: "look".into(),
            ty: look.clone(),
            docs: "".into(),
        }],
    }));
    let wide = Value::Enum("wide".into());
    let size = Size {
        width: 640,
        height: 480,
    };
    let mut args: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let mut types: BTreeMap<Arc<str>, Type> = BTreeMap::new();
    for (name, ty, value) in [
        (
            "amount",
            Type::Money(<_>::default()),
            Value::Money(Money::DOLLAR),
        ),
        (
            "looks",
            Type::list(look.clone()),
            Value::list(vec![wide.clone()]),
        ),
        ("missing", Type::text().optional(), Value::None),
        ("optional", look.optional(), wide.clone()),
        ("shot", shot, record([("look", wide)])),
        ("size", Type::Size, Value::Size(size)),
        (
            "wait",
            Type::Duration(<_>::default()),
            Value::Duration(Duration(90 * Duration::SECOND.0)),
        ),
    ] {
        args.insert(name.into(), value);
        types.insert(name.into(), ty);
    }
    call.args = args;
    call.types = Arc::new(types);
    let request = asked(&desk, call).await;
    assert_eq!(
        request["arguments"],
        json!({
            "amount": "$1",
            "looks": ["16:9"],
            "missing": null,
            "optional": "16:9",
            "shot": { "look": "16:9" },
            "size": "640x480",
            "wait": "1m30s",
        })
    );
}

#[tokio::test]
async fn a_secret_is_handed_over_where_it_was_declared_and_shown_nowhere() {
    let mut desk = FakeDesk::new();
    desk.secrets
        .insert("TOKEN".into(), "hunter2-hunter2".into());
    let desk = Arc::new(desk);
    let mut call = it(&desk, Effect::Read);
    let secret = Value::Secret("TOKEN".into());
    call.args.insert("token".into(), secret.clone());
    call.args.insert("headers".into(), record([("A", secret)]));
    call.types = Arc::new(
        [
            ("text".into(), Type::text()),
            ("token".into(), Type::Secret),
            ("headers".into(), Type::Map(Arc::new(Type::Secret))),
        ]
        .into(),
    );
    // It is in nobody's environment, and whoever logs it logs stars.
    let script = r#"
        cat > request
        env | grep -c hunter >&2
        grep -o '"arguments".*' request | cut -c1-100 >&2
        grep -q '"token": *"hunter2-hunter2"' request || exit 9
        echo '{"result": "x"}'
    "#;
    let report = Project::new(script).report(&desk, call).await;
    assert!(value(report).is_ok(), "{}", desk.log_text());
    let log = desk.log_text();
    assert!(log.starts_with("0\n"), "{log}");
    assert!(log.contains("***") && !log.contains("hunter"), "{log}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_said_before_anything_begins() {
    let desk = Arc::new(FakeDesk::new());
    let mut call = it(&desk, Effect::Act(Act::Once));
    call.args
        .insert("token".into(), Value::Secret("TOKEN".into()));
    let failure = super::failure(Project::new(TELL).report(&desk, call).await);
    assert_eq!(failure.sent, flow_core::step::Sent::No);
    assert_eq!(&*failure.message, "there is no such secret");
}

#[tokio::test]
async fn files_are_copies_that_can_not_be_written() {
    let desk = Arc::new(FakeDesk::new());
    let mut call = it(&desk, Effect::Read);
    let file = Arc::new(desk.artifact(b"a fox"));
    let other = Arc::new(desk.artifact(b"an owl"));
    let list = Value::list(vec![
        Value::Artifact(file.clone()),
        Value::Artifact(other),
        Value::None,
    ]);
    let media = Type::Media(Media::File);
    call.args
        .insert("picture".into(), Value::Artifact(file.clone()));
    call.args.insert("others".into(), list);
    call.types = Arc::new(
        [
            ("text".into(), Type::text()),
            ("picture".into(), media.clone()),
            ("others".into(), Type::list(media.optional())),
        ]
        .into(),
    );
    let request = asked(&desk, call).await;
    let picture = &request["arguments"]["picture"];
    assert_eq!(picture["media"], "file");
    assert_eq!(picture["bytes"], 5);
    assert_eq!(picture["artifact"], &*file.digest);
    assert_eq!(picture["facts"], json!({}));
    let others = &request["arguments"]["others"];
    // One file is there once.
    assert_eq!(others[0]["path"], picture["path"]);
    assert_ne!(others[1]["path"], picture["path"]);
    assert_eq!(others[2], Json::Null);
    let path = Path::new(picture["path"].as_str().unwrap());
    assert_eq!(std::fs::read(path).unwrap(), b"a fox");
    assert!(path.metadata().unwrap().permissions().readonly());
}
