//! The arguments of a run under another plan: those that it has stay, and those
//! that it doesn't have are given or have a default.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::expr::Expr;
use crate::plan::Input;
use crate::run::constant;
use crate::ty::Type;
use crate::value::Value;

/// Arguments for another plan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs {
    /// The arguments, in the order of the plan.
    pub values: Vec<Value>,
    /// What is another than before.
    pub changes: Vec<InputChange>,
}

/// An argument that is another than before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputChange {
    /// Its name.
    pub name: Arc<str>,
    /// In which way.
    pub way: InputWay,
}

/// How an argument comes to be another than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputWay {
    /// It is given now.
    Given,
    /// It has its default: there was none of this name.
    New,
    /// It had its default, and that is another now.
    Default,
    /// Nobody asks for it any more.
    Gone,
}

/// Why there are no arguments for another plan.
#[derive(Debug, Clone, PartialEq)]
pub enum InputFault {
    /// There is none, and no default.
    Missing {
        /// Its name.
        name: Arc<str>,
        /// Its type.
        ty: Box<Type>,
    },
    /// The one that there is has another type.
    Unfit {
        /// Its name.
        name: Arc<str>,
        /// What doesn't fit.
        why: Box<str>,
    },
    /// There is one, and another can't be given.
    Kept {
        /// Its name.
        name: Arc<str>,
    },
    /// The plan has no such input.
    Unknown {
        /// Its name.
        name: Arc<str>,
    },
    /// Its default has no value.
    Default {
        /// Its name.
        name: Arc<str>,
        /// Why.
        why: Box<str>,
    },
}

impl fmt::Display for InputFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, ty } => {
                write!(
                    f,
                    "the run has no input `{name}: {ty}`, and the file needs one"
                )
            }
            Self::Unfit { name, why } => {
                write!(f, "the run's input `{name}` doesn't fit the file: {why}")
            }
            Self::Kept { name } => write!(f, "the run has an input `{name}`, which stays"),
            Self::Unknown { name } => write!(f, "the file has no input `{name}`"),
            Self::Default { name, why } => {
                write!(f, "the default of the input `{name}` has no value: {why}")
            }
        }
    }
}

/// Finds the arguments for another plan: those that were given before by their
/// names, new ones by what is given now. All that is wrong is said.
pub fn inputs(
    old: &[Input],
    values: &[Value],
    new: &[Input],
    given: &BTreeMap<Arc<str>, Value>,
) -> Result<Inputs, Vec<InputFault>> {
    let mut found = Inputs::default();
    let mut faults = Vec::new();
    for param in new {
        let before = old
            .iter()
            .zip(values)
            .find(|(one, _)| one.name == param.name);
        match input(param, before, given.get(&param.name)) {
            Ok((value, way)) => {
                found.values.push(value);
                found.changes.extend(way.map(|way| InputChange {
                    name: param.name.clone(),
                    way,
                }));
            }
            Err(fault) => faults.push(fault),
        }
    }
    let asks = |name: &Arc<str>| new.iter().any(|param| param.name == *name);
    let gone = old.iter().filter(|param| !asks(&param.name));
    found.changes.extend(gone.map(|param| InputChange {
        name: param.name.clone(),
        way: InputWay::Gone,
    }));
    let strange = given.keys().filter(|name| !asks(name));
    faults.extend(strange.map(|name| InputFault::Unknown { name: name.clone() }));
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(faults)
    }
}

fn input(
    param: &Input,
    before: Option<(&Input, &Value)>,
    given: Option<&Value>,
) -> Result<(Value, Option<InputWay>), InputFault> {
    let name = || param.name.clone();
    let fitted = before.map(|(old, value)| (old, value, fit(value, &param.ty)));
    match (fitted, given) {
        (Some((_, _, Ok(_))), Some(_)) => Err(InputFault::Kept { name: name() }),
        (_, Some(given)) => Ok((given.clone(), Some(InputWay::Given))),
        (Some((old, value, fitted)), None) => {
            // Nobody gave it: it was what the file said, so it is what it says.
            let was_default = default(old).is_some_and(|default| default.as_ref() == Ok(value));
            match (was_default, default(param), fitted) {
                (true, Some(Ok(other)), _) if other != *value => {
                    Ok((other, Some(InputWay::Default)))
                }
                (_, _, Ok(value)) => Ok((value, None)),
                (_, _, Err(why)) => Err(InputFault::Unfit { name: name(), why }),
            }
        }
        (None, None) => match default(param) {
            Some(Ok(value)) => Ok((value, Some(InputWay::New))),
            Some(Err(why)) => Err(InputFault::Default { name: name(), why }),
            None => Err(InputFault::Missing {
                name: name(),
                ty: Box::new(param.ty.clone()),
            }),
        },
    }
}

fn default(param: &Input) -> Option<Result<Value, Box<str>>> {
    param.value.as_ref().map(|expr| {
        if let Expr::Const(value) = expr {
            return Ok(value.clone());
        }
        constant(expr).map_err(|error| error.to_string().into())
    })
}

/// Returns a value as one of a type, if it is one.
fn fit(value: &Value, ty: &Type) -> Result<Value, Box<str>> {
    let value = match (value, ty.present()) {
        #[expect(clippy::cast_precision_loss, reason = "as the language widens")]
        (Value::Int(number), Type::Float(_)) => Value::Float(*number as f64),
        _ => value.clone(),
    };
    match ty.check(&value) {
        Ok(()) => Ok(value),
        Err(mismatch) => Err(mismatch.to_string().into()),
    }
}
