//! Histories of random worlds: what they say of an instance that the run has let
//! go of is what the run said before.

use std::collections::BTreeMap;

use flow_core::address::At;
use flow_core::event::{Event, Fact, Status, Then};
use flow_core::history::{History, State, Survey};
use flow_core::run::Run;

use crate::world::{Outcome, Tells, Traits, World};

/// How many worlds are looked at.
const WORLDS: u64 = 250;

/// Returns how everything that was begun stands.
fn all(survey: &Survey<'_>) -> BTreeMap<At, State> {
    let mut found = BTreeMap::new();
    let mut open = vec![survey.root()];
    while let Some(instance) = open.pop() {
        found.insert(instance.at.clone(), survey.state(&instance));
        for arm in survey.arms(&instance) {
            let nodes = arm.block.nodes.iter().copied();
            let shown: Vec<_> = nodes.filter(|node| survey.is_shown(*node)).collect();
            let items: Vec<Option<u32>> = match arm.items {
                Some(count) => (0..count).map(Some).collect(),
                None => vec![None],
            };
            for item in items {
                let inside = shown.iter();
                open.extend(inside.map(|node| survey.child(&instance, &arm, *node, item)));
            }
        }
    }
    found
}

/// Whether an event makes what was over begin again.
fn begins_again(event: &Event) -> bool {
    matches!(
        event.fact,
        Fact::Reopened { .. }
            | Fact::Reset { .. }
            | Fact::PlanReplaced { .. }
            | Fact::Broke {
                then: Then::Again { .. } | Then::FallBack,
                ..
            }
            | Fact::Failed {
                then: Then::FallBack,
                ..
            }
    )
}

fn check(outcome: &Outcome, number: usize) -> Result<(), String> {
    let log = &outcome.logs[number];
    let plan = &outcome.plans[number];
    let plans = |_: &_| Some(plan.clone());
    let mut run = Run::replay(&plans, log.first().cloned()).unwrap();
    let mut history = History::new(plan.clone());
    let mut before = BTreeMap::new();
    // Long logs are looked at here and there.
    let step = log.len() / 60 + 1;
    for (seq, event) in (1_u64..).zip(&log[1..]) {
        run.follow_log(&plans, event).unwrap();
        history.note(seq, event, run.plan());
        if begins_again(event) {
            before.clear();
        }
        if seq % u64::try_from(step).unwrap() != 0 {
            continue;
        }
        let now = all(&Survey::new(&run, &history));
        for (at, state) in &before {
            let (State::Failed | State::Succeeded | State::Reused) = state else {
                continue;
            };
            let still = now.get(at);
            // Whether all in a region was there already shows when the run has
            // let go of it.
            let is_good = state.is_good() && still.is_some_and(|still| still.is_good());
            if still != Some(state) && !is_good {
                let fact = &event.fact;
                return Err(format!(
                    "{at} was {state:?} and is {still:?} at event {seq}: {fact:?}"
                ));
            }
        }
        before = now;
    }
    let survey = Survey::new(&run, &history);
    ending(&run, survey.state(&survey.root()))?;
    costs(&run, &history)?;
    names(outcome, &history)
}

/// The whole is what the run says it is.
fn ending(run: &Run, state: State) -> Result<(), String> {
    let fits = match run.status() {
        Some(Status::Succeeded) => state.is_good(),
        Some(Status::Failed) => state == State::Failed,
        Some(Status::Cancelled) => state == State::Cut,
        None => !state.is_over(),
    };
    let status = run.status();
    fits.then_some(())
        .ok_or_else(|| format!("it is {state:?}, and the run {status:?}"))
}

/// What attempts cost together is what the run says.
fn costs(run: &Run, history: &History) -> Result<(), String> {
    if !history.edits().is_empty() {
        // What was edited away is in no plan any more.
        return Ok(());
    }
    let mut sum = flow_core::run::Costs::default();
    for (id, _) in history.plan().graph.node_weights().enumerate() {
        let id = flow_core::plan::NodeId(u32::try_from(id).unwrap());
        for (_, entry) in history.entries(id) {
            let costs = entry.costs();
            sum.spent = sum.spent.saturating_add(costs.spent);
            sum.presumed = sum.presumed.saturating_add(costs.presumed);
            sum.held = sum.held.saturating_add(costs.held);
        }
    }
    let run = run.costs();
    (sum == run)
        .then_some(())
        .ok_or_else(|| format!("it cost {sum:?}, and the run says {run:?}"))
}

/// Every path that is printed leads back to its instance.
fn names(outcome: &Outcome, history: &History) -> Result<(), String> {
    let vault = &outcome.vault;
    for (id, _) in history.plan().graph.node_weights().enumerate() {
        let node = flow_core::plan::NodeId(u32::try_from(id).unwrap());
        for (ords, _) in history.entries(node).take(20) {
            let ords = ords.clone();
            let at = At { node, ords };
            let path = history.path(&at, vault).to_string();
            let found = history.find(&path, vault);
            let found = found.map_err(|why| format!("{path}: {why}"))?;
            if found.at() != Some(at) || found.item.is_some() {
                return Err(format!("{path} is taken for {found:?}"));
            }
        }
    }
    Ok(())
}

#[test]
fn histories_say_what_runs_said() {
    let mut seen = 0;
    for seed in 0..WORLDS {
        let world = World::new(seed, Traits::draw(seed));
        let Ok(outcome) = world.live(Tells::Fault) else {
            continue;
        };
        for number in 0..outcome.logs.len() {
            if let Err(what) = check(&outcome, number) {
                panic!("world {seed}, run {number}: {what}");
            }
            seen += 1;
        }
    }
    assert!(seen > WORLDS, "{seen} runs were looked at");
}
