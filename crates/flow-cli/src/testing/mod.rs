//! Tests of workflows: carried out in memory and on a simulated clock.
//!
//! A test is a list of statements that the compiler has checked. Its runs are
//! rehearsed: stubs answer for their steps, steps that reach nothing outside
//! are what they are, and any other call fails the test. What is wrong with a
//! test is told by diagnostics, like everything else that is wrong with a file.
//!
//! Modules, in reading order: what a file has to be tested, one test from its
//! first statement to its last, who answers the calls of a run, which calls a
//! stub can answer, what happens in a run, what expressions mean; what is said
//! about what is wrong, and how values are shown there.

mod files;
mod suite;

mod perform;

mod roles;

mod fit;
mod log;
mod names;

mod faults;
mod shown;

#[cfg(test)]
mod both;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration as Wait, Instant};

use flow_core::amount::{Duration, Money};
use flow_syntax::diagnostic::Diagnostic;

use crate::exit::Failure;

pub(crate) use files::{Files, missing};
pub(crate) use suite::Suite;

/// What came of a test.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// What is wrong. Nothing means that it passed.
    pub(crate) faults: Vec<Diagnostic>,
    /// What is worth saying even if it passed.
    pub(crate) notes: Vec<Diagnostic>,
    /// Its runs, in order.
    pub(crate) runs: Vec<Told>,
    /// How long its runs took on the simulated clock.
    pub(crate) simulated: Duration,
    /// How long it took.
    pub(crate) took: Wait,
}

impl Verdict {
    /// Returns whether everything was as expected.
    pub(crate) fn has_passed(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A run of a test, for people.
#[derive(Debug)]
pub(crate) struct Told {
    /// The statement that runs it.
    pub(crate) written: String,
    /// The workflow.
    pub(crate) workflow: String,
    /// How it ended: the word of the language, or nothing if it was given up.
    pub(crate) status: Option<&'static str>,
    /// Where and why it failed.
    pub(crate) failure: Option<Failed>,
    /// What was spent.
    pub(crate) cost: Money,
    /// How long it took on the simulated clock.
    pub(crate) took: Duration,
    /// What happened, in short.
    pub(crate) lines: Vec<String>,
}

/// Where and why a run failed.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    /// The path of what failed first.
    pub(crate) path: String,
    /// The class.
    pub(crate) class: &'static str,
    /// Why.
    pub(crate) message: String,
}

/// Which test of which suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// The suite.
    pub(crate) suite: usize,
    /// The test in it.
    pub(crate) test: usize,
}

/// Carries tests out, several at once, and hands over what came of them in
/// their order.
pub(crate) fn perform_all(
    suites: &[Suite],
    jobs: &[Job],
    each: &mut dyn FnMut(Job, Verdict) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (sender, verdicts) = mpsc::channel();
        for _ in 0..threads.min(jobs.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || work(suites, jobs, next, &sender));
        }
        drop(sender);
        let told = in_order(jobs, &verdicts, each);
        // Nobody begins another test if nobody wants to know.
        next.store(jobs.len(), Ordering::Relaxed);
        told
    })
}

fn work(
    suites: &[Suite],
    jobs: &[Job],
    next: &AtomicUsize,
    verdicts: &mpsc::Sender<(usize, Result<Verdict, Failure>)>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::io(format!("cannot start: {error}"));
            drop(verdicts.send((0, Err(failure))));
            return;
        }
    };
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(at) else { return };
        let suite = &suites[job.suite];
        let begun = Instant::now();
        let mut verdict = runtime.block_on(perform::perform(suite, &suite.tests[job.test]));
        verdict.took = begun.elapsed();
        if verdicts.send((at, Ok(verdict))).is_err() {
            return;
        }
    }
}

/// Hands verdicts over in the order of their jobs, each as soon as all before
/// it are there.
fn in_order(
    jobs: &[Job],
    verdicts: &mpsc::Receiver<(usize, Result<Verdict, Failure>)>,
    each: &mut dyn FnMut(Job, Verdict) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut early: Vec<Option<Verdict>> = jobs.iter().map(|_| None).collect();
    let mut told = 0;
    while let Ok((at, verdict)) = verdicts.recv() {
        early[at] = Some(verdict?);
        while let Some(verdict) = early.get_mut(told).and_then(Option::take) {
            each(jobs[told], verdict)?;
            told += 1;
        }
    }
    Ok(())
}
