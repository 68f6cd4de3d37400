//! `flow fmt`: the one way to write a file.

use flow_syntax::print::format;
use flow_syntax::span::{Source, SourceId};

use crate::args::Fmt;
use crate::disk::write_text;
use crate::exit::{Exit, Failure};
use crate::inputs::{self, Input};
use crate::output::Output;
use crate::project::{Entry, Projects};
use crate::render::human;
use crate::report::{Report, counted};

/// What formatting did.
#[derive(Debug, Default)]
struct Tally {
    same: usize,
    changed: usize,
}

/// Formats files, or says which would change.
pub(super) fn run(args: &Fmt, output: &mut Output) -> Result<Exit, Failure> {
    let inputs = if args.stdin {
        if !args.paths.is_empty() {
            return Err(Failure::usage("`--stdin` takes no files"));
        }
        vec![Input::Stdin]
    } else {
        inputs::find(&args.paths)?
    };
    let mut projects = Projects::new(args.settled.profile.as_deref())?;
    let mut report = Report::default();
    let entries = inputs::read(&mut projects, &mut report, &inputs, &args.stdin_name)?;
    let mut tally = Tally::default();
    for entry in &entries {
        one(args, output, &projects, &mut report, entry, &mut tally)?;
    }
    let said = human(&report, output.message_looks());
    if !said.is_empty() {
        output.message(&format!(
            "{said}{}; files with errors stay as they are",
            report.summary()
        ))?;
    }
    let from_stdin = inputs == [Input::Stdin];
    if !from_stdin || args.check {
        output.message(&tally.summary(args.check))?;
    }
    let failed = report.counts().0 > 0 || (args.check && tally.changed > 0);
    Ok(if failed { Exit::Invalid } else { Exit::Done })
}

fn one(
    args: &Fmt,
    output: &mut Output,
    projects: &Projects,
    report: &mut Report,
    entry: &Entry,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let name = projects.shown(&entry.project, &entry.name);
    report.looked_at(&name);
    let source = Source::new(SourceId(0), name.clone(), entry.text.clone());
    let text = match format(&source) {
        Ok(text) => text,
        Err(errors) => {
            report.add(&[source], &errors, &|source| source.name.clone());
            return Ok(());
        }
    };
    let is_same = *text == *entry.text;
    if is_same {
        tally.same += 1;
    } else {
        tally.changed += 1;
    }
    match &entry.path {
        _ if args.check && !is_same => output.data(&format!("{name}\n")),
        _ if args.check => Ok(()),
        None => output.data(&text),
        Some(_) if is_same => Ok(()),
        Some(path) => write_text(path, &text)
            .map_err(|error| Failure::io(format!("cannot write `{}`: {error}", path.display()))),
    }
}

impl Tally {
    fn summary(&self, check: bool) -> String {
        let same = match self.same {
            0 => String::new(),
            same => format!(", {same} unchanged"),
        };
        let changed = counted(self.changed, "file");
        if check {
            format!("{changed} would change{same}")
        } else {
            format!("{changed} formatted{same}")
        }
    }
}
