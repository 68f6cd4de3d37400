//! `flow plan`: what a workflow does, in which order, and what it costs at
//! most.

mod json;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow_compiler::declare::ParamDefault;
use flow_compiler::{CompiledWorkflow, Param};
use flow_core::cost::{Cost, OverBudget, cost, over_budget};
use flow_core::plan::{NodeKind, Plan};
use flow_core::scalar;
use flow_core::ty::Type;
use flow_syntax::diagnostic::nearest;

use crate::args::{DataFormat, Plan as Args};
use crate::commands::target::Target;
use crate::commands::validate::verdict;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::given::is_word;
use crate::outline::Part;
use crate::output::Output;
use crate::render::human;

/// All that is shown of a plan.
#[derive(Debug)]
struct Shown<'a> {
    workflow: &'a CompiledWorkflow,
    plan: &'a Plan,
    outline: Part,
    cost: Cost,
    over: Vec<OverBudget>,
    given: BTreeMap<Arc<str>, String>,
}

/// Shows the plan of a workflow.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let target = Target::load(&args.target, args.settled.profile.as_deref(), extra)?;
    let report = &target.report;
    // What is wrong with the command line is said before, and instead.
    let chosen = if target.compiled.is_ok() {
        let workflow = target.workflow()?;
        let given = given_inputs(workflow, &args.inputs)?;
        workflow.plan.as_ref().map(|plan| (workflow, plan, given))
    } else {
        None
    };
    let said = human(report, output.message_looks());
    if !said.is_empty() {
        output.message(&format!("{said}{}", report.summary()))?;
    }
    let Some((workflow, plan, given)) = chosen else {
        if args.format == DataFormat::Json {
            output.data(&json::without_plan(report))?;
        }
        return Ok(Exit::Invalid);
    };
    let shown = Shown {
        workflow,
        plan,
        outline: Part::of(plan),
        cost: cost(plan),
        over: over_budget(plan),
        given,
    };
    match args.format {
        DataFormat::Human => output.data(&text::plan(&shown, output.data_looks()))?,
        DataFormat::Json => output.data(&json::plan(&shown, report))?,
    }
    Ok(verdict(report, args.strict))
}

/// Reads `name=value` by the types of the inputs.
pub(super) fn given_inputs(
    workflow: &CompiledWorkflow,
    written: &[String],
) -> Result<BTreeMap<Arc<str>, String>, Failure> {
    let mut given = BTreeMap::new();
    for pair in written {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(
                Failure::usage(format!("`{pair}` is not an input")).with_help("write `name=value`")
            );
        };
        let param = workflow.params.iter().find(|param| &*param.name == name);
        let param = param.ok_or_else(|| unknown_input(workflow, name))?;
        if let Some(ty) = &param.ty {
            fits(param, ty, value)?;
        }
        if given.insert(param.name.clone(), value.to_owned()).is_some() {
            return Err(Failure::usage(format!("the input `{name}` is given twice")));
        }
    }
    Ok(given)
}

fn fits(param: &Param, ty: &Type, value: &str) -> Result<(), Failure> {
    // The others are read when a run starts.
    if !is_word(ty) {
        return Ok(());
    }
    scalar::read(value, ty)
        .map(|_| ())
        .map_err(|error| Failure::usage(format!("the input `{}`: {error}", param.name)))
}

fn unknown_input(workflow: &CompiledWorkflow, name: &str) -> Failure {
    let names: Vec<&str> = workflow.params.iter().map(|param| &*param.name).collect();
    let failure = Failure::usage(format!("`{}` has no input `{name}`", workflow.name));
    match nearest(name, names.iter().copied()) {
        Some(near) => failure.with_help(format!("did you mean `{near}`?")),
        None if names.is_empty() => failure.with_help("it has no inputs"),
        None => failure.with_help(format!("there are `{}`", names.join("`, `"))),
    }
}

impl Shown<'_> {
    /// Returns the steps with an effect that matters outside, each once: the
    /// effect, the step, and where it is called.
    fn effects(&self) -> BTreeMap<(String, String), Vec<Arc<str>>> {
        let mut found: BTreeMap<(String, String), Vec<Arc<str>>> = BTreeMap::new();
        self.outline.each(&mut |part| {
            if let NodeKind::Step(step) = &self.plan.node(part.id).kind
                && (part.effect.acts() || part.effect.costs())
            {
                let key = (crate::wording::effect(part.effect), step.step.to_string());
                found.entry(key).or_default().push(part.path.clone());
            }
        });
        found
    }

    /// Returns the commands of the project's own steps, each with the steps that
    /// it carries out.
    fn programs(&self) -> BTreeMap<Arc<str>, BTreeSet<Arc<str>>> {
        let mut found: BTreeMap<Arc<str>, BTreeSet<Arc<str>>> = BTreeMap::new();
        for node in self.plan.graph.node_weights() {
            if let NodeKind::Step(step) = &node.kind
                && let Some(run) = &step.run
            {
                let steps = found.entry(run.clone()).or_default();
                steps.insert(step.step.clone());
            }
        }
        found
    }
}

/// Returns an input as it is declared: `takes: int in 1..8`.
fn input(param: &Param) -> String {
    match &param.ty {
        Some(ty) => format!("{}: {ty}", param.name),
        None => param.name.to_string(),
    }
}

/// Returns whether an input must be given.
fn is_required(param: &Param) -> bool {
    match param.default {
        ParamDefault::Required => true,
        ParamDefault::Value(_) | ParamDefault::Setting => false,
    }
}
