//! Functions of numbers.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function takes one or two kinds of values; all others are the same mistake"
)]

use crate::amount::{to_float, whole};
use crate::eval::operate::{binary, finite};
use crate::eval::{EvalErrorKind, Fuel};
use crate::expr::{Function, Op};
use crate::value::Value;

type Answer = Result<Value, EvalErrorKind>;

/// How many digits a pattern may ask for on each side of the dot.
const DIGITS_MAX: usize = 32;

/// A whole number as one with a fraction; anything else stays as it is.
pub(crate) fn widen(value: Value) -> Value {
    if let Value::Int(number) = value {
        Value::Float(to_float(number))
    } else {
        value
    }
}

/// The sum of a list. The second argument is the sum of no items.
pub(super) fn sum(args: &[Value], fuel: &mut Fuel) -> Answer {
    let (list, start) = match args {
        [Value::List(list)] => (list, None),
        [Value::List(list), start] => (list, Some(start.clone())),
        _ => return Err(EvalErrorKind::Arguments(Function::Sum)),
    };
    fuel.spend_size(list.items.len())?;
    let mut sum = start;
    for item in &list.items {
        sum = Some(match sum {
            Some(sum) => binary(Op::Add, &sum, item, fuel)?,
            None => item.clone(),
        });
    }
    Ok(sum.unwrap_or(Value::Int(0)))
}

pub(super) fn round(function: Function, args: &[Value]) -> Answer {
    let rounded = match (function, args) {
        (Function::Abs, [value]) => return abs(value),
        (_, [Value::Int(number)]) => return Ok(Value::Int(*number)),
        (Function::Round, [Value::Float(number)]) => number.round(),
        (Function::Floor, [Value::Float(number)]) => number.floor(),
        (Function::Ceil, [Value::Float(number)]) => number.ceil(),
        _ => return Err(EvalErrorKind::Arguments(function)),
    };
    whole(rounded)
        .map(Value::Int)
        .ok_or(EvalErrorKind::Overflow)
}

fn abs(value: &Value) -> Answer {
    let positive = match value {
        Value::Int(number) => number.checked_abs().map(Value::Int),
        Value::Float(number) => Some(Value::Float(number.abs())),
        Value::Money(amount) if amount.0 < 0 => amount.checked_neg().map(Value::Money),
        Value::Duration(length) if length.0 < 0 => length.checked_neg().map(Value::Duration),
        Value::Money(_) | Value::Duration(_) => Some(value.clone()),
        other => return Err(EvalErrorKind::unfit("a number", other)),
    };
    positive.ok_or(EvalErrorKind::Overflow)
}

/// The number that a text says, if it says one.
pub(super) fn parse(args: &[Value], fuel: &mut Fuel) -> Answer {
    let [Value::Text(text)] = args else {
        return Err(EvalErrorKind::Arguments(Function::Number));
    };
    fuel.spend_size(text.len())?;
    let text = text.trim();
    // `inf` and `nan` are words, not numbers.
    let plain = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
        && text.ends_with(|c: char| c.is_ascii_digit() || c == '.');
    let number = text
        .parse::<f64>()
        .ok()
        .filter(|number| plain && number.is_finite());
    Ok(number.map_or(Value::None, Value::Float))
}

/// Writes a number by a pattern like `000` or `0.00`: at least so many digits
/// before the dot, exactly so many after it.
pub(super) fn format(value: &Value, pattern: &str) -> Answer {
    let (before, after) = pattern
        .split_once('.')
        .map_or((pattern, None), |(before, after)| (before, Some(after)));
    let zeros = |part: &str| {
        (1..=DIGITS_MAX).contains(&part.len()) && part.bytes().all(|byte| byte == b'0')
    };
    if !zeros(before) || !after.is_none_or(zeros) {
        return Err(EvalErrorKind::BadPattern {
            pattern: pattern.to_owned(),
            what: "a number",
            help: "write it with zeros, as `0.00` or `000`",
        });
    }
    let decimals = after.map_or(0, str::len);
    let text = match value {
        Value::Int(number) => {
            let mut text = number.unsigned_abs().to_string();
            if decimals > 0 {
                text.push('.');
                text.push_str(&"0".repeat(decimals));
            }
            (*number < 0, text)
        }
        Value::Float(number) => (*number < 0.0, format!("{:.decimals$}", number.abs())),
        other => {
            return Err(EvalErrorKind::unfit(
                "a number, a time or a duration",
                other,
            ));
        }
    };
    let (negative, digits) = text;
    let long = digits.find('.').unwrap_or(digits.len());
    let padding = "0".repeat(before.len().saturating_sub(long));
    // `-0.00` would claim a sign that the digits don't have.
    let signed = negative && digits.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let sign = if signed { "-" } else { "" };
    Ok(Value::text(format!("{sign}{padding}{digits}")))
}

/// A number rounded to so many decimals, for templates.
pub(crate) fn round_to(number: f64, decimals: i64) -> Answer {
    let decimals = usize::try_from(decimals.clamp(0, 32)).unwrap_or(0);
    let text = format!("{number:.decimals$}");
    finite(text.parse().unwrap_or(number))
}
