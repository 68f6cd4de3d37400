//! Parameters of workflows and of declared steps.

use std::collections::BTreeMap;

use flow_core::expr::Expr;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind};
use flow_syntax::diagnostic::{Certainty, Diagnostic, Diagnostics};
use flow_syntax::span::Span;

use super::types::{Role, TypeScope, read, twice};
use super::{Param, ParamDefault};
use crate::codes;

/// Reads parameters. What they are if nothing is given comes later, when all
/// declarations are known: see [`asks_settings`].
pub(crate) fn params(
    fields: &[ast::Field],
    scope: &TypeScope<'_>,
    role: Role,
    out: &mut Diagnostics,
) -> Vec<Param> {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    let mut params = Vec::new();
    for field in fields {
        let name = &field.name;
        if let Some(first) = seen.insert(&name.text, name.span) {
            out.push(twice("parameter", name, first));
            continue;
        }
        small(name, "a parameter", out);
        let ty = read(&field.ty, scope, role, out);
        if let (Some(mark), Some(ty)) = (field.constant, &ty)
            && !holds_text(ty)
        {
            out.push(
                Diagnostic::new(
                    codes::MISPLACED_CONST,
                    mark,
                    format!("`{ty}` can't be `const`: it takes no holes anyway"),
                )
                .help("`const` keeps holes out of texts such as scripts")
                .fix(Certainty::Certain, "remove it", mark, ""),
            );
        }
        let default = match (&field.default, &ty) {
            (None, Some(Type::Optional(_))) => ParamDefault::Value(Expr::Const(Value::None)),
            (None, _) => ParamDefault::Required,
            (Some(default), ty) if asks_settings(default, ty.as_ref()) => ParamDefault::Setting,
            // Stands for the value until that is checked.
            (Some(_), _) => ParamDefault::Value(Expr::Const(Value::None)),
        };
        params.push(Param {
            name: name.text.as_str().into(),
            ty,
            constant: field.constant.is_some(),
            default,
            docs: field.docs.as_str().into(),
            span: name.span,
        });
    }
    params
}

/// Returns whether a default is the word `default`, which leaves it to the
/// project's settings; an enumeration may have a value of that name.
pub(crate) fn asks_settings(default: &ast::Expr, ty: Option<&Type>) -> bool {
    let word = match &default.kind {
        ExprKind::Name(name) => name == "default",
        ExprKind::Bare(bare) => !bare.quoted && bare.text == "default",
        ExprKind::Literal(_)
        | ExprKind::Text(_)
        | ExprKind::None
        | ExprKind::Field(..)
        | ExprKind::Index(..)
        | ExprKind::Unary(..)
        | ExprKind::Binary(_)
        | ExprKind::Is(..)
        | ExprKind::If(_)
        | ExprKind::Call(_)
        | ExprKind::List(_)
        | ExprKind::Comprehension(_)
        | ExprKind::Record(_)
        | ExprKind::Error => false,
    };
    let is_value = match ty.map(Type::present) {
        Some(Type::Enum(words)) => words.variant("default").is_some(),
        _ => false,
    };
    word && !is_value
}

/// Reports a name that doesn't begin with a small letter.
pub(crate) fn small(name: &ast::Name, what: &str, out: &mut Diagnostics) {
    if !name.text.starts_with(char::is_uppercase) {
        return;
    }
    out.push(
        Diagnostic::new(
            codes::NAME_STYLE,
            name.span,
            format!(
                "the name of {what} begins with a small letter, found `{}`",
                name.text
            ),
        )
        .help("only types begin with a capital"),
    );
}

fn holds_text(ty: &Type) -> bool {
    match ty.present() {
        Type::Text(_) => true,
        Type::List(list) => matches!(list.item.present(), Type::Text(_)),
        Type::Map(item) => matches!(item.present(), Type::Text(_)),
        Type::Int(_)
        | Type::Float(_)
        | Type::Bool
        | Type::Duration(_)
        | Type::Money(_)
        | Type::Time
        | Type::Size
        | Type::Model
        | Type::Json
        | Type::Secret
        | Type::Step
        | Type::Media(_)
        | Type::Optional(_)
        | Type::Record(_)
        | Type::Enum(_)
        | Type::Param
        | Type::None => false,
    }
}
