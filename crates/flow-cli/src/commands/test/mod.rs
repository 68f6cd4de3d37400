//! `flow test`: the tests that stand in files, carried out.

mod human;
mod json;
mod junit;
mod only;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_core::arbiter::Terms;

use crate::args::{DataFormat, Test as Args};
use crate::config;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::inputs;
use crate::output::Output;
use crate::project::{Entry, Projects};
use crate::render::human as diagnostics;
use crate::report::{Report, counted};
use crate::testing::{Job, Suite, Verdict, perform_all};

use only::Only;

/// Carries tests out and says what came of them.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let inputs = inputs::find(&args.paths)?;
    let mut projects = Projects::new(args.settled.profile.as_deref(), extra)?;
    let mut report = Report::default();
    let entries = inputs::read(&mut projects, &mut report, &inputs, &args.stdin_name)?;
    let found = Found::of(
        &projects,
        &entries,
        args.settled.profile.as_deref(),
        &mut report,
    )?;
    let has_errors = report.counts().0 > 0;
    if has_errors {
        // What is no error is what `flow validate` is for.
        let errors = report.errors();
        output.message(&diagnostics(&errors, output.message_looks()))?;
    }
    let jobs = found.jobs(&args.only)?;
    if args.list {
        list(&found, &jobs, args.format, output)?;
        return Ok(verdict(has_errors, 0));
    }
    let verdicts = found.perform(&jobs, args.format, output)?;
    let failed = verdicts.iter().filter(|(_, verdict)| !verdict.has_passed());
    let failed = failed.count();
    let outcome = Outcome {
        suites: &found.suites,
        verdicts: &verdicts,
        report: &report,
    };
    match args.format {
        DataFormat::Human => human::failures(&outcome, output)?,
        DataFormat::Json => output.data(&json::json(&outcome))?,
    }
    if let Some(path) = &args.junit {
        keep(path, &junit::junit(&outcome))?;
    }
    output.message(&human::summary(&outcome))?;
    Ok(verdict(has_errors, failed))
}

/// All that came of it.
struct Outcome<'a> {
    suites: &'a [Suite],
    verdicts: &'a [(Job, Verdict)],
    /// What is wrong with the files.
    report: &'a Report,
}

/// The files that have tests and no errors.
struct Found {
    suites: Vec<Suite>,
}

impl Found {
    fn of(
        projects: &Projects,
        entries: &[Entry],
        profile: Option<&str>,
        report: &mut Report,
    ) -> Result<Self, Failure> {
        let mut suites = Vec::new();
        let mut grounds: BTreeMap<PathBuf, (Terms, Arc<crate::testing::Files>)> = BTreeMap::new();
        for entry in entries {
            if entry.is_declaration() {
                projects.tell_project(report, &entry.project);
                continue;
            }
            let compiled = entry.compile_with_tests();
            projects.tell(report, entry, &compiled);
            if !compiled.is_ok() || compiled.tests.is_empty() {
                continue;
            }
            let root = &entry.project.root;
            if !grounds.contains_key(root) {
                let config = config::load(root, profile)?;
                let terms = config.map(|(_, config)| config.terms).unwrap_or_default();
                grounds.insert(root.clone(), (terms, Suite::files(root)));
            }
            let (terms, files) = grounds[root].clone();
            suites.push(Suite::new(projects, entry, compiled, terms, files));
        }
        Ok(Self { suites })
    }

    /// Returns the tests that are meant, in order.
    fn jobs(&self, only: &[String]) -> Result<Vec<Job>, Failure> {
        let all = self.suites.iter().enumerate().flat_map(|(suite, found)| {
            let tests = 0..found.tests.len();
            tests.map(move |test| Job { suite, test })
        });
        let all: Vec<Job> = all.collect();
        if only.is_empty() {
            return Ok(all);
        }
        let name = |job: &Job| &*self.suites[job.suite].tests[job.test].name;
        let mut meant = vec![false; all.len()];
        for pattern in only {
            let only = Only::new(pattern);
            let mut is_any = false;
            for (job, meant) in all.iter().zip(&mut meant) {
                if only.fits(name(job)) {
                    *meant = true;
                    is_any = true;
                }
            }
            if !is_any {
                return Err(only.failure(all.iter().map(name)));
            }
        }
        let meant = all.into_iter().zip(meant).filter(|(_, meant)| *meant);
        Ok(meant.map(|(job, _)| job).collect())
    }

    /// Carries tests out. People see each as soon as it is over.
    fn perform(
        &self,
        jobs: &[Job],
        format: DataFormat,
        output: &mut Output,
    ) -> Result<Vec<(Job, Verdict)>, Failure> {
        let mut verdicts: Vec<(Job, Verdict)> = Vec::with_capacity(jobs.len());
        perform_all(&self.suites, jobs, &mut |job, verdict| {
            if format == DataFormat::Human {
                let before = verdicts.last().map(|(job, _)| job.suite);
                let suite = &self.suites[job.suite];
                human::line(suite, job, &verdict, before == Some(job.suite), output)?;
            }
            verdicts.push((job, verdict));
            Ok(())
        })?;
        Ok(verdicts)
    }
}

/// Returns how the command ends.
fn verdict(has_errors: bool, failed: usize) -> Exit {
    match (has_errors, failed) {
        (true, _) => Exit::Invalid,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Failed,
    }
}

/// Lists tests and carries none out.
fn list(
    found: &Found,
    jobs: &[Job],
    format: DataFormat,
    output: &mut Output,
) -> Result<(), Failure> {
    if format == DataFormat::Json {
        return output.data(&json::list(&found.suites, jobs));
    }
    for job in jobs {
        let suite = &found.suites[job.suite];
        let test = &suite.tests[job.test];
        let (file, line) = (&suite.file, suite.line(test));
        output.data(&format!("{file}:{line}: {}\n", human::plain(&test.name)))?;
    }
    let files = counted(found.suites.len(), "file");
    output.message(&format!("{} in {files}", counted(jobs.len(), "test")))
}

fn keep(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::io(format!("cannot write `{}`: {error}", path.display())))
}

/// Returns the files of a folder that have tests.
#[cfg(test)]
pub(crate) fn suites_of(folder: &Path) -> Vec<Suite> {
    let extra = Extra::default();
    let mut projects = Projects::new(None, &extra).expect("there is a folder");
    let mut report = Report::default();
    let inputs = inputs::find(&[folder.to_path_buf()]).expect("there are files");
    let entries = inputs::read(&mut projects, &mut report, &inputs, "");
    let entries = entries.expect("files can be read");
    let found = Found::of(&projects, &entries, None, &mut report).expect("there is a project");
    assert_eq!(report.counts().0, 0, "{:#?}", report.diagnostics());
    found.suites
}
