//! Types as an author writes them: `base`, then `?`, then refinements.

use std::fmt;

use crate::literal::number_text;
use crate::ty::{Bounds, Media, Type};

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is refined is the value that is there: `int? in 1..8`.
        let inner = self.present();
        write_base(inner, f)?;
        if matches!(self, Self::Optional(_)) {
            f.write_str("?")?;
        }
        write_refinements(inner, f)
    }
}

fn write_base(ty: &Type, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match ty {
        Type::Text(_) => f.write_str("text"),
        Type::Int(_) => f.write_str("int"),
        Type::Float(_) => f.write_str("float"),
        Type::Bool => f.write_str("bool"),
        Type::Duration(_) => f.write_str("duration"),
        Type::Money(_) => f.write_str("money"),
        Type::Time => f.write_str("time"),
        Type::Size => f.write_str("size"),
        Type::Model => f.write_str("model"),
        Type::Json => f.write_str("json"),
        Type::Secret => f.write_str("secret"),
        Type::Step => f.write_str("step"),
        Type::Media(media) => write!(f, "{media}"),
        Type::List(list) => write!(f, "list<{}>", list.item),
        Type::Map(item) => write!(f, "map<{item}>"),
        Type::Optional(inner) => write!(f, "{inner}"),
        Type::Record(record) => match &record.name {
            Some(name) => f.write_str(name),
            None if record.fields.is_empty() => f.write_str("{}"),
            None => {
                for (at, field) in record.fields.iter().enumerate() {
                    let before = if at == 0 { "{ " } else { ", " };
                    write!(f, "{before}{}: {}", field.name, field.ty)?;
                }
                f.write_str(" }")
            }
        },
        Type::Enum(words) => {
            if let Some(name) = &words.name {
                return f.write_str(name);
            }
            for (at, variant) in words.variants.iter().enumerate() {
                let before = if at == 0 { "" } else { " | " };
                write!(f, "{before}{}", variant.name)?;
            }
            Ok(())
        }
        Type::Param => f.write_str("T"),
        Type::None => f.write_str("none"),
    }
}

fn write_refinements(ty: &Type, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match ty {
        Type::Text(rule) => {
            write_length(&rule.length, f)?;
            match &rule.matching {
                Some(pattern) => write!(f, " matching {}", quoted(pattern)),
                None => Ok(()),
            }
        }
        Type::Int(bounds) => write_bounds(bounds, f, i64::to_string),
        Type::Float(bounds) => write_bounds(bounds, f, |number| number_text(*number)),
        Type::Duration(bounds) => write_bounds(bounds, f, ToString::to_string),
        Type::Money(bounds) => write_bounds(bounds, f, ToString::to_string),
        Type::List(list) => write_length(&list.length, f),
        Type::Bool
        | Type::Time
        | Type::Size
        | Type::Model
        | Type::Json
        | Type::Secret
        | Type::Step
        | Type::Media(_)
        | Type::Map(_)
        | Type::Optional(_)
        | Type::Record(_)
        | Type::Enum(_)
        | Type::Param
        | Type::None => Ok(()),
    }
}

fn write_bounds<T>(
    bounds: &Bounds<T>,
    f: &mut fmt::Formatter<'_>,
    text: impl Fn(&T) -> String,
) -> fmt::Result {
    match (&bounds.min, &bounds.max) {
        (Some(min), Some(max)) => write!(f, " in {}..{}", text(min), text(max)),
        (Some(min), None) => write!(f, " min {}", text(min)),
        (None, Some(max)) => write!(f, " max {}", text(max)),
        (None, None) => Ok(()),
    }
}

fn write_length(length: &Bounds<u64>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(min) = length.min {
        write!(f, " min {min}")?;
    }
    match length.max {
        Some(max) => write!(f, " max {max}"),
        None => Ok(()),
    }
}

/// Writes a string literal, raw where escapes would be needed.
fn quoted(text: &str) -> String {
    let special = |c: char| matches!(c, '"' | '\\') || c.is_control();
    if !text.contains(special) && !text.contains("${") {
        return format!("\"{text}\"");
    }
    if !text.contains('\'') && !text.contains(char::is_control) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.replace("${", "$${").chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::amount::Money;
    use crate::ty::{FieldType, ListType, RecordType, TextRule};

    fn int_in(min: i64, max: i64) -> Type {
        Type::Int(Bounds {
            min: Some(min),
            max: Some(max),
        })
    }

    #[test]
    fn refinements_stand_behind_the_question_mark() {
        assert_eq!(int_in(1, 8).to_string(), "int in 1..8");
        assert_eq!(int_in(1, 8).optional().to_string(), "int? in 1..8");
        let list = Type::List(ListType {
            item: Arc::new(int_in(1, 8).optional()),
            length: Bounds {
                min: None,
                max: Some(24),
            },
        });
        assert_eq!(list.optional().to_string(), "list<int? in 1..8>? max 24");
        let money = Type::Money(Bounds {
            min: Some(Money(0)),
            max: Some(Money::DOLLAR),
        });
        assert_eq!(money.to_string(), "money in $0..$1");
    }

    #[test]
    fn a_pattern_is_raw_where_it_has_backslashes() {
        let matching = |pattern: &str| {
            let rule = TextRule {
                length: Bounds {
                    min: Some(1),
                    max: None,
                },
                matching: Some(pattern.into()),
            };
            Type::Text(rule).to_string()
        };
        assert_eq!(matching("[a-z]+"), r#"text min 1 matching "[a-z]+""#);
        assert_eq!(matching(r"\d+"), r"text min 1 matching '\d+'");
        assert_eq!(matching(r"\d'"), r#"text min 1 matching "\\d'""#);
    }

    #[test]
    fn a_record_is_called_by_its_name() {
        let record = |name: Option<Arc<str>>| {
            let field = |name: &str, ty| FieldType {
                name: name.into(),
                ty,
                docs: "".into(),
            };
            let fields = vec![
                field("film", Type::Media(Media::Video)),
                field("mood", Type::text().optional()),
            ];
            Type::Record(Arc::new(RecordType { name, fields }))
        };
        assert_eq!(
            Type::list(record(Some("Shot".into()))).to_string(),
            "list<Shot>"
        );
        assert_eq!(record(None).to_string(), "{ film: video, mood: text? }");
    }
}
