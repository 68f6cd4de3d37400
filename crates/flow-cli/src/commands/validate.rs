//! `flow validate`: everything that is wrong with some files.

use crate::args::{ReportFormat, Validate};
use crate::commands::fix;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::inputs::{self, Input};
use crate::output::Output;
use crate::project::{Entry, Projects};
use crate::render::render;
use crate::report::Report;

/// Checks files and shows what is wrong with them.
pub(super) fn run(args: &Validate, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let inputs = inputs::find(&args.paths)?;
    let from_stdin = inputs.contains(&Input::Stdin);
    if args.fix && from_stdin && inputs.len() > 1 {
        return Err(
            Failure::usage("`--fix` takes standard input alone or files")
                .with_help("run it once with `-` and once with the files"),
        );
    }
    let mut projects = Projects::new(args.settled.profile.as_deref(), extra)?;
    let mut report = Report::default();
    let mut entries = inputs::read(&mut projects, &mut report, &inputs, &args.stdin_name)?;
    let fixed = if args.fix {
        fix::apply(&mut entries)?
    } else {
        fix::Applied::default()
    };
    check(&projects, &entries, &mut report);
    let looks = output.data_looks();
    let text = if args.fix && from_stdin {
        // Standard output has the mended text, so the rest goes elsewhere.
        for entry in &entries {
            output.data(&entry.text)?;
        }
        let said = render(&report, args.format, output.message_looks());
        if !said.is_empty() {
            output.message(&said)?;
        }
        String::new()
    } else {
        render(&report, args.format, looks)
    };
    output.data(&text)?;
    if args.format == ReportFormat::Human || fixed.fixes > 0 {
        output.message(&format!("{}{}", fixed.summary(), report.summary()))?;
    }
    Ok(verdict(&report, args.strict))
}

/// Checks entries into a report.
fn check(projects: &Projects, entries: &[Entry], report: &mut Report) {
    for entry in entries {
        // A project's declarations were read with the project.
        if entry.is_declaration() {
            projects.tell_project(report, &entry.project);
            report.looked_at(&projects.shown(&entry.project, &entry.name));
        } else {
            let compiled = entry.check();
            projects.tell(report, entry, &compiled);
            // The command is about to end, which gives the memory back at
            // once; a large file takes long to take apart.
            if let [_] = entries {
                std::mem::forget(compiled);
            }
        }
    }
}

/// Returns how the command ends.
pub(super) fn verdict(report: &Report, strict: bool) -> Exit {
    match report.counts() {
        (0, 0) => Exit::Done,
        (0, _) if !strict => Exit::Done,
        _ => Exit::Invalid,
    }
}
