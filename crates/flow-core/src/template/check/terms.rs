//! The types of the expressions of templates. Nothing means that the fault was
//! noted already.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a place takes some types; all others are the same mistake"
)]

use std::ops::Range;

use super::scope::{Frame, present_if};
use super::{Checker, FaultKind, TemplateFault};
use crate::expr::Op;
use crate::relation::join;
use crate::template::outline::{Name, Term, TermKind};
use crate::ty::{Bounds, Type};
use crate::value::Value;

impl Checker<'_> {
    /// Returns the type of an expression that must have a value.
    pub(super) fn term(&mut self, term: &Term) -> Option<Type> {
        match &term.kind {
            TermKind::Const(value) => Some(constant(value)),
            TermKind::Var(name) => {
                let ty = self.var(name, &term.span)?;
                Some(self.narrowed(term, ty))
            }
            TermKind::Field(base, name) => {
                let of = self.there(base)?;
                let ty = self.field(&of, name)?;
                Some(self.narrowed(term, ty))
            }
            TermKind::Index(base, key) => {
                let of = self.there(base);
                let by = self.there(key);
                self.index(&of?, &by?, &term.span)
            }
            TermKind::Not(inner) => {
                self.cond(inner);
                Some(Type::Bool)
            }
            TermKind::Negate(inner) => {
                let ty = self.there(inner)?;
                match scalar(&ty) {
                    Some(Scalar::Int) => Some(Type::int()),
                    Some(Scalar::Float) => Some(Type::float()),
                    Some(Scalar::Money | Scalar::Duration) => Some(open(&ty)),
                    _ => self.mistyped("a number", &ty, &inner.span),
                }
            }
            TermKind::Binary(op, left, right) => self.binary(*op, left, right, &term.span),
            TermKind::Concat(left, right) => {
                self.emit(left);
                self.emit(right);
                Some(Type::text())
            }
            TermKind::If(parts) => self.choice(parts),
            TermKind::Filter(base, filter, args) => self.filter(base, *filter, args),
            TermKind::Test(base, test, args) => self.test(base, *test, args),
            TermKind::List(items) => self.list(items),
        }
    }

    /// Returns the type of an expression that may be missing: where it goes
    /// through something that isn't there, it isn't either.
    pub(super) fn lenient(&mut self, term: &Term) -> Option<Type> {
        match &term.kind {
            TermKind::Field(base, name) => {
                let of = self.lenient(base)?;
                let ty = self.field(of.present(), name)?;
                let ty = self.narrowed(term, ty);
                Some(if is_optional(&of) { ty.optional() } else { ty })
            }
            TermKind::Index(base, key) => {
                let of = self.lenient(base);
                let by = self.there(key)?;
                let ty = self.index(of?.present(), &by, &term.span)?;
                Some(ty.optional())
            }
            _ => self.term(term),
        }
    }

    /// Returns the type of an expression that must be there.
    pub(super) fn there(&mut self, term: &Term) -> Option<Type> {
        let ty = self.term(term)?;
        if is_optional(&ty) {
            self.missing(&ty, &term.span);
            return None;
        }
        Some(ty)
    }

    pub(super) fn mistyped(
        &mut self,
        wanted: &str,
        found: &Type,
        span: &Range<usize>,
    ) -> Option<Type> {
        let message = format!("expected {wanted}, found `{found}`");
        self.note(TemplateFault::new(FaultKind::Type, span.clone(), message));
        None
    }

    fn narrowed(&self, term: &Term, ty: Type) -> Type {
        if !is_optional(&ty) {
            return ty;
        }
        match term.path() {
            Some(path) if self.scope.is_present(&path) => ty.present().clone(),
            _ => ty,
        }
    }

    fn var(&mut self, name: &str, span: &Range<usize>) -> Option<Type> {
        if let Some(ty) = self.scope.get(name) {
            return ty.clone();
        }
        self.unknown(
            format!("there is no `{name}` here"),
            span,
            self.scope.names(),
        );
        None
    }

    fn unknown(&mut self, message: String, span: &Range<usize>, candidates: Vec<String>) {
        let mut fault = TemplateFault::new(FaultKind::UnknownName, span.clone(), message);
        fault.candidates = candidates;
        self.note(fault);
    }

    fn field(&mut self, of: &Type, name: &Name) -> Option<Type> {
        let fields: Vec<(String, Type)> = match of {
            Type::Record(record) => {
                let fields = record.fields.iter();
                fields
                    .map(|field| (field.name.to_string(), field.ty.clone()))
                    .collect()
            }
            Type::Media(media) => {
                let facts = media.facts().into_iter();
                facts.map(|(name, ty)| (name.to_owned(), ty)).collect()
            }
            Type::Size => ["width", "height"]
                .map(|name| (name.to_owned(), Type::int()))
                .into(),
            Type::Map(item) => return Some((**item).clone().optional()),
            Type::Json => return Some(Type::Json),
            other => {
                let message = format!("`{other}` has no fields");
                self.unknown(message, &name.span, Vec::new());
                return None;
            }
        };
        if let Some((_, ty)) = fields.iter().find(|(other, _)| **other == *name.text) {
            return Some(ty.clone());
        }
        let candidates = fields.into_iter().map(|(name, _)| name).collect();
        let message = format!("`{of}` has no field `{}`", name.text);
        self.unknown(message, &name.span, candidates);
        None
    }

    fn index(&mut self, of: &Type, by: &Type, span: &Range<usize>) -> Option<Type> {
        match (of, by) {
            (Type::List(list), Type::Int(_)) => Some((*list.item).clone()),
            (Type::Map(item), Type::Text(_)) => Some((**item).clone().optional()),
            (Type::Json, Type::Int(_) | Type::Text(_)) => Some(Type::Json),
            (Type::List(_), other) => self.mistyped("a position", other, span),
            (Type::Map(_) | Type::Json, other) => self.mistyped("a key", other, span),
            (other, _) => self.mistyped("a list or a map", other, span),
        }
    }

    fn choice(&mut self, parts: &[Term; 3]) -> Option<Type> {
        let [cond, then, otherwise] = parts;
        self.cond(cond);
        self.scope.push(Frame::block(present_if(cond, true)));
        let first = self.term(then);
        self.scope.pop();
        self.scope.push(Frame::block(present_if(cond, false)));
        let second = self.term(otherwise);
        self.scope.pop();
        let (first, second) = (first?, second?);
        match join(&first, &second) {
            Some(ty) => Some(ty),
            None => self.mistyped(&format!("`{first}`"), &second, &otherwise.span),
        }
    }

    fn list(&mut self, items: &[Term]) -> Option<Type> {
        let mut joined: Option<Type> = None;
        for item in items {
            let ty = self.there(item)?;
            joined = match joined {
                None => Some(ty),
                Some(before) => match join(&before, &ty) {
                    Some(both) => Some(both),
                    None => return self.mistyped(&format!("`{before}`"), &ty, &item.span),
                },
            };
        }
        joined.map(Type::list)
    }

    fn binary(&mut self, op: Op, left: &Term, right: &Term, span: &Range<usize>) -> Option<Type> {
        match op {
            Op::And | Op::Or => {
                self.logic(op, left, right);
                return Some(Type::Bool);
            }
            Op::Equal | Op::NotEqual => {
                let (a, b) = (self.lenient(left), self.lenient(right));
                self.comparable(&a?, &b?, left, right);
                return Some(Type::Bool);
            }
            _ => {}
        }
        let (a, b) = (self.there(left), self.there(right));
        let (a, b) = (a?, b?);
        if op == Op::In {
            return self.member(&a, &b, right);
        }
        let result = match (scalar(&a), scalar(&b)) {
            (Some(x), Some(y)) => operated(op, x, y),
            _ => None,
        };
        match result {
            Some(Scalar::Bool) => Some(Type::Bool),
            Some(Scalar::Int) => Some(Type::int()),
            Some(Scalar::Float) => Some(Type::float()),
            Some(Scalar::Money) => Some(Type::Money(Bounds::default())),
            Some(Scalar::Duration) => Some(Type::Duration(Bounds::default())),
            Some(Scalar::Time) => Some(Type::Time),
            Some(Scalar::Text) | None => {
                let message = format!("{}n't work on `{a}` and `{b}`", called(op));
                let mut fault = TemplateFault::new(FaultKind::Type, span.clone(), message);
                if op == Op::Add && matches!((&a, &b), (Type::Text(_), _) | (_, Type::Text(_))) {
                    fault = fault.help("texts are put together with `~`");
                }
                self.note(fault);
                None
            }
        }
    }

    /// `and` and `or` as values: they give a bool, not one of their sides.
    fn logic(&mut self, op: Op, left: &Term, right: &Term) {
        self.cond(left);
        self.scope
            .push(Frame::block(present_if(left, op == Op::And)));
        self.cond(right);
        if op == Op::Or && matches!(right.kind, TermKind::Const(Value::Text(_))) {
            let message = "`or` gives a bool, not one of its sides".to_owned();
            let help = "another value for a missing one is `| default(…)`";
            self.fault(FaultKind::Type, &right.span, message, help);
        }
        self.scope.pop();
    }

    fn comparable(&mut self, a: &Type, b: &Type, left: &Term, right: &Term) {
        for (ty, literal) in [(a, right), (b, left)] {
            let (Type::Enum(words), TermKind::Const(Value::Text(text))) =
                (ty.present(), &literal.kind)
            else {
                continue;
            };
            let outside: Vec<String> = words
                .variants
                .iter()
                .map(|variant| variant.outside.to_string())
                .collect();
            if !outside.iter().any(|word| **word == **text) {
                self.unknown(format!("`{ty}` has no `{text}`"), &literal.span, outside);
            }
            return;
        }
        let text = |ty: &Type| matches!(ty.present(), Type::Text(_) | Type::Enum(_) | Type::Model);
        let json = |ty: &Type| matches!(ty.present(), Type::Json);
        let alike = join(a, b).is_some() || (text(a) && text(b));
        if !alike && !json(a) && !json(b) {
            self.mistyped(&format!("`{a}`"), b, &right.span);
        }
    }

    fn member(&mut self, item: &Type, of: &Type, right: &Term) -> Option<Type> {
        match (item, of) {
            (_, Type::Json) | (Type::Text(_) | Type::Enum(_), Type::Text(_) | Type::Map(_)) => {}
            (item, Type::List(list)) if join(item, &list.item).is_some() => {}
            (Type::Text(_) | Type::Enum(_), Type::List(list))
                if matches!(&*list.item, Type::Text(_) | Type::Enum(_)) => {}
            _ => return self.mistyped(&format!("a list of `{item}`"), of, &right.span),
        }
        Some(Type::Bool)
    }
}

pub(super) fn is_optional(ty: &Type) -> bool {
    matches!(ty, Type::Optional(_) | Type::None)
}

fn constant(value: &Value) -> Type {
    match value {
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::int(),
        Value::Float(_) => Type::float(),
        Value::Text(_) => Type::text(),
        // Literals of templates are nothing else.
        _ => Type::None,
    }
}

/// What operators distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    Int,
    Float,
    Text,
    Money,
    Duration,
    Time,
}

pub(super) fn scalar(ty: &Type) -> Option<Scalar> {
    match ty {
        Type::Int(_) => Some(Scalar::Int),
        Type::Float(_) => Some(Scalar::Float),
        Type::Text(_) => Some(Scalar::Text),
        Type::Money(_) => Some(Scalar::Money),
        Type::Duration(_) => Some(Scalar::Duration),
        Type::Time => Some(Scalar::Time),
        Type::Bool => Some(Scalar::Bool),
        _ => None,
    }
}

/// A type without its bounds.
pub(super) fn open(ty: &Type) -> Type {
    match ty {
        Type::Money(_) => Type::Money(Bounds::default()),
        Type::Duration(_) => Type::Duration(Bounds::default()),
        Type::Int(_) => Type::int(),
        Type::Float(_) => Type::float(),
        other => other.clone(),
    }
}

/// What an operator gives, if it works on such operands.
fn operated(op: Op, a: Scalar, b: Scalar) -> Option<Scalar> {
    use Scalar::{Bool, Duration, Float, Int, Money, Time};
    let number = |scalar| matches!(scalar, Int | Float);
    Some(match (op, a, b) {
        (Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual, a, b) => {
            let alike = a == b && a != Bool;
            let numbers = number(a) && number(b);
            return (alike || numbers).then_some(Bool);
        }
        (Op::Add | Op::Subtract | Op::Multiply | Op::Remainder, Int, Int) => Int,
        (Op::Divide, Int, Int) => Float,
        (Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Remainder, a, b)
            if number(a) && number(b) =>
        {
            Float
        }
        (Op::Add | Op::Subtract, Money, Money) => Money,
        (Op::Add | Op::Subtract, Duration, Duration) => Duration,
        (Op::Divide, Money, Money) | (Op::Divide, Duration, Duration) => Float,
        (Op::Multiply | Op::Divide, Money | Duration, b) if number(b) => a,
        (Op::Multiply, a, Money | Duration) if number(a) => b,
        (Op::Add | Op::Subtract, Time, Duration) | (Op::Add, Duration, Time) => Time,
        (Op::Subtract, Time, Time) => Duration,
        _ => return None,
    })
}

fn called(op: Op) -> &'static str {
    match op {
        Op::Add => "`+` does",
        Op::Subtract => "`-` does",
        Op::Multiply => "`*` does",
        Op::Divide => "`/` does",
        Op::Remainder => "`%` does",
        _ => "comparisons do",
    }
}
