//! How a word is read by the type that is expected of it.
//!
//! One rule for YAML scalars, for inputs on the command line and for literals:
//! what is expected decides, not what the word looks like. Only where anything
//! may stand does YAML's core schema decide.

use std::str::FromStr;
use std::sync::Arc;

use crate::check::{Mismatch, listing};
use crate::literal::{self, LiteralError, excerpt};
use crate::ty::{EnumType, Type};
use crate::value::Value;

/// Why a word isn't a value of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScalarError {
    /// It isn't such a literal.
    #[error(transparent)]
    Literal(#[from] LiteralError),
    /// It is no truth value.
    #[error("expected `true` or `false`, found `{text}`{}", cure.map(|cure| format!(": write `{cure}`")).unwrap_or_default())]
    Bool {
        /// What was written.
        text: Box<str>,
        /// What was probably meant.
        cure: Option<bool>,
    },
    /// It is no value of an enumeration.
    #[error("`{text}` is none of {}", listing(.candidates))]
    Word {
        /// What was written.
        text: Box<str>,
        /// The words that are possible.
        candidates: Vec<Arc<str>>,
    },
    /// It is out of the bounds of its type.
    #[error(transparent)]
    Unfit(#[from] Mismatch),
    /// It is no reference to a step.
    #[error("expected the name of a step like `gen.image`, found `{text}`")]
    Step {
        /// What was written.
        text: Box<str>,
    },
    /// It is no name of a secret. What was written is not repeated.
    #[error("a secret is given by its name, in capitals like `API_TOKEN`, never by what it hides")]
    Secret,
    /// No word has this type.
    #[error("expected `{ty}`, found the word `{text}`{}", tail(.hint))]
    Compound {
        /// The type.
        ty: String,
        /// What was written.
        text: Box<str>,
        /// How such a value is written.
        hint: &'static str,
    },
}

fn tail(hint: &str) -> String {
    if hint.is_empty() {
        String::new()
    } else {
        format!(": {hint}")
    }
}

/// Reads a word as a value of a type.
pub fn read(text: &str, ty: &Type) -> Result<Value, ScalarError> {
    let value = match ty {
        Type::Optional(_) if text == "none" => return Ok(Value::None),
        Type::Optional(inner) => return read(text, inner),
        Type::Text(_) => Value::text(text),
        Type::Int(_) => Value::Int(literal::int(text)?),
        Type::Float(_) => Value::Float(literal::float(text)?),
        Type::Bool => Value::Bool(truth(text)?),
        Type::Duration(_) => Value::Duration(parse(text)?),
        Type::Money(_) => Value::Money(parse(text)?),
        Type::Time => Value::Time(parse(text)?),
        Type::Size => Value::Size(parse(text)?),
        Type::Model => Value::text(text),
        Type::Json | Type::Param => core_schema(text, Quoting::Plain),
        Type::Secret => secret(text)?,
        Type::Step => step(text)?,
        Type::Enum(words) => word(text, words)?,
        Type::None if text == "none" => Value::None,
        Type::None | Type::List(_) | Type::Map(_) | Type::Record(_) | Type::Media(_) => {
            return Err(compound(text, ty));
        }
    };
    ty.check(&value)?;
    Ok(value)
}

fn parse<T: FromStr<Err = LiteralError>>(text: &str) -> Result<T, LiteralError> {
    text.parse()
}

fn compound(text: &str, ty: &Type) -> ScalarError {
    let hint = match ty {
        Type::List(_) => "a list is written in `[` and `]`",
        Type::Map(_) | Type::Record(_) => "a record is written in `{` and `}`",
        Type::Media(_) => "a file is named by `file(\"…\")`",
        Type::Text(_)
        | Type::Int(_)
        | Type::Float(_)
        | Type::Bool
        | Type::Duration(_)
        | Type::Money(_)
        | Type::Time
        | Type::Size
        | Type::Model
        | Type::Json
        | Type::Secret
        | Type::Step
        | Type::Optional(_)
        | Type::Enum(_)
        | Type::Param
        | Type::None => "",
    };
    ScalarError::Compound {
        ty: ty.to_string(),
        text: excerpt(text),
        hint,
    }
}

fn truth(text: &str) -> Result<bool, ScalarError> {
    let cure = match text {
        "true" => return Ok(true),
        "false" => return Ok(false),
        other => match other.to_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "1" => Some(true),
            "false" | "no" | "off" | "n" | "0" => Some(false),
            _ => None,
        },
    };
    Err(ScalarError::Bool {
        text: excerpt(text),
        cure,
    })
}

fn word(text: &str, words: &EnumType) -> Result<Value, ScalarError> {
    let mut variants = words.variants.iter();
    let found = words
        .variant(text)
        .or_else(|| variants.find(|variant| &*variant.outside == text));
    match found {
        Some(variant) => Ok(Value::Enum(variant.name.clone())),
        None => Err(ScalarError::Word {
            text: excerpt(text),
            candidates: words
                .variants
                .iter()
                .map(|variant| variant.name.clone())
                .collect(),
        }),
    }
}

fn secret(text: &str) -> Result<Value, ScalarError> {
    // Capitals only: what people paste by mistake hardly looks like that.
    let named = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if named {
        Ok(Value::Secret(text.into()))
    } else {
        Err(ScalarError::Secret)
    }
}

fn step(text: &str) -> Result<Value, ScalarError> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && word.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    if text.split('.').all(is_word) {
        Ok(Value::text(text))
    } else {
        Err(ScalarError::Step {
            text: excerpt(text),
        })
    }
}

/// Whether a YAML scalar was quoted or a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// It stands alone.
    Plain,
    /// It was quoted, or is a block.
    Quoted,
}

/// Reads a scalar by the core schema of YAML 1.2, where any type may stand.
///
/// What JSON can't say, such as `.inf`, stays text.
pub fn core_schema(text: &str, quoting: Quoting) -> Value {
    if quoting == Quoting::Quoted {
        return Value::text(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::None,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    core_int(text)
        .map(Value::Int)
        .or_else(|| core_float(text).map(Value::Float))
        .unwrap_or_else(|| Value::text(text))
}

fn core_int(text: &str) -> Option<i64> {
    let radix = |digits: &str, radix| {
        let alone = digits.starts_with(|c: char| c.is_ascii_hexdigit());
        alone
            .then(|| i64::from_str_radix(digits, radix).ok())
            .flatten()
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    text.parse().ok()
}

fn core_float(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = body.strip_prefix('.').unwrap_or(body);
    // Rust also reads `inf`, `nan` and `infinity`.
    if !starts.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::{Duration, Money};
    use crate::ty::{Bounds, Media, VariantType};

    fn look() -> Type {
        let variant = |name: &str, outside: &str| VariantType {
            name: name.into(),
            outside: outside.into(),
        };
        let variants = vec![variant("wide", "16:9"), variant("tall", "9:16")];
        Type::Enum(Arc::new(EnumType {
            name: None,
            variants,
        }))
    }

    fn error(text: &str, ty: &Type) -> String {
        read(text, ty).expect_err(text).to_string()
    }

    #[test]
    fn a_text_stays_what_was_written() {
        for text in ["3.10", "no", "0755", "", "null", "true", " a "] {
            assert_eq!(read(text, &Type::text()), Ok(Value::text(text)));
        }
    }

    #[test]
    fn the_expected_type_decides() {
        let cases = [
            ("3", Type::int(), Value::Int(3)),
            ("3", Type::float(), Value::Float(3.0)),
            ("3", Type::text(), Value::text("3")),
            ("true", Type::Bool, Value::Bool(true)),
            (
                "30s",
                Type::Duration(Bounds::default()),
                Value::Duration(Duration(30_000_000_000)),
            ),
            (
                "$2",
                Type::Money(Bounds::default()),
                Value::Money(Money(2_000_000_000)),
            ),
            ("wide", look(), Value::Enum("wide".into())),
            ("9:16", look(), Value::Enum("tall".into())),
            ("none", Type::int().optional(), Value::None),
            ("7", Type::int().optional(), Value::Int(7)),
            ("7", Type::Json, Value::Int(7)),
            ("API_TOKEN", Type::Secret, Value::Secret("API_TOKEN".into())),
            ("gen.image", Type::Step, Value::text("gen.image")),
        ];
        for (text, ty, value) in cases {
            assert_eq!(read(text, &ty), Ok(value), "{text} as {ty}");
        }
    }

    #[test]
    fn an_error_says_what_to_write() {
        assert_eq!(
            error("yes", &Type::Bool),
            "expected `true` or `false`, found `yes`: write `true`"
        );
        assert_eq!(
            error("maybe", &Type::Bool),
            "expected `true` or `false`, found `maybe`"
        );
        assert_eq!(
            error("noir", &look()),
            "`noir` is none of `wide` and `tall`"
        );
        let takes = Type::Int(Bounds {
            min: Some(1),
            max: Some(8),
        });
        assert_eq!(error("9", &takes), "expected `int in 1..8`, found `9`");
        assert_eq!(
            error("a.png", &Type::Media(Media::Image)),
            "expected `image`, found the word `a.png`: a file is named by `file(\"…\")`"
        );
    }

    #[test]
    fn a_pasted_secret_is_not_repeated() {
        assert!(!error("sk-live-123", &Type::Secret).contains("123"));
    }

    #[test]
    fn anything_is_read_by_the_core_schema() {
        let cases = [
            ("", Value::None),
            ("~", Value::None),
            ("True", Value::Bool(true)),
            ("no", Value::text("no")),
            ("0755", Value::Int(755)),
            ("0o17", Value::Int(15)),
            ("0xff", Value::Int(255)),
            ("0x-1", Value::text("0x-1")),
            ("+12", Value::Int(12)),
            ("1e3", Value::Float(1000.0)),
            (".5", Value::Float(0.5)),
            ("1.", Value::Float(1.0)),
            (".inf", Value::text(".inf")),
            ("nan", Value::text("nan")),
            ("1_000", Value::text("1_000")),
            ("3.10.1", Value::text("3.10.1")),
        ];
        for (text, value) in cases {
            assert_eq!(core_schema(text, Quoting::Plain), value, "{text}");
        }
        assert_eq!(core_schema("12", Quoting::Quoted), Value::text("12"));
    }
}
