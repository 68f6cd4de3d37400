//! What names mean inside a run, and the values behind handles.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::At;
use crate::draw::Draw;
use crate::eval::{EvalError, EvalErrorKind, Fuel, Scope, eval};
use crate::expr::Expr;
use crate::handle::{Handle, Listed, Values};
use crate::path::Key;
use crate::plan::{NodeId, NodeKind, Template};
use crate::ty::Media;
use crate::value::{List, Value};

use super::Run;
use super::place::keys_of;
use super::state::{CellId, Frame, FrameId, Items, State};

/// Loads the value behind a handle.
pub(crate) fn load(handle: &Handle, values: &dyn Values) -> Result<Value, EvalError> {
    match handle {
        Handle::Small(value) => Ok(value.clone()),
        Handle::Stored(digest) => values.get(digest).ok_or_else(gone),
        Handle::Listed(listed) => load_list(listed, values),
    }
}

/// Makes a handle that an event can carry.
pub(super) fn stored(handle: &Handle, values: &dyn Values) -> Result<Handle, EvalError> {
    match handle {
        Handle::Small(_) | Handle::Stored(_) => Ok(handle.clone()),
        Handle::Listed(_) => Ok(values.put(&load(handle, values)?)),
    }
}

fn gone() -> EvalError {
    EvalErrorKind::Absent("a value of the store").into()
}

fn load_list(listed: &Listed, values: &dyn Values) -> Result<Value, EvalError> {
    if let Some(value) = listed.value.get() {
        return Ok(value.clone());
    }
    // A `for` in a `for` gives lists in lists, as deep as its plan nests.
    let items = listed.items.iter().map(|item| load(item, values));
    let items: Vec<Value> = items.collect::<Result<_, _>>()?;
    let words = match &listed.keys {
        Some(keys) => keys_of(&load(keys, values)?),
        None => None,
    };
    let key = |at: u32| match &words {
        Some(words) => words.get(at as usize).cloned(),
        None => Some(Key::Index(u64::from(at))),
    };
    let keys = match &listed.kept {
        Some(kept) => kept.iter().map(|at| key(*at)).collect(),
        None => words.clone(),
    };
    let value = Value::List(Arc::new(List { items, keys }));
    Ok(listed.value.get_or_init(|| value).clone())
}

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) run: &'a Run,
    /// The frame whose names it sees.
    pub(super) frame: FrameId,
    /// The node that it belongs to, whose path its draws have.
    pub(super) node: NodeId,
    pub(super) values: &'a dyn Values,
}

impl<'a> Place<'a> {
    /// The place of the expressions of a cell's own node.
    pub(super) fn of_cell(run: &'a Run, cell: CellId, values: &'a dyn Values) -> Self {
        Self {
            run,
            frame: cell.frame,
            node: run.node_of(cell),
            values,
        }
    }

    /// The place of the result of a block.
    pub(super) fn of_result(run: &'a Run, frame: FrameId, values: &'a dyn Values) -> Self {
        let owner = run.frames.get(frame).owner;
        Self {
            run,
            frame,
            node: owner.map_or(NodeId(0), |owner| run.node_of(owner)),
            values,
        }
    }

    pub(super) fn eval(self, expr: &Expr) -> Result<Value, EvalError> {
        self.eval_with(expr, None, &[])
    }

    /// Evaluates where an item or a new state is given, or a price gets the
    /// arguments of its call.
    pub(super) fn eval_with(
        self,
        expr: &Expr,
        given: Option<(NodeId, Value)>,
        args: &[Value],
    ) -> Result<Value, EvalError> {
        self.force(expr)?;
        let inside = Inside {
            place: self,
            given,
            args,
            error: RefCell::new(None),
        };
        let answer = eval(expr, &inside, &mut Fuel::default());
        match inside.error.take() {
            Some(error) => Err(error),
            None => answer,
        }
    }

    /// Computes the named expressions that an expression needs, the innermost
    /// first, without recursion.
    fn force(self, expr: &Expr) -> Result<(), EvalError> {
        let mut open = self.unforced(expr);
        while let Some(cell) = open.last().copied() {
            let NodeKind::Value(expr) = self.run.kind_of(cell) else {
                open.pop();
                continue;
            };
            let place = Place::of_cell(self.run, cell, self.values);
            let needed = place.unforced(expr);
            if !needed.is_empty() {
                open.extend(needed);
                continue;
            }
            open.pop();
            let State::Value(once) = &self.run.frames.cell(cell).state else {
                continue;
            };
            if once.get().is_none() {
                let inside = Inside {
                    place,
                    given: None,
                    args: &[],
                    error: RefCell::new(None),
                };
                let answer = eval(expr, &inside, &mut Fuel::default());
                let value = match inside.error.take() {
                    Some(error) => Err(error),
                    None => answer,
                }?;
                once.get_or_init(|| value);
            }
        }
        Ok(())
    }

    fn unforced(self, expr: &Expr) -> Vec<CellId> {
        let mut found = Vec::new();
        expr.walk(&mut |part| {
            if let Expr::Node(id) = part
                && let Some(cell) = self.cell(*id)
                && let State::Value(once) = &self.run.frames.cell(cell).state
                && once.get().is_none()
            {
                found.push(cell);
            }
        });
        found
    }

    /// Finds the frame around here, itself included, that fits.
    fn around(self, fits: impl Fn(&Frame) -> bool) -> Option<FrameId> {
        let mut id = Some(self.frame);
        while let Some(at) = id {
            let frame = self.run.frames.get(at);
            if fits(frame) {
                return Some(at);
            }
            id = frame.owner.map(|owner| owner.frame);
        }
        None
    }

    fn cell(self, node: NodeId) -> Option<CellId> {
        let shape = self.run.shape.nodes.get(node.0 as usize)?;
        let frame = self.around(|frame| frame.block == shape.block)?;
        Some(CellId {
            frame,
            pos: shape.pos,
        })
    }

    /// Finds the frame around here that is a body of a node.
    fn body(self, node: NodeId) -> Option<(FrameId, CellId)> {
        let blocks = &self.run.shape.nodes.get(node.0 as usize)?.blocks;
        let frame = self.around(|frame| blocks.contains(&frame.block))?;
        Some((frame, self.run.frames.get(frame).owner?))
    }
}

/// What names mean in a place.
struct Inside<'a> {
    place: Place<'a>,
    given: Option<(NodeId, Value)>,
    args: &'a [Value],
    /// Why a part has no value.
    error: RefCell<Option<EvalError>>,
}

impl Inside<'_> {
    fn given(&self, node: NodeId) -> Option<Value> {
        let (of, value) = self.given.as_ref()?;
        (*of == node).then(|| value.clone())
    }

    fn keep(&self, answer: Result<Value, EvalError>) -> Option<Value> {
        match answer {
            Ok(value) => Some(value),
            Err(error) => {
                self.error.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    fn handle(&self, node: NodeId) -> Option<&Handle> {
        let cell = self.place.cell(node)?;
        match &self.place.run.frames.cell(cell).state {
            State::Done(handle) => Some(handle),
            State::Region(region) => region.value.as_ref(),
            State::Value(_)
            | State::Waiting
            | State::Step(_)
            | State::Failed(_)
            | State::Blocked
            | State::Cut => None,
        }
    }

    fn workflow_arg(&self, node: NodeId, position: u32) -> Option<Value> {
        let run = self.place.run;
        let NodeKind::Workflow(workflow) = &run.plan.node(node).kind else {
            return None;
        };
        if node == NodeId(0) {
            let inputs = self.keep(load(&run.inputs, self.place.values))?;
            let Value::List(inputs) = inputs else {
                return None;
            };
            return inputs.items.get(position as usize).cloned();
        }
        let (frame, owner) = self.place.body(node)?;
        let args = run.frames.get(frame).args.get_or_init(|| {
            let count = workflow.params.len();
            (0..count).map(|_| OnceCell::new()).collect()
        });
        let once = args.get(position as usize)?;
        if let Some(value) = once.get() {
            return Some(value.clone());
        }
        let expr = workflow.params.get(position as usize)?.value.as_ref()?;
        let place = Place::of_cell(run, owner, self.place.values);
        let value = self.keep(place.eval(expr))?;
        Some(once.get_or_init(|| value).clone())
    }

    fn item_of(&self, frame: FrameId, owner: CellId) -> Option<Value> {
        let run = self.place.run;
        let frame = run.frames.get(frame);
        if let Some(value) = frame.subject.get() {
            return Some(value.clone());
        }
        let at = frame.item? as usize;
        let items = run.items(owner)?;
        let NodeKind::For(each) = run.kind_of(owner) else {
            return None;
        };
        let place = Place::of_cell(run, owner, self.place.values);
        // The items of another `for` need not all be loaded for one of them.
        let handle = if let Expr::Node(id) = &each.list {
            place.cell(*id).map(|cell| run.handle_in(cell))
        } else {
            None
        };
        let value = if let Some(Handle::Listed(listed)) = handle {
            self.keep(load(listed.items.get(at)?, self.place.values))?
        } else {
            let list = self.list_of(items, place, &each.list)?;
            list.items.get(at)?.clone()
        };
        Some(frame.subject.get_or_init(|| value).clone())
    }

    fn list_of(&self, items: &Items, place: Place<'_>, list: &Expr) -> Option<Arc<List>> {
        if let Some(list) = items.list.get() {
            return Some(list.clone());
        }
        let Value::List(list) = self.keep(place.eval(list))? else {
            return None;
        };
        Some(items.list.get_or_init(|| list).clone())
    }
}

impl Scope for Inside<'_> {
    fn node(&self, node: NodeId) -> Option<Value> {
        let cell = self.place.cell(node)?;
        match &self.place.run.frames.cell(cell).state {
            State::Value(once) => once.get().cloned(),
            State::Done(handle) => self.keep(load(handle, self.place.values)),
            State::Region(region) => self.keep(load(region.value.as_ref()?, self.place.values)),
            State::Waiting | State::Step(_) | State::Failed(_) | State::Blocked | State::Cut => {
                None
            }
        }
    }

    fn length(&self, node: NodeId) -> Option<usize> {
        match self.handle(node)? {
            Handle::Listed(listed) => Some(listed.items.len()),
            Handle::Small(_) | Handle::Stored(_) => None,
        }
    }

    fn element(&self, node: NodeId, position: usize) -> Option<Value> {
        let Handle::Listed(listed) = self.handle(node)? else {
            return None;
        };
        self.keep(load(listed.items.get(position)?, self.place.values))
    }

    fn arg(&self, node: NodeId, position: u32) -> Option<Value> {
        if node == self.place.node && !self.args.is_empty() {
            return self.args.get(position as usize).cloned();
        }
        self.workflow_arg(node, position)
    }

    fn item(&self, node: NodeId) -> Option<Value> {
        if let Some(value) = self.given(node) {
            return Some(value);
        }
        let (frame, owner) = self.place.body(node)?;
        self.item_of(frame, owner)
    }

    fn state(&self, node: NodeId) -> Option<Value> {
        if let Some(value) = self.given(node) {
            return Some(value);
        }
        let (frame, _) = self.place.body(node)?;
        let frame = self.place.run.frames.get(frame);
        if let Some(value) = frame.subject.get() {
            return Some(value.clone());
        }
        let value = self.keep(load(frame.state.as_ref()?, self.place.values))?;
        Some(frame.subject.get_or_init(|| value).clone())
    }

    fn payload(&self, node: NodeId) -> Option<Value> {
        let run = self.place.run;
        let (_, owner) = self.place.body(node)?;
        let region = run.region(owner)?;
        if let Some(value) = region.payload.get() {
            return Some(value.clone());
        }
        let NodeKind::Match(choice) = run.kind_of(owner) else {
            return None;
        };
        let place = Place::of_cell(run, owner, self.place.values);
        let value = self.keep(place.eval(&choice.subject))?;
        Some(region.payload.get_or_init(|| value).clone())
    }

    fn run(&self) -> Option<Value> {
        Some(self.place.run.record())
    }

    fn event(&self) -> Option<Value> {
        let firing = self.place.run.start.trigger.as_ref()?;
        self.keep(load(firing.event.as_ref()?, self.place.values))
    }

    fn file(&self, path: &str, _media: Media) -> Option<Value> {
        let files = &self.place.run.files;
        let file = files.iter().find(|file| &*file.path == path)?;
        self.keep(load(&file.artifact, self.place.values))
    }

    fn draw(&self, ordinal: u32) -> Option<Draw> {
        let run = self.place.run;
        let ords = run.frames.get(self.place.frame).ords.clone();
        let depth = run.shape.node(self.place.node).depth as usize;
        let at = At::new(self.place.node, ords.into_iter().take(depth));
        let path = run.path(&at, self.place.values);
        Some(Draw::new(run.start.seed, &path, ordinal))
    }

    fn template(&self, number: u32) -> Option<&Template> {
        self.place.run.plan.templates.get(number as usize)
    }
}

/// Computes an expression that depends on nothing: the default of an input.
pub fn constant(expr: &Expr) -> Result<Value, EvalError> {
    eval(expr, &Nowhere, &mut Fuel::default())
}

/// A place without names.
struct Nowhere;

impl Scope for Nowhere {
    fn node(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn arg(&self, _: NodeId, _: u32) -> Option<Value> {
        None
    }

    fn item(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn state(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn payload(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn run(&self) -> Option<Value> {
        None
    }

    fn event(&self) -> Option<Value> {
        None
    }

    fn file(&self, _: &str, _: Media) -> Option<Value> {
        None
    }

    fn draw(&self, _: u32) -> Option<Draw> {
        None
    }

    fn template(&self, _: u32) -> Option<&Template> {
        None
    }
}

impl Run {
    /// Returns what the language calls `run`.
    fn record(&self) -> Value {
        let firing = self.start.trigger.as_ref();
        let whole = |number: u64| i64::try_from(number & (u64::MAX >> 1)).unwrap_or(0);
        let fields: [(&str, Value); 6] = [
            ("id", Value::text(&*self.start.run.0)),
            ("seed", Value::Int(whole(self.start.seed))),
            ("started", Value::Time(self.started_at)),
            (
                "scheduled",
                firing.map_or(Value::None, |firing| Value::Time(firing.scheduled)),
            ),
            (
                "firing",
                firing.map_or(Value::None, |firing| Value::Int(whole(firing.number))),
            ),
            ("name", Value::text(&**self.workflow())),
        ];
        let fields = fields
            .into_iter()
            .map(|(name, value)| (Arc::from(name), value));
        Value::Record(Arc::new(fields.collect::<BTreeMap<Arc<str>, Value>>()))
    }
}
