//! What came of tests, for people: a line each, and at the end all about those
//! that failed.

use std::fmt::Write;

use flow_core::amount::Duration;

use super::Outcome;
use crate::exit::Failure;
use crate::output::{Looks, Output};
use crate::render::human as diagnostics;
use crate::report::{Report, counted};
use crate::testing::{Job, Suite, Told, Verdict};

/// Says what came of a test, below the name of its file.
pub(super) fn line(
    suite: &Suite,
    job: Job,
    verdict: &Verdict,
    is_same_file: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let looks = output.data_looks();
    if !is_same_file {
        output.data(&format!("{}\n", plain(&suite.file)))?;
    }
    let word = if verdict.has_passed() {
        painted("32", "ok  ", looks)
    } else {
        painted("31", "FAIL", looks)
    };
    let name = plain(&suite.tests[job.test].name);
    let took = took(verdict);
    output.data(&format!(
        "  {word}  {name} {}\n",
        painted("2", &took, looks)
    ))?;
    if !verdict.notes.is_empty() {
        let mut report = Report::default();
        suite.tell(&mut report, &verdict.notes);
        let said = diagnostics(&report, looks);
        output.data(&said)?;
    }
    output.flush()
}

fn took(verdict: &Verdict) -> String {
    let real = verdict.took.as_millis();
    if verdict.simulated > Duration(0) {
        format!("({} in {real} ms)", verdict.simulated)
    } else {
        format!("({real} ms)")
    }
}

/// Says all about the tests that failed.
pub(super) fn failures(outcome: &Outcome<'_>, output: &mut Output) -> Result<(), Failure> {
    let looks = output.data_looks();
    for (job, verdict) in outcome.verdicts {
        if verdict.has_passed() {
            continue;
        }
        let suite = &outcome.suites[job.suite];
        let test = &suite.tests[job.test];
        let title = format!("{}: {}", plain(&suite.file), plain(&test.name));
        output.data(&format!("\n{}\n\n", painted("1", &title, looks)))?;
        let mut report = Report::default();
        suite.tell(&mut report, &verdict.faults);
        output.data(&diagnostics(&report, looks))?;
        for told in &verdict.runs {
            output.data(&run(told))?;
        }
    }
    Ok(())
}

/// Says what happened in a run.
fn run(told: &Told) -> String {
    let end = match (told.status, &told.failure) {
        (Some(status), Some(failed)) => {
            format!("{status} ({}) at `{}`", failed.class, plain(&failed.path))
        }
        (Some(status), None) => status.to_owned(),
        (None, _) => "given up".to_owned(),
    };
    let (cost, took) = (told.cost, told.took);
    let mut text = format!(
        "  {}\n  {end} after {took}, for {cost}\n",
        plain(&told.written)
    );
    for line in &told.lines {
        _ = writeln!(text, "    {}", plain(line));
    }
    text
}

/// Returns the line that sums it up.
pub(super) fn summary(outcome: &Outcome<'_>) -> String {
    let all = outcome.verdicts.len();
    let failed = outcome.verdicts.iter();
    let failed = failed.filter(|(_, verdict)| !verdict.has_passed()).count();
    let tests = counted(all, "test");
    let mut line = match (all, failed) {
        (0, _) => "there are no tests".to_owned(),
        (_, 0) => format!("{tests} passed"),
        (_, failed) => format!("{failed} of {tests} failed"),
    };
    let broken = outcome.report.counts().0;
    if broken > 0 {
        let errors = counted(broken, "error");
        line = format!(
            "{line}; there {} {errors} in files",
            if broken == 1 { "is" } else { "are" }
        );
    }
    line
}

fn painted(code: &str, text: &str, looks: Looks) -> String {
    if looks.color {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// A terminal must not obey what stands in a file.
pub(super) fn plain(text: &str) -> String {
    let hidden = |letter: char| {
        letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|letter| if hidden(letter) { '�' } else { letter })
        .collect()
}
