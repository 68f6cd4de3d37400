//! What parameters are if nothing is given.

use flow_core::expr::Expr;
use flow_core::scalar;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind, TextPart};
use flow_syntax::diagnostic::{Diagnostic, Diagnostics};

use super::{Param, ParamDefault, asks_settings};
use crate::codes;
use crate::signature::Signatures;

/// Reads the defaults of a step's parameters, and returns all parameters.
pub(crate) fn of_step(
    signatures: &Signatures,
    step: &str,
    fields: &[ast::Field],
    out: &mut Diagnostics,
) -> Vec<Param> {
    let mut params = match signatures.steps.get(step) {
        Some(step) => step.params.clone(),
        None => return Vec::new(),
    };
    for param in &mut params {
        let field = fields.iter().find(|field| field.name.text == *param.name);
        let Some(default) = field.and_then(|field| field.default.as_ref()) else {
            continue;
        };
        if asks_settings(default, param.ty.as_ref()) {
            continue;
        }
        if let Some(ty) = &param.ty {
            param.default = ParamDefault::Value(constant(default, ty, out));
        }
    }
    params
}

fn constant(default: &ast::Expr, ty: &Type, out: &mut Diagnostics) -> Expr {
    let text = match &default.kind {
        ExprKind::None => return Expr::Const(Value::None),
        ExprKind::Literal(literal) => Some(literal.text.clone()),
        ExprKind::Bare(bare) => Some(bare.text.clone()),
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Text(text) => match text.parts.as_slice() {
            [] => Some(String::new()),
            [TextPart::Str(text)] => Some(text.clone()),
            _ => None,
        },
        ExprKind::List(items) if items.is_empty() => {
            return Expr::Const(Value::list(Vec::new()));
        }
        ExprKind::Record(entries) if entries.is_empty() => {
            return Expr::Record(Vec::new());
        }
        _ => None,
    };
    let value = text.map(|text| scalar::read(&text, ty));
    match value {
        Some(Ok(value)) => Expr::Const(value),
        Some(Err(error)) => {
            out.push(Diagnostic::new(
                codes::BAD_DEFAULT,
                default.span,
                error.to_string(),
            ));
            Expr::Const(Value::None)
        }
        None => {
            let message = "a default is known beforehand";
            out.push(Diagnostic::new(codes::BAD_DEFAULT, default.span, message));
            Expr::Const(Value::None)
        }
    }
}
