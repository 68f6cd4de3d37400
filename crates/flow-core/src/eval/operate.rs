//! Operators, fields and indices.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function takes one or two kinds of values; all others are the same mistake"
)]

use std::cmp::Ordering;

use crate::amount::to_float;
use crate::eval::{EvalErrorKind, Fuel, compare, equal, kind};
use crate::expr::Op;
use crate::value::Value;

type Answer = Result<Value, EvalErrorKind>;

/// Returns a field of a record or of an artifact.
pub(crate) fn field(base: &Value, name: &str) -> Answer {
    let found = match base {
        Value::Record(fields) => fields.get(name).cloned(),
        Value::Artifact(artifact) => match name {
            "digest" => Some(Value::Text(artifact.digest.clone())),
            "bytes" => Some(Value::Int(
                i64::try_from(artifact.bytes).unwrap_or(i64::MAX),
            )),
            _ => artifact.facts.get(name).cloned(),
        },
        Value::Size(size) => match name {
            "width" => Some(Value::Int(size.width.into())),
            "height" => Some(Value::Int(size.height.into())),
            _ => None,
        },
        other => return Err(EvalErrorKind::unfit("something with fields", other)),
    };
    found.ok_or_else(|| EvalErrorKind::MissingKey(name.to_owned()))
}

/// Returns an item of a list by position, or of a map by key.
pub(crate) fn index(base: &Value, key: &Value) -> Answer {
    match (base, key) {
        (Value::List(list), Value::Int(index)) => {
            let found = usize::try_from(*index)
                .ok()
                .and_then(|at| list.items.get(at));
            found.cloned().ok_or(EvalErrorKind::IndexOutOfRange {
                index: *index,
                length: list.items.len(),
            })
        }
        (Value::Record(fields), Value::Text(key)) => {
            let found = fields.get(key).cloned();
            found.ok_or_else(|| EvalErrorKind::MissingKey(key.to_string()))
        }
        (Value::List(_), other) => Err(EvalErrorKind::unfit("a position", other)),
        (Value::Record(_), other) => Err(EvalErrorKind::unfit("a key", other)),
        (other, _) => Err(EvalErrorKind::unfit("a list or a map", other)),
    }
}

/// `-value`
pub(crate) fn negate(value: &Value) -> Answer {
    let negated = match value {
        Value::Int(number) => number.checked_neg().map(Value::Int),
        Value::Float(number) => Some(Value::Float(-number)),
        Value::Money(amount) => amount.checked_neg().map(Value::Money),
        Value::Duration(length) => length.checked_neg().map(Value::Duration),
        other => return Err(EvalErrorKind::unfit("a number", other)),
    };
    negated.ok_or(EvalErrorKind::Overflow)
}

/// An operator between two values. `and`, `or` and `??` are the caller's, since
/// they don't always look at their right side.
pub(crate) fn binary(op: Op, left: &Value, right: &Value, fuel: &mut Fuel) -> Answer {
    match op {
        Op::Add => add(left, right),
        Op::Subtract => subtract(left, right),
        Op::Multiply => multiply(left, right),
        Op::Divide => divide(left, right),
        Op::Remainder => remainder(left, right),
        Op::Equal => equal(left, right, fuel).map(Value::Bool),
        Op::NotEqual => equal(left, right, fuel).map(|equal| Value::Bool(!equal)),
        Op::Less => ordered(left, right, Ordering::is_lt, fuel),
        Op::LessEqual => ordered(left, right, Ordering::is_le, fuel),
        Op::Greater => ordered(left, right, Ordering::is_gt, fuel),
        Op::GreaterEqual => ordered(left, right, Ordering::is_ge, fuel),
        Op::In => contains(right, left, fuel).map(Value::Bool),
        Op::And | Op::Or | Op::Coalesce => Err(EvalErrorKind::unfit("a bool", left)),
    }
}

/// Returns whether a list has an item, a map a key, or a text a part.
pub(crate) fn contains(base: &Value, part: &Value, fuel: &mut Fuel) -> Result<bool, EvalErrorKind> {
    match (base, part) {
        (Value::List(list), part) => {
            for item in &list.items {
                if equal(item, part, fuel)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Value::Record(fields), Value::Text(key)) => Ok(fields.contains_key(key)),
        (Value::Text(text), Value::Text(part)) => {
            fuel.spend_size(text.len())?;
            Ok(text.contains(&**part))
        }
        (other, _) => Err(EvalErrorKind::unfit("a list, a map or a text", other)),
    }
}

fn ordered(left: &Value, right: &Value, holds: fn(Ordering) -> bool, fuel: &mut Fuel) -> Answer {
    let alike = matches!(
        (left, right),
        (
            Value::Int(_) | Value::Float(_),
            Value::Int(_) | Value::Float(_)
        ) | (Value::Text(_), Value::Text(_))
            | (Value::Duration(_), Value::Duration(_))
            | (Value::Money(_), Value::Money(_))
            | (Value::Time(_), Value::Time(_))
    );
    if !alike {
        return Err(clash("two values that have an order", left, right));
    }
    if let (Value::Text(left), Value::Text(right)) = (left, right) {
        fuel.spend_size(left.len().min(right.len()))?;
    }
    Ok(Value::Bool(holds(compare(left, right))))
}

/// Blames the side that can't have been meant.
fn clash(expected: &'static str, left: &Value, right: &Value) -> EvalErrorKind {
    let found = match kind(left) {
        "an int" | "a float" => kind(right),
        found => found,
    };
    EvalErrorKind::Unfit { expected, found }
}

/// Two numbers, of which one has a fraction.
fn floats(left: &Value, right: &Value) -> Option<(f64, f64)> {
    match (left, right) {
        (Value::Float(a), Value::Float(b)) => Some((*a, *b)),
        (Value::Int(a), Value::Float(b)) => Some((to_float(*a), *b)),
        (Value::Float(a), Value::Int(b)) => Some((*a, to_float(*b))),
        _ => None,
    }
}

pub(crate) fn finite(number: f64) -> Answer {
    if number.is_finite() {
        Ok(Value::Float(number))
    } else {
        Err(EvalErrorKind::NotFinite)
    }
}

fn add(left: &Value, right: &Value) -> Answer {
    let sum = match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int),
        (Value::Money(a), Value::Money(b)) => a.checked_add(*b).map(Value::Money),
        (Value::Duration(a), Value::Duration(b)) => a.checked_add(*b).map(Value::Duration),
        (Value::Time(a), Value::Duration(b)) | (Value::Duration(b), Value::Time(a)) => {
            a.checked_add(*b).map(Value::Time)
        }
        _ => match floats(left, right) {
            Some((a, b)) => return finite(a + b),
            None => return Err(clash("two values that can be added", left, right)),
        },
    };
    sum.ok_or(EvalErrorKind::Overflow)
}

fn subtract(left: &Value, right: &Value) -> Answer {
    let difference = match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.checked_sub(*b).map(Value::Int),
        (Value::Money(a), Value::Money(b)) => a.checked_sub(*b).map(Value::Money),
        (Value::Duration(a), Value::Duration(b)) => a.checked_sub(*b).map(Value::Duration),
        (Value::Time(a), Value::Duration(b)) => a.checked_sub(*b).map(Value::Time),
        (Value::Time(a), Value::Time(b)) => a.since(*b).map(Value::Duration),
        _ => match floats(left, right) {
            Some((a, b)) => return finite(a - b),
            None => return Err(clash("two values that can be subtracted", left, right)),
        },
    };
    difference.ok_or(EvalErrorKind::Overflow)
}

fn multiply(left: &Value, right: &Value) -> Answer {
    let product = match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.checked_mul(*b).map(Value::Int),
        (Value::Money(a), Value::Int(b)) | (Value::Int(b), Value::Money(a)) => {
            a.checked_times(*b).map(Value::Money)
        }
        (Value::Money(a), Value::Float(b)) | (Value::Float(b), Value::Money(a)) => {
            a.checked_scale(*b).map(Value::Money)
        }
        (Value::Duration(a), Value::Int(b)) | (Value::Int(b), Value::Duration(a)) => {
            a.checked_times(*b).map(Value::Duration)
        }
        (Value::Duration(a), Value::Float(b)) | (Value::Float(b), Value::Duration(a)) => {
            a.checked_scale(*b).map(Value::Duration)
        }
        _ => match floats(left, right) {
            Some((a, b)) => return finite(a * b),
            None => return Err(clash("two values that can be multiplied", left, right)),
        },
    };
    product.ok_or(EvalErrorKind::Overflow)
}

fn divide(left: &Value, right: &Value) -> Answer {
    if is_zero(right) {
        return Err(EvalErrorKind::DivisionByZero);
    }
    let quotient = match (left, right) {
        (Value::Int(a), Value::Int(b)) => return finite(to_float(*a) / to_float(*b)),
        (Value::Money(a), Value::Int(b)) => a.checked_divide(*b).map(Value::Money),
        (Value::Money(a), Value::Float(b)) => a.checked_scale(1.0 / b).map(Value::Money),
        (Value::Money(a), Value::Money(b)) => a.ratio(*b).map(Value::Float),
        (Value::Duration(a), Value::Int(b)) => a.checked_divide(*b).map(Value::Duration),
        (Value::Duration(a), Value::Float(b)) => a.checked_scale(1.0 / b).map(Value::Duration),
        (Value::Duration(a), Value::Duration(b)) => a.ratio(*b).map(Value::Float),
        _ => match floats(left, right) {
            Some((a, b)) => return finite(a / b),
            None => return Err(clash("two values that can be divided", left, right)),
        },
    };
    quotient.ok_or(EvalErrorKind::Overflow)
}

fn remainder(left: &Value, right: &Value) -> Answer {
    if is_zero(right) {
        return Err(EvalErrorKind::DivisionByZero);
    }
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => {
            // The one pair whose quotient overflows has no remainder.
            Ok(Value::Int(a.checked_rem_euclid(*b).unwrap_or(0)))
        }
        _ => match floats(left, right) {
            Some((a, b)) => finite(a.rem_euclid(b)),
            None => Err(clash("two numbers", left, right)),
        },
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Int(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        Value::Money(amount) => amount.0 == 0,
        Value::Duration(length) => length.0 == 0,
        _ => false,
    }
}
