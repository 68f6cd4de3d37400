//! The values of instances, computed from what steps gave.

use std::sync::Arc;

use flow_core::address::At;
use flow_core::draw::Draw;
use flow_core::eval::{Fuel, Scope, eval};
use flow_core::expr::Expr;
use flow_core::handle::Handle;
use flow_core::plan::{Block, NodeId, NodeKind, Template};
use flow_core::ty::Media;
use flow_core::value::Value;

use super::map;
use super::reading::{Reading, Settled};
use super::state::Stand;

impl Reading<'_> {
    pub(super) fn load(&self, handle: &Handle) -> Option<Value> {
        match handle {
            Handle::Small(value) => Some(value.clone()),
            Handle::Stored(digest) => self.values.get(digest),
            Handle::Listed(_) => None,
        }
    }

    /// Returns the value of an instance that has one.
    pub(super) fn value(&self, at: &At) -> Option<Value> {
        if let Some(known) = self.found.borrow().get(at) {
            return Some(known.clone());
        }
        if self.stand(at) != Stand::Value {
            return None;
        }
        let value = self.value_anew(at)?;
        self.found.borrow_mut().insert(at.clone(), value.clone());
        Some(value)
    }

    fn value_anew(&self, at: &At) -> Option<Value> {
        if let Some(Settled::Value(handle)) = self.settled.get(at) {
            return self.load(handle);
        }
        let node = self.plan.node(at.node);
        let blocks = node.blocks();
        if self.fallen.contains(at) {
            let block = blocks[map::fallback(&self.plan, at.node)?].1;
            return self.value_of_block(at, None, block);
        }
        match &node.kind {
            NodeKind::Value(expr) => self.eval(expr, at, None, None),
            NodeKind::Step(_) => None,
            NodeKind::Workflow(workflow) => self.value_of_block(at, None, &workflow.block),
            NodeKind::Parallel(parallel) => self.value_of_block(at, None, &parallel.block),
            NodeKind::If(_) | NodeKind::Match(_) => match self.choices.get(at)? {
                None => Some(Value::None),
                Some(arm) => self.value_of_block(at, None, blocks[*arm as usize].1),
            },
            NodeKind::For(each) => {
                let count = self.items.get(at)?.count;
                let whole = (0..count)
                    .filter(|item| self.stand_of_item(at, *item, &each.body) == Stand::Value);
                let values = whole.map(|item| self.value_of_block(at, Some(item), &each.body));
                Some(Value::list(values.collect::<Option<Vec<_>>>()?))
            }
            NodeKind::Repeat(_) => {
                let last = u32::try_from(self.rounds.get(at)?.len()).unwrap() - 1;
                self.state_after(at, last)
            }
            NodeKind::Race(race) => {
                let winner = *self.winners.get(at)?;
                let id = *race.block.nodes.get(winner as usize)?;
                self.value(&At::new(id, at.ords.iter().copied()))
            }
        }
    }

    fn value_of_block(&self, at: &At, item: Option<u32>, block: &Block) -> Option<Value> {
        match &block.result {
            None => Some(Value::None),
            Some(expr) => self.eval(expr, at, item, None),
        }
    }

    /// Returns the state that a round of a `repeat` gives.
    pub(super) fn state_after(&self, at: &At, round: u32) -> Option<Value> {
        let NodeKind::Repeat(repeat) = &self.plan.node(at.node).kind else {
            return None;
        };
        let result = repeat.body.result.as_ref()?;
        self.eval(result, at, Some(round), None)
    }

    /// Computes an expression of a node, or of one of its items or rounds.
    pub(super) fn eval(
        &self,
        expr: &Expr,
        at: &At,
        item: Option<u32>,
        state: Option<Value>,
    ) -> Option<Value> {
        let place = Here {
            reading: self,
            at: At::new(at.node, at.ords.iter().copied().chain(item)),
            state: state.map(|value| (at.node, value)),
            args: Vec::new(),
        };
        eval(expr, &place, &mut Fuel::default()).ok()
    }

    /// Computes the arguments of a step, by name and in order.
    pub(super) fn arguments(&self, at: &At) -> Option<Vec<(Arc<str>, Value)>> {
        let NodeKind::Step(step) = &self.plan.node(at.node).kind else {
            return None;
        };
        let args = step.args.iter();
        args.map(|(name, expr)| Some((name.clone(), self.eval(expr, at, None, None)?)))
            .collect()
    }

    /// Computes an expression of a step in which its own arguments stand.
    pub(super) fn eval_with(&self, expr: &Expr, at: &At, args: Vec<Value>) -> Option<Value> {
        let place = Here {
            reading: self,
            at: at.clone(),
            state: None,
            args,
        };
        eval(expr, &place, &mut Fuel::default()).ok()
    }
}

/// A place in a run.
struct Here<'r, 'a> {
    reading: &'r Reading<'a>,
    at: At,
    /// The new state of a `repeat`.
    state: Option<(NodeId, Value)>,
    /// The arguments of the step itself.
    args: Vec<Value>,
}

impl Here<'_, '_> {
    /// The address of an instance around this place, and the item or round of it
    /// that this place is in.
    fn enclosing(&self, id: NodeId) -> (At, Option<u32>) {
        let at = self.reading.map.near(id, &self.at);
        let ord = self.at.ords.get(at.ords.len()).copied();
        (at, ord)
    }
}

impl Scope for Here<'_, '_> {
    fn node(&self, node: NodeId) -> Option<Value> {
        let at = self.reading.map.near(node, &self.at);
        self.reading.value(&at)
    }

    fn arg(&self, node: NodeId, position: u32) -> Option<Value> {
        let position = position as usize;
        let reading = self.reading;
        match &reading.plan.node(node).kind {
            NodeKind::Workflow(workflow) if node == NodeId(0) => {
                let given = reading.inputs.get(position).cloned();
                given.or_else(|| {
                    let default = workflow.params.get(position)?.value.as_ref()?;
                    reading.eval(default, &At::root(), None, None)
                })
            }
            NodeKind::Workflow(workflow) => {
                let (at, _) = self.enclosing(node);
                let expr = workflow.params.get(position)?.value.as_ref()?;
                reading.eval(expr, &at, None, None)
            }
            NodeKind::Step(_) => self.args.get(position).cloned(),
            NodeKind::Value(_)
            | NodeKind::If(_)
            | NodeKind::Match(_)
            | NodeKind::For(_)
            | NodeKind::Repeat(_)
            | NodeKind::Race(_)
            | NodeKind::Parallel(_) => None,
        }
    }

    fn item(&self, node: NodeId) -> Option<Value> {
        let NodeKind::For(each) = &self.reading.plan.node(node).kind else {
            return None;
        };
        let (at, ord) = self.enclosing(node);
        let Value::List(list) = self.reading.eval(&each.list, &at, None, None)? else {
            return None;
        };
        list.items.get(ord? as usize).cloned()
    }

    fn state(&self, node: NodeId) -> Option<Value> {
        if let Some((own, state)) = &self.state
            && *own == node
        {
            return Some(state.clone());
        }
        let (at, ord) = self.enclosing(node);
        let handle = self.reading.rounds.get(&at)?.get(ord? as usize)?;
        self.reading.load(handle)
    }

    fn payload(&self, node: NodeId) -> Option<Value> {
        let NodeKind::Match(choice) = &self.reading.plan.node(node).kind else {
            return None;
        };
        let (at, _) = self.enclosing(node);
        self.reading.eval(&choice.subject, &at, None, None)
    }

    fn run(&self) -> Option<Value> {
        None
    }

    fn event(&self) -> Option<Value> {
        None
    }

    fn file(&self, _path: &str, _media: Media) -> Option<Value> {
        None
    }

    fn draw(&self, _ordinal: u32) -> Option<Draw> {
        None
    }

    fn template(&self, _number: u32) -> Option<&Template> {
        None
    }
}
