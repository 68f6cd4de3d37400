//! The one type parameter of a declared step.

use std::sync::Arc;

use flow_core::ty::{FieldType, ListType, RecordType, Type};

/// Returns whether a type mentions the type parameter.
pub(crate) fn is_open(ty: &Type) -> bool {
    match ty {
        Type::Param => true,
        Type::List(list) => is_open(&list.item),
        Type::Map(inner) | Type::Optional(inner) => is_open(inner),
        Type::Record(record) => record.fields.iter().any(|field| is_open(&field.ty)),
        _ => false,
    }
}

/// Returns the type with another in place of the type parameter.
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
