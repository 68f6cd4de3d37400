//! From texts to plans: load, declare, check, lower, price.

use std::collections::BTreeSet;
use std::sync::Arc;

use flow_core::cost::{self, OverBudget, Total};
use flow_core::effect::Effect;
use flow_core::plan::{Node, NodeId, NodeKind, Plan, Step};
use flow_syntax::ast::ItemKind;
use flow_syntax::diagnostic::{Diagnostic, Diagnostics};
use flow_syntax::span::{Source, Span};

use crate::check::{self, Checker, World};
use crate::compiled::Unlowered;
use crate::declare::{self, FileId, Program, WorkflowFacts, WorkflowId};
use crate::follow;
use crate::hir;
use crate::lower::{self, Origins};
use crate::project::Files;
use crate::quoting;
use crate::settings::Settings;
use crate::signature::Signatures;
use crate::translate::Readings;
use crate::{Compiled, CompiledWorkflow, codes};

/// What the checks of bodies find besides bodies.
#[derive(Default)]
struct Found {
    out: Diagnostics,
    /// Templates that were read, as sources of their own.
    templates: Vec<Source>,
    readings: Readings,
}

impl Found {
    fn take(&mut self, checker: Checker<'_>) {
        self.out.extend(checker.out);
        self.templates.extend(checker.loaded);
        self.readings.extend(checker.readings);
    }
}

/// Reads, checks and lowers a file and all that it uses.
///
/// `name` is the entry's path inside the project, with `/`; `text` is its text.
/// Declared steps come as [`Signatures`]; the texts of other files and of
/// templates are asked from `files`.
pub fn compile(
    name: &str,
    text: Arc<str>,
    signatures: &Signatures,
    settings: &Settings,
    files: &dyn Files,
) -> Compiled {
    read(name, text, signatures, settings, files, Plans::Made).0
}

/// Reads and checks a file and all that it uses, as [`compile`] does, and makes
/// plans only where something can be wrong with one: for who wants to know
/// whether something is.
pub fn check(
    name: &str,
    text: Arc<str>,
    signatures: &Signatures,
    settings: &Settings,
    files: &dyn Files,
) -> Compiled {
    read(name, text, signatures, settings, files, Plans::IfInDoubt).0
}

/// Which plans are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plans {
    /// All of the entry's.
    Made,
    /// Those that could be wrong: budgets are held against whole plans.
    IfInDoubt,
}

/// Does what [`compile`] says, and tells how scalars and words of the
/// entry were read.
pub(crate) fn read(
    name: &str,
    text: Arc<str>,
    signatures: &Signatures,
    settings: &Settings,
    files: &dyn Files,
    plans: Plans,
) -> (Compiled, Readings) {
    let mut out = Diagnostics::default();
    let loaded = declare::load(name, text, signatures, files, &mut out);
    let program = Program::of(&loaded, signatures, settings, files, &mut out);
    let entry = loaded.sources[0].id;
    let next = loaded.sources.iter().map(|source| source.id.0 + 1).max();
    let mut facts: Vec<Option<WorkflowFacts>> = vec![None; program.workflows.len()];
    let mut bodies: Vec<Option<hir::Workflow>> = vec![None; program.workflows.len()];
    let mut found = Found {
        out,
        readings: program.readings.clone(),
        ..Found::default()
    };
    let next = next.unwrap_or(0).max(signatures.next_source().0);
    // Facts grow while bodies are checked; the rest stays.
    let ground = World {
        program: &program,
        facts: &[],
        signatures,
        settings,
        files,
    };
    let order = check::sequence(&program, &mut found.out);
    for &id in &order {
        let file = program.workflows[id.0].file;
        let mut checker = Checker::new(ground.with(&facts), file);
        checker.next_source = next + count(found.templates.len());
        let fact = checker.workflow(id);
        let body = std::mem::take(&mut checker.body);
        found.take(checker);
        facts[id.0] = Some(fact);
        bodies[id.0] = Some(body);
    }
    let mut triggers = Vec::new();
    let mut tests = Vec::new();
    for item in &loaded.trees[0].items {
        let mut checker = Checker::new(ground.with(&facts), FileId(0));
        checker.next_source = next + count(found.templates.len());
        match &item.kind {
            ItemKind::Trigger(tree) => triggers.extend(checker.trigger(tree, &item.docs)),
            ItemKind::Test(tree) => tests.push(checker.test(tree)),
            ItemKind::Use(_)
            | ItemKind::Enum(_)
            | ItemKind::Type(_)
            | ItemKind::Step(_)
            | ItemKind::Workflow(_)
            | ItemKind::Error => continue,
        }
        found.take(checker);
    }
    let is_doubted = plans == Plans::Made || bodies.iter().flatten().any(has_budgets);
    let plans = if is_doubted { Plans::Made } else { plans };
    let workflows = lower_all(&program, &order, &facts, &mut bodies, plans, &mut found.out);
    let mut sources = signatures.sources.clone();
    sources.extend(loaded.sources.iter().cloned());
    sources.append(&mut found.templates);
    let mut diagnostics = found.out.into_sorted();
    follow::leave_out(&mut diagnostics, &loaded.trees);
    quoting::fit_fixes(&mut diagnostics, &sources);
    let compiled = Compiled {
        sources,
        entry,
        diagnostics,
        workflows,
        triggers,
        tests,
        trees: loaded.trees,
        unlowered: Unlowered(bodies.into_iter().flatten().collect()),
    };
    (compiled, found.readings)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("a compilation has at most a few thousand sources")
}

/// Lowers the entry's workflows, if nothing is wrong with any file.
fn lower_all(
    program: &Program<'_>,
    order: &[WorkflowId],
    facts: &[Option<WorkflowFacts>],
    bodies: &mut [Option<hir::Workflow>],
    plans: Plans,
    out: &mut Diagnostics,
) -> Vec<CompiledWorkflow> {
    let is_ok = !out.has_errors();
    let called: BTreeSet<WorkflowId> = bodies
        .iter()
        .flatten()
        .flat_map(|body| body.calls.iter().map(|(_, callee)| *callee))
        .collect();
    let sizes = lower::sizes(order, bodies);
    let mut room = lower::NODES_MAX;
    let mut workflows = Vec::new();
    for (at, head) in program.workflows.iter().enumerate() {
        if head.file != FileId(0) {
            continue;
        }
        let facts = facts[at].as_ref();
        let mut compiled = CompiledWorkflow {
            name: head.tree.name.text.as_str().into(),
            docs: head.docs.to_owned(),
            span: head.tree.name.span,
            params: head.params.clone(),
            returns: facts.and_then(|facts| facts.returns.clone()),
            effect: facts.map_or(Effect::Pure, |facts| facts.effect),
            plan: None,
            origins: Origins::default(),
        };
        if is_ok {
            if let Some(left) = room.checked_sub(sizes[at]) {
                room = left;
                if plans == Plans::IfInDoubt {
                    workflows.push(compiled);
                    continue;
                }
                let is_called = called.contains(&WorkflowId(at));
                let (plan, origins) = lower::lower(WorkflowId(at), bodies, is_called);
                check_budgets(&plan, &origins, out);
                compiled.plan = Some(plan);
                compiled.origins = origins;
            } else {
                out.push(too_large(&compiled, sizes[at]));
            }
        }
        workflows.push(compiled);
    }
    if out.has_errors() {
        for workflow in &mut workflows {
            workflow.plan = None;
        }
    }
    workflows
}

/// Says that there is no room for a workflow's plan.
fn too_large(workflow: &CompiledWorkflow, size: usize) -> Diagnostic {
    let (name, most) = (&workflow.name, lower::NODES_MAX);
    let message = if size > most {
        format!("the plan of `{name}` has more than {most} nodes")
    } else {
        format!("the plans of this file, up to that of `{name}`, have more than {most} nodes")
    };
    Diagnostic::new(codes::PLAN_TOO_LARGE, workflow.span, message)
        .help("workflows that call workflows multiply; a `for` over a list keeps a plan small")
}

/// Reports calls without a price under a budget, and budgets that the worst
/// case does not fit into.
fn check_budgets(plan: &Plan, origins: &Origins, out: &mut Diagnostics) {
    let mut limited = vec![None; plan.graph.node_count()];
    let mut is_unknown = false;
    for (at, node) in plan.graph.node_weights().enumerate() {
        let inherited = node
            .parent
            .as_ref()
            .and_then(|parent| limited[parent.node.0 as usize]);
        limited[at] = inherited.or_else(|| has_budget(node).then_some(NodeId(count(at))));
        let NodeKind::Step(step) = &node.kind else {
            continue;
        };
        if let Some(owner) = limited[at]
            && is_unpriced(step)
        {
            let place = |id: NodeId| origins.nodes[id.0 as usize];
            is_unknown = true;
            report_unpriced(step, place(NodeId(count(at))), place(owner), out);
        }
    }
    if limited.iter().all(Option::is_none) {
        return;
    }
    for over in cost::over_budget(plan) {
        // A price that nobody knows is said at its call already.
        if is_unknown && matches!(over.total, Total::Unbounded(_)) {
            continue;
        }
        report_over(&over, origins.budget(over.node), out);
    }
}

fn has_budgets(body: &hir::Workflow) -> bool {
    body.nodes.iter().any(has_budget)
}

fn has_budget(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Step(step) => step.policies.limits.budget.is_some(),
        NodeKind::Workflow(workflow) => {
            workflow.limits.budget.is_some() || workflow.policies.limits.budget.is_some()
        }
        NodeKind::For(region) => region.limits.budget.is_some(),
        NodeKind::Repeat(region) => region.limits.budget.is_some(),
        NodeKind::Race(region) => region.limits.budget.is_some(),
        NodeKind::Parallel(region) => region.limits.budget.is_some(),
        NodeKind::Value(_) | NodeKind::If(_) | NodeKind::Match(_) => false,
    }
}

/// Returns whether nobody can say what an attempt costs, not even when its
/// arguments are known.
fn is_unpriced(step: &Step) -> bool {
    step.price.as_ref().is_some_and(|price| {
        price.bound.is_none()
            && matches!(
                price.formula,
                flow_core::expr::Expr::Const(flow_core::value::Value::None)
            )
    })
}

fn report_unpriced(step: &Step, span: Span, budget: Span, out: &mut Diagnostics) {
    let what = step.price.as_ref().map_or("", |price| &*price.reason);
    out.push(
        Diagnostic::new(
            codes::UNPRICED,
            span,
            format!("`{}` is under a budget, and nobody knows {what}", step.step),
        )
        .other(budget, "the budget is here")
        .help("set it in `flow.toml` under `[prices]`, or say what to assume: `assume $0.05`"),
    );
}

fn report_over(over: &OverBudget, span: Span, out: &mut Diagnostics) {
    let message = match &over.total {
        Total::Known(total) => format!(
            "the worst case of `{}` costs {total}, more than its budget of {}",
            over.path, over.budget
        ),
        Total::Unbounded(reasons) => {
            let reasons: Vec<String> = reasons.iter().take(3).map(ToString::to_string).collect();
            format!(
                "the worst case of `{}` has no bound ({}), so its budget of {} may stop it",
                over.path,
                reasons.join("; "),
                over.budget
            )
        }
    };
    let mut diagnostic = Diagnostic::new(codes::OVER_BUDGET, span, message);
    for term in &over.biggest {
        let amount = term
            .amount
            .map_or(String::new(), |amount| format!(" = {amount}"));
        diagnostic = diagnostic.help(format!("`{}`: {term}{amount}", term.path));
    }
    out.push(diagnostic.help(match &over.total {
        Total::Known(_) => "a run stops before it goes over; raise the budget, or ask for less",
        Total::Unbounded(_) => {
            "bound what the price depends on, as in `x: float max 60`, or the call: `f() budget $0.50`"
        }
    }));
}
