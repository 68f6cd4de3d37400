//! What a command has besides what `flow` has.

use std::fmt;
use std::sync::Arc;

use flow_core::amount::Timestamp;
use flow_core::step::Executor;
use flow_runtime::store::Options;

/// More steps, another clock, and a look into the store. `flow` itself has nothing of it.
#[derive(Clone, Default)]
pub struct Extra {
    /// Declarations of steps: names of sources, and their texts.
    pub declarations: Vec<(&'static str, &'static str)>,
    /// What carries out the steps that are declared there, by their names.
    pub executors: Vec<(Arc<str>, Arc<dyn Executor>)>,
    /// Tells the time in place of the machine.
    pub clock: Option<Arc<dyn Fn() -> Timestamp + Send + Sync>>,
    /// How the store is opened.
    pub options: Option<Options>,
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.executors.iter().map(|(step, _)| step);
        f.debug_set().entries(steps).finish()
    }
}
