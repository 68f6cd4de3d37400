//! The types that filters and tests take and give.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a place takes some types; all others are the same mistake"
)]

use super::Checker;
use super::terms::{Scalar, is_optional, open, scalar};
use crate::relation::join;
use crate::template::filter::{Filter, Test};
use crate::template::outline::Term;
use crate::ty::{ListType, Type};

impl Checker<'_> {
    /// Returns the type of a filtered value.
    pub(super) fn filter(&mut self, base: &Term, filter: Filter, args: &[Term]) -> Option<Type> {
        if filter == Filter::Default {
            return self.default(base, args);
        }
        let of = self.there(base);
        self.args(filter, args);
        let of = of?;
        match filter {
            Filter::Upper
            | Filter::Lower
            | Filter::Title
            | Filter::Capitalize
            | Filter::Trim
            | Filter::Replace
            | Filter::Indent
            | Filter::Truncate => self.text(&of, base, Type::text()),
            Filter::Split => self.text(&of, base, Type::list(Type::text())),
            Filter::Wordcount => self.text(&of, base, Type::int()),
            Filter::Join => {
                let list = self.list_of(&of, base)?;
                self.writable(&list.item, &base.span);
                Some(Type::text())
            }
            Filter::Length => match of {
                Type::List(_) | Type::Map(_) | Type::Text(_) | Type::Json => Some(Type::int()),
                other => self.mistyped("a list, a map or a text", &other, &base.span),
            },
            Filter::First | Filter::Last | Filter::Min | Filter::Max => {
                let list = self.list_of(&of, base)?;
                if matches!(filter, Filter::Min | Filter::Max) {
                    self.ordered(&list, base)?;
                }
                Some((*list.item).clone().optional())
            }
            Filter::Sort => {
                let list = self.list_of(&of, base)?;
                self.ordered(&list, base)?;
                Some(of)
            }
            Filter::Unique | Filter::Reverse => {
                self.list_of(&of, base)?;
                Some(of)
            }
            Filter::Sum => {
                let list = self.list_of(&of, base)?;
                match scalar(&list.item) {
                    Some(Scalar::Int | Scalar::Float | Scalar::Money | Scalar::Duration) => {
                        Some(open(&list.item))
                    }
                    _ => self.mistyped("a list of numbers", &of, &base.span),
                }
            }
            Filter::Round | Filter::Int | Filter::Float | Filter::Abs => {
                self.rounded(filter, &of, base)
            }
            Filter::String => {
                if of != Type::Json {
                    self.writable(&of, &base.span);
                }
                Some(Type::text())
            }
            Filter::Json => {
                self.shown(&of, base)?;
                Some(Type::text())
            }
            Filter::Default => None,
        }
    }

    fn rounded(&mut self, filter: Filter, of: &Type, base: &Term) -> Option<Type> {
        let is_length = matches!(scalar(of), Some(Scalar::Money | Scalar::Duration));
        if filter == Filter::Abs && is_length {
            return Some(open(of));
        }
        let result = match filter {
            Filter::Int => Type::int(),
            Filter::Float => Type::float(),
            _ => open(of),
        };
        self.number(of, base, result)
    }

    fn default(&mut self, base: &Term, args: &[Term]) -> Option<Type> {
        let of = self.lenient(base);
        let other = args
            .first()
            .and_then(|other| Some((other, self.term(other)?)));
        let of = of?;
        let (other, ty) = other?;
        if !is_optional(&of) && of != Type::Json {
            // It may come out of a loop over lists with and without it.
            return Some(of);
        }
        let present = match of.present() {
            // A missing item of JSON: what is there is known only then.
            Type::Json => return Some(if is_optional(&of) { ty } else { Type::Json }),
            Type::None => return Some(ty),
            present => present,
        };
        match join(present, &ty) {
            Some(joined) => Some(joined),
            None if is_word(present) && is_word(&ty) => Some(Type::text()),
            None => self.mistyped(&format!("`{present}`"), &ty, &other.span),
        }
    }

    /// Checks the arguments, whose number was checked before.
    fn args(&mut self, filter: Filter, args: &[Term]) {
        for arg in args {
            let Some(ty) = self.there(arg) else { continue };
            match filter {
                Filter::Replace | Filter::Split | Filter::Join => {
                    if !is_word(&ty) {
                        self.mistyped("a text", &ty, &arg.span);
                    }
                }
                _ => {
                    if !matches!(ty, Type::Int(_)) {
                        self.mistyped("a whole number", &ty, &arg.span);
                    }
                }
            }
        }
    }

    fn text(&mut self, of: &Type, base: &Term, result: Type) -> Option<Type> {
        if is_word(of) {
            return Some(result);
        }
        self.mistyped("a text", of, &base.span)
    }

    fn number(&mut self, of: &Type, base: &Term, result: Type) -> Option<Type> {
        if matches!(of, Type::Int(_) | Type::Float(_)) {
            return Some(result);
        }
        self.mistyped("a number", of, &base.span)
    }

    fn list_of(&mut self, of: &Type, base: &Term) -> Option<ListType> {
        if let Type::List(list) = of {
            return Some(list.clone());
        }
        self.mistyped("a list", of, &base.span);
        None
    }

    fn ordered(&mut self, list: &ListType, base: &Term) -> Option<Type> {
        match scalar(&list.item) {
            Some(Scalar::Bool) | None => {
                let of = Type::List(list.clone());
                self.mistyped("a list of things that have an order", &of, &base.span)
            }
            Some(_) => Some((*list.item).clone()),
        }
    }

    /// Demands something without secrets in it.
    fn shown(&mut self, of: &Type, base: &Term) -> Option<()> {
        let mut open = vec![of.clone()];
        while let Some(ty) = open.pop() {
            match ty {
                Type::Secret => {
                    self.mistyped("something that can be shown", of, &base.span);
                    return None;
                }
                Type::List(list) => open.push((*list.item).clone()),
                Type::Map(item) | Type::Optional(item) => open.push((*item).clone()),
                Type::Record(record) => {
                    open.extend(record.fields.iter().map(|field| field.ty.clone()));
                }
                _ => {}
            }
        }
        Some(())
    }

    /// Returns the type of a test, which is a bool.
    pub(super) fn test(&mut self, base: &Term, test: Test, args: &[Term]) -> Option<Type> {
        match test {
            Test::Defined | Test::Undefined | Test::None => {
                self.lenient(base)?;
            }
            Test::Odd | Test::Even | Test::Divisibleby => {
                for term in std::iter::once(base).chain(args) {
                    let ty = self.there(term)?;
                    if !matches!(ty, Type::Int(_)) {
                        return self.mistyped("a whole number", &ty, &term.span);
                    }
                }
            }
        }
        Some(Type::Bool)
    }
}

/// Whether it is a text in a template.
fn is_word(ty: &Type) -> bool {
    matches!(ty, Type::Text(_) | Type::Enum(_) | Type::Model)
}
