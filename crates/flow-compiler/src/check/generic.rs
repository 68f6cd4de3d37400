//! The one type parameter of a declared step.

use std::sync::Arc;

use flow_core::ty::{FieldType, ListType, RecordType, Type};

use super::coerce::has_part;

/// Returns whether a type mentions the type parameter.
pub(crate) fn is_open(ty: &Type) -> bool {
    has_part(ty, &|part| *part == Type::Param)
}

/// Returns the type with another in place of the type parameter.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others hold no type")]
pub(crate) fn close(ty: &Type, arg: &Type) -> Type {
    match ty {
        Type::Param => arg.clone(),
        Type::List(list) => Type::List(ListType {
            item: Arc::new(close(&list.item, arg)),
            length: list.length,
        }),
        Type::Map(inner) => Type::Map(Arc::new(close(inner, arg))),
        Type::Optional(inner) => close(inner, arg).optional(),
        Type::Record(record) if is_open(ty) => Type::Record(Arc::new(RecordType {
            name: record.name.clone(),
            fields: record
                .fields
                .iter()
                .map(|field| FieldType {
                    ty: close(&field.ty, arg),
                    ..field.clone()
                })
                .collect(),
        })),
        other => other.clone(),
    }
}

/// Returns what the type parameter must be so that an open type becomes the
/// one that was found.
pub(crate) fn infer(open: &Type, found: &Type) -> Option<Type> {
    match (open, found) {
        (Type::Param, found) => Some(found.clone()),
        (Type::List(open), Type::List(found)) => infer(&open.item, &found.item),
        (Type::Map(open), Type::Map(found)) => infer(open, found),
        (Type::Optional(open), Type::Optional(found)) => infer(open, found),
        (Type::Optional(open), found) => infer(open, found),
        (Type::Record(open), Type::Record(found)) => open.fields.iter().find_map(|field| {
            let twin = found.field(&field.name)?;
            infer(&field.ty, &twin.ty)
        }),
        _ => None,
    }
}
