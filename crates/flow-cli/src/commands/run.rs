//! `flow run`: walks a workflow to its end.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_compiler::CompiledWorkflow;
use flow_core::digest::Digest;
use flow_core::expr::Expr;
use flow_core::plan::{Input as Param, Plan};
use flow_core::ty::Media;
use flow_runtime::driver::{Driver, Given, Known, NewRun, Reuse};

use crate::args::Run as Args;
use crate::commands::plan::given_inputs;
use crate::commands::target::{Target, split};
use crate::drive::{Desk, budget, drive, folder, recall};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::front::{Asked, Front};
use crate::given;
use crate::output::Output;
use crate::project::{Looked, root_of};
use crate::render::human;
use crate::tell::{End, tell};

/// Runs a workflow.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let (path, name) = split(&args.target);
    let known = Asking::new(args, extra, &path, name.as_deref());
    if let Some(exit) = known
        .as_ref()
        .map_or(Ok(None), |known| known.recall(output))?
    {
        return Ok(exit);
    }
    let target = Target::load(&args.target, args.running.settled.profile.as_deref(), extra)?;
    let said = human(&target.report, output.message_looks());
    if !said.is_empty() {
        output.message(&format!("{said}{}", target.report.summary()))?;
    }
    if target.report.counts().0 > 0 {
        return Ok(Exit::Invalid);
    }
    let root = target.root.clone();
    // Who is warned is warned again.
    let looked = target.looked.clone().filter(|_| said.is_empty());
    let mut workflow = target.into_workflow()?;
    let Some(plan) = workflow.plan.take() else {
        return Ok(Exit::Invalid);
    };
    let desk = Desk::open(&root, &args.running, extra, reuse(args))?;
    let given = inputs(&workflow, &plan, &args.inputs)?;
    let plan = Arc::new(plan);
    let new = NewRun {
        inputs: given.clone(),
        files: files(plan.files(), &root),
        plan: plan.clone(),
        seed: args.seed.unwrap_or_else(any_seed),
        budget: budget(&args.running)?,
        trigger: None,
    };
    let exit = drive(
        &desk,
        output,
        args.running.format,
        |around, _orders| async move { Driver::begin(around, new) },
    )?;
    if exit == Exit::Done
        && plan.is_recallable()
        && let (Some(known), Some(looked)) = (known, looked)
    {
        known.keep(&plan, given, &looked);
    }
    Ok(exit)
}

fn reuse(args: &Args) -> Reuse {
    if args.fresh {
        Reuse::Nothing
    } else {
        Reuse::Results
    }
}

/// A command line whose answer may be known.
struct Asking<'a> {
    args: &'a Args,
    extra: &'a Extra,
    path: &'a Path,
    workflow: Option<&'a str>,
    root: PathBuf,
    store: PathBuf,
}

impl<'a> Asking<'a> {
    fn new(
        args: &'a Args,
        extra: &'a Extra,
        path: &'a Path,
        workflow: Option<&'a str>,
    ) -> Option<Self> {
        let whole = fs::canonicalize(path).ok().filter(|path| path.is_file())?;
        let root = root_of(whole.parent()?);
        let store = folder(&root, args.running.store.as_deref());
        // Steps that are declared elsewhere are not looked at.
        extra.declarations.is_empty().then_some(Self {
            args,
            extra,
            path,
            workflow,
            root,
            store,
        })
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            root: &self.root,
            target: self.path,
            workflow: self.workflow,
            profile: self.args.running.settled.profile.as_deref(),
            inputs: &self.args.inputs,
        }
    }

    /// Ends at once if nothing has changed since an equal run.
    fn recall(&self, output: &mut Output) -> Result<Option<Exit>, Failure> {
        if self.args.fresh {
            return Ok(None);
        }
        let Some(front) = Front::find(&self.store, &self.asked()) else {
            return Ok(None);
        };
        let Some(plan) = front.plan() else {
            return Ok(None);
        };
        let desk = Desk::open(&self.root, &self.args.running, self.extra, Reuse::Results)?;
        let known = Known {
            plan,
            workflow: front.workflow.clone(),
            inputs: front.inputs,
            files: files(front.files, &self.root),
            seed: self.args.seed.unwrap_or_else(any_seed),
            budget: budget(&self.args.running)?,
        };
        let Some(over) = recall(&desk, known)? else {
            return Ok(None);
        };
        output.message(&format!("run {} of `{}`", over.run, front.workflow))?;
        let end = End::recalled(over, front.workflow, front.ty);
        tell(&end, output, self.args.running.format).map(Some)
    }

    /// Keeps what the command line meant.
    fn keep(&self, plan: &Plan, given: Vec<Given>, looked: &Looked) {
        let inputs = given.into_iter().map(|given| match given {
            Given::Value(value) => Some(value),
            // What is in the file decides, and it may be another.
            Given::File(..) => None,
        });
        let Some(inputs) = inputs.collect::<Option<Vec<_>>>() else {
            return;
        };
        let digest = Digest::of(plan.to_json().as_bytes());
        let (workflow, ty) = (plan.root().workflow.clone(), plan.root_node().ty.clone());
        let front = Front::new(digest, workflow, ty, inputs, plan.files(), looked);
        front.keep(&self.store, &self.asked());
    }
}

/// Draws a seed that an author can write down.
pub(super) fn any_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 32
}

/// Returns the arguments in the order of the plan.
pub(super) fn inputs(
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
    read(param, text)
}

/// Reads an input by its type.
pub(super) fn read(param: &Param, text: &str) -> Result<Given, Failure> {
    given::read(text, &param.ty)
        .map_err(|why| Failure::usage(format!("the input `{}`: {why}", param.name)))
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
pub(super) fn files(named: Vec<(Arc<str>, Media)>, root: &Path) -> Vec<(Arc<str>, PathBuf, Media)> {
    let mut found = BTreeMap::new();
    for (path, media) in named {
        found.insert(path.clone(), (root.join(&*path), media));
    }
    let found = found.into_iter();
    found
        .map(|(path, (file, media))| (path, file, media))
        .collect()
}
