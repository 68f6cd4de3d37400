//! Values as one would write them in a test, and how two of them differ.

use std::fmt::Write;

use flow_core::literal::number_text;
use flow_core::ty::{Media, Type};
use flow_core::value::Value;

use super::files::Files;
use crate::report::counted;
use crate::wording::clip;

/// How long texts are that are compared letter by letter, in bytes, and how much
/// of them is shown then.
const LONG: usize = 40;
const EXCERPT: usize = 30;

/// How deep examples go.
const DEPTH_MAX: usize = 4;

/// How values are written.
pub(super) struct Shown<'a> {
    files: &'a Files,
    /// How many letters there may be.
    length: usize,
}

impl<'a> Shown<'a> {
    pub(super) fn new(files: &'a Files, length: usize) -> Self {
        Self { files, length }
    }

    /// Writes a value, or its beginning.
    pub(super) fn value(&self, value: &Value) -> String {
        let mut out = String::new();
        self.write(value, &mut out);
        clip(&out, self.length)
    }

    /// Writes until there is more than is shown.
    fn write(&self, value: &Value, out: &mut String) {
        if out.len() > self.length * 4 {
            return;
        }
        match value {
            Value::None => out.push_str("none"),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Int(number) => _ = write!(out, "{number}"),
            Value::Float(number) => out.push_str(&number_text(*number)),
            Value::Text(text) => {
                let beginning: String = text.chars().take(self.length + 1).collect();
                _ = write!(out, "{beginning:?}");
            }
            Value::Duration(length) => _ = write!(out, "{length}"),
            Value::Money(amount) => _ = write!(out, "{amount}"),
            Value::Time(instant) => _ = write!(out, "{instant}"),
            Value::Size(size) => _ = write!(out, "{size}"),
            Value::Enum(word) => out.push_str(word),
            Value::List(list) => {
                out.push('[');
                for (at, item) in list.items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    self.write(item, out);
                }
                out.push(']');
            }
            Value::Record(fields) if fields.is_empty() => out.push_str("{}"),
            Value::Record(fields) => {
                out.push_str("{ ");
                for (at, (name, field)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    key(name, out);
                    out.push_str(": ");
                    self.write(field, out);
                }
                out.push_str(" }");
            }
            Value::Artifact(artifact) => match self.files.path(artifact) {
                Some(path) => _ = write!(out, "file({path:?})"),
                None => _ = write!(out, "{} of {} bytes", artifact.media, artifact.bytes),
            },
            Value::Secret(name) => _ = write!(out, "secret({name:?})"),
        }
    }
}

fn key(name: &str, out: &mut String) {
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name {
        out.push_str(name);
    } else {
        _ = write!(out, "{name:?}");
    }
}

/// Returns the first place at which two values differ, and what is there.
/// Nothing is said of values that are no lists and no records.
pub(super) fn difference(left: &Value, right: &Value, shown: &Shown<'_>) -> Option<String> {
    let mut path = String::new();
    let (mut left, mut right) = (left, right);
    loop {
        match (left, right) {
            (Value::List(one), Value::List(other)) => {
                let pairs = one.items.iter().zip(&other.items).enumerate();
                let mut different = pairs.filter(|(_, (one, other))| one != other);
                let Some((at, (first, second))) = different.next() else {
                    let (one, other) = (one.items.len(), other.items.len());
                    return (one != other).then(|| {
                        let one = counted(one, "item");
                        format!("{}the first has {one}, the second {other}", place(&path))
                    });
                };
                _ = write!(path, "[{at}]");
                (left, right) = (first, second);
            }
            (Value::Record(one), Value::Record(other)) => {
                let names = one.keys().chain(other.keys());
                let mut different = names.filter(|name| one.get(*name) != other.get(*name));
                let name = different.next()?;
                let (Some(first), Some(second)) = (one.get(name), other.get(name)) else {
                    let who = if one.contains_key(name) {
                        "first"
                    } else {
                        "second"
                    };
                    return Some(format!("{}only the {who} has `{name}`", place(&path)));
                };
                path.push('.');
                key(name, &mut path);
                (left, right) = (first, second);
            }
            (Value::Text(one), Value::Text(other)) if one.len().max(other.len()) > LONG => {
                return Some(format!("{}{}", place(&path), letters(one, other)));
            }
            (one, other) if path.is_empty() || one == other => return None,
            (one, other) => {
                let (one, other) = (shown.value(one), shown.value(other));
                return Some(format!("{}{one} is not {other}", place(&path)));
            }
        }
    }
}

/// Says from where on two texts differ.
fn letters(one: &str, other: &str) -> String {
    let pairs = one.chars().zip(other.chars());
    let same = pairs.take_while(|(one, other)| one == other).count();
    let from = |text: &str| {
        let rest: String = text.chars().skip(same).take(EXCERPT).collect();
        format!("{rest:?}")
    };
    let (one, other) = (from(one), from(other));
    format!(
        "from letter {} on, the first has {one}, the second {other}",
        same + 1
    )
}

fn place(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("at `{}`: ", path.trim_start_matches('.'))
    }
}

/// Writes a value of a type as a stub could give it.
pub(super) fn example(ty: Option<&Type>) -> String {
    ty.map_or_else(|| "none".to_owned(), |ty| example_at(ty, 0))
}

fn example_at(ty: &Type, depth: usize) -> String {
    if depth > DEPTH_MAX {
        return "…".to_owned();
    }
    match ty {
        Type::Text(_) | Type::Model | Type::Step => "\"…\"".to_owned(),
        Type::Int(bounds) => bounds.min.unwrap_or(1).to_string(),
        Type::Float(bounds) => number_text(bounds.min.unwrap_or(1.5)),
        Type::Bool => "true".to_owned(),
        Type::Duration(bounds) => bounds.min.map_or("30s".to_owned(), |min| min.to_string()),
        Type::Money(bounds) => bounds.min.map_or("$0.50".to_owned(), |min| min.to_string()),
        // There is no other way to write an instant.
        Type::Time => "run.started".to_owned(),
        Type::Size => "1080x1920".to_owned(),
        Type::Json | Type::Param => "{ … }".to_owned(),
        Type::Secret => "secret(\"…\")".to_owned(),
        Type::Media(media) => match media {
            Media::Image => "fixture(\"a.png\")".to_owned(),
            Media::Video => "fixture(\"a.mp4\")".to_owned(),
            Media::Audio => "fixture(\"a.wav\")".to_owned(),
            Media::File => "fixture(\"a.txt\")".to_owned(),
        },
        Type::List(list) => format!("[{}]", example_at(&list.item, depth + 1)),
        Type::Map(_) => "{}".to_owned(),
        Type::Optional(inner) => example_at(inner, depth),
        Type::Record(record) => {
            let fields = record.fields.iter();
            let fields =
                fields.map(|field| format!("{}: {}", field.name, example_at(&field.ty, depth + 1)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Type::Enum(words) => words
            .variants
            .first()
            .map_or_else(String::new, |word| word.name.to_string()),
        Type::None => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        Files::new(std::path::PathBuf::new())
    }

    fn record(fields: &[(&str, Value)]) -> Value {
        let fields = fields
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()));
        Value::Record(std::sync::Arc::new(fields.collect()))
    }

    #[test]
    fn values_are_written_as_in_a_file_and_cut() {
        let files = files();
        let shown = Shown::new(&files, 30);
        let value = record(&[
            ("a", Value::list(vec![Value::Int(1), Value::None])),
            ("b c", Value::text("x\n")),
        ]);
        assert_eq!(shown.value(&value), "{ a: [1, none], \"b c\": \"x\\n\" }");
        let long = Value::list(vec![value; 1_000_000]);
        assert!(shown.value(&long).chars().count() <= 30);
        let hostile = shown.value(&Value::text("\u{1b}[31m\u{202e}"));
        assert!(!hostile.chars().any(char::is_control), "{hostile}");
    }

    #[test]
    fn the_first_difference_is_named() {
        let files = files();
        let shown = Shown::new(&files, 60);
        let list =
            |items: &[i64]| Value::list(items.iter().map(|item| Value::Int(*item)).collect());
        let nested = |last| record(&[("shots", Value::list(vec![record(&[("s", last)])]))]);
        let text = |text: &str| Value::text(format!("{}{text}", "a".repeat(50)));
        for (one, other, said) in [
            (list(&[1, 2]), list(&[1, 3]), Some("at `[1]`: 2 is not 3")),
            (
                list(&[1]),
                list(&[1, 2]),
                Some("the first has 1 item, the second 2"),
            ),
            (
                nested(Value::Int(1)),
                nested(Value::None),
                Some("at `shots[0].s`: 1 is not none"),
            ),
            (
                record(&[("a", Value::None)]),
                record(&[]),
                Some("only the first has `a`"),
            ),
            (
                text("b"),
                text("cd"),
                Some("from letter 51 on, the first has \"b\", the second \"cd\""),
            ),
            (Value::Int(1), Value::Int(2), None),
            (list(&[1]), list(&[1]), None),
        ] {
            assert_eq!(difference(&one, &other, &shown).as_deref(), said);
        }
    }

    #[test]
    fn an_example_of_a_type_can_be_written() {
        let ty = Type::list(Type::int()).optional();
        assert_eq!(example(Some(&ty)), "[1]");
        assert_eq!(example(Some(&Type::Time)), "run.started");
        assert_eq!(example(None), "none");
    }
}
