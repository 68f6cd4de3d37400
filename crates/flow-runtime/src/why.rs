//! Why a result was made although there are results: what was asked of the
//! cache, and in which parts the nearest earlier result of the step differs.
//!
//! Nothing is kept for this alone but the parts of keys. The logs of earlier
//! runs are searched when somebody asks, a bounded number of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use flow_core::address::{Ords, RunId, Ticket};
use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::effect::Effect;
use flow_core::event::{Fact, Origin, Started, Timer};
use flow_core::key::{Difference, KeptParts};
use flow_core::plan::{Cache, NodeId, NodeKind, Plan, Step};

use crate::store::{EventRow, Missed, ReadError, Reader, RunRow};

/// How many earlier runs are searched.
const RUNS_MAX: usize = 20;

/// How many earlier results are compared.
const RESULTS_MAX: usize = 5_000;

/// Why a result was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Whether results of such calls are taken from other runs.
    pub sharing: Sharing,
    /// Why one that was there wasn't taken.
    pub missed: Option<Missed>,
    /// When one that was there was removed, before this one was begun.
    pub removed: Option<Timestamp>,
    /// The earlier result of the step that is made of the most alike.
    pub nearest: Option<Nearest>,
}

/// Whether results of a call are taken from other runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// They are.
    Shared,
    /// They stay in their run, unless the call says `cache on`.
    Private,
    /// They stay in their run, since the call says `cache off`.
    Off,
    /// They stay in their run: it acts.
    Acts,
}

impl Sharing {
    /// Returns whether results of a step are taken from other runs.
    pub fn of(step: &Step) -> Self {
        match (&step.policies.cache, step.effect) {
            (_, Effect::Act(_)) => Self::Acts,
            (Some(Cache::Off), _) => Self::Off,
            (Some(Cache::On | Cache::For(_)), _) | (None, Effect::Pure) => Self::Shared,
            (None, Effect::Read | Effect::Paid) => Self::Private,
        }
    }
}

/// An earlier result of the same step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// Where it was made.
    pub from: Origin,
    /// When it was begun.
    pub at: Timestamp,
    /// In which parts it differs, of those that are known; none if it is made
    /// of the same.
    pub differences: Vec<Difference>,
}

impl fmt::Display for Made {
    /// Writes it as a line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.missed {
            Some(Missed::Stale(since)) => {
                return write!(f, "the result that there was is too old since {since}");
            }
            Some(Missed::Evicted(since)) => {
                return write!(
                    f,
                    "a file of the result that there was is gone since {since}"
                );
            }
            None => {}
        }
        let Some(nearest) = &self.nearest else {
            return f.write_str("nothing like it was made before");
        };
        let from = &nearest.from.run;
        let [first, rest @ ..] = nearest.differences.as_slice() else {
            return match self.sharing {
                Sharing::Shared => write!(f, "`{from}` has made the same, and it wasn't taken"),
                Sharing::Private => write!(
                    f,
                    "`{from}` has made the same, but results of this step stay in their run unless its call says `cache on`"
                ),
                Sharing::Off => {
                    write!(
                        f,
                        "`{from}` has made the same, but the call says `cache off`"
                    )
                }
                Sharing::Acts => {
                    write!(
                        f,
                        "`{from}` has done the same, but what acts is done each time"
                    )
                }
            };
        };
        write!(f, "it is made of something else than in `{from}`: {first}")?;
        rest.iter().try_for_each(|other| write!(f, ", {other}"))
    }
}

/// Returns why the attempt that a run began with an event was begun; nothing if
/// the event begins none.
pub fn why_made(reader: &Reader, run: &RunId, seq: u64) -> Result<Option<Made>, ReadError> {
    let Some(row) = reader.run(run)? else {
        return Ok(None);
    };
    let events = reader.events(run, seq, 1)?;
    let Some((event, started)) = events.first().and_then(start_of) else {
        return Ok(None);
    };
    let Some(key) = started.key else {
        return Ok(None);
    };
    let mut search = Search::new(reader, row, seq);
    let Some(place) = search.place_of(&started.ticket)? else {
        return Ok(None);
    };
    let kept = reader.parts(run, &key)?;
    let missed = kept.as_ref().and_then(|kept| kept.missed);
    let removed = reader.evicted(&key)?.filter(|at| *at <= event.at);
    let nearest = match search.parts_of(run, &key)? {
        Some(parts) => search.nearest(&place, &parts, event.at)?,
        None => None,
    };
    Ok(Some(Made {
        sharing: place.sharing,
        missed,
        removed,
        nearest,
    }))
}

fn start_of(row: &EventRow) -> Option<(&EventRow, Box<Started>)> {
    match Fact::decode(&row.body) {
        Ok(Fact::AttemptStarted(started)) => Some((row, started)),
        Ok(_) | Err(_) => None,
    }
}

/// Which instance is asked about.
struct Place {
    step: Arc<str>,
    path: Vec<Arc<str>>,
    ords: Ords,
    sharing: Sharing,
}

/// A plan, as far as it is searched.
struct Steps {
    /// The path of each step in its plan, and its name.
    places: BTreeMap<NodeId, (Vec<Arc<str>>, Arc<str>)>,
}

struct Search<'a> {
    reader: &'a Reader,
    run: RunRow,
    /// Only what came before it counts.
    seq: u64,
    plans: BTreeMap<Digest, Option<Arc<Plan>>>,
}

impl<'a> Search<'a> {
    fn new(reader: &'a Reader, run: RunRow, seq: u64) -> Self {
        Self {
            reader,
            run,
            seq,
            plans: BTreeMap::new(),
        }
    }

    fn plan(&mut self, digest: &Digest) -> Result<Option<Arc<Plan>>, ReadError> {
        if let Some(known) = self.plans.get(digest) {
            return Ok(known.clone());
        }
        let bytes = self.reader.value(digest)?;
        let plan = bytes.and_then(|bytes| {
            let text = std::str::from_utf8(&bytes).ok()?;
            Plan::from_json(text).ok().map(Arc::new)
        });
        self.plans.insert(*digest, plan.clone());
        Ok(plan)
    }

    /// Returns the plans of a run, each with the number of the event from which
    /// on it was followed.
    fn plans_of(&self, run: &RunRow) -> Result<Vec<(u64, Digest)>, ReadError> {
        let mut plans = vec![(0, run.plan)];
        let replaced = self.reader.events_of_kind(&run.id, Fact::PLAN_REPLACED)?;
        for row in replaced {
            if let Ok(Fact::PlanReplaced { plan, .. }) = Fact::decode(&row.body) {
                plans.push((row.seq, plan));
            }
        }
        Ok(plans)
    }

    fn place_of(&mut self, ticket: &Ticket) -> Result<Option<Place>, ReadError> {
        let plans = self.plans_of(&self.run)?;
        let followed = plans.iter().rev().find(|(from, _)| *from <= self.seq);
        let Some((_, digest)) = followed else {
            return Ok(None);
        };
        let Some(plan) = self.plan(digest)? else {
            return Ok(None);
        };
        let node = ticket.at.node;
        if node.0 as usize >= plan.graph.node_count() {
            return Ok(None);
        }
        let NodeKind::Step(step) = &plan.node(node).kind else {
            return Ok(None);
        };
        Ok(Some(Place {
            step: step.step.clone(),
            path: path_in(&plan, node),
            ords: ticket.at.ords.clone(),
            sharing: Sharing::of(step),
        }))
    }

    /// Returns what is kept of the parts of a key.
    fn parts_of(&self, run: &RunId, key: &Digest) -> Result<Option<KeptParts>, ReadError> {
        if let Some(row) = self.reader.parts(run, key)? {
            return Ok(KeptParts::decode(&row.parts));
        }
        let cached = self.reader.cached(key)?;
        Ok(cached.and_then(|found| KeptParts::decode(&found.entry.parts)))
    }

    fn nearest(
        &mut self,
        place: &Place,
        parts: &KeptParts,
        before: Timestamp,
    ) -> Result<Option<Nearest>, ReadError> {
        let mut best: Option<((usize, bool), Nearest)> = None;
        let mut left = RESULTS_MAX;
        let own = self.run.clone();
        let earlier = self.reader.runs_of(&own.workflow, own.number, RUNS_MAX)?;
        for run in std::iter::once(own).chain(earlier) {
            for (from, digest) in self.plans_of(&run)?.into_iter().rev() {
                let Some(plan) = self.plan(&digest)? else {
                    continue;
                };
                for result in self.results(&run, &plan, from, place)? {
                    if left == 0 || result.at > before {
                        continue;
                    }
                    left -= 1;
                    let Some(other) = self.parts_of(&run.id, &result.key)? else {
                        continue;
                    };
                    let differences = parts.differences_from(&other);
                    let is_elsewhere = !result.is_there;
                    let rank = (differences.len(), is_elsewhere);
                    if best.as_ref().is_none_or(|(least, _)| rank < *least) {
                        let from = Origin {
                            run: run.id.clone(),
                            seq: result.seq,
                        };
                        let nearest = Nearest {
                            from,
                            at: result.at,
                            differences,
                        };
                        best = Some((rank, nearest));
                    }
                }
            }
            if best.as_ref().is_some_and(|((count, _), _)| *count == 0) {
                break;
            }
        }
        Ok(best.map(|(_, nearest)| nearest))
    }

    /// Returns the results of a step that a run has while it follows a plan, the
    /// same place first, the newest before others.
    fn results(
        &self,
        run: &RunRow,
        plan: &Plan,
        from: u64,
        place: &Place,
    ) -> Result<Vec<Earlier>, ReadError> {
        let steps = Steps::of(plan);
        let mut found = Vec::new();
        for node in steps.like(place) {
            let is_same = steps.places[&node].0 == place.path;
            let until = if run.id == self.run.id {
                self.seq
            } else {
                u64::MAX
            };
            let rows = self.reader.events_of_node(&run.id, node, from, until)?;
            let mut begun: BTreeMap<Ticket, Earlier> = BTreeMap::new();
            for row in &rows {
                let Ok(fact) = Fact::decode(&row.body) else {
                    continue;
                };
                if let Fact::AttemptStarted(started) = fact {
                    if let Some(key) = started.key {
                        let is_there = is_same && started.ticket.at.ords == place.ords;
                        let earlier = Earlier {
                            key,
                            at: row.at,
                            seq: row.seq,
                            is_there,
                        };
                        begun.insert(started.ticket, earlier);
                    }
                } else if let Some(ticket) = succeeded(&fact)
                    && let Some(earlier) = begun.remove(ticket)
                {
                    found.push(earlier);
                }
            }
        }
        found.sort_by_key(|earlier| (!earlier.is_there, std::cmp::Reverse(earlier.seq)));
        Ok(found)
    }
}

/// A result that was made earlier.
struct Earlier {
    key: Digest,
    at: Timestamp,
    seq: u64,
    /// Whether it is one of the instance that is asked about.
    is_there: bool,
}

/// Returns the attempt that a fact says a value of.
#[expect(clippy::wildcard_enum_match_arm, reason = "other facts give no value")]
fn succeeded(fact: &Fact) -> Option<&Ticket> {
    match fact {
        Fact::Succeeded { ticket, .. }
        | Fact::Answered { ticket, .. }
        | Fact::Probed {
            ticket,
            found: Some(_),
            ..
        }
        | Fact::Resolved {
            ticket,
            verdict: flow_core::event::Verdict::Happened(_),
            ..
        }
        | Fact::Elapsed(Timer::Wait(ticket) | Timer::Expiry(ticket)) => Some(ticket),
        _ => None,
    }
}

impl Steps {
    fn of(plan: &Plan) -> Self {
        let nodes = (0..).map(NodeId).zip(plan.graph.node_weights());
        let steps = nodes.filter_map(|(id, node)| match &node.kind {
            NodeKind::Step(step) => Some((id, (path_in(plan, id), step.step.clone()))),
            NodeKind::Value(_)
            | NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => None,
        });
        Self {
            places: steps.collect(),
        }
    }

    /// Returns the step at the same place; if there is none, all calls of it.
    fn like(&self, place: &Place) -> BTreeSet<NodeId> {
        let calls = |is_same: bool| -> BTreeSet<NodeId> {
            let fitting = self.places.iter().filter(|(_, (path, step))| {
                *step == place.step && (!is_same || *path == place.path)
            });
            fitting.map(|(id, _)| *id).collect()
        };
        let same = calls(true);
        if same.is_empty() { calls(false) } else { same }
    }
}

fn path_in(plan: &Plan, node: NodeId) -> Vec<Arc<str>> {
    let mut path = Vec::new();
    let mut id = node;
    loop {
        let node = plan.node(id);
        path.push(node.name.clone());
        let Some(parent) = &node.parent else { break };
        path.extend(parent.arm.clone());
        id = parent.node;
    }
    // The workflow may have been renamed.
    path.pop();
    path.reverse();
    path
}
