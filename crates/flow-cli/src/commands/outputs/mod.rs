//! `flow outputs`: what a run gave, and its files under good names.
//!
//! Modules, in reading order: how files are called, and how they are copied.

mod copy;
mod name;

use std::path::{Path, PathBuf};

use flow_core::digest::Digest;

use flow_core::json::to_json;
use flow_core::path::Key;
use flow_core::ty::Type;
use flow_core::value::{Artifact, Value};
use serde_json::{Value as Json, json};

use crate::archive::{Archive, Past};
use crate::args::{DataFormat, Outputs as Args, RunState};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::page::quoted;

use copy::{Copied, Target};

/// A file that a run gave.
#[derive(Debug, Clone)]
struct Given {
    /// Where it is in the outputs: names and keys, the outermost first.
    parts: Vec<Part>,
    artifact: Artifact,
    digest: Digest,
    /// Where it is in the store.
    path: PathBuf,
}

/// A part of the way to a value.
#[derive(Debug, Clone)]
enum Part {
    Field(String),
    /// An item of so many.
    Item(Key, usize),
}

/// Shows what a run gave.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let archive = Archive::open(args.asking.store.as_deref(), extra)?;
    let meant = archive.meant(args.run.as_deref(), None)?;
    if let Some(path) = meant.path {
        let failure = Failure::usage(format!("`{path}` is a step, and outputs are of runs"));
        return Err(failure.with_help(format!("`flow show {}` shows its value", quoted(&path))));
    }
    let past = archive.past(&meant.row)?;
    let state = archive.state(&past.row)?;
    let values = archive.values();
    let ty = past.history.plan().root_node().ty.clone();
    if state != RunState::Succeeded {
        if args.asking.format == DataFormat::Json {
            output.data(&format!(
                "{}\n",
                object(&past, state, &Json::Null, &[], None)
            ))?;
        }
        return none(&past, state, output);
    }
    let value = past.run.output(&values);
    let (Some(value), Some(ty)) = (value, ty) else {
        if args.asking.format == DataFormat::Json {
            output.data(&format!(
                "{}\n",
                object(&past, state, &Json::Null, &[], None)
            ))?;
        } else {
            output.message(&format!("`{}` gives nothing", past.run.workflow()))?;
        }
        return Ok(Exit::Done);
    };
    show(&archive, &past, &value, &ty, args, output)?;
    Ok(Exit::Done)
}

/// Says that there are no outputs, and why.
fn none(past: &Past, state: RunState, output: &mut Output) -> Result<Exit, Failure> {
    let id = &past.row.id;
    let (exit, text) = match state {
        RunState::Succeeded => (Exit::Done, String::new()),
        RunState::Failed => (
            Exit::Failed,
            format!("the run {id} failed, so it gave nothing; `flow why {id}` says why"),
        ),
        RunState::Cancelled => (
            Exit::Failed,
            format!(
                "the run {id} was given up, so it gave nothing; `flow retry {id}` would go on with it"
            ),
        ),
        RunState::Waiting => (
            Exit::Waiting,
            format!(
                "the run {id} waits for a person, and isn't over; `flow show {id}` says what for"
            ),
        ),
        RunState::ShortOfMoney => (
            Exit::Budget,
            format!(
                "the run {id} doesn't fit into a budget, and isn't over; `flow show {id}` says what to type"
            ),
        ),
        RunState::Paused | RunState::Interrupted => (
            Exit::Interrupted,
            format!(
                "the run {id} is {}, and isn't over; go on with `flow resume {id}`",
                state.text()
            ),
        ),
        RunState::Running | RunState::Sleeping | RunState::Stopped => (
            Exit::Owned,
            format!(
                "the run {id} is {}, and isn't over; `flow logs {id} -f` follows it",
                state.text()
            ),
        ),
    };
    output.message(&text)?;
    Ok(exit)
}

fn show(
    archive: &Archive,
    past: &Past,
    value: &Value,
    ty: &Type,
    args: &Args,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut whole = to_json(value, ty)
        .map_err(|mismatch| Failure::io(format!("the outputs can't be shown: {mismatch}")))?;
    let mut files = Vec::new();
    let mut parts = Vec::new();
    collect(archive, value, &mut parts, &mut files);
    let Some(folder) = &args.to else {
        add_files(value, &mut whole, &mut |artifact| {
            let digest: Digest = artifact.digest.parse().ok()?;
            Some(("path", archive.layout.blob(&digest).display().to_string()))
        });
        let text = match args.asking.format {
            DataFormat::Json => object(past, RunState::Succeeded, &whole, &files, None).to_string(),
            DataFormat::Human => serde_json::to_string_pretty(&whole).unwrap_or_default(),
        };
        return output.data(&format!("{text}\n"));
    };
    let heads = copy::heads(&archive.reader, &files)?;
    let names = name::names(past.run.workflow(), &files, &heads);
    let mut called = names.iter();
    add_files(value, &mut whole, &mut |_| {
        Some(("file", called.next()?.clone()))
    });
    let manifest = format!(
        "{}\n",
        serde_json::to_string_pretty(&whole).unwrap_or_default()
    );
    let mut targets: Vec<Target<'_>> = files
        .iter()
        .zip(&names)
        .map(|(given, name)| Target::blob(folder.join(name), given))
        .collect();
    targets.push(Target::text(folder.join(name::VALUES), &manifest));
    let copied = copy::all(folder, &targets, args.force)?;
    report(past, &whole, &files, &copied, args, folder, output)
}

fn report(
    past: &Past,
    whole: &Json,
    files: &[Given],
    copied: &[(PathBuf, Copied)],
    args: &Args,
    folder: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    if args.asking.format == DataFormat::Json {
        let object = object(past, RunState::Succeeded, whole, files, Some(copied));
        return output.data(&format!("{object}\n"));
    }
    for (path, _) in copied {
        output.data(&format!("{}\n", path.display()))?;
    }
    let new = copied
        .iter()
        .filter(|(_, how)| *how != Copied::WasThere)
        .count();
    let there = copied.len() - new;
    let folder = folder.display();
    let files = crate::report::counted(new, "file");
    output.message(&match (new, there) {
        (0, _) => format!("`{folder}` had all of it already"),
        (_, 0) => format!("{files} written to `{folder}`"),
        _ => format!("{files} written to `{folder}`, {there} were there already"),
    })
}

fn object(
    past: &Past,
    state: RunState,
    outputs: &Json,
    files: &[Given],
    copied: Option<&[(PathBuf, Copied)]>,
) -> Json {
    let artifacts = files.iter().map(|given| {
        json!({
            "output": given.label(),
            "digest": given.digest.to_string(),
            "media": given.artifact.media.to_string(),
            "bytes": given.artifact.bytes,
            "path": given.path.display().to_string(),
        })
    });
    let copied = copied.map(|copied| {
        let written = copied.iter().map(|(path, how)| {
            json!({
                "path": path.display().to_string(),
                "how": match how {
                    Copied::New => "written",
                    Copied::Replaced => "replaced",
                    Copied::WasThere => "was_there",
                },
            })
        });
        written.collect::<Vec<_>>()
    });
    json!({
        "version": 1,
        "run": &*past.row.id.0,
        "workflow": &**past.run.workflow(),
        "state": state.word(),
        "outputs": outputs,
        "artifacts": artifacts.collect::<Vec<_>>(),
        "copied": copied,
    })
}

/// Finds the files in a value.
fn collect(archive: &Archive, value: &Value, parts: &mut Vec<Part>, found: &mut Vec<Given>) {
    match value {
        Value::Artifact(artifact) => {
            let Ok(digest) = artifact.digest.parse::<Digest>() else {
                return;
            };
            found.push(Given {
                parts: parts.clone(),
                artifact: Artifact::clone(artifact),
                digest,
                path: archive.layout.blob(&digest),
            });
        }
        Value::List(list) => {
            for (at, item) in list.items.iter().enumerate() {
                let key = list.keys.as_ref().and_then(|keys| keys.get(at).cloned());
                let key = key.unwrap_or(Key::Index(at as u64));
                parts.push(Part::Item(key, list.items.len()));
                collect(archive, item, parts, found);
                parts.pop();
            }
        }
        Value::Record(fields) => {
            for (name, field) in fields.iter() {
                parts.push(Part::Field(name.to_string()));
                collect(archive, field, parts, found);
                parts.pop();
            }
        }
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Time(_)
        | Value::Size(_)
        | Value::Enum(_)
        | Value::Secret(_) => {}
    }
}

/// Says of each file in a value where it is, in the order of [`collect`].
fn add_files(
    value: &Value,
    json: &mut Json,
    place: &mut dyn FnMut(&Artifact) -> Option<(&'static str, String)>,
) {
    match (value, json) {
        (Value::Artifact(artifact), Json::Object(fields)) => {
            if let Some((name, place)) = place(artifact) {
                fields.insert(name.to_owned(), Json::from(place));
            }
        }
        (Value::List(list), Json::Array(items)) => {
            for (item, json) in list.items.iter().zip(items) {
                add_files(item, json, place);
            }
        }
        (Value::Record(found), Json::Object(fields)) => {
            for (name, field) in found.iter() {
                if let Some(json) = fields.get_mut(&**name) {
                    add_files(field, json, place);
                }
            }
        }
        _ => {}
    }
}

impl Given {
    /// Returns where it is in the outputs: `shots[3].picture`.
    fn label(&self) -> String {
        let mut label = String::new();
        for part in &self.parts {
            match part {
                Part::Field(name) if label.is_empty() => label.push_str(name),
                Part::Field(name) => {
                    label.push('.');
                    label.push_str(name);
                }
                Part::Item(key, _) => label = format!("{label}[{key}]"),
            }
        }
        label
    }
}
