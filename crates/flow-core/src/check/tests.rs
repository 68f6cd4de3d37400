//! What is of a type, and what isn't.

use super::*;
use crate::ty::FieldType;

fn shot() -> Type {
    let field = |name: &str, ty| FieldType {
        name: name.into(),
        ty,
        docs: "".into(),
    };
    let takes = Type::Int(Bounds {
        min: Some(1),
        max: Some(8),
    });
    let fields = vec![
        field("prompt", Type::text()),
        field("takes", takes.optional()),
    ];
    Type::Record(Arc::new(RecordType {
        name: Some("Shot".into()),
        fields,
    }))
}

fn record(fields: &[(&str, Value)]) -> Value {
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()));
    Value::Record(Arc::new(fields.collect()))
}

fn error(ty: &Type, value: &Value) -> String {
    ty.check(value).expect_err("a mismatch").to_string()
}

#[test]
fn a_mismatch_has_its_place() {
    let good = record(&[("prompt", Value::text("a")), ("takes", Value::Int(8))]);
    let bad = record(&[("prompt", Value::text("a")), ("takes", Value::Int(9))]);
    let list = Type::list(shot());
    assert_eq!(list.check(&Value::list(vec![good.clone()])), Ok(()));
    assert_eq!(
        error(&list, &Value::list(vec![good, bad])),
        "`[1].takes`: expected `int? in 1..8`, found `9`"
    );
}

#[test]
fn fields_are_exact() {
    let missing = record(&[("prompt", Value::text("a"))]);
    assert_eq!(error(&shot(), &missing), "the field `takes` is missing");
    let more = record(&[
        ("mood", Value::None),
        ("prompt", Value::text("a")),
        ("takes", Value::None),
    ]);
    assert_eq!(
        error(&shot(), &more),
        "there is no field `mood` in `prompt` and `takes`"
    );
}

#[test]
fn a_pattern_matches_the_whole_text() {
    let ty = |pattern: &str| {
        Type::Text(TextRule {
            length: Bounds::default(),
            matching: Some(pattern.into()),
        })
    };
    assert_eq!(ty("a|b").check(&Value::text("a")), Ok(()));
    assert!(ty("a|b").check(&Value::text("ax")).is_err());
    assert!(ty("a|b").check(&Value::text("a\n")).is_err());
    assert!(pattern("a)|(b").is_err());
    assert!(ty("(").check(&Value::text("(")).is_err());
}

#[test]
fn nothing_is_coerced() {
    assert!(Type::float().check(&Value::Int(1)).is_err());
    assert!(Type::float().check(&Value::Float(f64::NAN)).is_err());
    assert!(Type::text().check(&Value::None).is_err());
    assert!(Type::Json.check(&Value::Secret("A".into())).is_err());
    assert_eq!(Type::Json.check(&Value::None), Ok(()));
}

#[test]
fn depth_is_bounded() {
    let mut value = Value::Int(1);
    for _ in 0..500 {
        value = Value::list(vec![value]);
    }
    assert_eq!(
        Type::Json.check(&value).expect_err("deep").problem,
        Problem::Deep
    );
}
