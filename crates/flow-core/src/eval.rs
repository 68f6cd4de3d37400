//! Evaluation of checked expressions: pure, and bounded by fuel.
//!
//! An expression was checked, so its types fit. One that wasn't, from a damaged
//! plan, gives an error and never a panic.
//!
//! `/` of two numbers always gives one with a fraction; `%` of whole numbers is
//! the remainder of Euclid, which is never negative. A whole number that meets
//! one with a fraction becomes such a one. Amounts of money round up.

mod compare;
mod error;
mod lists;
mod numbers;
mod operate;
mod texts;
mod times;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::draw::Draw;
use crate::expr::{Comprehension, Expr, Function, Op, Part, Site};
use crate::plan::{NodeId, Template};
use crate::template;
use crate::ty::{Media, Type};
use crate::value::Value;

pub(crate) use compare::{compare, equal};
pub use error::{EvalError, EvalErrorKind};
pub(crate) use numbers::{round_to, widen};
pub(crate) use operate::{binary, field, index, negate};
pub(crate) use write::{json_text, kind, write};

/// How many items a comprehension takes.
pub const COMPREHENSION_MAX: usize = 10_000;
/// How many items a list has that an expression makes.
pub const LIST_MAX: usize = 1_000_000;
/// How many bytes a text has that an expression makes.
pub const TEXT_MAX: usize = 16 << 20;
/// How deep expressions and values may nest here.
pub(crate) const DEPTH_MAX: usize = 256;

/// What the parts of an expression stand for in one place of a run.
///
/// Nothing means that there is no such value here, which a checked plan never
/// asks for.
pub trait Scope {
    /// Returns the value of a node.
    fn node(&self, node: NodeId) -> Option<Value>;
    /// Returns how long the list of a node is, if that is known without its
    /// items: they may be more than fit in memory.
    fn length(&self, _node: NodeId) -> Option<usize> {
        None
    }
    /// Returns an item of the list of a node whose length is known.
    fn element(&self, _node: NodeId, _position: usize) -> Option<Value> {
        None
    }
    /// Returns an argument of a workflow.
    fn arg(&self, node: NodeId, position: u32) -> Option<Value>;
    /// Returns the item of a `for`.
    fn item(&self, node: NodeId) -> Option<Value>;
    /// Returns the state of a `repeat`.
    fn state(&self, node: NodeId) -> Option<Value>;
    /// Returns what a `match` found in its `some x`.
    fn payload(&self, node: NodeId) -> Option<Value>;
    /// Returns the record of the run.
    fn run(&self) -> Option<Value>;
    /// Returns what made a trigger fire.
    fn event(&self) -> Option<Value>;
    /// Returns a file of the project.
    fn file(&self, path: &str, media: Media) -> Option<Value>;
    /// Starts a draw of the node that is evaluated.
    fn draw(&self, ordinal: u32) -> Option<Draw>;
    /// Returns a template of the plan.
    fn template(&self, number: u32) -> Option<&Template>;
}

/// How much work is left: a count of elementary operations, the bytes of
/// copied texts included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fuel(pub u64);

impl Default for Fuel {
    fn default() -> Self {
        Self(10_000_000)
    }
}

impl Fuel {
    /// Takes some of it, or fails if there isn't so much.
    pub fn spend(&mut self, amount: u64) -> Result<(), EvalErrorKind> {
        let rest = self.0.checked_sub(amount);
        self.0 = rest.unwrap_or(0);
        rest.map(|_| ()).ok_or(EvalErrorKind::OutOfFuel)
    }

    /// Takes as much as so many items or bytes are worth.
    pub(crate) fn spend_size(&mut self, size: usize) -> Result<(), EvalErrorKind> {
        self.spend(u64::try_from(size).unwrap_or(u64::MAX))
    }
}

/// Computes an expression.
pub fn eval(expr: &Expr, scope: &dyn Scope, fuel: &mut Fuel) -> Result<Value, EvalError> {
    let mut evaluator = Evaluator {
        scope,
        fuel,
        locals: Vec::new(),
        depth: 0,
    };
    evaluator.eval(expr)
}

struct Evaluator<'a> {
    scope: &'a dyn Scope,
    fuel: &'a mut Fuel,
    /// The items of the enclosing comprehensions with their numbers.
    locals: Vec<(u32, Value)>,
    depth: usize,
}

type Answer = Result<Value, EvalError>;

fn at(site: Site) -> impl FnOnce(EvalErrorKind) -> EvalError {
    move |kind| EvalError {
        site: Some(site),
        kind,
    }
}

fn there(value: Option<Value>, what: &'static str) -> Answer {
    value.ok_or(EvalError {
        site: None,
        kind: EvalErrorKind::Absent(what),
    })
}

fn truth(value: &Value) -> Result<bool, EvalErrorKind> {
    if let Value::Bool(truth) = value {
        Ok(*truth)
    } else {
        Err(EvalErrorKind::unfit("a bool", value))
    }
}

impl Evaluator<'_> {
    fn eval(&mut self, expr: &Expr) -> Answer {
        self.fuel.spend(1)?;
        if self.depth >= DEPTH_MAX {
            return Err(EvalErrorKind::TooDeep.into());
        }
        self.depth += 1;
        let value = self.eval_inner(expr);
        self.depth -= 1;
        value
    }

    fn eval_inner(&mut self, expr: &Expr) -> Answer {
        match expr {
            Expr::Const(value) => Ok(value.clone()),
            Expr::Node(id) => there(self.scope.node(*id), "the value of a step"),
            Expr::Arg(id, position) => there(self.scope.arg(*id, *position), "an argument"),
            Expr::Item(id) => there(self.scope.item(*id), "the item of a `for`"),
            Expr::State(id) => there(self.scope.state(*id), "the state of a `repeat`"),
            Expr::Payload(id) => there(self.scope.payload(*id), "what a `match` found"),
            Expr::Local(number) => self.local(*number),
            Expr::Run => there(self.scope.run(), "`run`"),
            Expr::Event => there(self.scope.event(), "`event`"),
            Expr::File(path, media) => there(self.scope.file(path, *media), "a file"),
            Expr::Field(base, name) => {
                let base = self.eval(base)?;
                Ok(field(&base, name)?)
            }
            Expr::Index(base, key, site) => {
                if let Some(element) = self.element(base, key)? {
                    return Ok(element);
                }
                let base = self.eval(base)?;
                let key = self.eval(key)?;
                index(&base, &key).map_err(at(*site))
            }
            Expr::Not(inner) => Ok(Value::Bool(!self.truth(inner)?)),
            Expr::Negate(inner, site) => negate(&self.eval(inner)?).map_err(at(*site)),
            Expr::Widen(inner) => Ok(widen(self.eval(inner)?)),
            Expr::IsSome(inner) => Ok(Value::Bool(self.eval(inner)? != Value::None)),
            Expr::Binary(op, left, right, site) => self.operate(*op, left, right, *site),
            Expr::If(parts) => {
                let [cond, then, otherwise] = &**parts;
                let chosen = if self.truth(cond)? { then } else { otherwise };
                self.eval(chosen)
            }
            Expr::Call(function, args, site, ordinal) => {
                self.call(*function, args, *site, *ordinal)
            }
            Expr::List(items) => Ok(Value::list(self.all(items)?)),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Record(fields) => self.record(fields),
            Expr::Text(parts) => self.text(parts),
            Expr::Template(number, data, site) => self.template(*number, data, *site),
            Expr::Outside(inner, ty) => {
                let value = self.eval(inner)?;
                Ok(write::outside(&value, ty, self.fuel)?)
            }
            Expr::Check(inner, ty, site) => self.check(inner, ty, *site),
        }
    }

    fn local(&self, number: u32) -> Answer {
        let mut locals = self.locals.iter().rev();
        let found = locals.find(|(other, _)| *other == number);
        there(found.map(|(_, value)| value.clone()), "an item")
    }

    fn truth(&mut self, expr: &Expr) -> Result<bool, EvalError> {
        let value = self.eval(expr)?;
        Ok(truth(&value)?)
    }

    fn all(&mut self, exprs: &[Expr]) -> Result<Vec<Value>, EvalError> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn operate(&mut self, op: Op, left: &Expr, right: &Expr, site: Site) -> Answer {
        match op {
            Op::And => Ok(Value::Bool(self.truth(left)? && self.truth(right)?)),
            Op::Or => Ok(Value::Bool(self.truth(left)? || self.truth(right)?)),
            Op::Coalesce => {
                let value = self.eval(left)?;
                if value == Value::None {
                    return self.eval(right);
                }
                Ok(value)
            }
            Op::Add
            | Op::Subtract
            | Op::Multiply
            | Op::Divide
            | Op::Remainder
            | Op::Equal
            | Op::NotEqual
            | Op::Less
            | Op::LessEqual
            | Op::Greater
            | Op::GreaterEqual
            | Op::In => {
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                binary(op, &left, &right, self.fuel).map_err(at(site))
            }
        }
    }

    fn call(
        &mut self,
        function: Function,
        args: &[Expr],
        site: Site,
        ordinal: Option<u32>,
    ) -> Answer {
        if let (Function::Len, [Expr::Node(node)]) = (function, args)
            && let Some(length) = self.scope.length(*node)
        {
            return Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)));
        }
        let args = self.all(args)?;
        if function.draws() {
            let draw = ordinal.and_then(|ordinal| self.scope.draw(ordinal));
            let Some(mut draw) = draw else {
                return Err(at(site)(EvalErrorKind::Absent("the run's seed")));
            };
            return lists::draw(function, &args, &mut draw, self.fuel).map_err(at(site));
        }
        apply(function, &args, self.fuel).map_err(at(site))
    }

    /// Returns an item of a list that need not be loaded for it.
    fn element(&mut self, base: &Expr, key: &Expr) -> Result<Option<Value>, EvalError> {
        let Expr::Node(node) = base else {
            return Ok(None);
        };
        let Some(length) = self.scope.length(*node) else {
            return Ok(None);
        };
        let Value::Int(position) = self.eval(key)? else {
            return Ok(None);
        };
        let position = usize::try_from(position).ok();
        let position = position.filter(|position| *position < length);
        Ok(position.and_then(|position| self.scope.element(*node, position)))
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> Answer {
        let Value::List(list) = self.eval(&comprehension.list)? else {
            return Err(at(comprehension.site)(EvalErrorKind::Unfit {
                expected: "a list",
                found: "something else",
            }));
        };
        if list.items.len() > COMPREHENSION_MAX {
            let length = list.items.len();
            return Err(at(comprehension.site)(EvalErrorKind::TooLong { length }));
        }
        let mut made = Vec::new();
        for item in &list.items {
            self.locals.push((comprehension.local, item.clone()));
            let taken = match &comprehension.cond {
                Some(cond) => self.truth(cond),
                None => Ok(true),
            };
            let value = match taken {
                Ok(true) => self.eval(&comprehension.body).map(Some),
                Ok(false) => Ok(None),
                Err(error) => Err(error),
            };
            self.locals.pop();
            made.extend(value?);
        }
        Ok(Value::list(made))
    }

    fn record(&mut self, fields: &[(Arc<str>, Expr)]) -> Answer {
        let mut record = BTreeMap::new();
        for (name, expr) in fields {
            record.insert(Arc::clone(name), self.eval(expr)?);
        }
        Ok(Value::Record(Arc::new(record)))
    }

    fn text(&mut self, parts: &[Part]) -> Answer {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Str(letters) => {
                    self.fuel.spend_size(letters.len())?;
                    text.push_str(letters);
                }
                Part::Hole(expr) => {
                    let value = self.eval(expr)?;
                    write(&value, &mut text, self.fuel)?;
                }
            }
            if text.len() > TEXT_MAX {
                return Err(EvalErrorKind::TooLarge.into());
            }
        }
        Ok(Value::text(text))
    }

    fn template(&mut self, number: u32, data: &Expr, site: Site) -> Answer {
        let data = self.eval(data)?;
        let Some(template) = self.scope.template(number) else {
            return Err(at(site)(EvalErrorKind::Absent("a template")));
        };
        let text = template::render(template, &data, self.fuel).map_err(at(site))?;
        Ok(Value::text(text))
    }

    fn check(&mut self, inner: &Expr, ty: &Type, site: Site) -> Answer {
        let value = self.eval(inner)?;
        compare::charge(&value, self.fuel).map_err(at(site))?;
        match ty.check(&value) {
            Ok(()) => Ok(value),
            Err(mismatch) => Err(at(site)(EvalErrorKind::Check(mismatch.to_string()))),
        }
    }
}

/// Applies a function that doesn't draw.
pub(crate) fn apply(
    function: Function,
    args: &[Value],
    fuel: &mut Fuel,
) -> Result<Value, EvalErrorKind> {
    match function {
        Function::Len => lists::len(args, fuel),
        Function::Range => lists::range(args, fuel),
        Function::Enumerate | Function::Zip | Function::Flatten => {
            lists::reshape(function, args, fuel)
        }
        Function::Unique | Function::Sort | Function::Reverse => {
            lists::reorder(function, args, fuel)
        }
        Function::Take | Function::Skip => lists::cut(function, args, fuel),
        Function::Min | Function::Max | Function::Argmax | Function::Argmin => {
            lists::extreme(function, args, fuel)
        }
        Function::Any | Function::All => lists::quantify(function, args, fuel),
        Function::Get | Function::First | Function::Last => lists::pick_one(function, args),
        Function::Keys | Function::Values => lists::entries(function, args, fuel),
        Function::Contains => match args {
            [base, part] => operate::contains(base, part, fuel).map(Value::Bool),
            _ => Err(EvalErrorKind::Arguments(function)),
        },
        Function::Sum => numbers::sum(args, fuel),
        Function::Round | Function::Floor | Function::Ceil | Function::Abs => {
            numbers::round(function, args)
        }
        Function::Number => numbers::parse(args, fuel),
        Function::Date | Function::Weekday => times::name(function, args),
        Function::Format => match args {
            [Value::Time(instant), Value::Text(pattern)] => times::format(*instant, pattern, fuel),
            [Value::Duration(length), Value::Text(pattern)] => {
                times::format_length(*length, pattern, fuel)
            }
            [number, Value::Text(pattern)] => numbers::format(number, pattern),
            _ => Err(EvalErrorKind::Arguments(function)),
        },
        Function::Json => match args {
            [value] => json_text(value, fuel).map(Value::text),
            _ => Err(EvalErrorKind::Arguments(function)),
        },
        Function::Split
        | Function::Join
        | Function::Upper
        | Function::Lower
        | Function::Trim
        | Function::Replace
        | Function::StartsWith
        | Function::EndsWith => texts::apply(function, args, fuel),
        Function::Pick | Function::Shuffle => Err(EvalErrorKind::Absent("the run's seed")),
    }
}
