//! `flow run`: walks a workflow to its end.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_compiler::CompiledWorkflow;
use flow_core::expr::Expr;
use flow_core::json;
use flow_core::plan::{Input as Param, Plan};
use flow_core::scalar;
use flow_core::ty::{Media, Type};
use flow_runtime::driver::{Driver, Given, NewRun, Reuse};

use crate::args::Run as Args;
use crate::commands::plan::{given_inputs, is_word};
use crate::commands::target::Target;
use crate::drive::{Desk, budget, drive};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::render::human;

/// Runs a workflow.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let target = Target::load(&args.target, args.settled.profile.as_deref(), extra)?;
    let said = human(&target.report, output.message_looks());
    if !said.is_empty() {
        output.message(&format!("{said}{}", target.report.summary()))?;
    }
    if !target.compiled.is_ok() {
        return Ok(Exit::Invalid);
    }
    let root = target.root.clone();
    let mut workflow = target.into_workflow()?;
    let Some(plan) = workflow.plan.take() else {
        return Ok(Exit::Invalid);
    };
    let reuse = if args.fresh {
        Reuse::Nothing
    } else {
        Reuse::Results
    };
    let desk = Desk::open(&root, &args.running, extra, reuse)?;
    let new = NewRun {
        inputs: inputs(&workflow, &plan, &args.inputs)?,
        files: files(&plan, &root),
        plan: Arc::new(plan),
        seed: args.seed.unwrap_or_else(any_seed),
        budget: budget(&args.running)?,
        trigger: None,
    };
    drive(
        desk,
        output,
        args.running.format,
        |around, _orders| async move { Driver::begin(around, new) },
    )
}

/// Draws a seed that an author can write down.
fn any_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 32
}

/// Returns the arguments in the order of the plan.
fn inputs(
    workflow: &CompiledWorkflow,
    plan: &Plan,
    written: &[String],
) -> Result<Vec<Given>, Failure> {
    let given = given_inputs(workflow, written)?;
    let params = plan.root().params.iter();
    params.map(|param| input(workflow, param, &given)).collect()
}

fn input(
    workflow: &CompiledWorkflow,
    param: &Param,
    given: &BTreeMap<Arc<str>, String>,
) -> Result<Given, Failure> {
    let Some(text) = given.get(&param.name) else {
        return match &param.value {
            Some(Expr::Const(value)) => Ok(Given::Value(value.clone())),
            Some(expr) => default(param, expr),
            None => Err(Failure::usage(format!(
                "`{}` needs the input `{}: {}`",
                workflow.name, param.name, param.ty
            ))
            .with_help(format!("write `{}=…`", param.name))),
        };
    };
    let wrong = |why: String| Failure::usage(format!("the input `{}`: {why}", param.name));
    if let Type::Media(media) = param.ty.present() {
        return file(text, *media).map_err(wrong);
    }
    let value = if is_word(&param.ty) {
        scalar::read(text, &param.ty).map_err(|error| wrong(error.to_string()))?
    } else {
        let read: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| wrong(format!("`{text}` is no JSON ({error})")))?;
        let value = json::from_json(&read, &param.ty);
        value.map_err(|mismatch| wrong(mismatch.to_string()))?
    };
    Ok(Given::Value(value))
}

fn file(text: &str, media: Media) -> Result<Given, String> {
    let path = PathBuf::from(text);
    if path.is_file() {
        Ok(Given::File(path, media))
    } else {
        Err(format!("there is no file `{text}`"))
    }
}

/// Computes a default that isn't a plain value.
fn default(param: &Param, expr: &Expr) -> Result<Given, Failure> {
    let value = flow_core::run::constant(expr);
    value.map(Given::Value).map_err(|error| {
        Failure::usage(format!(
            "the default of `{}` has no value: {error}",
            param.name
        ))
        .with_help(format!("write `{}=…`", param.name))
    })
}

/// Returns the files of the project that a plan names.
fn files(plan: &Plan, root: &Path) -> Vec<(Arc<str>, PathBuf, Media)> {
    let mut found = BTreeMap::new();
    for (path, media) in plan.files() {
        found.insert(path.clone(), (root.join(&*path), media));
    }
    let found = found.into_iter();
    found
        .map(|(path, (file, media))| (path, file, media))
        .collect()
}
