//! Surveys: what becomes of the parts of a run, told on a sheet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::amount::Money;
use crate::cost::{Cost, Costing, Total};
use crate::digest::Digest;
use crate::effect::Effect;
use crate::handle::Values;
use crate::key::KeptParts;
use crate::path::StepPath;
use crate::plan::{NodeId, Plan};
use crate::run::{Ahead, Left, Run};

use super::estate::{Collected, Legacy, names};
use super::forecast::{Forecast, Waiting};
use super::inputs::InputChange;
use super::sheet::{Item, Open, Reason, Repeated, Row, Sheet, Verdict};
use super::trace::step_of;

/// What is told about.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "some of it is functions")]
pub struct Proposal<'a> {
    /// The run as it is after the change, before anything was taken over.
    pub run: Run,
    /// What its log leaves, as far as it is still there.
    pub collected: &'a Collected,
    /// Keys of results that were there, and are gone.
    pub gone: &'a BTreeSet<Digest>,
    /// What is kept of what a key was made of.
    pub parts: &'a dyn Fn(&Digest) -> Option<KeptParts>,
    /// Arguments that are others than before.
    pub inputs: Vec<InputChange>,
    /// What becomes of attempts of which the outcome isn't known.
    pub open: OpenStay,
}

/// What becomes of attempts of which the outcome isn't known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenStay {
    /// They stay with the run, which goes on.
    Here,
    /// They stay behind with another run.
    Behind,
}

/// Tells what becomes of a run.
pub fn survey(proposal: Proposal<'_>, values: &dyn Values) -> Sheet {
    let plan = proposal.run.plan().clone();
    let estate = proposal.collected.estate.clone();
    let forecast = Forecast::of(proposal.run, estate, values);
    let mut told = Told {
        plan: &plan,
        order: order(&plan),
        costing: Costing::new(&plan),
        before: Before::of(proposal.collected),
        collected: proposal.collected,
        gone: proposal.gone,
        parts: proposal.parts,
        rows: BTreeMap::new(),
        orphans: Vec::new(),
        orphaned: BTreeMap::new(),
        done_with: BTreeSet::new(),
        places: BTreeSet::new(),
        acts: Vec::new(),
        costs: Vec::new(),
        kept: Money(0),
        lost: Money(0),
    };
    told.adopted(&forecast);
    told.joined(&forecast);
    told.waiting(&forecast);
    told.ahead(&forecast, values);
    told.orphaned();
    let repeated = told.repeated(&forecast, proposal.open);
    told.sheet(&forecast, repeated, proposal.inputs)
}

/// Where results were made, as the run stood last.
struct Before(BTreeMap<StepPath, usize>);

impl Before {
    fn of(collected: &Collected) -> Self {
        let results = collected.estate.results.iter().enumerate();
        let current = results.filter(|(_, legacy)| legacy.is_current);
        Self(
            current
                .map(|(at, legacy)| (legacy.place.clone(), at))
                .collect(),
        )
    }

    /// Returns the results at a place or inside of it, by their names. All of
    /// them are inside of another.
    fn within(&self, place: &StepPath, inside: &StepPath) -> BTreeMap<Vec<Arc<str>>, Vec<usize>> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        // A part without a key is before those with one.
        let from = self.0.range(inside.clone()..);
        let known = from.take_while(|(known, _)| known.is_within(inside));
        for (known, at) in known.filter(|(known, _)| known.is_within(place)) {
            found.entry(names(known)).or_default().push(*at);
        }
        found
    }
}

/// Rows are told in the order in which their steps are written.
type RowKey = (usize, Verdict, Option<Reason>);

/// What is told so far.
struct Told<'a> {
    plan: &'a Plan,
    /// The nodes' numbers, in the order in which they are written.
    order: Vec<usize>,
    costing: Costing<'a>,
    before: Before,
    collected: &'a Collected,
    gone: &'a BTreeSet<Digest>,
    parts: &'a dyn Fn(&Digest) -> Option<KeptParts>,
    rows: BTreeMap<RowKey, Row>,
    /// Rows of those that nobody asks for, in the order in which they came to be.
    orphans: Vec<Row>,
    orphaned: BTreeMap<Arc<str>, usize>,
    /// Results that were told of.
    done_with: BTreeSet<usize>,
    /// Places in which something is made.
    places: BTreeSet<StepPath>,
    /// Acts that are done, or may be: the step and the names of the place.
    acts: Vec<(Arc<str>, Vec<Arc<str>>)>,
    costs: Vec<Cost>,
    kept: Money,
    lost: Money,
}

impl Told<'_> {
    fn row(&mut self, node: NodeId, verdict: Verdict, reason: Option<Reason>) -> &mut Row {
        let step = step_of(&self.plan.node(node).kind);
        let path = self.costing.path(node);
        let (name, effect) = step.map_or((Arc::default(), Effect::Pure), |step| {
            (step.step.clone(), step.effect)
        });
        let place = path.split_once('/').map_or("", |(_, inside)| inside);
        let order = self.order[node.0 as usize];
        let row = self.rows.entry((order, verdict, reason.clone()));
        row.or_insert_with(|| Row {
            verdict,
            place: place.into(),
            step: name,
            effect,
            items: Vec::new(),
            reason,
            paid: Money(0),
            cost: Total::Known(Money(0)),
        })
    }

    fn adopted(&mut self, forecast: &Forecast<'_>) {
        for (at, place, number) in &forecast.adopted {
            let legacy = &self.collected.estate.results[*number];
            let was = (legacy.place != *place).then(|| legacy.place.clone());
            let row = self.row(at.node, Verdict::Adopt, None);
            row.items.push(Item {
                place: place.clone(),
                was,
            });
            row.paid = row.paid.saturating_add(legacy.bill);
            if self.done_with.insert(*number) {
                self.kept = self.kept.saturating_add(legacy.bill);
            }
        }
    }

    fn joined(&mut self, forecast: &Forecast<'_>) {
        for left in &forecast.leftovers {
            let Some((at, place)) = forecast.joined.get(&left.ticket) else {
                continue;
            };
            let before = left.path.inside();
            let was = (before != *place).then_some(before);
            let row = self.row(at.node, Verdict::GoOn, None);
            row.items.push(Item {
                place: place.clone(),
                was,
            });
        }
    }

    // What is made.

    fn waiting(&mut self, forecast: &Forecast<'_>) {
        for waiting in forecast.waiting.values() {
            let node = waiting.at.node;
            let is_anew = forecast.takeover.is_anew(&waiting.place);
            let (verdict, reason) = self.why(waiting, is_anew);
            let cost = self.costing.of_call(node, waiting.amount);
            let old = self.before.0.get(&waiting.place).copied();
            let old = old.filter(|at| self.done_with.insert(*at));
            let paid = old.map_or(Money(0), |at| self.collected.estate.results[at].bill);
            self.lost = self.lost.saturating_add(paid);
            let row = self.row(node, verdict, reason);
            row.items.push(Item {
                place: waiting.place.clone(),
                was: None,
            });
            row.paid = row.paid.saturating_add(paid);
            row.cost = together(&row.cost, &cost.total());
            self.costs.push(cost);
            self.places.insert(waiting.place.clone());
            self.note_act(node, names(&waiting.place));
        }
    }

    /// Returns why something is made that could begin at once.
    fn why(&self, waiting: &Waiting, is_anew: bool) -> (Verdict, Option<Reason>) {
        let place = &waiting.place;
        let old = self.before.0.get(place);
        let old = old.map(|at| &self.collected.estate.results[*at]);
        if is_anew {
            let is_known = old.is_some() || self.collected.tried.contains_key(place);
            let verdict = if is_known {
                Verdict::Again
            } else {
                Verdict::New
            };
            return (verdict, Some(Reason::Asked));
        }
        if waiting.key.is_some_and(|key| self.gone.contains(&key)) {
            return (Verdict::Again, Some(Reason::Gone));
        }
        if let Some(old) = old {
            return (Verdict::Again, self.difference(waiting, old));
        }
        match self.collected.tried.get(place) {
            Some(Some(failure)) => {
                let message = failure.message.clone();
                (Verdict::Again, Some(Reason::Failed(message)))
            }
            Some(None) => (Verdict::Again, Some(Reason::Unfinished)),
            None => (Verdict::New, None),
        }
    }

    fn difference(&self, waiting: &Waiting, old: &Legacy) -> Option<Reason> {
        if waiting.key == Some(old.key) {
            return Some(Reason::Taken);
        }
        let step = step_of(&self.plan.node(waiting.at.node).kind);
        if step.is_some_and(|step| step.step != old.step) {
            return Some(Reason::Was(old.step.clone()));
        }
        let before = (self.parts)(&old.key)?;
        let parts = waiting.parts.as_ref()?.differences_from(&before);
        Some(Reason::Differs(parts))
    }

    fn note_act(&mut self, node: NodeId, names: Vec<Arc<str>>) {
        if let Some(step) = step_of(&self.plan.node(node).kind)
            && step.effect.acts()
        {
            self.acts.push((step.step.clone(), names));
        }
    }

    // What can't begin yet.

    fn ahead(&mut self, forecast: &Forecast<'_>, values: &dyn Values) {
        for ahead in forecast.run.ahead() {
            let node = ahead.at.node;
            let path = self.costing.path(node).clone();
            let cost = self.costing.of(node).times(ahead.times, &path);
            let mut costs: BTreeMap<NodeId, Total> = BTreeMap::new();
            for term in cost.terms() {
                let amount = match term.amount {
                    Some(amount) => Total::Known(amount),
                    None => Total::Unbounded(Vec::new()),
                };
                let known = costs.entry(term.node).or_insert(Total::Known(Money(0)));
                *known = together(known, &amount);
            }
            self.costs.push(cost);
            let (place, inside) = place_of(forecast, &ahead, values);
            let mut old = self.before.within(&place, &inside);
            let reason = self.follows(&ahead);
            for step in self.steps_in(node) {
                let old = old.remove(&self.names_of(step)).unwrap_or_default();
                let is_alone = ahead.at.node == step && ahead.times == Some(1);
                let ahead = StepAhead {
                    step,
                    place: is_alone.then(|| place.clone()),
                    cost: costs.remove(&step).unwrap_or(Total::Known(Money(0))),
                    reason: reason.clone(),
                };
                self.step_ahead(forecast, ahead, old);
            }
        }
    }

    /// Returns the steps in a node, itself included, but those that are made
    /// only if something fails.
    fn steps_in(&self, node: NodeId) -> Vec<NodeId> {
        let mut steps = Vec::new();
        let mut open = vec![node];
        while let Some(id) = open.pop() {
            let node = self.plan.node(id);
            if step_of(&node.kind).is_some() {
                steps.push(id);
                continue;
            }
            let blocks = node.blocks();
            let own = blocks.len() - usize::from(node.has_fallback());
            open.extend(blocks[..own].iter().flat_map(|(_, block)| &block.nodes));
        }
        steps.sort_unstable();
        steps
    }

    fn step_ahead(&mut self, forecast: &Forecast<'_>, ahead: StepAhead, old: Vec<usize>) {
        let old: Vec<usize> = old
            .into_iter()
            .filter(|at| self.done_with.insert(*at))
            .collect();
        let results = &self.collected.estate.results;
        let (stay, old): (Vec<usize>, Vec<usize>) =
            old.into_iter().partition(|at| results[*at].is_pinned);
        self.stay(ahead.step, &stay);
        if !stay.is_empty() && ahead.place.is_some() {
            return;
        }
        let places: Vec<_> = old.iter().map(|at| results[*at].place.clone()).collect();
        let is_anew = |place: &StepPath| forecast.takeover.is_anew(place);
        let was_tried = |place: &StepPath| self.collected.tried.contains_key(place);
        let (verdict, places) = if !places.is_empty() && places.iter().all(is_anew) {
            (Verdict::Again, places)
        } else if !places.is_empty() {
            (Verdict::Perhaps, places)
        } else if ahead.place.as_ref().is_some_and(was_tried) {
            (Verdict::Again, ahead.place.into_iter().collect())
        } else {
            (Verdict::New, ahead.place.into_iter().collect::<Vec<_>>())
        };
        let paid = old
            .iter()
            .fold(Money(0), |sum, at| sum.saturating_add(results[*at].bill));
        let row = self.row(ahead.step, verdict, ahead.reason);
        let items = places.into_iter().map(|place| Item { place, was: None });
        row.items.extend(items);
        row.paid = row.paid.saturating_add(paid);
        row.cost = together(&row.cost, &ahead.cost);
        self.note_act(ahead.step, self.names_of(ahead.step));
    }

    /// Tells of results that stay at their places, whatever comes before them.
    fn stay(&mut self, step: NodeId, stay: &[usize]) {
        for at in stay {
            let legacy = &self.collected.estate.results[*at];
            let row = self.row(step, Verdict::Adopt, None);
            row.items.push(Item {
                place: legacy.place.clone(),
                was: None,
            });
            row.paid = row.paid.saturating_add(legacy.bill);
            self.kept = self.kept.saturating_add(legacy.bill);
        }
    }

    fn follows(&self, ahead: &Ahead) -> Option<Reason> {
        let waits_for = ahead.waits_for.iter();
        let mut names: Vec<Arc<str>> = waits_for
            .map(|id| self.plan.node(*id).name.clone())
            .collect();
        names.dedup();
        (!names.is_empty()).then_some(Reason::Follows(names))
    }

    fn names_of(&self, node: NodeId) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        let mut id = node;
        while let Some(parent) = &self.plan.node(id).parent {
            names.push(self.plan.node(id).name.clone());
            names.extend(parent.arm.clone());
            id = parent.node;
        }
        names.reverse();
        names
    }

    // What nobody asks for any more.

    fn orphaned(&mut self) {
        for (at, legacy) in self.collected.estate.results.iter().enumerate() {
            if !legacy.is_current || !self.done_with.insert(at) {
                continue;
            }
            self.lost = self.lost.saturating_add(legacy.bill);
            let place = any_item(&legacy.place);
            let orphans = &mut self.orphans;
            let at = *self.orphaned.entry(place.clone()).or_insert_with(|| {
                orphans.push(orphan(place, legacy));
                orphans.len() - 1
            });
            let row = &mut orphans[at];
            row.items.push(Item {
                place: legacy.place.clone(),
                was: None,
            });
            row.paid = row.paid.saturating_add(legacy.bill);
        }
    }

    /// Returns the acts that happened, or may have, and may happen again.
    fn repeated(&self, forecast: &Forecast<'_>, open: OpenStay) -> Vec<Repeated> {
        let given = forecast.takeover.given();
        let happened = (0..).zip(&self.collected.estate.results);
        let happened = happened.filter(|(at, legacy)| {
            let may_come = legacy.is_current && legacy.effect.acts();
            may_come && !legacy.is_pinned && !given.contains(at)
        });
        let happened = happened.map(|(_, legacy)| (&legacy.place, &legacy.step, true));
        let doubtful = self.collected.doubtful.iter();
        let doubtful = doubtful.filter(|act| !act.is_open || open == OpenStay::Behind);
        let doubtful = doubtful.map(|act| (act.place.clone(), act.step.clone()));
        let left = forecast.leftovers.iter().filter(|left| {
            left.left == Left::Unknown && !forecast.joined.contains_key(&left.ticket)
        });
        let left = left.map(|left| (left.path.inside(), left.step.clone()));
        let doubtful: Vec<_> = doubtful.chain(left).collect();
        let doubtful = doubtful.iter().map(|(place, step)| (place, step, false));
        let mut repeated: Vec<Repeated> = happened
            .chain(doubtful)
            .filter_map(|(place, step, is_known)| {
                let names = names(place);
                let is_certain = self.places.contains(place);
                let mut acts = self.acts.iter();
                let may_be = acts.any(|(other, spot)| *spot == names || other == step);
                (is_certain || may_be).then(|| Repeated {
                    place: place.clone(),
                    step: step.clone(),
                    is_known,
                    is_certain,
                })
            })
            .collect();
        repeated.sort();
        repeated.dedup();
        repeated
    }

    fn sheet(
        self,
        forecast: &Forecast<'_>,
        repeated: Vec<Repeated>,
        inputs: Vec<InputChange>,
    ) -> Sheet {
        let open = forecast.leftovers.iter().map(|left| Open {
            place: left.path.inside(),
            step: left.step.clone(),
            left: left.left,
            hold: left.hold,
            is_joined: forecast.joined.contains_key(&left.ticket),
        });
        let open = open.filter(|open| open.is_joined || open.left.is_open());
        Sheet {
            open: open.collect(),
            rows: self.rows.into_values().chain(self.orphans).collect(),
            repeated,
            inputs,
            ahead: Cost::sum(self.costs).total(),
            kept: self.kept,
            lost: self.lost,
        }
    }
}

/// A step that can't begin yet.
struct StepAhead {
    step: NodeId,
    /// Where it is, if there is one instance.
    place: Option<StepPath>,
    cost: Total,
    /// What it follows.
    reason: Option<Reason>,
}

/// Returns where something is that can't begin yet, without a key if it is many
/// items or rounds; and the region that all of those are in.
fn place_of(forecast: &Forecast<'_>, ahead: &Ahead, values: &dyn Values) -> (StepPath, StepPath) {
    let place = forecast.run.path(&ahead.at, values).inside();
    let mut segments = place.segments().to_vec();
    let last = segments.iter().rposition(|segment| segment.key.is_some());
    match last {
        Some(last) if ahead.times != Some(1) => {
            segments[last].key = None;
            let region = StepPath::of(segments[..=last].to_vec());
            (StepPath::of(segments), region)
        }
        Some(_) | None => (place.clone(), place),
    }
}

/// Returns a row for results that nobody asks for any more.
fn orphan(place: Arc<str>, legacy: &Legacy) -> Row {
    Row {
        verdict: Verdict::Orphaned,
        place,
        step: legacy.step.clone(),
        effect: legacy.effect,
        items: Vec::new(),
        reason: None,
        paid: Money(0),
        cost: Total::Known(Money(0)),
    }
}

/// Numbers the nodes of a plan in the order in which they are written.
fn order(plan: &Plan) -> Vec<usize> {
    let mut order = vec![0; plan.graph.node_count()];
    let mut open = vec![NodeId(0)];
    let mut next = 0;
    while let Some(id) = open.pop() {
        order[id.0 as usize] = next;
        next += 1;
        let blocks = plan.node(id).blocks().into_iter().rev();
        open.extend(blocks.flat_map(|(_, block)| block.nodes.iter().rev()));
    }
    order
}

/// Adds two totals up.
fn together(one: &Total, other: &Total) -> Total {
    match (one, other) {
        (Total::Known(one), Total::Known(other)) => Total::Known(one.saturating_add(*other)),
        (Total::Unbounded(one), Total::Unbounded(other)) => {
            Total::Unbounded(one.iter().chain(other).cloned().collect())
        }
        (Total::Unbounded(why), _) | (_, Total::Unbounded(why)) => Total::Unbounded(why.clone()),
    }
}

/// Writes a place for any of its items.
fn any_item(place: &StepPath) -> Arc<str> {
    let segments = place.segments().iter().map(|segment| {
        let any = if segment.key.is_some() { "[*]" } else { "" };
        format!("{}{any}", segment.name)
    });
    segments.collect::<Vec<_>>().join("/").into()
}
