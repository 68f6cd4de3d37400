//! How types relate: which fits where another is wanted, and what two join to.
//!
//! Nothing is coerced. An `int` widens to a `float`, a `T` to a `T?`; a value
//! whose type only overlaps a narrower one is checked when it is there.

use std::sync::Arc;

use crate::ty::{Bounds, FieldType, ListType, Media, RecordType, TextRule, Type};

/// How a type fits where another is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Every value does.
    Yes,
    /// Every value does, made a number with a fraction.
    Widen,
    /// Some values do; which ones is known when they are there.
    Check,
    /// Some values do, made a number with a fraction first.
    WidenCheck,
    /// No value does.
    No,
}

impl Fit {
    /// Returns how a whole fits whose parts fit like this and like the other.
    /// Parts are not widened: that would rebuild the whole behind its back.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Yes | Self::Check, Self::Yes | Self::Check) => Self::Check,
            _ => Self::No,
        }
    }
}

/// Returns how a type fits where another is wanted.
pub fn fit(found: &Type, wanted: &Type) -> Fit {
    match (found, wanted) {
        (Type::None, Type::Optional(_) | Type::None) => Fit::Yes,
        (Type::Optional(found), Type::Optional(wanted)) => fit(found, wanted).and(Fit::Yes),
        (Type::Optional(_), _) => Fit::No,
        (found, Type::Optional(wanted)) => fit(found, wanted),
        (Type::Text(found), Type::Text(wanted)) => fit_text(found, wanted),
        (Type::Int(found), Type::Int(wanted)) => fit_bounds(found, wanted),
        (Type::Float(found), Type::Float(wanted)) => fit_bounds(found, wanted),
        (Type::Int(found), Type::Float(wanted)) => match fit_bounds(&wide(found), wanted) {
            Fit::Yes | Fit::Widen => Fit::Widen,
            Fit::Check | Fit::WidenCheck => Fit::WidenCheck,
            Fit::No => Fit::No,
        },
        (Type::Duration(found), Type::Duration(wanted)) => fit_bounds(found, wanted),
        (Type::Money(found), Type::Money(wanted)) => fit_bounds(found, wanted),
        (Type::List(found), Type::List(wanted)) if is_empty(found) => {
            fit_bounds(&found.length, &wanted.length)
        }
        (Type::List(found), Type::List(wanted)) => {
            fit_bounds(&found.length, &wanted.length).and(fit(&found.item, &wanted.item))
        }
        (Type::Map(found), Type::Map(wanted)) => fit(found, wanted).and(Fit::Yes),
        (Type::Record(found), Type::Record(wanted)) if Arc::ptr_eq(found, wanted) => Fit::Yes,
        (Type::Record(found), Type::Record(wanted)) => fit_record(found, wanted),
        (Type::Media(found), Type::Media(wanted)) => {
            known(*wanted == Media::File || found == wanted)
        }
        (found, wanted) => known(found == wanted),
    }
}

fn known(fits: bool) -> Fit {
    if fits { Fit::Yes } else { Fit::No }
}

fn fit_record(found: &RecordType, wanted: &RecordType) -> Fit {
    if found.fields.len() != wanted.fields.len() {
        return Fit::No;
    }
    let mut all = Fit::Yes;
    for (at, field) in wanted.fields.iter().enumerate() {
        let Some(twin) = found.field_near(&field.name, at) else {
            return Fit::No;
        };
        all = all.and(fit(&twin.ty, &field.ty));
    }
    all
}

fn fit_text(found: &TextRule, wanted: &TextRule) -> Fit {
    let matching = if wanted.matching.is_none() || wanted.matching == found.matching {
        Fit::Yes
    } else {
        // Whether one expression implies another is not for us to find out.
        Fit::Check
    };
    fit_bounds(&found.length, &wanted.length).and(matching)
}

fn fit_bounds<T: PartialOrd>(found: &Bounds<T>, wanted: &Bounds<T>) -> Fit {
    let above = |min: &Option<T>, max: &Option<T>| match (min, max) {
        (Some(min), Some(max)) => min > max,
        (None, _) | (_, None) => false,
    };
    if above(&found.min, &wanted.max) || above(&wanted.min, &found.max) {
        return Fit::No;
    }
    let lower = match (&found.min, &wanted.min) {
        (_, None) => true,
        (Some(found), Some(wanted)) => found >= wanted,
        (None, Some(_)) => false,
    };
    let upper = match (&found.max, &wanted.max) {
        (_, None) => true,
        (Some(found), Some(wanted)) => found <= wanted,
        (None, Some(_)) => false,
    };
    if lower && upper { Fit::Yes } else { Fit::Check }
}

fn wide(bounds: &Bounds<i64>) -> Bounds<f64> {
    Bounds {
        min: bounds.min.map(crate::amount::to_float),
        max: bounds.max.map(crate::amount::to_float),
    }
}

/// Returns the type of a value that is of one type or of the other.
///
/// They join if they are equal, if one widens to the other, or if one is the
/// other's optional; refinements join to the narrowest that covers both.
pub fn join(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Int(int), Type::Float(float)) | (Type::Float(float), Type::Int(int)) => {
            Some(Type::Float(hull(&wide(int), float)))
        }
        // The int becomes a float, and the float an optional.
        (int @ Type::Int(_), Type::Optional(other))
        | (Type::Optional(other), int @ Type::Int(_))
            if matches!(**other, Type::Float(_)) =>
        {
            join(int, other).map(Type::optional)
        }
        (a, b) => join_exact(a, b),
    }
}

/// Joins without making numbers of one kind into the other.
fn join_exact(a: &Type, b: &Type) -> Option<Type> {
    let joined = match (a, b) {
        (Type::None, other) | (other, Type::None) => other.clone().optional(),
        (Type::Optional(a), b) => join_exact(a, b.present())?.optional(),
        (a, Type::Optional(b)) => join_exact(a, b)?.optional(),
        (Type::Text(a), Type::Text(b)) => Type::Text(TextRule {
            length: hull(&a.length, &b.length),
            matching: a.matching.clone().filter(|_| a.matching == b.matching),
        }),
        (Type::Int(a), Type::Int(b)) => Type::Int(hull(a, b)),
        (Type::Float(a), Type::Float(b)) => Type::Float(hull(a, b)),
        (Type::Duration(a), Type::Duration(b)) => Type::Duration(hull(a, b)),
        (Type::Money(a), Type::Money(b)) => Type::Money(hull(a, b)),
        (Type::List(a), Type::List(b)) => Type::List(ListType {
            // What is always empty holds what the other one holds.
            item: match (is_empty(a), is_empty(b)) {
                (true, _) => b.item.clone(),
                (false, true) => a.item.clone(),
                (false, false) => Arc::new(join_exact(&a.item, &b.item)?),
            },
            length: hull(&a.length, &b.length),
        }),
        (Type::Map(a), Type::Map(b)) => Type::Map(Arc::new(join_exact(a, b)?)),
        (Type::Record(a), Type::Record(b)) if Arc::ptr_eq(a, b) => Type::Record(a.clone()),
        (Type::Record(a), Type::Record(b)) => Type::Record(Arc::new(join_record(a, b)?)),
        (a, b) => (a == b).then(|| a.clone())?,
    };
    Some(joined)
}

/// Returns whether a list is `[]`, and nothing says of what.
fn is_empty(list: &ListType) -> bool {
    *list.item == Type::None && list.length.max == Some(0)
}

fn join_record(a: &RecordType, b: &RecordType) -> Option<RecordType> {
    if a.fields.len() != b.fields.len() {
        return None;
    }
    let mut fields = Vec::with_capacity(a.fields.len());
    for (at, field) in a.fields.iter().enumerate() {
        fields.push(FieldType {
            name: field.name.clone(),
            ty: join_exact(&field.ty, &b.field_near(&field.name, at)?.ty)?,
            docs: field.docs.clone(),
        });
    }
    // A name stands for one set of fields: it stays if they didn't change.
    let joined = RecordType { name: None, fields };
    let name = if joined == *a {
        a.name.clone()
    } else if joined == *b {
        b.name.clone()
    } else {
        None
    };
    Some(RecordType { name, ..joined })
}

fn hull<T: PartialOrd + Clone>(a: &Bounds<T>, b: &Bounds<T>) -> Bounds<T> {
    let pick = |a: &Option<T>, b: &Option<T>, first: fn(&T, &T) -> bool| {
        let (a, b) = (a.as_ref()?, b.as_ref()?);
        Some(if first(a, b) { a } else { b }.clone())
    };
    Bounds {
        min: pick(&a.min, &b.min, |a, b| a <= b),
        max: pick(&a.max, &b.max, |a, b| a >= b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(min: i64, max: i64) -> Type {
        Type::Int(Bounds {
            min: Some(min),
            max: Some(max),
        })
    }

    fn float(min: f64, max: f64) -> Type {
        Type::Float(Bounds {
            min: Some(min),
            max: Some(max),
        })
    }

    fn at_most(max: u64, item: Type) -> Type {
        Type::List(ListType {
            item: Arc::new(item),
            length: Bounds {
                min: None,
                max: Some(max),
            },
        })
    }

    fn record(name: &str, fields: &[(&str, Type)]) -> Type {
        let fields = fields.iter().map(|(name, ty)| FieldType {
            name: (*name).into(),
            ty: ty.clone(),
            docs: "".into(),
        });
        Type::Record(Arc::new(RecordType {
            name: Some(name.into()),
            fields: fields.collect(),
        }))
    }

    #[test]
    fn an_empty_list_joins_any_other() {
        let texts = at_most(3, Type::text());
        let joined = at_most(3, Type::text());
        assert_eq!(join(&at_most(0, Type::None), &texts), Some(joined.clone()));
        assert_eq!(join(&texts, &at_most(0, Type::None)), Some(joined));
    }

    #[test]
    fn what_fits_where() {
        let image = || Type::Media(Media::Image);
        let file = || Type::Media(Media::File);
        let cases = [
            (Type::int(), Type::int(), Fit::Yes),
            (Type::int(), Type::int().optional(), Fit::Yes),
            (Type::None, Type::int().optional(), Fit::Yes),
            (Type::None, Type::int(), Fit::No),
            (Type::int().optional(), Type::int(), Fit::No),
            (Type::int(), Type::float(), Fit::Widen),
            (Type::float(), Type::int(), Fit::No),
            (Type::int(), Type::float().optional(), Fit::Widen),
            (Type::int().optional(), Type::float().optional(), Fit::No),
            (int(2, 3), int(1, 8), Fit::Yes),
            (int(2, 9), int(1, 8), Fit::Check),
            (int(9, 9), int(1, 8), Fit::No),
            (Type::int(), int(1, 8), Fit::Check),
            (int(0, 1), float(0.0, 1.0), Fit::Widen),
            (int(0, 2), float(0.0, 1.0), Fit::WidenCheck),
            (int(2, 2), float(0.0, 1.0), Fit::No),
            (at_most(3, int(1, 2)), at_most(4, Type::int()), Fit::Yes),
            (Type::list(int(1, 2)), at_most(4, Type::int()), Fit::Check),
            (Type::list(Type::int()), Type::list(Type::float()), Fit::No),
            (Type::text(), Type::Model, Fit::No),
            (Type::text(), Type::Json, Fit::No),
            (image(), file(), Fit::Yes),
            (file(), image(), Fit::No),
            (Type::list(image()), Type::list(file()), Fit::Yes),
        ];
        for (found, wanted, expected) in cases {
            assert_eq!(fit(&found, &wanted), expected, "{found} for {wanted}");
        }
    }

    #[test]
    fn records_fit_field_by_field() {
        let a = record("A", &[("n", int(1, 2)), ("t", Type::text())]);
        let b = record("B", &[("t", Type::text().optional()), ("n", int(2, 3))]);
        assert_eq!(fit(&a, &b), Fit::Check);
        assert_eq!(fit(&a, &record("C", &[("n", int(1, 2))])), Fit::No);
    }

    #[test]
    fn what_joins_to_what() {
        let cases = [
            (Type::int(), Type::float(), Some(Type::float())),
            (Type::None, Type::None, Some(Type::None)),
            (Type::None, Type::int(), Some(Type::int().optional())),
            (
                Type::int().optional(),
                Type::int(),
                Some(Type::int().optional()),
            ),
            (
                Type::int(),
                Type::float().optional(),
                Some(Type::float().optional()),
            ),
            (Type::float(), Type::int().optional(), None),
            (int(1, 2), int(5, 8), Some(int(1, 8))),
            (int(1, 2), Type::int(), Some(Type::int())),
            (
                at_most(2, int(1, 1)),
                at_most(3, int(2, 2)),
                Some(at_most(3, int(1, 2))),
            ),
            (Type::list(Type::int()), Type::list(Type::float()), None),
            (Type::text(), Type::int(), None),
        ];
        for (a, b, joined) in cases {
            assert_eq!(join(&a, &b), joined, "{a} with {b}");
            assert_eq!(join(&b, &a), joined, "{b} with {a}");
        }
    }

    #[test]
    fn both_sides_fit_what_they_join_to() {
        let types = [
            Type::None,
            Type::int(),
            int(1, 2),
            float(0.5, 1.0),
            Type::text(),
            Type::list(int(1, 2)),
            Type::list(Type::None),
            at_most(2, Type::int().optional()),
            record("A", &[("n", int(1, 2))]),
            record("B", &[("n", int(2, 3).optional())]),
        ];
        for a in types
            .iter()
            .flat_map(|ty| [ty.clone(), ty.clone().optional()])
        {
            for b in &types {
                if let Some(joined) = join(&a, b) {
                    for side in [&a, b] {
                        let fit = fit(side, &joined);
                        assert!(matches!(fit, Fit::Yes | Fit::Widen), "{side} in {joined}");
                    }
                }
            }
        }
    }
}
