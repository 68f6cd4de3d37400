//! What the filters and tests of templates compute.

use crate::amount::whole;
use crate::eval::{self, EvalErrorKind, Fuel, TEXT_MAX, round_to, write};
use crate::expr::Function;
use crate::template::filter::{Filter, Test};
use crate::value::Value;

type Answer = Result<Value, EvalErrorKind>;

/// How many blanks `indent` writes at most.
const INDENT_MAX: usize = 256;

pub(super) fn apply(filter: Filter, base: Value, args: &[Value], fuel: &mut Fuel) -> Answer {
    let function = match filter {
        Filter::Upper => Function::Upper,
        Filter::Lower => Function::Lower,
        Filter::Trim => Function::Trim,
        Filter::Replace => Function::Replace,
        Filter::Split => Function::Split,
        Filter::Join => Function::Join,
        Filter::Length => Function::Len,
        Filter::First => Function::First,
        Filter::Last => Function::Last,
        Filter::Abs => Function::Abs,
        Filter::Sum => Function::Sum,
        Filter::Min => Function::Min,
        Filter::Max => Function::Max,
        Filter::Sort => Function::Sort,
        Filter::Unique => Function::Unique,
        Filter::Reverse => Function::Reverse,
        Filter::Json => Function::Json,
        // Whether the base is there was the caller's question.
        Filter::Default => return Ok(base),
        Filter::Round | Filter::Int | Filter::Float => return number(filter, &base, args),
        Filter::String => {
            let mut text = String::new();
            write(&base, &mut text, fuel)?;
            return Ok(Value::text(text));
        }
        Filter::Title
        | Filter::Capitalize
        | Filter::Indent
        | Filter::Truncate
        | Filter::Wordcount => return text(filter, &base, args, fuel),
    };
    let mut all = vec![base];
    all.extend_from_slice(args);
    eval::apply(function, &all, fuel)
}

fn number(filter: Filter, base: &Value, args: &[Value]) -> Answer {
    match (filter, base, args) {
        (Filter::Round | Filter::Int, Value::Int(_), _) => Ok(base.clone()),
        (Filter::Round, Value::Float(number), []) => Ok(Value::Float(number.round())),
        (Filter::Round, Value::Float(number), [Value::Int(decimals)]) => {
            round_to(*number, *decimals)
        }
        (Filter::Int, Value::Float(number), _) => {
            let whole = whole(number.trunc()).ok_or(EvalErrorKind::Overflow)?;
            Ok(Value::Int(whole))
        }
        (Filter::Float, Value::Int(_) | Value::Float(_), _) => Ok(eval::widen(base.clone())),
        _ => Err(EvalErrorKind::unfit("a number", base)),
    }
}

fn text(filter: Filter, base: &Value, args: &[Value], fuel: &mut Fuel) -> Answer {
    let Value::Text(text) = base else {
        return Err(EvalErrorKind::unfit("a text", base));
    };
    fuel.spend_size(text.len())?;
    let made = match (filter, args) {
        (Filter::Title, _) => title(text),
        (Filter::Capitalize, _) => capitalize(text),
        (Filter::Indent, [Value::Int(count)]) => indent(text, *count, fuel)?,
        (Filter::Truncate, [Value::Int(count)]) => truncate(text, *count),
        (Filter::Wordcount, _) => {
            let count = text.split_whitespace().count();
            return Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)));
        }
        _ => return Err(EvalErrorKind::unfit("a whole number as its argument", base)),
    };
    fuel.spend_size(made.len())?;
    Ok(Value::text(made))
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    first + &letters.as_str().to_lowercase()
}

fn title(text: &str) -> String {
    let mut made = String::new();
    let mut inside = false;
    for letter in text.chars() {
        if inside {
            made.extend(letter.to_lowercase());
        } else {
            made.extend(letter.to_uppercase());
        }
        // An apostrophe doesn't end a word.
        inside = letter.is_alphanumeric() || (inside && matches!(letter, '\'' | '’'));
    }
    made
}

fn indent(text: &str, count: i64, fuel: &mut Fuel) -> Result<String, EvalErrorKind> {
    let count = usize::try_from(count.max(0))
        .unwrap_or(INDENT_MAX)
        .min(INDENT_MAX);
    let length = text.len() + text.matches('\n').count() * count;
    fuel.spend_size(length)?;
    if length > TEXT_MAX {
        return Err(EvalErrorKind::TooLarge);
    }
    let blanks = " ".repeat(count);
    let mut made = String::new();
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            made.push('\n');
            if !line.trim().is_empty() {
                made.push_str(&blanks);
            }
        }
        made.push_str(line);
    }
    Ok(made)
}

fn truncate(text: &str, count: i64) -> String {
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    if text.chars().nth(count).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(count.saturating_sub(1)).collect();
    if count == 0 {
        kept
    } else {
        kept.trim_end().to_owned() + "…"
    }
}

pub(super) fn test(test: Test, value: &Value, args: &[Value]) -> Result<bool, EvalErrorKind> {
    let number = || {
        if let Value::Int(number) = value {
            Ok(*number)
        } else {
            Err(EvalErrorKind::unfit("a whole number", value))
        }
    };
    Ok(match (test, args) {
        (Test::Defined, _) => *value != Value::None,
        (Test::Undefined | Test::None, _) => *value == Value::None,
        (Test::Odd, _) => number()?.rem_euclid(2) == 1,
        (Test::Even, _) => number()?.rem_euclid(2) == 0,
        (Test::Divisibleby, [Value::Int(by)]) => {
            if *by == 0 {
                return Err(EvalErrorKind::DivisionByZero);
            }
            number()?.checked_rem_euclid(*by).unwrap_or(0) == 0
        }
        (Test::Divisibleby, _) => return Err(EvalErrorKind::unfit("a whole number", value)),
    })
}
