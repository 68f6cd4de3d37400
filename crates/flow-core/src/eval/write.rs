//! Values as text: in holes, as JSON, and as they are called in messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::eval::compare::charge;
use crate::eval::{EvalErrorKind, Fuel};
use crate::ty::{Media, Type};
use crate::value::{List, Value};

/// Says what a value is, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::None => "none",
        Value::Bool(_) => "a bool",
        Value::Int(_) => "an int",
        Value::Float(_) => "a float",
        Value::Text(_) => "a text",
        Value::Duration(_) => "a duration",
        Value::Money(_) => "money",
        Value::Time(_) => "a time",
        Value::Size(_) => "a size",
        Value::Enum(_) => "a word of an enum",
        Value::List(_) => "a list",
        Value::Record(_) => "a record",
        Value::Artifact(_) => "an artifact",
        Value::Secret(_) => "a secret",
    }
}

/// Writes a value as a reader would write it: `3` for 3.0, `$0.50`, `1h30m`.
pub(crate) fn write(value: &Value, out: &mut String, fuel: &mut Fuel) -> Result<(), EvalErrorKind> {
    let before = out.len();
    match value {
        Value::Text(text) | Value::Enum(text) => {
            fuel.spend_size(text.len())?;
            out.push_str(text);
            return Ok(());
        }
        Value::Bool(truth) => out.push_str(&truth.to_string()),
        Value::Int(number) => out.push_str(&number.to_string()),
        // Adding zero takes the sign off a negative zero.
        Value::Float(number) => out.push_str(&(number + 0.0).to_string()),
        Value::Duration(length) => out.push_str(&length.to_string()),
        Value::Money(amount) => out.push_str(&amount.to_string()),
        Value::Time(instant) => out.push_str(&instant.to_string()),
        Value::Size(size) => out.push_str(&size.to_string()),
        Value::None | Value::List(_) | Value::Record(_) | Value::Artifact(_) | Value::Secret(_) => {
            return Err(EvalErrorKind::unfit(
                "something that can be written into a text",
                value,
            ));
        }
    }
    fuel.spend_size(out.len() - before)
}

/// Returns a value as JSON, in one line. What JSON doesn't have is a text as
/// the language writes it.
pub(crate) fn json_text(value: &Value, fuel: &mut Fuel) -> Result<String, EvalErrorKind> {
    charge(value, fuel)?;
    let text = json(value)?.to_string();
    fuel.spend_size(text.len())?;
    Ok(text)
}

fn json(value: &Value) -> Result<Json, EvalErrorKind> {
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Text(text) | Value::Enum(text) => Json::from(&**text),
        Value::Duration(length) => Json::from(length.to_string()),
        Value::Money(amount) => Json::from(amount.to_string()),
        Value::Time(instant) => Json::from(instant.to_string()),
        Value::Size(size) => Json::from(size.to_string()),
        Value::List(list) => Json::Array(list.items.iter().map(json).collect::<Result<_, _>>()?),
        Value::Record(fields) => {
            let entries = fields
                .iter()
                .map(|(name, value)| Ok((name.to_string(), json(value)?)));
            Json::Object(entries.collect::<Result<_, EvalErrorKind>>()?)
        }
        Value::Artifact(artifact) => {
            let mut object = serde_json::Map::new();
            object.insert("digest".into(), Json::from(&*artifact.digest));
            object.insert("media".into(), Json::from(media(artifact.media)));
            object.insert("bytes".into(), Json::from(artifact.bytes));
            for (name, fact) in &artifact.facts {
                object.insert(name.to_string(), json(fact)?);
            }
            Json::Object(object)
        }
        Value::Secret(_) => return Err(EvalErrorKind::unfit("something that can be shown", value)),
    })
}

fn media(media: Media) -> &'static str {
    match media {
        Media::Image => "image",
        Media::Video => "video",
        Media::Audio => "audio",
        Media::File => "file",
    }
}

/// Returns a value of a type with every word of an enumeration as the text that
/// it is outside.
pub(super) fn outside(value: &Value, ty: &Type, fuel: &mut Fuel) -> Result<Value, EvalErrorKind> {
    charge(value, fuel)?;
    Ok(outside_at(value, ty))
}

fn outside_at(value: &Value, ty: &Type) -> Value {
    match (value, ty.present()) {
        (Value::Enum(word), Type::Enum(words)) => {
            let outside = words.variant(word).map_or(word, |variant| &variant.outside);
            Value::Text(Arc::clone(outside))
        }
        (Value::List(list), Type::List(of)) => Value::List(Arc::new(List {
            items: list
                .items
                .iter()
                .map(|item| outside_at(item, &of.item))
                .collect(),
            keys: list.keys.clone(),
        })),
        (Value::Record(fields), Type::Map(of)) => {
            let entries = fields
                .iter()
                .map(|(name, value)| (name.clone(), outside_at(value, of)));
            Value::Record(Arc::new(entries.collect()))
        }
        (Value::Record(fields), Type::Record(of)) => {
            let entries = fields.iter().map(|(name, value)| {
                let field = of.field(name);
                let value =
                    field.map_or_else(|| value.clone(), |field| outside_at(value, &field.ty));
                (name.clone(), value)
            });
            Value::Record(Arc::new(entries.collect::<BTreeMap<_, _>>()))
        }
        _ => value.clone(),
    }
}
