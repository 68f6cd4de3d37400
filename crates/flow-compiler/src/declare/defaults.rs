//! What parameters are if nothing is given.
//!
//! A default sees no other name: neither other parameters nor the run.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::expr::Expr;
use flow_core::plan::NodeId;
use flow_core::ty::Type;
use flow_syntax::ast;
use flow_syntax::diagnostic::{Diagnostic, Diagnostics};
use flow_syntax::span::Span;

use super::{FileId, FileScope, Param, ParamDefault, Program, asks_settings};
use crate::check::{Checker, World};
use crate::codes;
use crate::project::Files;
use crate::settings::Settings;
use crate::signature::Signatures;
use crate::translate::Readings;

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
    // A declaration stands in no file of a compilation.
    let program = Program {
        files: vec![FileScope::default()],
        workflows: Vec::new(),
        readings: Readings::new(),
    };
    let files: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let world = World {
        program: &program,
        facts: &[],
        signatures,
        settings: &Settings::default(),
        files: &files,
    };
    let defaults = defaults(fields);
    for param in &mut params {
        if let Some((default, ty)) = written(param, &defaults) {
            let (value, _) = check(world, FileId(0), param, default, &ty, out);
            param.default = ParamDefault::Value(value);
        }
    }
    params
}

/// Reads the defaults of all workflows.
pub(crate) fn of_workflows(
    program: &mut Program<'_>,
    signatures: &Signatures,
    settings: &Settings,
    files: &dyn Files,
    out: &mut Diagnostics,
) {
    let facts = vec![None; program.workflows.len()];
    let world = World {
        program,
        facts: &facts,
        signatures,
        settings,
        files,
    };
    let mut read = Vec::new();
    let mut readings = Readings::new();
    for (at, head) in program.workflows.iter().enumerate() {
        let defaults = defaults(&head.tree.params);
        for (position, param) in head.params.iter().enumerate() {
            if let Some((default, ty)) = written(param, &defaults) {
                let (value, how) = check(world, head.file, param, default, &ty, out);
                read.push((at, position, value));
                readings.extend(how);
            }
        }
    }
    for (at, position, value) in read {
        program.workflows[at].params[position].default = ParamDefault::Value(value);
    }
    program.readings = readings;
}

/// Returns the defaults of some parameters by their names.
pub(crate) fn written_in(params: &[Param]) -> BTreeMap<Arc<str>, Expr> {
    let named = params.iter().filter_map(|param| match &param.default {
        ParamDefault::Value(expr) => Some((param.name.clone(), expr.clone())),
        ParamDefault::Required | ParamDefault::Setting => None,
    });
    named.collect()
}

fn check(
    world: World<'_>,
    file: FileId,
    param: &Param,
    default: &ast::Expr,
    ty: &Type,
    out: &mut Diagnostics,
) -> (Expr, Readings) {
    let mut checker = Checker::new(world, file);
    checker.scopes.push();
    let what = format!("`{}`", param.name);
    checker.enter(NodeId(0));
    let value = checker.expr_for(default, ty, &what, param.span);
    // Both belong to the body in which they are written, and a default has none.
    let wrong = if !checker.body.templates.is_empty() {
        Some("a template can't be a default")
    } else if checker.draw() > 0 {
        Some("a draw can't be a default")
    } else {
        None
    };
    out.extend(checker.out);
    if let Some(wrong) = wrong {
        out.push(
            Diagnostic::new(codes::BAD_DEFAULT, default.span, wrong)
                .help("make it optional, as in `text?`, and use `??` where the value is used"),
        );
    }
    (value, checker.readings)
}

/// Returns the defaults that are written, by the places of their parameters.
fn defaults(fields: &[ast::Field]) -> BTreeMap<Span, &ast::Expr> {
    let fields = fields.iter();
    fields
        .filter_map(|field| Some((field.name.span, field.default.as_ref()?)))
        .collect()
}

/// Returns the default of a parameter as it is written, and the parameter's
/// type, if it has both and it is not the settings' business.
fn written<'a>(
    param: &Param,
    defaults: &BTreeMap<Span, &'a ast::Expr>,
) -> Option<(&'a ast::Expr, Type)> {
    let default = *defaults.get(&param.span)?;
    let ty = param.ty.clone()?;
    (!asks_settings(default, Some(&ty))).then_some((default, ty))
}
