//! What carries out steps, and what the programs of plugins consist of.

use std::collections::BTreeSet;
use std::sync::Arc;

use flow_core::event::FoundProgram;
use flow_core::plan::Plan;
use flow_core::run::{Input, Prepared};
use flow_core::step::Executor;

use super::{DriveError, Driver, Surroundings};

impl Surroundings {
    /// Returns what carries out a step: by its name, or by its command.
    pub(super) fn executor(&self, step: &str, run: Option<&str>) -> Option<Arc<dyn Executor>> {
        if let Some(executor) = self.executors.get(step) {
            return Some(executor.clone());
        }
        let plugins = self.plugins.clone()?;
        run.map(|_| plugins as Arc<dyn Executor>)
    }

    /// Looks at what the commands of plans consist of.
    pub(super) fn look_at<'a>(&self, plans: impl IntoIterator<Item = &'a Plan>) -> Input {
        let mut commands = BTreeSet::new();
        if self.plugins.is_some() {
            commands.extend(plans.into_iter().flat_map(Plan::commands));
        }
        let programs = commands.into_iter().filter_map(|run| {
            let plugins = self.plugins.as_ref()?;
            Some(FoundProgram {
                program: plugins.program(&run),
                run,
            })
        });
        Input::Programs(programs.collect())
    }
}

impl Driver {
    /// Looks at the programs of the plan, and notes if they are others than
    /// before. To be done before anything is looked up.
    pub(super) fn look_at_programs(&mut self) -> Result<(), DriveError> {
        let found = self.around.look_at([&**self.run.plan()]);
        self.take_up(found)
    }

    /// Returns whether a result was made by the program that is a part of its
    /// key. One that was changed meanwhile may have been either.
    pub(super) fn is_of_its_program(&self, prepared: &Prepared) -> bool {
        let Some(run) = &prepared.run else {
            return true;
        };
        let now = self.around.plugins.as_ref();
        let now = now.and_then(|plugins| plugins.program(run));
        now.is_some() && now.as_ref() == self.run.program(run)
    }
}
