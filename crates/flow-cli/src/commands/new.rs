//! `flow new`: files to start from.

use std::fs;
use std::io::Write;
use std::path::Path;

use flow_syntax::diagnostic::nearest;

use crate::args::New;
use crate::embedded::{STARTERS, STARTERS_YAML};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What the name of the workflow is in the files to start from.
const PLACEHOLDER: &str = "starter";

/// Writes a file to start from.
pub(super) fn run(args: &New, output: &mut Output) -> Result<Exit, Failure> {
    if args.list {
        output.data(&listed())?;
        return Ok(Exit::Done);
    }
    let name = args.name.as_deref().unwrap_or("main");
    let name = name.strip_suffix(".flow").unwrap_or(name);
    if !is_name(name) {
        return Err(
            Failure::usage(format!("`{name}` can't be the name of a workflow"))
                .with_help("begin with a small letter and go on with letters, digits and `_`"),
        );
    }
    let text = starter(&args.template, args.yaml)?.replace(PLACEHOLDER, name);
    let file = if args.yaml {
        format!("{name}.flow.yaml")
    } else {
        format!("{name}.flow")
    };
    write_new(Path::new(&file), &text)?;
    output.message(&format!(
        "wrote `{file}` · look at it with `flow plan {file}`"
    ))?;
    Ok(Exit::Done)
}

/// Templates are named after their first lines: `# basic: one step`.
fn listed() -> String {
    let lines = STARTERS.iter().map(|(name, text)| {
        let line = text.lines().next().unwrap_or_default();
        let about = line.split_once(": ").map_or(line, |(_, about)| about);
        format!("{name:8}  {about}\n")
    });
    lines.collect()
}

fn starter(template: &str, yaml: bool) -> Result<&'static str, Failure> {
    let texts = if yaml { STARTERS_YAML } else { STARTERS };
    if let Some((_, text)) = texts.iter().find(|(name, _)| *name == template) {
        return Ok(text);
    }
    let failure = Failure::usage(if yaml {
        format!("there is no template `{template}` in YAML")
    } else {
        format!("there is no template `{template}`")
    });
    Err(
        match nearest(template, texts.iter().map(|(name, _)| *name)) {
            Some(near) if near != template => failure.with_help(format!("did you mean `{near}`?")),
            Some(_) | None => failure.with_help("`flow new --list` shows all of them"),
        },
    )
}

/// Returns whether something can be called so.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Writes a file that isn't there yet.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let shown = path.display();
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let mut file = file.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Failure::usage(format!("`{shown}` is there already"))
                .with_help("take another name; nothing is overwritten")
        } else {
            Failure::io(format!("cannot write `{shown}`: {error}"))
        }
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| Failure::io(format!("cannot write `{shown}`: {error}")))
}
