//! One order over all values: equality, `sort` and `unique` agree in it.

use std::cmp::Ordering;

use crate::amount::to_float;
use crate::eval::{DEPTH_MAX, EvalErrorKind, Fuel};
use crate::value::Value;

/// Takes the fuel for looking at a whole value; fails if it nests too deeply.
pub(crate) fn charge(value: &Value, fuel: &mut Fuel) -> Result<(), EvalErrorKind> {
    charge_at(value, fuel, DEPTH_MAX)
}

fn charge_at(value: &Value, fuel: &mut Fuel, depth: usize) -> Result<(), EvalErrorKind> {
    let depth = depth.checked_sub(1).ok_or(EvalErrorKind::TooDeep)?;
    fuel.spend(1)?;
    match value {
        Value::Text(text) | Value::Enum(text) | Value::Secret(text) => fuel.spend_size(text.len()),
        Value::List(list) => {
            let mut items = list.items.iter();
            items.try_for_each(|item| charge_at(item, fuel, depth))
        }
        Value::Record(fields) => fields.iter().try_for_each(|(name, value)| {
            fuel.spend_size(name.len())?;
            charge_at(value, fuel, depth)
        }),
        Value::Artifact(_)
        | Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Time(_)
        | Value::Size(_) => Ok(()),
    }
}

/// Returns whether two values are the same; whole numbers and those with a
/// fraction are compared by what they are worth.
pub(crate) fn equal(left: &Value, right: &Value, fuel: &mut Fuel) -> Result<bool, EvalErrorKind> {
    charge(left, fuel)?;
    charge(right, fuel)?;
    Ok(compare(left, right) == Ordering::Equal)
}

/// Compares values that were charged for. Unlike ones are ordered by kind.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Int(a), Value::Float(b)) => int_to_float(*a, *b),
        (Value::Float(a), Value::Int(b)) => int_to_float(*b, *a).reverse(),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap_or_else(|| a.total_cmp(b)),
        (Value::Text(a) | Value::Enum(a), Value::Text(b) | Value::Enum(b))
        | (Value::Secret(a), Value::Secret(b)) => a.cmp(b),
        (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        (Value::Money(a), Value::Money(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Size(a), Value::Size(b)) => (a.width, a.height).cmp(&(b.width, b.height)),
        (Value::Artifact(a), Value::Artifact(b)) => (&a.digest, a.media).cmp(&(&b.digest, b.media)),
        (Value::List(a), Value::List(b)) => {
            let pairs = a.items.iter().zip(&b.items);
            let first = pairs
                .map(|(a, b)| compare(a, b))
                .find(|order| order.is_ne());
            first.unwrap_or_else(|| a.items.len().cmp(&b.items.len()))
        }
        (Value::Record(a), Value::Record(b)) => {
            let pairs = a.iter().zip(b.iter());
            let first = pairs
                .map(|((a, x), (b, y))| a.cmp(b).then_with(|| compare(x, y)))
                .find(|order| order.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

/// Compares exactly: 2^53 + 1 isn't what it is after rounding.
fn int_to_float(int: i64, float: f64) -> Ordering {
    match crate::amount::whole(float.floor()) {
        Some(floor) => int.cmp(&floor).then_with(|| {
            let has_fraction = float > to_float(floor);
            if has_fraction {
                Ordering::Less
            } else {
                Ordering::Equal
            }
        }),
        None if float > 0.0 => Ordering::Less,
        None => Ordering::Greater,
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::None => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) => 2,
        Value::Text(_) | Value::Enum(_) => 3,
        Value::Duration(_) => 4,
        Value::Money(_) => 5,
        Value::Time(_) => 6,
        Value::Size(_) => 7,
        Value::List(_) => 8,
        Value::Record(_) => 9,
        Value::Artifact(_) => 10,
        Value::Secret(_) => 11,
    }
}
