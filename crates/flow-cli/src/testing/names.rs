//! What the expressions of a test mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_compiler::CheckedTest;
use flow_core::amount::Timestamp;
use flow_core::draw::Draw;
use flow_core::eval::{EvalError, Fuel, Scope, eval};
use flow_core::expr::Expr;
use flow_core::path::StepPath;
use flow_core::plan::{NodeId, Template};
use flow_core::ty::Media;
use flow_core::value::Value;

use super::files::Files;

/// What all draws of tests come from, so that they are the same each time.
pub(super) const SEED: u64 = 1;

/// The names that a statement of a test can see.
pub(super) struct Names<'a> {
    pub(super) test: &'a CheckedTest,
    pub(super) files: &'a Files,
    /// The values of its slots, as far as there are any.
    pub(super) slots: &'a [Option<Value>],
    pub(super) now: Timestamp,
}

impl Names<'_> {
    /// Computes an expression.
    pub(super) fn eval(&self, expr: &Expr) -> Result<Value, EvalError> {
        eval(expr, self, &mut Fuel::default())
    }
}

impl Scope for Names<'_> {
    fn node(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn arg(&self, _: NodeId, position: u32) -> Option<Value> {
        self.slots.get(position as usize)?.clone()
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

    /// A test is no run, but it has a time.
    fn run(&self) -> Option<Value> {
        let seed = i64::try_from(SEED).unwrap_or(i64::MAX);
        let fields: [(&str, Value); 6] = [
            ("id", Value::text("test")),
            ("seed", Value::Int(seed)),
            ("started", Value::Time(self.now)),
            ("scheduled", Value::None),
            ("firing", Value::None),
            ("name", Value::text(&*self.test.name)),
        ];
        let fields = fields.map(|(name, value)| (Arc::from(name), value));
        Some(Value::Record(Arc::new(BTreeMap::from(fields))))
    }

    fn event(&self) -> Option<Value> {
        None
    }

    fn file(&self, path: &str, media: Media) -> Option<Value> {
        self.files.get(&path.into(), media).ok()
    }

    fn draw(&self, ordinal: u32) -> Option<Draw> {
        Some(Draw::new(SEED, &StepPath::root("test"), ordinal))
    }

    fn template(&self, number: u32) -> Option<&Template> {
        self.test.templates.get(number as usize)
    }
}
