//! Values go out and come back; what comes in wrong is named.

use serde_json::json;

use super::*;
use crate::amount::{Size, Timestamp};
use crate::ty::{Bounds, FieldType, VariantType};

fn record(fields: &[(&str, Type)]) -> Type {
    let fields = fields.iter().map(|(name, ty)| FieldType {
        name: (*name).into(),
        ty: ty.clone(),
        docs: "".into(),
    });
    Type::Record(Arc::new(RecordType {
        name: None,
        fields: fields.collect(),
    }))
}

fn look() -> Type {
    let variant = |name: &str, outside: &str| VariantType {
        name: name.into(),
        outside: outside.into(),
    };
    Type::Enum(Arc::new(EnumType {
        name: None,
        variants: vec![variant("wide", "16:9"), variant("tall", "9:16")],
    }))
}

fn error(json: &Json, ty: &Type) -> String {
    from_json(json, ty).expect_err("a mismatch").to_string()
}

#[test]
fn what_goes_out_comes_back() {
    let image = Artifact {
        digest: Digest::of(b"fox").to_string().into(),
        media: Media::Image,
        bytes: 3,
        facts: BTreeMap::from([("width".into(), Value::Int(64))]),
    };
    let money = Type::Money(Bounds::default());
    let duration = Type::Duration(Bounds::default());
    let cases = [
        (Type::Bool, Value::Bool(true), json!(true)),
        (Type::int(), Value::Int(i64::MIN), json!(i64::MIN)),
        (Type::float(), Value::Float(0.1), json!(0.1)),
        (Type::text(), Value::text("a"), json!("a")),
        (
            money.clone(),
            Value::Money(Money(500_000_000)),
            json!("$0.50"),
        ),
        (money, Value::Money(Money(-1)), json!("-$0.000000001")),
        (duration, Value::Duration(Duration::HOUR), json!("1h")),
        (
            Type::Size,
            Value::Size(Size {
                width: 2,
                height: 3,
            }),
            json!("2x3"),
        ),
        (
            Type::Time,
            Value::Time(Timestamp(0)),
            json!("1970-01-01T00:00:00Z"),
        ),
        (look(), Value::Enum("wide".into()), json!("16:9")),
        (Type::int().optional(), Value::None, json!(null)),
        (
            Type::list(look()),
            Value::list(vec![Value::Enum("tall".into())]),
            json!(["9:16"]),
        ),
        (
            Type::Media(Media::File),
            Value::Artifact(Arc::new(image.clone())),
            json!({
                "artifact": &*image.digest, "media": "image", "bytes": 3, "facts": { "width": 64 }
            }),
        ),
        (
            Type::Json,
            Value::list(vec![Value::None, Value::Float(0.5)]),
            json!([null, 0.5]),
        ),
    ];
    for (ty, value, json) in cases {
        assert_eq!(to_json(&value, &ty), Ok(json.clone()), "{ty}");
        assert_eq!(from_json(&json, &ty), Ok(value), "{ty}");
    }
}

#[test]
fn a_missing_optional_field_is_none() {
    let ty = record(&[("a", Type::int()), ("b", Type::text().optional())]);
    let value = from_json(&json!({ "a": 1 }), &ty).unwrap();
    assert_eq!(to_json(&value, &ty), Ok(json!({ "a": 1, "b": null })));
    assert_eq!(error(&json!({ "b": "x" }), &ty), "the field `a` is missing");
    assert_eq!(
        error(&json!({ "a": 1, "c": 2 }), &ty),
        "there is no field `c` in `a` and `b`"
    );
}

#[test]
fn a_mismatch_has_its_place_and_its_words() {
    let takes = Type::Int(Bounds {
        min: Some(1),
        max: Some(8),
    });
    let ty = Type::list(record(&[("takes", takes), ("look", look())]));
    assert_eq!(
        error(&json!([{ "takes": 9, "look": "16:9" }]), &ty),
        "`[0].takes`: expected `int in 1..8`, found `9`"
    );
    assert_eq!(
        error(&json!([{ "takes": 1, "look": "wide" }]), &ty),
        "`[0].look`: `wide` is none of `16:9` and `9:16`"
    );
    assert_eq!(
        error(&json!("x"), &Type::int()),
        "expected `int`, found `\"x\"`"
    );
    assert_eq!(
        error(&json!(1.5), &Type::int()),
        "expected `int`, found `1.5`"
    );
    assert_eq!(
        error(&json!(u64::MAX), &Type::int()),
        format!("expected `int`, found `{}`", u64::MAX)
    );
}

#[test]
fn numbers_are_what_json_says() {
    assert_eq!(from_json(&json!(3.0), &Type::int()), Ok(Value::Int(3)));
    assert_eq!(from_json(&json!(3), &Type::float()), Ok(Value::Float(3.0)));
    assert_eq!(from_json(&json!(3), &Type::Json), Ok(Value::Int(3)));
}

#[test]
fn secrets_neither_leave_nor_enter() {
    let secret = Value::Secret("API_TOKEN".into());
    for ty in [Type::Secret, Type::Json, Type::Secret.optional()] {
        let error = to_json(&secret, &ty).expect_err("a secret");
        assert_eq!(error.problem, Problem::Secret, "{ty}");
    }
    assert_eq!(
        error(&json!("abc"), &Type::Secret),
        "a secret can't be written here"
    );
}

#[test]
fn depth_is_bounded() {
    let mut json = json!(1);
    for _ in 0..500 {
        json = json!([json]);
    }
    let mismatch = from_json(&json, &Type::Json).expect_err("deep");
    assert_eq!(mismatch.problem, Problem::Deep);
}
