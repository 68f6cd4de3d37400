//! What parameters are if nothing is given.

use flow_core::expr::Expr;
use flow_core::scalar;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind, TextPart};
use flow_syntax::diagnostic::{Diagnostic, Diagnostics};

use super::{Param, ParamDefault, Program, asks_settings};
use crate::codes;
use crate::project::Files;
use crate::settings::Settings;
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
        if let Some((default, ty)) = written(param, fields) {
            param.default = ParamDefault::Value(constant(default, &ty, out));
        }
    }
    params
}

/// Reads the defaults of all workflows.
pub(crate) fn of_workflows(
    program: &mut Program<'_>,
    _signatures: &Signatures,
    _settings: &Settings,
    _files: &dyn Files,
    out: &mut Diagnostics,
) {
    for head in &mut program.workflows {
        for param in &mut head.params {
            if let Some((default, ty)) = written(param, &head.tree.params) {
                param.default = ParamDefault::Value(constant(default, &ty, out));
            }
        }
    }
}

/// Returns the default of a parameter as it is written, and the parameter's
/// type, if it has both and it is not the settings' business.
fn written<'a>(param: &Param, fields: &'a [ast::Field]) -> Option<(&'a ast::Expr, Type)> {
    let field = fields.iter().find(|field| field.name.span == param.span)?;
    let default = field.default.as_ref()?;
    let ty = param.ty.clone()?;
    (!asks_settings(default, Some(&ty))).then_some((default, ty))
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
