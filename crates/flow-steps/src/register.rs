//! Which step is carried out by what.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use flow_core::amount::Timestamp;
use flow_core::step::Executor;

use crate::{human, json, shell, text, time};

/// Tells what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where steps are carried out.
#[derive(Clone)]
pub struct Place {
    /// The folder of the project.
    pub project: PathBuf,
    /// The time, as the run has it.
    pub clock: Clock,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

/// Executors by the names of their steps.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<Arc<str>, Arc<dyn Executor>>);

impl Registry {
    /// Adds an executor; returns the one that had the name.
    pub fn add(&mut self, step: &str, executor: Arc<dyn Executor>) -> Option<Arc<dyn Executor>> {
        self.0.insert(step.into(), executor)
    }

    /// Returns the executor of a step.
    pub fn get(&self, step: &str) -> Option<&Arc<dyn Executor>> {
        self.0.get(step)
    }

    /// Returns the names of all steps, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }
}

impl IntoIterator for Registry {
    type Item = (Arc<str>, Arc<dyn Executor>);
    type IntoIter = std::collections::btree_map::IntoIter<Arc<str>, Arc<dyn Executor>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Returns what carries out those steps of the standard library that need
/// nothing but their arguments and the time: they reach nothing outside, so
/// they are what they are in tests too.
pub fn rehearsed(clock: &Clock) -> Registry {
    let mut registry = Registry::default();
    let mut add = |steps: &[&str], executor: Arc<dyn Executor>| {
        for step in steps {
            registry.add(step, executor.clone());
        }
    };
    add(&time::STEPS, Arc::new(time::Waits::new(clock)));
    add(&human::STEPS, Arc::new(human::Questions::new(clock)));
    add(&json::STEPS, Arc::new(json::Reader));
    add(&text::STEPS, Arc::new(text::Letters));
    registry
}

/// Returns what carries out the steps of the standard library.
pub fn register(place: &Place) -> Registry {
    let mut registry = Registry::default();
    let mut add = |steps: &[&str], executor: Arc<dyn Executor>| {
        for step in steps {
            registry.add(step, executor.clone());
        }
    };
    add(&shell::STEPS, Arc::new(shell::Shell::new(&place.project)));
    add(&time::STEPS, Arc::new(time::Waits::new(&place.clock)));
    add(&human::STEPS, Arc::new(human::Questions::new(&place.clock)));
    add(&json::STEPS, Arc::new(json::Reader));
    add(&text::STEPS, Arc::new(text::Letters));
    registry
}
