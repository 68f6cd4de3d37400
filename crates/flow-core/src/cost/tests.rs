//! Costs of small plans, and of random ones against a dull second opinion.

use super::*;
use crate::store::tests::plan as draw;

const CENT: Money = Money(10_000_000);

fn leaf(path: &str, cents: i64) -> Cost {
    Cost::Leaf(Leaf {
        node: NodeId(1),
        path: path.into(),
        unit: (cents >= 0).then_some(Money(cents * CENT.0)),
        reason: "".into(),
    })
}

fn place(path: &Arc<str>) -> Place<'_> {
    Place {
        node: NodeId(0),
        path,
    }
}

fn many(path: &str, factor: Option<u64>, why: Why, inner: Cost) -> Cost {
    times(inner, factor, why, &place(&path.into()))
}

fn capped(cents: i64, inner: Cost) -> Cost {
    let limits = Limits {
        budget: Some(Budget {
            amount: Expr::Const(Value::Money(Money(cents * CENT.0))),
            per: None,
            or: crate::plan::Exhausted::Stop,
        }),
        within: None,
    };
    limited(inner, &limits, &place(&"w".into()))
}

fn cents(cents: i64) -> Total {
    Total::Known(Money(cents * CENT.0))
}

#[test]
fn factors_multiply_and_arms_take_the_dearer() {
    let calls = many(
        "w/stills[*]/drafts",
        Some(3),
        Why::Attempts,
        leaf("w/stills[*]/drafts", 32),
    );
    let stills = many("w/stills", Some(24), Why::Items, calls);
    assert_eq!(stills.total(), cents(3 * 24 * 32));
    let either = most([leaf("a", 5), leaf("b", 7)]);
    let all = sum([stills, either]);
    assert_eq!(all.total(), cents(3 * 24 * 32 + 7));
    let terms: Vec<_> = all
        .terms()
        .iter()
        .map(|term| {
            format!(
                "{}: {term}{}",
                term.path,
                if term.is_alternative { " (or)" } else { "" }
            )
        })
        .collect();
    assert_eq!(
        terms,
        [
            "w/stills[*]/drafts: $0.32 × 3 attempts × 24 items",
            "b: $0.07",
            "a: $0.05 (or)"
        ]
    );
}

#[test]
fn what_is_unbounded_is_named() {
    let body = sum([leaf("w/f[*]/a", 1), leaf("w/f[*]/b", -1)]);
    let each = many("w/f", None, Why::Items, body);
    let Total::Unbounded(open) = each.total() else {
        panic!("it is unbounded");
    };
    let open: Vec<_> = open.iter().map(ToString::to_string).collect();
    assert_eq!(
        open,
        [
            "the number of items of `w/f` has no bound",
            "the price of `w/f[*]/b` has no bound"
        ]
    );
    assert_eq!(
        many("w/f", None, Why::Items, Cost::Nothing).total(),
        cents(0)
    );
    assert_eq!(
        many("w/f", Some(0), Why::Items, leaf("a", -1)).total(),
        cents(0)
    );
}

#[test]
fn budgets_cap_only_what_is_paid() {
    let inner = capped(10, many("w/f", None, Why::Items, leaf("w/f[*]/a", 1)));
    let outer = capped(100, many("w/r", Some(3), Why::Rounds, inner));
    assert!(matches!(outer.total(), Total::Unbounded(_)));
    assert_eq!(outer.total_capped(), cents(30));
}

#[test]
fn huge_costs_saturate() {
    let mut cost = leaf("a", 1);
    for _ in 0..40 {
        cost = many("f", Some(u64::MAX), Why::Items, cost);
    }
    assert_eq!(cost.total(), Total::Known(Money(i64::MAX)));
    assert_eq!(cost.terms()[0].amount, Some(Money(i64::MAX)));
}

/// Adds up a node and everything in it, without a formula.
fn opinion(plan: &Plan, id: NodeId) -> i64 {
    let block = |block: &Block| block.nodes.iter().map(|id| opinion(plan, *id)).sum::<i64>();
    let or = |fallback: &Option<Block>| fallback.as_ref().map_or(0, block);
    match &plan.node(id).kind {
        NodeKind::Value(_) => 0,
        NodeKind::Step(step) => 3 * 40_000_000 + or(&step.fallback),
        NodeKind::Workflow(workflow) => block(&workflow.block) + or(&workflow.fallback),
        NodeKind::If(choice) => block(&choice.then).max(or(&choice.otherwise)),
        NodeKind::Match(choice) => choice
            .arms
            .iter()
            .map(|arm| block(&arm.block))
            .max()
            .unwrap_or(0),
        NodeKind::For(each) => {
            i64::try_from(each.items_max.unwrap_or(0)).unwrap_or(0) * block(&each.body)
        }
        NodeKind::Repeat(_) => panic!("none is drawn"),
        NodeKind::Race(race) => block(&race.block) + or(&race.fallback),
        NodeKind::Parallel(parallel) => block(&parallel.block),
    }
}

#[test]
fn random_plans_cost_what_a_second_opinion_says() {
    for seed in 0..300 {
        let plan = draw(seed);
        let cost = cost(&plan);
        let wanted = Money(opinion(&plan, NodeId(0)));
        assert_eq!(cost.total(), Total::Known(wanted), "seed {seed}");
        assert_eq!(cost.total_capped(), Total::Known(wanted), "seed {seed}");
        let terms = cost.terms();
        let counted = terms.iter().filter(|term| !term.is_alternative);
        let sum = counted
            .filter_map(|term| term.amount)
            .fold(Money(0), Money::saturating_add);
        assert_eq!(sum, wanted, "seed {seed}: the terms add up");
    }
}

#[test]
fn a_budget_below_the_worst_case_is_found() {
    let seed = (0..100)
        .find(|seed| opinion(&draw(*seed), NodeId(0)) > 0)
        .unwrap();
    let mut plan = draw(seed);
    let total = opinion(&plan, NodeId(0));
    let mut with = |amount: i64| {
        let root = &mut plan.graph[petgraph::graph::NodeIndex::new(0)];
        let NodeKind::Workflow(workflow) = &mut root.kind else {
            panic!("node 0 is a workflow");
        };
        workflow.limits.budget = Some(Budget {
            amount: Expr::Const(Value::Money(Money(amount))),
            per: Some(Period::Day),
            or: crate::plan::Exhausted::Ask,
        });
        over_budget(&plan)
    };
    assert_eq!(with(total), []);
    let found = with(total - 1);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].total, Total::Known(Money(total)));
    assert_eq!(found[0].per, Some(Period::Day));
    assert!(!found[0].biggest.is_empty());
}

#[test]
fn paths_name_arms_and_any_item() {
    let all: Vec<_> = (0..50).flat_map(|seed| paths(&draw(seed))).collect();
    assert!(all.iter().all(|path| path.starts_with("poster")));
    assert!(all.iter().any(|path| path.contains("[*]/")));
    assert!(all.iter().any(|path| path.contains("/then/")));
}
