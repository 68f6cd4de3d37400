//! What came of tests, as one JSON object.

use serde::Serialize;

use super::Outcome;
use crate::render::{JsonDiagnostic, json_diagnostics, pretty};
use crate::report::Report;
use crate::testing::{Job, Suite, Told, Verdict};

/// The version of the shape.
const VERSION: u32 = 1;

#[derive(Debug, Serialize)]
struct Whole<'a> {
    version: u32,
    summary: Summary,
    tests: Vec<Test<'a>>,
    /// What is wrong with the files.
    diagnostics: Vec<JsonDiagnostic<'a>>,
}

#[derive(Debug, Serialize)]
struct Summary {
    tests: usize,
    passed: usize,
    failed: usize,
    errors: usize,
}

#[derive(Debug, Serialize)]
struct Test<'a> {
    file: &'a str,
    line: usize,
    name: &'a str,
    passed: bool,
    /// On the simulated clock.
    simulated: String,
    milliseconds: u64,
    diagnostics: Vec<JsonDiagnostic<'a>>,
    runs: Vec<Run<'a>>,
}

#[derive(Debug, Serialize)]
struct Run<'a> {
    workflow: &'a str,
    status: Option<&'a str>,
    failure: Option<Failed<'a>>,
    cost: String,
    simulated: String,
    log: &'a [String],
}

#[derive(Debug, Serialize)]
struct Failed<'a> {
    path: &'a str,
    class: &'a str,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    version: u32,
    tests: Vec<Named<'a>>,
}

#[derive(Debug, Serialize)]
struct Named<'a> {
    file: &'a str,
    line: usize,
    name: &'a str,
}

/// Writes all that came of tests.
pub(super) fn json(outcome: &Outcome<'_>) -> String {
    let all = outcome.verdicts.len();
    let passed = outcome.verdicts.iter();
    let passed = passed.filter(|(_, verdict)| verdict.has_passed()).count();
    let reports: Vec<Report> = outcome
        .verdicts
        .iter()
        .map(|one| report(outcome, one))
        .collect();
    let tests = outcome.verdicts.iter().zip(&reports);
    let tests = tests.map(|((job, verdict), report)| test(outcome.suites, *job, verdict, report));
    pretty(&Whole {
        version: VERSION,
        summary: Summary {
            tests: all,
            passed,
            failed: all - passed,
            errors: outcome.report.counts().0,
        },
        tests: tests.collect(),
        diagnostics: json_diagnostics(outcome.report),
    })
}

fn report(outcome: &Outcome<'_>, (job, verdict): &(Job, Verdict)) -> Report {
    let mut report = Report::default();
    let suite = &outcome.suites[job.suite];
    suite.tell(&mut report, &verdict.faults);
    suite.tell(&mut report, &verdict.notes);
    report
}

fn test<'a>(suites: &'a [Suite], job: Job, verdict: &'a Verdict, report: &'a Report) -> Test<'a> {
    let suite = &suites[job.suite];
    let test = &suite.tests[job.test];
    Test {
        file: &suite.file,
        line: suite.line(test),
        name: &test.name,
        passed: verdict.has_passed(),
        simulated: verdict.simulated.to_string(),
        milliseconds: u64::try_from(verdict.took.as_millis()).unwrap_or(u64::MAX),
        diagnostics: json_diagnostics(report),
        runs: verdict.runs.iter().map(run).collect(),
    }
}

fn run(told: &Told) -> Run<'_> {
    Run {
        workflow: &told.workflow,
        status: told.status,
        failure: told.failure.as_ref().map(|failed| Failed {
            path: &failed.path,
            class: failed.class,
            message: &failed.message,
        }),
        cost: told.cost.to_string(),
        simulated: told.took.to_string(),
        log: &told.lines,
    }
}

/// Writes which tests there are.
pub(super) fn list(suites: &[Suite], jobs: &[Job]) -> String {
    let tests = jobs.iter().map(|job| {
        let suite = &suites[job.suite];
        let test = &suite.tests[job.test];
        Named {
            file: &suite.file,
            line: suite.line(test),
            name: &test.name,
        }
    });
    pretty(&Listed {
        version: VERSION,
        tests: tests.collect(),
    })
}
