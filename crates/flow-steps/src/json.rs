//! `json.parse` and `json.at`: values out of JSON.

use std::borrow::Cow;

use flow_core::json::{from_json, to_json};
use flow_core::step::{Executor, StepCall, StepFailure, StepReport, Work};
use flow_core::ty::Type;
use flow_core::value::Value;
use serde_json::Value as Json;

use crate::given::{Given, computed, done, invalid};

/// The steps of this family.
pub(crate) const STEPS: [&str; 2] = ["json.at", "json.parse"];

/// Reads JSON.
pub(crate) struct Reader;

impl Executor for Reader {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        computed(call, |call| {
            let value = match &*call.step {
                "json.parse" => parse(call.text("text")?, call.result_type()?),
                _ => at(
                    call.value("value")?,
                    call.text("path")?,
                    call.result_type()?,
                ),
            };
            value.map(done)
        })
    }
}

/// Reads a text as a type.
pub(crate) fn parse(text: &str, ty: &Type) -> Result<Value, StepFailure> {
    let json: Json =
        serde_json::from_str(text).map_err(|error| invalid(format!("this is no JSON: {error}")))?;
    read(&json, ty)
}

/// Reads JSON as a type. Fields that it doesn't have are left out.
fn read(json: &Json, ty: &Type) -> Result<Value, StepFailure> {
    from_json(&pruned(json, ty), ty).map_err(|mismatch| invalid(mismatch.to_string()))
}

/// Returns JSON without the fields that a type doesn't have. What was read nests
/// so far and no further, so this ends.
fn pruned<'a>(json: &'a Json, ty: &Type) -> Cow<'a, Json> {
    match (ty.present(), json) {
        (Type::Record(record), Json::Object(fields)) => {
            let kept = fields.iter().filter_map(|(name, item)| {
                let field = record.field(name)?;
                Some((name.clone(), pruned(item, &field.ty).into_owned()))
            });
            Cow::Owned(Json::Object(kept.collect()))
        }
        (Type::Map(inner), Json::Object(entries)) => {
            let entries = entries.iter();
            let entries =
                entries.map(|(name, item)| (name.clone(), pruned(item, inner).into_owned()));
            Cow::Owned(Json::Object(entries.collect()))
        }
        (Type::List(list), Json::Array(items)) => {
            let items = items
                .iter()
                .map(|item| pruned(item, &list.item).into_owned());
            Cow::Owned(Json::Array(items.collect()))
        }
        _ => Cow::Borrowed(json),
    }
}

/// Takes a part of a value as a type.
fn at(value: &Value, path: &str, ty: &Type) -> Result<Value, StepFailure> {
    let mut here = value;
    for part in parts(path)? {
        let there = match (&part, here) {
            (Part::Name(name), Value::Record(fields)) => fields.get(&**name),
            (Part::Position(at), Value::List(list)) => list.items.get(*at),
            _ => None,
        };
        let Some(there) = there else {
            return Ok(Value::None);
        };
        here = there;
    }
    let json = to_json(here, &Type::Json).map_err(|mismatch| invalid(mismatch.to_string()))?;
    read(&json, ty).map_err(|failure| match path {
        "" => failure,
        path => invalid(format!("at `{path}`: {}", failure.message)),
    })
}

/// A part of a path.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Name(String),
    Position(usize),
}

/// Reads a path: `items[0].title`, `["odd name"]`.
fn parts(path: &str) -> Result<Vec<Part>, StepFailure> {
    let wrong = || invalid(format!("`{path}` is no path like `items[0].title`"));
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix("[\"") {
            // The text ends as a JSON text does.
            let mut texts = serde_json::Deserializer::from_str(&rest[1..]).into_iter::<String>();
            let name = texts.next().and_then(Result::ok).ok_or_else(wrong)?;
            let end = texts.byte_offset();
            rest = inside
                .get(end - 1..)
                .and_then(|rest| rest.strip_prefix(']'))
                .ok_or_else(wrong)?;
            parts.push(Part::Name(name));
        } else if let Some(inside) = rest.strip_prefix('[') {
            let (digits, after) = inside.split_once(']').ok_or_else(wrong)?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let at = digits.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
            rest = after;
            parts.push(Part::Position(at));
        } else {
            let begins = match (parts.is_empty(), rest.strip_prefix('.')) {
                (false, Some(name)) => name,
                (true, None) => rest,
                (true, Some(_)) | (false, None) => return Err(wrong()),
            };
            let end = begins.find(['.', '[']).unwrap_or(begins.len());
            if end == 0 {
                return Err(wrong());
            }
            parts.push(Part::Name(begins[..end].to_owned()));
            rest = &begins[end..];
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_names_positions_and_quoted_names() {
        let name = |name: &str| Part::Name(name.to_owned());
        let read = |path| parts(path).unwrap();
        assert_eq!(read(""), []);
        assert_eq!(
            read("items[0].title"),
            [name("items"), Part::Position(0), name("title")]
        );
        assert_eq!(
            read(r#"["odd \"]name"][12].x"#),
            [name("odd \"]name"), Part::Position(12), name("x")]
        );
    }

    #[test]
    fn other_paths_are_refused() {
        for path in [
            ".a", "a.", "a..b", "a[", "a[x]", "a[-1]", "a[0]b", "[\"a\"", "[\"", "a[+1]",
        ] {
            assert!(parts(path).is_err(), "{path}");
        }
    }
}
