//! Values as the outside world writes them: in JSON, by their types.
//!
//! An enumeration is its outside word; amounts, durations, sizes and instants
//! are texts as an author writes them. Secrets never leave or enter.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::amount::{Duration, Money, to_float, whole};
use crate::check::{Checker, DEPTH_MAX, Mismatch, Problem, unknown, unlike};
use crate::digest::Digest;
use crate::literal::{LiteralError, excerpt};
use crate::ty::{EnumType, Media, RecordType, Type};
use crate::value::{Artifact, Value};

/// Writes a value of a type as JSON.
pub fn to_json(value: &Value, ty: &Type) -> Result<Json, Mismatch> {
    write(value, ty, 0)
}

fn write(value: &Value, ty: &Type, depth: usize) -> Result<Json, Mismatch> {
    if depth > DEPTH_MAX {
        return Err(Problem::Deep.into());
    }
    let json = match (ty, value) {
        (_, Value::Secret(_)) | (Type::Secret, _) => return Err(Problem::Secret.into()),
        (Type::Optional(_) | Type::None, Value::None) => Json::Null,
        (Type::Optional(inner), value) => return write(value, inner, depth),
        (Type::Json | Type::Param, value) => return write_any(value, depth),
        (Type::List(list), Value::List(found)) => {
            let items = found.items.iter().enumerate().map(|(at, item)| {
                write(item, &list.item, depth + 1).map_err(|mismatch| mismatch.in_item(at))
            });
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        (Type::Map(inner), Value::Record(found)) => {
            let entries = found.iter().map(|(key, item)| {
                let item = write(item, inner, depth + 1);
                let item = item.map_err(|mismatch| mismatch.in_field(key))?;
                Ok((key.to_string(), item))
            });
            Json::Object(entries.collect::<Result<_, Mismatch>>()?)
        }
        (Type::Record(record), Value::Record(found)) => {
            let mut fields = Map::new();
            for field in &record.fields {
                let Some(item) = found.get(&field.name) else {
                    let field = field.name.clone();
                    return Err(Problem::Missing { field }.into());
                };
                let item = write(item, &field.ty, depth + 1)
                    .map_err(|mismatch| mismatch.in_field(&field.name))?;
                fields.insert(field.name.to_string(), item);
            }
            Json::Object(fields)
        }
        (Type::Enum(words), Value::Enum(word)) => match words.variant(word) {
            Some(variant) => Json::from(&*variant.outside),
            None => return Err(no_word(words, word)),
        },
        (ty, value) => {
            ty.check(value)?;
            write_scalar(value, depth)?
        }
    };
    Ok(json)
}

/// Writes what needs no type.
fn write_any(value: &Value, depth: usize) -> Result<Json, Mismatch> {
    if depth > DEPTH_MAX {
        return Err(Problem::Deep.into());
    }
    match value {
        Value::List(list) => {
            let items = list.items.iter().enumerate().map(|(at, item)| {
                write_any(item, depth + 1).map_err(|mismatch| mismatch.in_item(at))
            });
            Ok(Json::Array(items.collect::<Result<_, _>>()?))
        }
        Value::Record(record) => {
            let entries = record.iter().map(|(key, item)| {
                let item = write_any(item, depth + 1);
                Ok((
                    key.to_string(),
                    item.map_err(|mismatch| mismatch.in_field(key))?,
                ))
            });
            Ok(Json::Object(entries.collect::<Result<_, Mismatch>>()?))
        }
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Time(_)
        | Value::Size(_)
        | Value::Enum(_)
        | Value::Artifact(_)
        | Value::Secret(_) => write_scalar(value, depth),
    }
}

fn write_scalar(value: &Value, depth: usize) -> Result<Json, Mismatch> {
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(truth) => Json::from(*truth),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) if number.is_finite() => Json::from(*number),
        Value::Text(text) => Json::from(&**text),
        Value::Duration(duration) => Json::from(duration.to_string()),
        Value::Money(money) => Json::from(money.to_string()),
        Value::Time(instant) => Json::from(instant.to_string()),
        Value::Size(size) => Json::from(size.to_string()),
        Value::Enum(word) => Json::from(&**word),
        Value::Artifact(artifact) => write_artifact(artifact, depth)?,
        Value::Secret(_) => return Err(Problem::Secret.into()),
        Value::Float(_) | Value::List(_) | Value::Record(_) => {
            return Err(unlike(&Type::Json, value));
        }
    })
}

fn write_artifact(artifact: &Artifact, depth: usize) -> Result<Json, Mismatch> {
    let mut facts = Map::new();
    for (name, fact) in &artifact.facts {
        let fact = write_any(fact, depth + 1).map_err(|mismatch| mismatch.in_field(name))?;
        facts.insert(name.to_string(), fact);
    }
    let mut fields = Map::new();
    fields.insert("artifact".to_owned(), Json::from(&*artifact.digest));
    fields.insert("media".to_owned(), Json::from(artifact.media.to_string()));
    fields.insert("bytes".to_owned(), Json::from(artifact.bytes));
    fields.insert("facts".to_owned(), Json::Object(facts));
    Ok(Json::Object(fields))
}

/// Reads a value of a type from JSON, refinements included.
///
/// A missing field that is optional is `none`; one too many is an error.
pub fn from_json(json: &Json, ty: &Type) -> Result<Value, Mismatch> {
    Reader::default().read(json, ty, 0)
}

#[derive(Default)]
struct Reader {
    checker: Checker,
}

impl Reader {
    fn read(&mut self, json: &Json, ty: &Type, depth: usize) -> Result<Value, Mismatch> {
        if depth > DEPTH_MAX {
            return Err(Problem::Deep.into());
        }
        match (ty, json) {
            (Type::Optional(_), Json::Null) => Ok(Value::None),
            (Type::Optional(inner), json) => self.read(json, inner, depth),
            (Type::List(list), Json::Array(items)) => {
                let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
                if !crate::check::holds(&list.length, &count) {
                    return Err(other(ty, json));
                }
                let items = items.iter().enumerate().map(|(at, item)| {
                    self.read(item, &list.item, depth + 1)
                        .map_err(|mismatch| mismatch.in_item(at))
                });
                Ok(Value::list(items.collect::<Result<_, _>>()?))
            }
            (Type::Map(inner), Json::Object(entries)) => {
                let entries = entries.iter().map(|(key, item)| {
                    let item = self.read(item, inner, depth + 1);
                    let item = item.map_err(|mismatch| mismatch.in_field(key))?;
                    Ok((Arc::from(key.as_str()), item))
                });
                let entries = entries.collect::<Result<BTreeMap<_, _>, Mismatch>>()?;
                Ok(Value::Record(Arc::new(entries)))
            }
            (Type::Record(record), Json::Object(fields)) => self.record(record, fields, depth),
            (Type::Json | Type::Param, json) => any(json, depth),
            (ty, json) => {
                let value = scalar(json, ty)?;
                self.checker.value(ty, &value, depth)?;
                Ok(value)
            }
        }
    }

    fn record(
        &mut self,
        record: &RecordType,
        fields: &Map<String, Json>,
        depth: usize,
    ) -> Result<Value, Mismatch> {
        let mut values = BTreeMap::new();
        let mut used = 0;
        for field in &record.fields {
            let value = match fields.get(&*field.name) {
                Some(json) => {
                    used += 1;
                    self.read(json, &field.ty, depth + 1)
                        .map_err(|mismatch| mismatch.in_field(&field.name))?
                }
                None if matches!(field.ty, Type::Optional(_)) => Value::None,
                None => {
                    let field = field.name.clone();
                    return Err(Problem::Missing { field }.into());
                }
            };
            values.insert(field.name.clone(), value);
        }
        if used < fields.len() {
            let mut names = fields.keys();
            if let Some(name) = names.find(|name| record.field(name).is_none()) {
                return Err(unknown(record, name));
            }
        }
        Ok(Value::Record(Arc::new(values)))
    }
}

fn scalar(json: &Json, ty: &Type) -> Result<Value, Mismatch> {
    let value = match (ty, json) {
        (Type::Secret, _) => return Err(Problem::Secret.into()),
        (Type::None, Json::Null) => Some(Value::None),
        (Type::Bool, Json::Bool(truth)) => Some(Value::Bool(*truth)),
        (Type::Int(_), Json::Number(number)) => {
            // JSON doesn't tell `3` and `3.0` apart.
            let rounded = || number.as_f64().filter(|n| n.fract() == 0.0).and_then(whole);
            number.as_i64().or_else(rounded).map(Value::Int)
        }
        (Type::Float(_), Json::Number(number)) => {
            let exact = number.as_i64().map(to_float);
            exact.or_else(|| number.as_f64()).map(Value::Float)
        }
        (Type::Text(_) | Type::Model | Type::Step, Json::String(text)) => {
            Some(Value::text(text.as_str()))
        }
        (Type::Money(_), Json::String(text)) => signed(text, Money::checked_neg).map(Value::Money),
        (Type::Duration(_), Json::String(text)) => {
            signed(text, Duration::checked_neg).map(Value::Duration)
        }
        (Type::Size, Json::String(text)) => text.parse().ok().map(Value::Size),
        (Type::Time, Json::String(text)) => text.parse().ok().map(Value::Time),
        (Type::Enum(words), Json::String(text)) => {
            let mut variants = words.variants.iter();
            let found = variants.find(|variant| &*variant.outside == text.as_str());
            match found {
                Some(variant) => Some(Value::Enum(variant.name.clone())),
                None => return Err(no_word(words, text)),
            }
        }
        (Type::Media(wanted), Json::Object(fields)) => artifact(fields, *wanted),
        _ => None,
    };
    value.ok_or_else(|| other(ty, json))
}

fn signed<T: FromStr<Err = LiteralError>>(text: &str, negate: fn(T) -> Option<T>) -> Option<T> {
    match text.strip_prefix('-') {
        Some(text) => text.parse().ok().and_then(negate),
        None => text.parse().ok(),
    }
}

fn artifact(fields: &Map<String, Json>, wanted: Media) -> Option<Value> {
    const FIELDS: [&str; 4] = ["artifact", "media", "bytes", "facts"];
    let known = fields.keys().all(|name| FIELDS.contains(&name.as_str()));
    let digest: Digest = fields.get("artifact")?.as_str()?.parse().ok()?;
    let media = match fields.get("media")?.as_str()? {
        "image" => Media::Image,
        "video" => Media::Video,
        "audio" => Media::Audio,
        "file" => Media::File,
        _ => return None,
    };
    let mut facts = BTreeMap::new();
    if let Some(found) = fields.get("facts") {
        for (name, fact) in found.as_object()? {
            facts.insert(Arc::from(name.as_str()), any(fact, 0).ok()?);
        }
    }
    let artifact = Artifact {
        digest: digest.to_string().into(),
        media,
        bytes: fields.get("bytes")?.as_u64()?,
        facts,
    };
    let fits = known && (wanted == Media::File || wanted == media);
    fits.then(|| Value::Artifact(Arc::new(artifact)))
}

/// Reads anything that JSON can say.
fn any(json: &Json, depth: usize) -> Result<Value, Mismatch> {
    if depth > DEPTH_MAX {
        return Err(Problem::Deep.into());
    }
    Ok(match json {
        Json::Null => Value::None,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => return Err(other(&Type::Json, json)),
        },
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => {
            let items = items.iter().enumerate();
            let items = items
                .map(|(at, item)| any(item, depth + 1).map_err(|mismatch| mismatch.in_item(at)));
            Value::list(items.collect::<Result<_, _>>()?)
        }
        Json::Object(fields) => {
            let fields = fields.iter().map(|(name, item)| {
                let item = any(item, depth + 1);
                let item = item.map_err(|mismatch| mismatch.in_field(name))?;
                Ok((Arc::from(name.as_str()), item))
            });
            Value::Record(Arc::new(fields.collect::<Result<_, Mismatch>>()?))
        }
    })
}

fn no_word(words: &EnumType, word: &str) -> Mismatch {
    let variants = words.variants.iter();
    Problem::Word {
        found: excerpt(word),
        words: variants.map(|variant| variant.outside.clone()).collect(),
    }
    .into()
}

/// Says that JSON is something else than a type wants.
fn other(ty: &Type, json: &Json) -> Mismatch {
    let found = match json {
        Json::Null => "`null`".to_owned(),
        Json::Bool(truth) => format!("`{truth}`"),
        Json::Number(number) => format!("`{number}`"),
        Json::String(text) => format!("`\"{}\"`", excerpt(text)),
        Json::Array(items) => format!("a list of {} items", items.len()),
        Json::Object(_) => "a record".to_owned(),
    };
    Problem::Unlike {
        expected: ty.to_string(),
        found,
    }
    .into()
}

#[cfg(test)]
mod tests;
