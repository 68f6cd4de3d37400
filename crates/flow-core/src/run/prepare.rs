//! An attempt before it is admitted: its arguments, its keys, what it needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Ticket;
use crate::amount::{Duration, Money};
use crate::arbiter::{Demand, HasFallback, HoldId, LedgerDemand, LedgerId, PoolDemand};
use crate::digest::Digest;
use crate::effect::{Effect, FailureClass};
use crate::eval::EvalError;
use crate::event::Failure;
use crate::handle::Values;
use crate::key;
use crate::path::StepPath;
use crate::plan::{Cache, NodeKind, Period, Step};
use crate::value::Value;

use super::Run;
use super::evaluate::unready;
use super::scope::Place;
use super::state::{CellId, Phase, StepState};
use super::wish::{Prepared, Shared};

impl Run {
    /// Prepares an attempt that is to be admitted. `day` says on which day a
    /// period began.
    ///
    /// A failure is to be handed in as a refusal.
    pub fn prepare(
        &self,
        ticket: &Ticket,
        day: &dyn Fn(Period) -> Arc<str>,
        values: &dyn Values,
    ) -> Result<Prepared, Failure> {
        let Some(cell) = self.admissible(ticket) else {
            let message = "this attempt is not to be admitted";
            return Err(Failure::new(FailureClass::Bug, message));
        };
        self.prepare_cell(cell, ticket, day, values)
            .map_err(|error| unready(&error))
    }

    /// Prepares an attempt again that is in progress: after a restart a job is
    /// polled and a target probed with the same arguments.
    pub fn prepare_again(
        &self,
        ticket: &Ticket,
        values: &dyn Values,
    ) -> Result<Prepared, super::Corrupt> {
        let diverged = || super::Corrupt::Diverged {
            ticket: ticket.clone(),
        };
        if let Some(orphan) = self.orphans.get(ticket) {
            return orphan.former.prepare_again(ticket, values);
        }
        let cell = self.attempt(ticket).ok_or_else(diverged)?;
        let day = |_| Arc::from("");
        let mut prepared = self
            .prepare_cell(cell, ticket, &day, values)
            .map_err(|_| diverged())?;
        let running = self.step(cell).and_then(|step| step.phase.running());
        let running = running.ok_or_else(diverged)?;
        if prepared.input != running.input {
            return Err(diverged());
        }
        prepared.idempotency = running.idempotency;
        Ok(prepared)
    }

    /// Returns whether an attempt waits to be admitted.
    pub fn is_admissible(&self, ticket: &Ticket) -> bool {
        self.paused.is_none() && self.admissible(ticket).is_some()
    }

    /// Returns whether something else is done if an attempt can't be made.
    pub(crate) fn has_fallback(&self, ticket: &Ticket) -> bool {
        let cell = self.admissible(ticket);
        cell.is_some_and(|cell| self.shape.node(self.node_of(cell)).has_fallback)
    }

    /// Finds the cell that waits to be admitted under a ticket.
    pub(super) fn admissible(&self, ticket: &Ticket) -> Option<CellId> {
        let cell = self.find(&ticket.at)?;
        let step = self.step(cell)?;
        let is_it = step.phase == Phase::Ready
            && step.attempt + 1 == ticket.attempt
            && self.frames.get(cell.frame).generation == ticket.generation;
        is_it.then_some(cell)
    }

    fn prepare_cell(
        &self,
        cell: CellId,
        ticket: &Ticket,
        day: &dyn Fn(Period) -> Arc<str>,
        values: &dyn Values,
    ) -> Result<Prepared, EvalError> {
        let NodeKind::Step(step) = self.kind_of(cell) else {
            return Err(crate::eval::EvalErrorKind::Absent("a step").into());
        };
        let Some(state) = self.step(cell) else {
            return Err(crate::eval::EvalErrorKind::Absent("a step in progress").into());
        };
        let place = Place::of_cell(self, cell, values);
        let args: BTreeMap<Arc<str>, Value> = step
            .args
            .iter()
            .map(|(name, expr)| Ok((name.clone(), place.eval(expr)?)))
            .collect::<Result<_, EvalError>>()?;
        let timeout = match &step.policies.timeout {
            Some(expr) => length(&place.eval(expr)?),
            None => None,
        };
        let at = self.at_of(cell);
        let path = self.path(&at, values);
        let seed = key::seed(self.start.seed, &path);
        let result = self.plan.node(at.node).ty.clone();
        let key = self.result_key(step, result.as_ref(), &args, seed);
        // What can't be named can't be found again.
        let shared = match &key {
            Some(_) => shared(step, place)?,
            None => Shared::No,
        };
        Ok(Prepared {
            step: step.step.clone(),
            types: step.params.clone(),
            result,
            type_arg: step.type_arg.clone(),
            run: step.run.clone(),
            effect: step.effect,
            tries: state.used + 1,
            input: key::input_digest(&args),
            shared,
            idempotency: self.idempotency(&path, ticket, state),
            seed,
            timeout,
            failure: state
                .failure
                .as_ref()
                .map(|failure| failure.message.clone()),
            demand: self.demand(
                cell,
                ticket,
                step,
                &args,
                day,
                place,
                key.as_ref().map(|key| key.digest),
            )?,
            ticket: ticket.clone(),
            key,
            path,
            args,
        })
    }

    fn idempotency(&self, path: &StepPath, ticket: &Ticket, state: &StepState) -> Digest {
        // An act that was taken over is known by the key that it left with.
        let inherited = state.joined.as_ref().and(state.intent.as_ref());
        match inherited.filter(|intent| intent.era == state.era) {
            Some(intent) => intent.idempotency,
            None => key::idempotency(&self.start.run, path, ticket.generation, state.era),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "all of them are parts of the demand"
    )]
    fn demand(
        &self,
        cell: CellId,
        ticket: &Ticket,
        step: &Step,
        args: &BTreeMap<Arc<str>, Value>,
        day: &dyn Fn(Period) -> Arc<str>,
        place: Place<'_>,
        key: Option<Digest>,
    ) -> Result<Demand, EvalError> {
        let given: Vec<Value> = args.values().cloned().collect();
        let amount = match &step.price {
            Some(price) => money(&place.eval_with(&price.formula, None, &given)?),
            None => Money(0),
        };
        let mut pools = Vec::with_capacity(step.pools.len());
        for pool in &step.pools {
            if let Value::Text(pool) = place.eval_with(pool, None, &given)? {
                pools.push(PoolDemand { pool });
            }
        }
        let ledgers = if step.effect.costs() || step.price.is_some() {
            self.ledgers(cell, &pools, day)
        } else {
            Vec::new()
        };
        let has_price = step.price.is_some();
        Ok(Demand {
            hold: HoldId {
                run: self.start.run.clone(),
                ticket: ticket.clone(),
            },
            amount,
            ledgers,
            price: has_price.then(|| step.step.clone()),
            pools,
            key: key.filter(|_| step.effect == Effect::Pure),
            has_fallback: if step.fallback.is_some() {
                HasFallback::Yes
            } else {
                HasFallback::No
            },
        })
    }

    /// Returns the ledgers around a call, the outermost first.
    fn ledgers(
        &self,
        cell: CellId,
        pools: &[PoolDemand],
        day: &dyn Fn(Period) -> Arc<str>,
    ) -> Vec<LedgerDemand> {
        let free = |ledger| LedgerDemand {
            ledger,
            limit: None,
        };
        let mut ledgers = vec![free(LedgerId::Project)];
        for period in [Period::Day, Period::Week, Period::Month] {
            let day = day(period);
            ledgers.push(free(LedgerId::ProjectPeriod { period, day }));
        }
        for pool in pools {
            ledgers.push(free(LedgerId::Provider(pool.pool.clone())));
        }
        if let Some(firing) = &self.start.trigger {
            let name = firing.trigger.clone();
            ledgers.push(free(LedgerId::Trigger { name, period: None }));
        }
        ledgers.push(LedgerDemand {
            ledger: LedgerId::Run(self.start.run.clone()),
            limit: self.budget,
        });
        for node in &self.shape.node(self.node_of(cell)).budgeted {
            let at = self.enclosing(cell, *node);
            let Some(budget) = self.budgets.get(&at) else {
                continue;
            };
            let ledger = match budget.per {
                None => match &budget.place {
                    Some(place) => LedgerId::Place(self.start.run.clone(), place.clone()),
                    None => LedgerId::Instance(self.start.run.clone(), at),
                },
                Some(period) => LedgerId::Scope {
                    path: self.plan_path(*node),
                    period,
                    day: day(period),
                },
            };
            ledgers.push(LedgerDemand {
                ledger,
                limit: Some(budget.amount),
            });
        }
        ledgers
    }

    /// Returns what an attempt in progress may do.
    pub fn effect_of(&self, ticket: &Ticket) -> Option<Effect> {
        if let Some(orphan) = self.orphans.get(ticket) {
            return Some(orphan.running()?.effect);
        }
        let step = self.step(self.attempt(ticket)?)?;
        Some(step.phase.running()?.effect)
    }
}

fn shared(step: &Step, place: Place<'_>) -> Result<Shared, EvalError> {
    Ok(match (&step.policies.cache, step.effect) {
        (_, Effect::Act(_)) | (Some(Cache::Off), _) => Shared::No,
        (Some(Cache::On), _) | (None, Effect::Pure) => Shared::Ever,
        (None, Effect::Read | Effect::Paid) => Shared::No,
        (Some(Cache::For(expr)), _) => {
            let length = length(&place.eval(expr)?);
            length.map_or(Shared::No, Shared::For)
        }
    })
}

fn length(value: &Value) -> Option<Duration> {
    if let Value::Duration(length) = value {
        Some(*length)
    } else {
        None
    }
}

fn money(value: &Value) -> Money {
    if let Value::Money(amount) = value {
        (*amount).max(Money(0))
    } else {
        Money(0)
    }
}
