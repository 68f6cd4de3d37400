//! `flow fmt`: the one way to write a file, and the way to the other spelling.

use std::path::Path;

use flow_compiler::translate;
use flow_syntax::print::format;
use flow_syntax::span::{Source, SourceId, Spelling};

use crate::args::{Fmt, To};
use crate::disk::write_text;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
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
pub(super) fn run(args: &Fmt, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let inputs = if args.stdin {
        if !args.paths.is_empty() {
            return Err(Failure::usage("`--stdin` takes no files"));
        }
        vec![Input::Stdin]
    } else {
        inputs::find(&args.paths)?
    };
    let mut projects = Projects::new(args.settled.profile.as_deref(), extra)?;
    let mut report = Report::default();
    let entries = inputs::read(&mut projects, &mut report, &inputs, &args.stdin_name)?;
    if let Some(to) = args.to {
        return translated(args, output, &projects, report, &entries, to);
    }
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

/// Writes one file in the other spelling.
fn translated(
    args: &Fmt,
    output: &mut Output,
    projects: &Projects,
    mut report: Report,
    entries: &[Entry],
    to: To,
) -> Result<Exit, Failure> {
    let [entry] = entries else {
        return Err(Failure::usage("`--to` takes one file")
            .with_help("name it: `flow fmt poster.flow --to yaml`"));
    };
    projects.tell(&mut report, entry, &entry.compile());
    let said = human(&report, output.message_looks());
    if report.counts().0 > 0 {
        let summary = report.summary();
        output.message(&format!(
            "{said}{summary}; a file with errors is not translated"
        ))?;
        return Ok(Exit::Invalid);
    }
    let to = match to {
        To::Yaml => Spelling::Yaml,
        To::Flow => Spelling::Flow,
    };
    let source = Source::new(SourceId(0), entry.name.clone(), entry.text.clone());
    let project = &entry.project;
    let (signatures, settings) = (&project.signatures, &project.settings);
    let text = translate(&source, to, signatures, settings, &project.disk);
    // What is wrong was found before, so this is only for completeness.
    let text = text.map_err(|errors| {
        let first = errors.first().map_or("", |error| &error.message);
        Failure::io(format!("`{}` can't be translated: {first}", entry.name))
    })?;
    match &args.output {
        None => output.data(&text)?,
        Some(path) => write(path, &text)?,
    }
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = if path.exists() {
        write_text(path, text)
    } else {
        std::fs::write(path, text)
    };
    written.map_err(|error| Failure::io(format!("cannot write `{}`: {error}", path.display())))
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
        Some(path) => write(path, &text),
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
