//! A plan as one JSON object. The shape is versioned: fields may be added,
//! none changes its meaning.

use flow_core::amount::Money;
use flow_core::cost::Total;
use serde::Serialize;

use super::{Shown, is_required};
use crate::outline::{Arm, Kind, Part};
use crate::render::{JsonDiagnostic, json_diagnostics, pretty};
use crate::report::Report;
use crate::wording;

/// The version of the shape.
const VERSION: u32 = 1;

#[derive(Debug, Serialize)]
struct Whole<'a> {
    version: u32,
    plan: Option<WholePlan<'a>>,
    diagnostics: Vec<JsonDiagnostic<'a>>,
}

#[derive(Debug, Serialize)]
struct WholePlan<'a> {
    workflow: &'a str,
    docs: &'a str,
    digest: String,
    inputs: Vec<InputShape<'a>>,
    returns: Option<String>,
    effect: String,
    steps: Vec<Step<'a>>,
    result: Option<&'a str>,
    parallelism: Parallelism,
    effects: Vec<EffectShape>,
    programs: Vec<ProgramShape>,
    cost: CostShape,
    over_budget: Vec<Over>,
}

#[derive(Debug, Serialize)]
struct InputShape<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    ty: Option<String>,
    docs: &'a str,
    required: bool,
    given: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Step<'a> {
    path: &'a str,
    name: &'a str,
    kind: &'static str,
    head: &'a str,
    effect: String,
    pools: &'a [String],
    notes: &'a [String],
    /// From 1; parts of one block with the same level can run at once.
    level: usize,
    /// How many steps inside can run at once.
    width: u64,
    /// The paths of the parts of its block that it waits for.
    after: Vec<&'a str>,
    arms: Vec<ArmShape<'a>>,
}

#[derive(Debug, Serialize)]
struct ArmShape<'a> {
    name: Option<&'a str>,
    steps: Vec<Step<'a>>,
    result: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Parallelism {
    levels: usize,
    width: u64,
}

#[derive(Debug, Serialize)]
struct EffectShape {
    effect: String,
    step: String,
    paths: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ProgramShape {
    run: String,
    steps: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Amount {
    nano_usd: i64,
    text: String,
}

#[derive(Debug, Serialize)]
struct CostShape {
    /// Nothing if there is no bound.
    total: Option<Amount>,
    /// What budgets keep it to.
    capped: Option<Amount>,
    unbounded: Vec<String>,
    terms: Vec<TermShape>,
}

#[derive(Debug, Serialize)]
struct TermShape {
    path: String,
    amount: Option<Amount>,
    formula: String,
    alternative: bool,
}

#[derive(Debug, Serialize)]
struct Over {
    path: String,
    budget: Amount,
    per: Option<String>,
    total: Option<Amount>,
}

/// Writes a plan with the warnings about its file.
pub(super) fn plan(shown: &Shown<'_>, report: &Report) -> String {
    let outline = &shown.outline;
    let main = outline.arms.first();
    let whole = WholePlan {
        workflow: &shown.workflow.name,
        docs: &shown.workflow.docs,
        digest: shown.plan.digest().to_string(),
        inputs: inputs(shown),
        returns: shown.workflow.returns.as_ref().map(ToString::to_string),
        effect: wording::effect(shown.workflow.effect),
        steps: main.map(steps).unwrap_or_default(),
        result: main.and_then(|arm| arm.result.as_deref()),
        parallelism: Parallelism {
            levels: outline.levels(),
            width: outline.width,
        },
        effects: effects(shown),
        programs: programs(shown),
        cost: cost(shown),
        over_budget: over(shown),
    };
    pretty(&Whole {
        version: VERSION,
        plan: Some(whole),
        diagnostics: json_diagnostics(report),
    })
}

/// Writes why there is no plan.
pub(super) fn without_plan(report: &Report) -> String {
    pretty(&Whole {
        version: VERSION,
        plan: None,
        diagnostics: json_diagnostics(report),
    })
}

fn inputs<'a>(shown: &'a Shown<'_>) -> Vec<InputShape<'a>> {
    let params = shown.workflow.params.iter();
    params
        .map(|param| InputShape {
            name: &param.name,
            ty: param.ty.as_ref().map(ToString::to_string),
            docs: &param.docs,
            required: is_required(param),
            given: shown.given.get(&param.name).map(String::as_str),
        })
        .collect()
}

fn steps(arm: &Arm) -> Vec<Step<'_>> {
    let parts = arm.parts.iter().enumerate();
    parts.map(|(at, part)| step(arm, at, part)).collect()
}

fn step<'a>(arm: &'a Arm, at: usize, part: &'a Part) -> Step<'a> {
    let after = arm.edges.iter().filter(|(_, to, _)| *to == at);
    let arms = part.arms.iter().map(|arm| ArmShape {
        name: arm.name.as_deref(),
        steps: steps(arm),
        result: arm.result.as_deref(),
    });
    Step {
        path: &part.path,
        name: &part.name,
        kind: match part.kind {
            Kind::Value => "value",
            Kind::Step => "step",
            Kind::Region => "region",
        },
        head: &part.head,
        effect: wording::effect(part.effect),
        pools: &part.pools,
        notes: &part.notes,
        level: part.level + 1,
        width: part.width,
        after: after.map(|(from, _, _)| &*arm.parts[*from].path).collect(),
        arms: arms.collect(),
    }
}

fn programs(shown: &Shown<'_>) -> Vec<ProgramShape> {
    let programs = shown.programs().into_iter();
    let programs = programs.map(|(run, steps)| ProgramShape {
        run: run.to_string(),
        steps: steps.iter().map(ToString::to_string).collect(),
    });
    programs.collect()
}

fn effects(shown: &Shown<'_>) -> Vec<EffectShape> {
    let effects = shown.effects().into_iter();
    effects
        .map(|((effect, step), paths)| EffectShape {
            effect,
            step,
            paths: paths.iter().map(ToString::to_string).collect(),
        })
        .collect()
}

fn cost(shown: &Shown<'_>) -> CostShape {
    let total = shown.cost.total();
    let unbounded = match &total {
        Total::Known(_) => Vec::new(),
        Total::Unbounded(reasons) => reasons.iter().map(ToString::to_string).collect(),
    };
    let terms = shown.cost.terms().into_iter().map(|term| TermShape {
        path: term.path.to_string(),
        amount: term.amount.map(amount),
        formula: term.to_string(),
        alternative: term.is_alternative,
    });
    CostShape {
        total: known(&total),
        capped: known(&shown.cost.total_capped()),
        unbounded,
        terms: terms.collect(),
    }
}

fn over(shown: &Shown<'_>) -> Vec<Over> {
    let over = shown.over.iter();
    over.map(|over| Over {
        path: over.path.to_string(),
        budget: amount(over.budget),
        per: over.per.map(|period| period.to_string()),
        total: known(&over.total),
    })
    .collect()
}

fn known(total: &Total) -> Option<Amount> {
    match total {
        Total::Known(money) => Some(amount(*money)),
        Total::Unbounded(_) => None,
    }
}

fn amount(money: Money) -> Amount {
    Amount {
        nano_usd: money.0,
        text: money.to_string(),
    }
}
