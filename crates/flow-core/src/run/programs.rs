//! What the commands of plugins consist of: a part of the keys of their results.
//!
//! It is looked at when a run begins and whenever a process takes it, and it is
//! in the log, so that a key follows from the log alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::event::{Fact, FoundProgram};
use crate::key::{self, Ingredients, ResultKey};
use crate::plan::{NodeKind, Plan, Step};
use crate::step::Program;
use crate::ty::Type;
use crate::value::Value;

use super::Run;

impl Plan {
    /// Returns the commands of the plugins in it, each once, in order.
    pub fn commands(&self) -> BTreeSet<Arc<str>> {
        let commands = self.graph.node_weights().filter_map(|node| {
            if let NodeKind::Step(step) = &node.kind {
                step.run.clone()
            } else {
                None
            }
        });
        commands.collect()
    }
}

impl Run {
    /// Returns what the command of a plugin consisted of when somebody last
    /// looked; nothing if that couldn't be said.
    pub fn program(&self, run: &str) -> Option<&Program> {
        self.programs.get(run)
    }

    pub(super) fn programs_found(&self, programs: Vec<FoundProgram>) -> Vec<Fact> {
        let is_known = |found: &FoundProgram| self.program(&found.run) == found.program.as_ref();
        if programs.iter().all(is_known) {
            return Vec::new();
        }
        vec![Fact::ProgramsFound { programs }]
    }

    pub(super) fn fold_programs(&mut self, programs: &[FoundProgram]) {
        for found in programs {
            match &found.program {
                Some(program) => self.programs.insert(found.run.clone(), program.clone()),
                None => self.programs.remove(&found.run),
            };
        }
    }

    /// Computes the key of a call's result. Nothing if it is made by a program
    /// of which nobody can say what it consists of.
    pub(super) fn result_key(
        &self,
        step: &Step,
        result: Option<&Type>,
        args: &BTreeMap<Arc<str>, Value>,
        seed: u64,
    ) -> Option<ResultKey> {
        let own = Ingredients::of(step, result, args, seed);
        let Some(run) = &step.run else {
            return Some(key::cache_key(&own));
        };
        let program = self.program(run)?;
        let variables = program.variables.iter();
        let variables = variables.map(|(name, digest)| (name.clone(), digest.to_string().into()));
        Some(key::cache_key(&Ingredients {
            implementation: Some(program.digest),
            environment: &variables.collect(),
            ..own
        }))
    }
}
