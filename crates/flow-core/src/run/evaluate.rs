//! Decisions by expressions: which arm, which items, another round, what value.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::address::At;
use crate::amount::Timestamp;
use crate::effect::FailureClass;
use crate::eval::EvalError;
use crate::event::{BudgetSet, Fact, Failure, Status, Then};
use crate::handle::{Handle, Values};
use crate::path::Key;
use crate::plan::{For, NodeKind, Pattern, Repeat};
use crate::value::{List, Value};

use super::Run;
use super::place::stored_keys;
use super::scope::{Place, stored};
use super::shape::{Yield, limits_of, small};
use super::state::{CellId, Ending, FrameId, Phase, RegionPhase, State};
use super::walk::failure_in;

/// The most items of a `for`.
const ITEMS_MAX: usize = 10_000_000;

/// The failure of an expression that has no value.
pub(super) fn unready(error: &EvalError) -> Failure {
    Failure::new(FailureClass::Bug, error.to_string())
}

fn bug(message: impl Into<Arc<str>>) -> Failure {
    Failure::new(FailureClass::Bug, message)
}

impl Run {
    pub(super) fn evaluate(
        &self,
        at: &At,
        item: Option<u32>,
        now: Timestamp,
        values: &dyn Values,
    ) -> Vec<Fact> {
        if self.can_settle() {
            let is_root = *at == At::root() && item.is_none();
            return is_root.then(|| self.settling(values)).into_iter().collect();
        }
        let Some(cell) = self.find(at) else {
            return Vec::new();
        };
        if let Some(step) = self.step(cell) {
            let opens = step.phase == Phase::Opening;
            return if opens {
                self.open(cell, now, values)
            } else {
                Vec::new()
            };
        }
        let Some(region) = self.region(cell) else {
            return Vec::new();
        };
        match (&region.phase, item) {
            (RegionPhase::Deciding, None) if !region.is_opened => self.open(cell, now, values),
            (RegionPhase::Deciding, None) => {
                let decided = self.choose(cell, values);
                vec![decided.unwrap_or_else(|failure| self.broke(cell, failure, now, values))]
            }
            (RegionPhase::Winning(_, arm), None) => vec![Fact::RaceWon {
                at: at.clone(),
                arm: *arm,
            }],
            (RegionPhase::Closing(frame), None) => vec![self.close(cell, *frame, now, values)],
            (RegionPhase::Items(items), Some(item)) if items.closing.contains(&item) => {
                let frame = items.frames.get(&item).copied();
                frame
                    .map(|frame| self.yielded(cell, frame, Some(item), values))
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn broke(&self, cell: CellId, failure: Failure, now: Timestamp, values: &dyn Values) -> Fact {
        let then = self.way_out_of_region(cell, &failure, now, values);
        Fact::Broke {
            at: self.at_of(cell),
            item: None,
            failure,
            then,
        }
    }

    /// Says how the run ended.
    fn settling(&self, values: &dyn Values) -> Fact {
        let root = self.root.map(|frame| CellId { frame, pos: 0 });
        let state = root.map(|root| &self.frames.cell(root).state);
        let (status, output) = match state {
            Some(State::Done(handle)) => match stored(handle, values) {
                Ok(handle) => (Status::Succeeded, Some(handle)),
                Err(_) => (Status::Failed, None),
            },
            Some(State::Cut) => (Status::Cancelled, None),
            _ => (Status::Failed, None),
        };
        Fact::RunSettled { status, output }
    }

    /// Computes the limits of an instance.
    fn open(&self, cell: CellId, now: Timestamp, values: &dyn Values) -> Vec<Fact> {
        match self.limits(cell, values) {
            Ok(fact) => vec![fact],
            Err(error) => {
                let failure = unready(&error);
                if self.step(cell).is_none() {
                    return vec![self.broke(cell, failure, now, values)];
                }
                let then = self.way_out_of_step(cell, &failure);
                vec![Fact::Refused {
                    at: self.at_of(cell),
                    failure,
                    ledger: None,
                    missing: None,
                    then,
                }]
            }
        }
    }

    fn limits(&self, cell: CellId, values: &dyn Values) -> Result<Fact, EvalError> {
        let place = Place::of_cell(self, cell, values);
        let mut within = None;
        let mut budget: Option<BudgetSet> = None;
        for limits in limits_of(self.kind_of(cell)) {
            if let Some(expr) = &limits.within
                && let Value::Duration(length) = place.eval(expr)?
            {
                within = Some(within.map_or(length, |other| length.min(other)));
            }
            if let Some(found) = &limits.budget
                && let Value::Money(amount) = place.eval(&found.amount)?
                && budget.as_ref().is_none_or(|other| amount < other.amount)
            {
                budget = Some(BudgetSet {
                    amount,
                    per: found.per,
                    or: found.or,
                    place: None,
                });
            }
        }
        let at = self.at_of(cell);
        if let Some(budget) = &mut budget {
            budget.place = Some(self.path(&at, values).inside().to_string().into());
        }
        Ok(Fact::Opened { at, within, budget })
    }

    fn choose(&self, cell: CellId, values: &dyn Values) -> Result<Fact, Failure> {
        let place = Place::of_cell(self, cell, values);
        let at = self.at_of(cell);
        match self.kind_of(cell) {
            NodeKind::If(choice) => {
                let holds = place.eval(&choice.cond).map_err(|error| unready(&error))?;
                let arm = match (holds, &choice.otherwise) {
                    (Value::Bool(true), _) => Some(0),
                    (Value::Bool(false), Some(_)) => Some(1),
                    (Value::Bool(false), None) => None,
                    _ => return Err(bug("the condition of an `if` is no bool")),
                };
                Ok(Fact::BranchTaken { at, arm })
            }
            NodeKind::Match(choice) => {
                let subject = place
                    .eval(&choice.subject)
                    .map_err(|error| unready(&error))?;
                let arm = choice.arms.iter().position(|arm| {
                    let mut patterns = arm.patterns.iter();
                    patterns.any(|pattern| fits(pattern, &subject))
                });
                let arm = arm.ok_or_else(|| bug("no arm of the `match` fits its value"))?;
                let arm = Some(small(arm));
                Ok(Fact::BranchTaken { at, arm })
            }
            NodeKind::For(each) => self.expand(cell, each, values),
            NodeKind::Repeat(repeat) => self.first_round(cell, repeat, values),
            NodeKind::Value(_)
            | NodeKind::Step(_)
            | NodeKind::Workflow(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => Err(bug("there is nothing to decide here")),
        }
    }

    // `for`.

    fn expand(&self, cell: CellId, each: &For, values: &dyn Values) -> Result<Fact, Failure> {
        let place = Place::of_cell(self, cell, values);
        let eval = |expr| place.eval(expr).map_err(|error| unready(&error));
        let Value::List(list) = eval(&each.list)? else {
            return Err(bug("a `for` goes over a list"));
        };
        let count = list.items.len();
        if let Some(max) = &each.max {
            let max = eval(max)?;
            if let Value::Int(max) = max
                && i64::try_from(count).unwrap_or(i64::MAX) > max
            {
                return Err(Failure::new(
                    FailureClass::Invalid,
                    format!("the list has {count} items, and `max` allows {max}"),
                ));
            }
        }
        if count > ITEMS_MAX {
            return Err(bug(format!(
                "the list has {count} items; a `for` takes at most {ITEMS_MAX}"
            )));
        }
        let parallel = count_of(&eval(&each.parallel)?).max(1);
        let keys = keys(each, &list, place)?;
        Ok(Fact::ItemsExpanded {
            at: self.at_of(cell),
            count: small(count),
            parallel,
            keys: keys.map(|keys| values.put(&stored_keys(&keys))),
        })
    }

    // `repeat`.

    fn first_round(
        &self,
        cell: CellId,
        repeat: &Repeat,
        values: &dyn Values,
    ) -> Result<Fact, Failure> {
        let place = Place::of_cell(self, cell, values);
        let eval = |expr| place.eval(expr).map_err(|error| unready(&error));
        let state = eval(&repeat.from)?;
        let max = count_of(&eval(&repeat.max)?);
        let at = self.at_of(cell);
        let state = values.put(&state);
        Ok(if max == 0 {
            Fact::Yielded {
                at,
                item: None,
                value: state,
            }
        } else {
            Fact::RoundOpened {
                at,
                round: 0,
                state,
                max,
            }
        })
    }

    fn next_round(
        &self,
        cell: CellId,
        frame: FrameId,
        repeat: &Repeat,
        values: &dyn Values,
    ) -> Result<Fact, Failure> {
        let state = self.result(frame, values)?;
        let round = self.frames.get(frame).item.unwrap_or_default() + 1;
        let place = Place::of_cell(self, cell, values);
        let is_over = match &repeat.until {
            None => false,
            Some(until) => {
                let given = Some((place.node, state.clone()));
                let over = place.eval_with(until, given, &[]);
                over.map_err(|error| unready(&error))? == Value::Bool(true)
            }
        };
        let max = count_of(&place.eval(&repeat.max).map_err(|error| unready(&error))?);
        let at = self.at_of(cell);
        let state = values.put(&state);
        Ok(if is_over || round >= max {
            Fact::Yielded {
                at,
                item: None,
                value: state,
            }
        } else {
            Fact::RoundOpened {
                at,
                round,
                state,
                max,
            }
        })
    }

    // Values of blocks.

    /// Decides about a block that has come to rest.
    fn close(&self, cell: CellId, frame: FrameId, now: Timestamp, values: &dyn Values) -> Fact {
        let ending = self.region(cell).and_then(|region| match &region.ending {
            Some(Ending::Fail(failure)) => Some(failure.clone()),
            Some(Ending::Cut) | None => None,
        });
        let failed = ending.or_else(|| failure_in(self.frames.get(frame)));
        if let Some(failure) = failed {
            return self.broke(cell, failure, now, values);
        }
        let is_body = !self.shape.block(self.frames.get(frame).block).is_fallback;
        let answer = match self.kind_of(cell) {
            NodeKind::Repeat(repeat) if is_body => self.next_round(cell, frame, repeat, values),
            NodeKind::Repeat(_)
            | NodeKind::Value(_)
            | NodeKind::Step(_)
            | NodeKind::Workflow(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => self.value_of(cell, frame, None, values),
        };
        answer.unwrap_or_else(|failure| {
            if is_body {
                self.broke(cell, failure, now, values)
            } else {
                Fact::Broke {
                    at: self.at_of(cell),
                    item: None,
                    failure,
                    then: Then::Fail,
                }
            }
        })
    }

    fn yielded(
        &self,
        cell: CellId,
        frame: FrameId,
        item: Option<u32>,
        values: &dyn Values,
    ) -> Fact {
        let answer = self.value_of(cell, frame, item, values);
        answer.unwrap_or_else(|failure| Fact::Broke {
            at: self.at_of(cell),
            item,
            failure,
            then: Then::Fail,
        })
    }

    fn value_of(
        &self,
        cell: CellId,
        frame: FrameId,
        item: Option<u32>,
        values: &dyn Values,
    ) -> Result<Fact, Failure> {
        let value = self.result(frame, values)?;
        Ok(Fact::Yielded {
            at: self.at_of(cell),
            item,
            value: values.put(&value),
        })
    }

    fn result(&self, frame: FrameId, values: &dyn Values) -> Result<Value, Failure> {
        let block = self.shape.block(self.frames.get(frame).block);
        match &block.result {
            Yield::Nothing => Ok(Value::None),
            Yield::Same(pos) => {
                let handle: Handle = self.handle_in(CellId { frame, pos: *pos });
                super::scope::load(&handle, values).map_err(|error| unready(&error))
            }
            Yield::Computed(expr) => {
                let place = Place::of_result(self, frame, values);
                place.eval(expr).map_err(|error| unready(&error))
            }
        }
    }
}

/// Returns what tells the items apart; nothing if their positions do.
fn keys(each: &For, list: &List, place: Place<'_>) -> Result<Option<Vec<Key>>, Failure> {
    let Some(by) = &each.by else {
        return Ok(list.keys.clone());
    };
    let mut keys = Vec::with_capacity(list.items.len());
    let mut seen = BTreeSet::new();
    for item in &list.items {
        let given = Some((place.node, item.clone()));
        let key = place.eval_with(by, given, &[]);
        let key = key.map_err(|error| unready(&error))?;
        let key = word_of(&key)?;
        if !seen.insert(key.clone()) {
            return Err(Failure::new(
                FailureClass::Invalid,
                format!("two items have the key `{key}`; `by` must tell all items apart"),
            ));
        }
        keys.push(key);
    }
    Ok(Some(keys))
}

/// Returns a whole number that counts something; what isn't one counts nothing.
fn count_of(value: &Value) -> u32 {
    let Value::Int(number) = value else {
        return 0;
    };
    u32::try_from((*number).max(0)).unwrap_or(u32::MAX)
}

fn fits(pattern: &Pattern, subject: &Value) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::None => *subject == Value::None,
        Pattern::Some => *subject != Value::None,
        Pattern::Is(value) => value == subject,
    }
}

/// Makes a key of what `by` gave.
fn word_of(value: &Value) -> Result<Key, Failure> {
    match value {
        Value::Text(word) | Value::Enum(word) => Ok(Key::Word(word.clone())),
        Value::Int(number) => Ok(match u64::try_from(*number) {
            Ok(index) => Key::Index(index),
            Err(_) => Key::Word(number.to_string().into()),
        }),
        Value::Bool(truth) => Ok(Key::Word(truth.to_string().into())),
        Value::Time(instant) => Ok(Key::Word(instant.to_string().into())),
        Value::Artifact(artifact) => Ok(Key::Word(artifact.digest.clone())),
        Value::Money(_)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::None
        | Value::Float(_)
        | Value::List(_)
        | Value::Record(_)
        | Value::Secret(_) => Err(bug("`by` gives a text or a whole number")),
    }
}
