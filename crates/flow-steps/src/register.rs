//! Which step is carried out by what.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use flow_core::amount::Timestamp;
use flow_core::memory::Memory;
use flow_core::step::Executor;

use crate::hosts::HostRule;
use crate::inside::Inside;
use crate::{file, http, human, json, notify, shell, state, text, time};

/// Tells what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Shows a message where flow was started: lines, without the end of the last.
pub type Console = Arc<dyn Fn(&str) + Send + Sync>;

/// Where steps are carried out.
#[derive(Clone)]
pub struct Place {
    /// The folder of the project.
    pub project: PathBuf,
    /// Folders that nobody reads or writes, wherever they are: the store.
    pub closed: Vec<PathBuf>,
    /// What else of the world may be used.
    pub allowed: Allowed,
    /// What outlives runs.
    pub memory: Arc<dyn Memory>,
    /// Where messages are shown.
    pub console: Console,
    /// The time, as the run has it.
    pub clock: Clock,
}

/// What may be used that is neither in the project nor on the open network.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Folders outside of the project whose files may be read and written.
    pub paths: Vec<PathBuf>,
    /// Hosts that are asked though they aren't on the open network.
    pub hosts: Vec<HostRule>,
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

/// Returns what carries out the steps of the standard library.
pub fn register(place: &Place) -> Registry {
    let mut registry = Registry::default();
    let mut add = |steps: &[&str], executor: Arc<dyn Executor>| {
        for step in steps {
            registry.add(step, executor.clone());
        }
    };
    let inside = Inside::new(&place.project, &place.allowed.paths, &place.closed);
    add(&file::STEPS, Arc::new(file::Files::new(&Arc::new(inside))));
    add(&file::OPENING, Arc::new(file::Opener));
    let requests = Arc::new(http::Requests::new(&place.allowed.hosts, &place.clock));
    add(&http::STEPS, requests.clone());
    let notices = notify::Notices::new(&place.console, &place.clock, &requests);
    add(&notify::STEPS, Arc::new(notices));
    let states = state::States::new(&place.memory, &place.clock);
    add(&state::STEPS, Arc::new(states));
    add(&shell::STEPS, Arc::new(shell::Shell::new(&place.project)));
    add(&time::STEPS, Arc::new(time::Waits::new(&place.clock)));
    add(&human::STEPS, Arc::new(human::Questions::new(&place.clock)));
    add(&json::STEPS, Arc::new(json::Reader));
    add(&text::STEPS, Arc::new(text::Letters));
    registry
}

/// Returns what carries out those steps of the standard library that reach
/// nothing outside: they need their arguments, the time, and what is remembered
/// of earlier runs. In tests they are what they are.
pub fn rehearsed(clock: &Clock, memory: &Arc<dyn Memory>) -> Registry {
    let mut registry = Registry::default();
    let mut add = |steps: &[&str], executor: Arc<dyn Executor>| {
        for step in steps {
            registry.add(step, executor.clone());
        }
    };
    add(&file::OPENING, Arc::new(file::Opener));
    add(&state::STEPS, Arc::new(state::States::new(memory, clock)));
    add(&time::STEPS, Arc::new(time::Waits::new(clock)));
    add(&human::STEPS, Arc::new(human::Questions::new(clock)));
    add(&json::STEPS, Arc::new(json::Reader));
    add(&text::STEPS, Arc::new(text::Letters));
    registry
}
