//! `flow config`: what `flow.toml` sets, and which part of it does.

use std::fmt::Write as _;

use flow_syntax::diagnostic::nearest;
use flow_syntax::span::Source;

use crate::args::{Config as Args, ConfigCommand, Settled};
use crate::config::{self, Config, Layer, NAME, Said};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::project::root_here;

/// What is known of keys that are not set: their beginnings, and what is so then.
const UNSET: [(&str, &str); 9] = [
    ("tz", "periods and schedules that name no zone are in UTC"),
    (
        "budget.provider",
        "a provider may be paid as much as other budgets allow",
    ),
    (
        "budget",
        "runs may spend as much as their own budgets allow",
    ),
    (
        "pools.default",
        "a pool without terms of its own has no limit",
    ),
    (
        "allow",
        "steps reach what is on the open network, and files in the project",
    ),
    ("pools", "the terms of `pools.default`, or no limit"),
    (
        "prices",
        "nothing: under a budget, a call of the model is an error",
    ),
    (
        "defaults",
        "nothing: a step that needs it is an error where it is called",
    ),
    (
        "profile",
        "a profile is asked for by `--profile`; its keys are those of `defaults` and `budget`",
    ),
];

/// Shows what is set.
pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let (settled, key) = match &args.command {
        Some(ConfigCommand::Explain { key, settled }) => {
            let settled = if settled.profile.is_some() {
                settled
            } else {
                &args.settled
            };
            (settled, Some(key))
        }
        None => (&args.settled, None),
    };
    let found = load(settled)?;
    let text = match key {
        Some(key) => explained(found.as_ref(), key)?,
        None => listed(found.as_ref()),
    };
    output.data(&text)?;
    Ok(Exit::Done)
}

fn load(settled: &Settled) -> Result<Option<(Source, Config)>, Failure> {
    let found = config::load(&root_here()?, settled.profile.as_deref())?;
    match &found {
        Some((_, config)) if !config.diagnostics.is_empty() => Err(Failure::Told {
            exit: Exit::Invalid,
            message: format!("`{NAME}` has errors"),
            help: Some(format!("`flow validate {NAME}` shows them")),
        }),
        Some(_) | None => Ok(found),
    }
}

/// Returns all that counts, in the order of the keys.
fn listed(found: Option<&(Source, Config)>) -> String {
    let Some((source, config)) = found else {
        return format!("there is no `{NAME}`: nothing is set\n");
    };
    let mut counts: Vec<&Said> = Vec::new();
    for said in &config.said {
        counts.retain(|other| other.key != said.key);
        counts.push(said);
    }
    counts.sort_by(|a, b| a.key.cmp(&b.key));
    if counts.is_empty() {
        return format!("`{NAME}` sets nothing\n");
    }
    let width = |of: fn(&Said) -> usize| counts.iter().map(|said| of(said)).max().unwrap_or(0);
    let (keys, values) = (
        width(|said| said.key.chars().count()),
        width(|said| said.value.chars().count()),
    );
    let mut text = String::new();
    for said in counts {
        let place = place(source, said);
        writeln!(text, "{:keys$}  {:values$}  {place}", said.key, said.value)
            .expect("a text takes all");
    }
    text
}

/// Says what a key is set to, and why.
fn explained(found: Option<&(Source, Config)>, key: &str) -> Result<String, Failure> {
    let empty = Vec::new();
    let all = found.map_or(&empty, |(_, config)| &config.said);
    let whole = whole(key, all);
    let mut sayings: Vec<&Said> = all.iter().filter(|said| said.key == whole).collect();
    // A step without an entry of its own has what its parameter has everywhere.
    let general = general(&whole);
    if let Some(general) = &general {
        let others = all.iter().filter(|said| said.key == *general);
        sayings.splice(0..0, others);
    }
    let (Some(last), Some((source, _))) = (sayings.pop(), found) else {
        return unset(&whole, key, all);
    };
    let mut text = format!("{whole} = {}\n", last.value);
    let told = |said: &Said| {
        let place = place(source, said);
        if said.key == whole {
            place
        } else {
            format!("{place}, as `{}`", said.key)
        }
    };
    writeln!(text, "  set by {}", told(last)).expect("a text takes all");
    for said in sayings.iter().rev() {
        writeln!(text, "  in place of {}, from {}", said.value, told(said))
            .expect("a text takes all");
    }
    Ok(text)
}

/// Returns a key with its table: `gen.image.model` is one of `defaults`.
fn whole(key: &str, all: &[Said]) -> String {
    let is_known = |key: &str| all.iter().any(|said| said.key == key);
    let has_table = UNSET.iter().any(|(begin, _)| begins(key, begin));
    if is_known(key) || has_table {
        return key.to_owned();
    }
    format!("defaults.{key}")
}

/// Returns the default of a parameter for all steps.
fn general(key: &str) -> Option<String> {
    let name = key.strip_prefix("defaults.")?;
    let (_, param) = name.rsplit_once('.')?;
    Some(format!("defaults.{param}"))
}

fn unset(whole: &str, written: &str, all: &[Said]) -> Result<String, Failure> {
    let known = UNSET.iter().find(|(begin, _)| begins(whole, begin));
    let Some((_, meaning)) = known else {
        return Err(Failure::usage(format!("there is no setting `{written}`")));
    };
    let mut text = format!("{whole} is not set\n  so {meaning}\n");
    let names = all.iter().map(|said| &*said.key);
    let tables = UNSET.iter().map(|(key, _)| *key);
    if let Some(near) = nearest(whole, names).or_else(|| nearest(written, tables)) {
        writeln!(text, "  did you mean `{near}`?").expect("a text takes all");
    }
    Ok(text)
}

fn begins(key: &str, begin: &str) -> bool {
    key.strip_prefix(begin)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Says where something is set, and by which part.
fn place(source: &Source, said: &Said) -> String {
    let line = source.text[..said.span.range().start]
        .bytes()
        .filter(|byte| *byte == b'\n')
        .count()
        + 1;
    match &said.layer {
        Layer::Project => format!("{NAME}:{line}"),
        Layer::Profile(name) => format!("{NAME}:{line} (profile {name})"),
    }
}
