//! Values that were kept under one type and are wanted as another.
//!
//! A workflow changes, and what an older one kept stays. Nothing is turned into
//! something else: a whole number is a `float` too, and a field that is optional
//! may not have been there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::amount::to_float;
use crate::check::{Checker, DEPTH_MAX, Mismatch, Problem, unknown, unlike};
use crate::ty::{RecordType, Type};
use crate::value::{List, Value};

impl Type {
    /// Returns a value as one of this type, if it can be taken for one.
    pub fn fit(&self, value: &Value) -> Result<Value, Mismatch> {
        let fitted = fit(self, value, 0)?;
        Checker::default().value(self, &fitted, 0)?;
        Ok(fitted)
    }
}

fn fit(ty: &Type, value: &Value, depth: usize) -> Result<Value, Mismatch> {
    if depth > DEPTH_MAX {
        return Err(Problem::Deep.into());
    }
    match (ty, value) {
        (Type::Optional(inner), value) if *value != Value::None => fit(inner, value, depth),
        (Type::Float(_), Value::Int(number)) => Ok(Value::Float(to_float(*number))),
        (Type::List(list), Value::List(found)) => {
            let items = found.items.iter().enumerate().map(|(at, item)| {
                fit(&list.item, item, depth + 1).map_err(|mismatch| mismatch.in_item(at))
            });
            Ok(Value::List(Arc::new(List {
                items: items.collect::<Result<_, _>>()?,
                keys: found.keys.clone(),
            })))
        }
        (Type::Map(inner), Value::Record(found)) => {
            let items = found.iter().map(|(key, item)| {
                let item = fit(inner, item, depth + 1);
                Ok((
                    key.clone(),
                    item.map_err(|mismatch| mismatch.in_field(key))?,
                ))
            });
            Ok(Value::Record(Arc::new(
                items.collect::<Result<_, Mismatch>>()?,
            )))
        }
        (Type::Record(record), Value::Record(found)) => fit_record(record, found, depth),
        (Type::List(_) | Type::Map(_) | Type::Record(_), other) => Err(unlike(ty, other)),
        (_, value) => Ok(value.clone()),
    }
}

fn fit_record(
    record: &RecordType,
    found: &BTreeMap<Arc<str>, Value>,
    depth: usize,
) -> Result<Value, Mismatch> {
    if let Some(name) = found.keys().find(|name| record.field(name).is_none()) {
        return Err(unknown(record, name));
    }
    let fields = record.fields.iter().map(|field| {
        let value = match found.get(&field.name) {
            Some(value) => fit(&field.ty, value, depth + 1)
                .map_err(|mismatch| mismatch.in_field(&field.name))?,
            None if matches!(field.ty, Type::Optional(_)) => Value::None,
            None => {
                let field = field.name.clone();
                return Err(Problem::Missing { field }.into());
            }
        };
        Ok((field.name.clone(), value))
    });
    Ok(Value::Record(Arc::new(
        fields.collect::<Result<_, Mismatch>>()?,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::{Bounds, FieldType};

    fn record_type(fields: &[(&str, Type)]) -> Type {
        Type::Record(Arc::new(RecordType {
            name: None,
            fields: fields
                .iter()
                .map(|(name, ty)| FieldType {
                    name: (*name).into(),
                    ty: ty.clone(),
                    docs: "".into(),
                })
                .collect(),
        }))
    }

    fn record(fields: &[(&str, Value)]) -> Value {
        let fields = fields.iter().cloned();
        Value::Record(Arc::new(
            fields.map(|(name, value)| (name.into(), value)).collect(),
        ))
    }

    #[test]
    fn a_field_that_came_later_is_none_and_a_whole_number_a_float() {
        let ty = record_type(&[
            ("seen", Type::list(Type::float())),
            ("last", Type::Time.optional()),
        ]);
        let kept = record(&[("seen", Value::list(vec![Value::Int(3)]))]);
        let expected = record(&[
            ("seen", Value::list(vec![Value::Float(3.0)])),
            ("last", Value::None),
        ]);
        assert_eq!(ty.fit(&kept), Ok(expected));
    }

    #[test]
    fn nothing_else_is_turned_into_anything() {
        let bounded = Type::Int(Bounds {
            min: Some(1),
            max: None,
        });
        for (ty, value, says) in [
            (Type::text(), Value::Int(1), "expected `text`, found `1`"),
            (Type::int(), Value::Float(1.0), "expected `int`"),
            (bounded, Value::Int(0), "found `0`"),
            (
                record_type(&[("a", Type::Bool)]),
                record(&[]),
                "the field `a` is missing",
            ),
            (
                record_type(&[]),
                record(&[("b", Value::None)]),
                "there is no field `b`",
            ),
            (Type::list(Type::int()), Value::None, "expected `list<int>`"),
        ] {
            let said = ty.fit(&value).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }
}
