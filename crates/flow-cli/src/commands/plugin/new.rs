//! `flow plugin new`: a step to start from, its program, and a workflow.

use std::fs;
use std::path::PathBuf;

use crate::args::{Language, NewPlugin};
use crate::commands::new::{is_name, write_new};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::project::{Projects, STEPS};

/// What the step is called in the files to start from.
const PLACEHOLDER: &str = "starter";

/// The family of the step in the files to start from, and of one that has none.
const FAMILY: &str = "my";

const DECLARATION: &str = include_str!("../../plugins/declaration.flow");
const WORKFLOW: &str = include_str!("../../plugins/workflow.flow");

impl Language {
    /// Returns what runs a program, the ending of its file, and its text.
    fn starter(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Python => ("python3", "py", include_str!("../../plugins/program.py")),
            Self::Sh => ("sh", "sh", include_str!("../../plugins/program.sh")),
            Self::Node => ("node", "mjs", include_str!("../../plugins/program.mjs")),
        }
    }
}

/// Writes a declaration, a program and a workflow. Nothing is overwritten.
pub(super) fn run(args: &NewPlugin, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let (family, name) = args.name.split_once('.').unwrap_or((FAMILY, &args.name));
    if !is_name(family) || !is_name(name) {
        return Err(
            Failure::usage(format!("`{}` can't be the name of a step", args.name)).with_help(
                "it is a word, or a family and a word, as in `studio.shout`: small letters, digits and `_`",
            ),
        );
    }
    let step = format!("{family}.{name}");
    let mut projects = Projects::new(None, extra)?;
    let here = projects.here.clone();
    let project = projects.of_folder(&here)?;
    if project.signatures.steps.contains_key(step.as_str()) {
        return Err(Failure::usage(format!("there is a step `{step}` already"))
            .with_help("take another name; `flow steps` lists those that there are"));
    }
    let (runner, ending, program) = args.language.starter();
    let command = format!("{runner} {STEPS}/{name}.{ending}");
    let text = |text: &str| {
        let text = text.replace(&format!("{FAMILY}.{PLACEHOLDER}"), &step);
        text.replace(PLACEHOLDER, name).replace("COMMAND", &command)
    };
    let steps = project.root.join(STEPS);
    let files = [
        (steps.join(format!("{name}.flow")), text(DECLARATION)),
        (steps.join(format!("{name}.{ending}")), text(program)),
        (here.join(format!("try_{name}.flow")), text(WORKFLOW)),
    ];
    for (path, _) in &files {
        if path.symlink_metadata().is_ok() {
            return Err(there(&projects.shown_here(path)));
        }
    }
    fs::create_dir_all(&steps)
        .map_err(|error| Failure::io(format!("cannot make the folder `{STEPS}`: {error}")))?;
    let mut written = Vec::new();
    for (path, text) in files {
        let shown = projects.shown_here(&path);
        write_new(&PathBuf::from(&shown), &text)?;
        written.push(shown);
    }
    output.message(&format!(
        "wrote `{}` · run it with `flow run {}`, try the program with `flow plugin check {step}`",
        written.join("`, `"),
        written.last().map_or("", String::as_str),
    ))?;
    Ok(Exit::Done)
}

fn there(path: &str) -> Failure {
    Failure::usage(format!("`{path}` is there already"))
        .with_help("take another name; nothing is overwritten")
}
