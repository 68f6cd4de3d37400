//! Functions of lists and maps. None of them keeps the keys of items: those
//! belong to the places that a `for` gave.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function takes one or two kinds of values; all others are the same mistake"
)]

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::amount::to_float;
use crate::draw::Draw;
use crate::eval::compare::charge;
use crate::eval::{EvalErrorKind, Fuel, LIST_MAX, compare, index, truth};
use crate::expr::Function;
use crate::value::Value;

type Answer = Result<Value, EvalErrorKind>;

fn items(value: &Value) -> Result<&[Value], EvalErrorKind> {
    match value {
        Value::List(list) => Ok(&list.items),
        other => Err(EvalErrorKind::unfit("a list", other)),
    }
}

/// Takes the fuel for making a list; fails if it would be too long.
pub(crate) fn checked_length(length: usize, fuel: &mut Fuel) -> Result<(), EvalErrorKind> {
    if length > LIST_MAX {
        return Err(EvalErrorKind::TooMany);
    }
    fuel.spend_size(length)
}

fn count(length: usize) -> Value {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

fn clamp(count: i64) -> usize {
    usize::try_from(count.max(0)).unwrap_or(usize::MAX)
}

pub(super) fn len(args: &[Value], fuel: &mut Fuel) -> Answer {
    match args {
        [Value::List(list)] => Ok(count(list.items.len())),
        [Value::Record(fields)] => Ok(count(fields.len())),
        [Value::Text(text)] => {
            fuel.spend_size(text.len())?;
            Ok(count(text.chars().count()))
        }
        _ => Err(EvalErrorKind::Arguments(Function::Len)),
    }
}

pub(super) fn range(args: &[Value], fuel: &mut Fuel) -> Answer {
    let (first, end) = match args {
        [Value::Int(end)] => (0, *end),
        [Value::Int(first), Value::Int(end)] => (*first, *end),
        _ => return Err(EvalErrorKind::Arguments(Function::Range)),
    };
    let length = end.checked_sub(first).ok_or(EvalErrorKind::TooMany)?;
    checked_length(clamp(length), fuel)?;
    Ok(Value::list((first..end).map(Value::Int).collect()))
}

fn pair(first: (&str, Value), second: (&str, Value)) -> Value {
    let fields = [first, second].map(|(name, value)| (Arc::from(name), value));
    Value::Record(Arc::new(BTreeMap::from(fields)))
}

pub(super) fn reshape(function: Function, args: &[Value], fuel: &mut Fuel) -> Answer {
    let made = match (function, args) {
        (Function::Enumerate, [list]) => {
            let items = items(list)?;
            fuel.spend_size(items.len())?;
            let numbered = items.iter().enumerate();
            numbered
                .map(|(at, item)| pair(("index", count(at)), ("item", item.clone())))
                .collect()
        }
        (Function::Zip, [left, right]) => {
            let (left, right) = (items(left)?, items(right)?);
            fuel.spend_size(left.len().min(right.len()))?;
            let pairs = left.iter().zip(right);
            pairs
                .map(|(a, b)| pair(("first", a.clone()), ("second", b.clone())))
                .collect()
        }
        (Function::Flatten, [lists]) => {
            let mut made = Vec::new();
            for list in items(lists)? {
                let list = items(list)?;
                fuel.spend_size(list.len())?;
                if made.len() + list.len() > LIST_MAX {
                    return Err(EvalErrorKind::TooMany);
                }
                made.extend_from_slice(list);
            }
            made
        }
        _ => return Err(EvalErrorKind::Arguments(function)),
    };
    Ok(Value::list(made))
}

/// Takes the fuel for sorting.
fn charge_sort(items: &[Value], fuel: &mut Fuel) -> Result<(), EvalErrorKind> {
    let before = fuel.0;
    for item in items {
        charge(item, fuel)?;
    }
    let size = before - fuel.0;
    let rounds = u64::from(items.len().checked_ilog2().unwrap_or(0));
    fuel.spend(size.saturating_mul(rounds))
}

/// Returns the items in ascending order, equal ones as they were.
fn sorted(items: &[Value], fuel: &mut Fuel) -> Result<Vec<Value>, EvalErrorKind> {
    charge_sort(items, fuel)?;
    let mut sorted = items.to_vec();
    sorted.sort_by(compare);
    Ok(sorted)
}

pub(super) fn reorder(function: Function, args: &[Value], fuel: &mut Fuel) -> Answer {
    let [list] = args else {
        return Err(EvalErrorKind::Arguments(function));
    };
    let items = items(list)?;
    Ok(Value::list(match function {
        Function::Sort => sorted(items, fuel)?,
        Function::Unique => unique(items, fuel)?,
        _ => {
            fuel.spend_size(items.len())?;
            items.iter().rev().cloned().collect()
        }
    }))
}

/// Returns the first of each, in their order.
fn unique(items: &[Value], fuel: &mut Fuel) -> Result<Vec<Value>, EvalErrorKind> {
    charge_sort(items, fuel)?;
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| compare(&items[*a], &items[*b]));
    order.dedup_by(|later, kept| compare(&items[*later], &items[*kept]).is_eq());
    order.sort_unstable();
    Ok(order.into_iter().map(|at| items[at].clone()).collect())
}

pub(super) fn cut(function: Function, args: &[Value], fuel: &mut Fuel) -> Answer {
    let [list, Value::Int(count)] = args else {
        return Err(EvalErrorKind::Arguments(function));
    };
    let items = items(list)?;
    let at = clamp(*count).min(items.len());
    let part = match function {
        Function::Take => &items[..at],
        _ => &items[at..],
    };
    fuel.spend_size(part.len())?;
    Ok(Value::list(part.to_vec()))
}

pub(super) fn extreme(function: Function, args: &[Value], fuel: &mut Fuel) -> Answer {
    let [list] = args else {
        return Err(EvalErrorKind::Arguments(function));
    };
    let wanted = match function {
        Function::Max | Function::Argmax => Ordering::Greater,
        _ => Ordering::Less,
    };
    let mut best: Option<(usize, &Value)> = None;
    for (at, item) in items(list)?.iter().enumerate() {
        charge(item, fuel)?;
        if best.is_none_or(|(_, best)| compare(item, best) == wanted) {
            best = Some((at, item));
        }
    }
    Ok(match (best, function) {
        (None, _) => Value::None,
        (Some((at, _)), Function::Argmax | Function::Argmin) => count(at),
        (Some((_, item)), _) => item.clone(),
    })
}

pub(super) fn quantify(function: Function, args: &[Value], fuel: &mut Fuel) -> Answer {
    let [list] = args else {
        return Err(EvalErrorKind::Arguments(function));
    };
    let items = items(list)?;
    fuel.spend_size(items.len())?;
    let wanted = function == Function::Any;
    for item in items {
        if truth(item)? == wanted {
            return Ok(Value::Bool(wanted));
        }
    }
    Ok(Value::Bool(!wanted))
}

pub(super) fn pick_one(function: Function, args: &[Value]) -> Answer {
    let found = match (function, args) {
        (Function::First, [list]) => items(list)?.first(),
        (Function::Last, [list]) => items(list)?.last(),
        (Function::Get, [base, key]) => match index(base, key) {
            Ok(value) => return Ok(value),
            Err(EvalErrorKind::IndexOutOfRange { .. } | EvalErrorKind::MissingKey(_)) => None,
            Err(error) => return Err(error),
        },
        _ => return Err(EvalErrorKind::Arguments(function)),
    };
    Ok(found.cloned().unwrap_or(Value::None))
}

pub(super) fn entries(function: Function, args: &[Value], fuel: &mut Fuel) -> Answer {
    let [Value::Record(fields)] = args else {
        return Err(EvalErrorKind::Arguments(function));
    };
    fuel.spend_size(fields.len())?;
    Ok(Value::list(match function {
        Function::Keys => fields.keys().cloned().map(Value::Text).collect(),
        _ => fields.values().cloned().collect(),
    }))
}

/// The functions that depend on the run's seed.
pub(super) fn draw(function: Function, args: &[Value], draw: &mut Draw, fuel: &mut Fuel) -> Answer {
    let (list, weights) = match (function, args) {
        (Function::Pick | Function::Shuffle, [list]) => (items(list)?, None),
        (Function::Pick, [list, weights]) => (items(list)?, Some(items(weights)?)),
        _ => return Err(EvalErrorKind::Arguments(function)),
    };
    fuel.spend_size(list.len())?;
    if function == Function::Shuffle {
        let mut shuffled = list.to_vec();
        draw.shuffle(&mut shuffled);
        return Ok(Value::list(shuffled));
    }
    if list.is_empty() {
        return Err(EvalErrorKind::EmptyPick);
    }
    let found = match weights {
        None => draw.pick(list.len()),
        Some(weights) if weights.len() != list.len() => None,
        Some(weights) => draw.pick_weighted(&numbers(weights)?),
    };
    let item = found.and_then(|at| list.get(at));
    item.cloned().ok_or(EvalErrorKind::BadWeights)
}

fn numbers(values: &[Value]) -> Result<Vec<f64>, EvalErrorKind> {
    let number = |value: &Value| match value {
        Value::Int(number) => Ok(to_float(*number)),
        Value::Float(number) => Ok(*number),
        other => Err(EvalErrorKind::unfit("a number", other)),
    };
    values.iter().map(number).collect()
}
