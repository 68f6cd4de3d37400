//! Functions of texts. Letters are Unicode's; nothing depends on a locale.

use crate::eval::lists::checked_length;
use crate::eval::{EvalErrorKind, Fuel, TEXT_MAX, write};
use crate::expr::Function;
use crate::value::Value;

type Answer = Result<Value, EvalErrorKind>;

pub(super) fn apply(function: Function, args: &[Value], fuel: &mut Fuel) -> Answer {
    if let Some(Value::Text(text)) = args.first() {
        fuel.spend_size(text.len())?;
    }
    match (function, args) {
        (Function::Upper, [Value::Text(text)]) => sized(text.to_uppercase(), fuel),
        (Function::Lower, [Value::Text(text)]) => sized(text.to_lowercase(), fuel),
        (Function::Trim, [Value::Text(text)]) => Ok(Value::text(text.trim())),
        (Function::StartsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.starts_with(&**part)))
        }
        (Function::EndsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.ends_with(&**part)))
        }
        (Function::Replace, [Value::Text(text), Value::Text(from), Value::Text(to)]) => {
            replace(text, from, to, fuel).map(Value::text)
        }
        (Function::Split, [Value::Text(text), Value::Text(separator)]) => {
            split(text, separator, fuel)
        }
        (Function::Join, [Value::List(list)]) => join(&list.items, "", fuel),
        (Function::Join, [Value::List(list), Value::Text(separator)]) => {
            join(&list.items, separator, fuel)
        }
        _ => Err(EvalErrorKind::Arguments(function)),
    }
}

fn sized(text: String, fuel: &mut Fuel) -> Answer {
    fuel.spend_size(text.len())?;
    if text.len() > TEXT_MAX {
        return Err(EvalErrorKind::TooLarge);
    }
    Ok(Value::text(text))
}

/// Replaces a part wherever it is. An empty part is nowhere.
pub(crate) fn replace(
    text: &str,
    from: &str,
    to: &str,
    fuel: &mut Fuel,
) -> Result<String, EvalErrorKind> {
    if from.is_empty() {
        return Ok(text.to_owned());
    }
    // The length is known before anything is written.
    let found = text.matches(from).count();
    let length = (text.len() - found * from.len()).saturating_add(found.saturating_mul(to.len()));
    fuel.spend_size(length)?;
    if length > TEXT_MAX {
        return Err(EvalErrorKind::TooLarge);
    }
    Ok(text.replace(from, to))
}

/// Cuts a text at a separator; an empty one cuts between all characters.
pub(crate) fn split(text: &str, separator: &str, fuel: &mut Fuel) -> Answer {
    if separator.is_empty() {
        checked_length(text.chars().count(), fuel)?;
        let letters = text.chars().map(|letter| Value::text(letter.to_string()));
        return Ok(Value::list(letters.collect()));
    }
    checked_length(text.matches(separator).count() + 1, fuel)?;
    Ok(Value::list(
        text.split(separator).map(Value::text).collect(),
    ))
}

/// Puts items together with a separator.
pub(crate) fn join(items: &[Value], separator: &str, fuel: &mut Fuel) -> Answer {
    let mut joined = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            fuel.spend_size(separator.len())?;
            joined.push_str(separator);
        }
        write(item, &mut joined, fuel)?;
        if joined.len() > TEXT_MAX {
            return Err(EvalErrorKind::TooLarge);
        }
    }
    Ok(Value::text(joined))
}
