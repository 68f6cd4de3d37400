//! Writing of templates: a walk over what was read, in our own values.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::eval::{EvalErrorKind, Fuel, TEXT_MAX, binary, field, index, negate, write};
use crate::expr::Op;
use crate::plan::Template;
use crate::template::apply;
use crate::template::filter::{Filter, Test};
use crate::template::outline::{Loop, Name, Outline, Piece, Term, TermKind, outline};
use crate::value::Value;

/// How deep includes may nest.
pub(super) const INCLUDES_MAX: usize = 8;
/// What a round of a loop costs before anything is done in it.
const ROUND_COST: u64 = 16;

/// Writes a template with a record as its data.
pub fn render(template: &Template, data: &Value, fuel: &mut Fuel) -> Result<String, EvalErrorKind> {
    let mut renderer = Renderer {
        template,
        read: BTreeMap::new(),
        data,
        frames: Vec::new(),
        files: Vec::new(),
        out: String::new(),
        fuel,
    };
    let read = renderer.read(&template.text)?;
    renderer.frames.push(Frame::round());
    renderer.pieces(&read.pieces)?;
    Ok(renderer.out)
}

/// The variables of a part of a template.
struct Frame {
    /// Whether a `set` in it stays in it, as in a loop; an `if` lets it out.
    is_round: bool,
    vars: BTreeMap<Arc<str>, Value>,
}

impl Frame {
    fn round() -> Self {
        Self {
            is_round: true,
            vars: BTreeMap::new(),
        }
    }
}

struct Renderer<'a> {
    template: &'a Template,
    /// The included templates that were needed so far.
    read: BTreeMap<Arc<str>, Arc<Outline>>,
    data: &'a Value,
    frames: Vec<Frame>,
    /// The included templates that are open.
    files: Vec<Arc<str>>,
    out: String,
    fuel: &'a mut Fuel,
}

type Written = Result<(), EvalErrorKind>;
type Answer = Result<Value, EvalErrorKind>;

/// Returns whether a value counts as yes: a bool by itself, an optional if it
/// is there, a text, a list or a map if something is in it.
pub(super) fn holds(value: &Value) -> bool {
    match value {
        Value::None => false,
        Value::Bool(truth) => *truth,
        Value::Text(text) => !text.is_empty(),
        Value::List(list) => !list.items.is_empty(),
        Value::Record(fields) => !fields.is_empty(),
        Value::Int(_)
        | Value::Float(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Time(_)
        | Value::Size(_)
        | Value::Enum(_)
        | Value::Artifact(_)
        | Value::Secret(_) => true,
    }
}

impl Renderer<'_> {
    /// Gives a failure its place.
    fn at<T>(
        &self,
        span: &Range<usize>,
        result: Result<T, EvalErrorKind>,
    ) -> Result<T, EvalErrorKind> {
        result.or_else(|kind| {
            if matches!(
                kind,
                EvalErrorKind::Template { .. } | EvalErrorKind::OutOfFuel
            ) {
                return Err(kind);
            }
            self.fail(span, kind.to_string())
        })
    }

    fn fail<T>(&self, span: &Range<usize>, message: String) -> Result<T, EvalErrorKind> {
        Err(EvalErrorKind::Template {
            file: self.files.last().cloned(),
            span: span.clone(),
            message,
        })
    }

    fn read(&mut self, text: &str) -> Result<Outline, EvalErrorKind> {
        self.fuel.spend_size(text.len())?;
        outline(text).or_else(|faults| match faults.into_iter().next() {
            Some(fault) => self.fail(&fault.span, fault.message),
            None => Ok(Outline::default()),
        })
    }

    fn pieces(&mut self, pieces: &[Piece]) -> Written {
        pieces.iter().try_for_each(|piece| self.piece(piece))
    }

    fn piece(&mut self, piece: &Piece) -> Written {
        self.fuel.spend(1)?;
        match piece {
            Piece::Text(text) => {
                self.fuel.spend_size(text.len())?;
                self.out.push_str(text);
            }
            Piece::Emit(term) => {
                let value = self.term(term)?;
                let written = write(&value, &mut self.out, self.fuel);
                self.at(&term.span, written)?;
            }
            Piece::For(each) => self.for_each(each)?,
            Piece::If(arms, otherwise) => {
                let mut chosen = otherwise;
                for (cond, body) in arms {
                    if self.holds(cond)? {
                        chosen = body;
                        break;
                    }
                }
                self.frames.push(Frame {
                    is_round: false,
                    vars: BTreeMap::new(),
                });
                self.pieces(chosen)?;
                self.frames.pop();
            }
            Piece::Set(name, term) => {
                let value = self.term(term)?;
                self.set(name, value);
            }
            Piece::Include(name) => self.include(name)?,
        }
        if self.out.len() > TEXT_MAX {
            return Err(EvalErrorKind::TooLarge);
        }
        Ok(())
    }

    fn set(&mut self, name: &Name, value: Value) {
        let mut target = self.frames.len().saturating_sub(1);
        for (at, frame) in self.frames.iter().enumerate().rev() {
            if frame.vars.contains_key(&name.text) {
                target = at;
                break;
            }
            if frame.is_round {
                break;
            }
        }
        if let Some(frame) = self.frames.get_mut(target) {
            frame.vars.insert(Arc::clone(&name.text), value);
        }
    }

    fn for_each(&mut self, each: &Loop) -> Written {
        let over = self.term(&each.over)?;
        let mut rounds = Vec::new();
        for values in self.rounds(each, &over)? {
            self.fuel.spend(ROUND_COST)?;
            let mut frame = Frame::round();
            for (name, value) in each.names.iter().zip(values) {
                frame.vars.insert(Arc::clone(&name.text), value);
            }
            let Some(cond) = &each.cond else {
                rounds.push(frame);
                continue;
            };
            self.frames.push(frame);
            let taken = self.holds(cond)?;
            rounds.extend(self.frames.pop().filter(|_| taken));
        }
        if rounds.is_empty() {
            return self.pieces(&each.otherwise);
        }
        let length = rounds.len();
        for (at, mut frame) in rounds.into_iter().enumerate() {
            frame.vars.insert("loop".into(), position(at, length));
            self.frames.push(frame);
            self.pieces(&each.body)?;
            self.frames.pop();
        }
        Ok(())
    }

    /// Returns what the names stand for in each round.
    fn rounds(&self, each: &Loop, over: &Value) -> Result<Vec<Vec<Value>>, EvalErrorKind> {
        Ok(match (over, each.names.len()) {
            (Value::List(list), 1) => list.items.iter().map(|item| vec![item.clone()]).collect(),
            (Value::Record(fields), 1) => fields
                .keys()
                .map(|key| vec![Value::Text(key.clone())])
                .collect(),
            (Value::Record(fields), _) => {
                let entries = fields.iter();
                entries
                    .map(|(key, value)| vec![Value::Text(key.clone()), value.clone()])
                    .collect()
            }
            (other, _) => {
                let error = EvalErrorKind::unfit("a list, or a map for two names", other);
                return self.at(&each.over.span, Err(error));
            }
        })
    }

    fn include(&mut self, name: &Name) -> Written {
        if self.files.len() >= INCLUDES_MAX {
            return self.fail(&name.span, "includes nest too deeply here".to_owned());
        }
        let Some(text) = self.template.includes.get(&name.text) else {
            return self.fail(&name.span, format!("there is no template `{}`", name.text));
        };
        self.files.push(Arc::clone(&name.text));
        let read = if let Some(read) = self.read.get(&name.text) {
            Arc::clone(read)
        } else {
            let read = Arc::new(self.read(text)?);
            self.read.insert(Arc::clone(&name.text), Arc::clone(&read));
            read
        };
        self.frames.push(Frame::round());
        self.pieces(&read.pieces)?;
        self.frames.pop();
        self.files.pop();
        Ok(())
    }

    fn holds(&mut self, cond: &Term) -> Result<bool, EvalErrorKind> {
        Ok(holds(&self.lenient(cond)?))
    }

    /// Computes a term that may be missing: then it is `none`.
    fn lenient(&mut self, term: &Term) -> Answer {
        let found = match &term.kind {
            TermKind::Field(base, name) => {
                let base = self.lenient(base)?;
                if base == Value::None {
                    return Ok(base);
                }
                field(&base, &name.text)
            }
            TermKind::Index(base, key) => {
                let base = self.lenient(base)?;
                if base == Value::None {
                    return Ok(base);
                }
                index(&base, &self.term(key)?)
            }
            TermKind::Const(_)
            | TermKind::Var(_)
            | TermKind::Not(_)
            | TermKind::Negate(_)
            | TermKind::Binary(..)
            | TermKind::Concat(..)
            | TermKind::If(_)
            | TermKind::Filter(..)
            | TermKind::Test(..)
            | TermKind::List(_) => return self.term(term),
        };
        if let Err(EvalErrorKind::MissingKey(_) | EvalErrorKind::IndexOutOfRange { .. }) = found {
            return Ok(Value::None);
        }
        self.at(&term.span, found)
    }

    fn term(&mut self, term: &Term) -> Answer {
        self.fuel.spend(1)?;
        let result = match &term.kind {
            TermKind::Const(value) => Ok(value.clone()),
            TermKind::Var(name) => return self.var(name, &term.span),
            TermKind::Field(base, name) => {
                let base = self.term(base)?;
                field(&base, &name.text)
            }
            TermKind::Index(base, key) => {
                let base = self.term(base)?;
                index(&base, &self.term(key)?)
            }
            TermKind::Not(inner) => Ok(Value::Bool(!self.holds(inner)?)),
            TermKind::Negate(inner) => negate(&self.term(inner)?),
            TermKind::Binary(Op::And, left, right) => {
                Ok(Value::Bool(self.holds(left)? && self.holds(right)?))
            }
            TermKind::Binary(Op::Or, left, right) => {
                Ok(Value::Bool(self.holds(left)? || self.holds(right)?))
            }
            TermKind::Binary(op @ (Op::Equal | Op::NotEqual), left, right) => {
                let left = self.lenient(left)?;
                let right = self.lenient(right)?;
                binary(*op, &left, &right, self.fuel)
            }
            TermKind::Binary(op, left, right) => {
                let left = self.term(left)?;
                let right = self.term(right)?;
                binary(*op, &left, &right, self.fuel)
            }
            TermKind::Concat(left, right) => self.concat(left, right),
            TermKind::If(parts) => {
                let [cond, then, otherwise] = &**parts;
                let chosen = if self.holds(cond)? { then } else { otherwise };
                return self.term(chosen);
            }
            TermKind::Filter(base, filter, args) => self.filter(base, *filter, args),
            TermKind::Test(base, test, args) => self.test(base, *test, args),
            TermKind::List(items) => {
                let items = items.iter().map(|item| self.term(item));
                Ok(Value::list(items.collect::<Result<_, _>>()?))
            }
        };
        self.at(&term.span, result)
    }

    fn var(&self, name: &str, span: &Range<usize>) -> Answer {
        let local = self
            .frames
            .iter()
            .rev()
            .find_map(|frame| frame.vars.get(name));
        let found = local.or_else(|| {
            if let Value::Record(fields) = self.data {
                fields.get(name)
            } else {
                None
            }
        });
        match found {
            Some(value) => Ok(value.clone()),
            None => self.fail(span, format!("there is no `{name}` here")),
        }
    }

    fn concat(&mut self, left: &Term, right: &Term) -> Answer {
        let (left, right) = (self.term(left)?, self.term(right)?);
        let mut text = String::new();
        write(&left, &mut text, self.fuel)?;
        write(&right, &mut text, self.fuel)?;
        if text.len() > TEXT_MAX {
            return Err(EvalErrorKind::TooLarge);
        }
        Ok(Value::text(text))
    }

    fn filter(&mut self, base: &Term, filter: Filter, args: &[Term]) -> Answer {
        if filter == Filter::Default {
            let value = self.lenient(base)?;
            return match args {
                [other] if value == Value::None => self.term(other),
                _ => Ok(value),
            };
        }
        let base = self.term(base)?;
        let args: Vec<Value> = args
            .iter()
            .map(|arg| self.term(arg))
            .collect::<Result<_, _>>()?;
        apply::apply(filter, base, &args, self.fuel)
    }

    fn test(&mut self, base: &Term, test: Test, args: &[Term]) -> Answer {
        let value = self.lenient(base)?;
        let args: Vec<Value> = args
            .iter()
            .map(|arg| self.term(arg))
            .collect::<Result<_, _>>()?;
        apply::test(test, &value, &args).map(Value::Bool)
    }
}

/// The record `loop`.
fn position(at: usize, length: usize) -> Value {
    let number = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let fields = [
        ("index", number(at + 1)),
        ("index0", number(at)),
        ("first", Value::Bool(at == 0)),
        ("last", Value::Bool(at + 1 == length)),
        ("length", number(length)),
    ];
    let fields = fields.map(|(name, value)| (Arc::from(name), value));
    Value::Record(Arc::new(BTreeMap::from(fields)))
}
