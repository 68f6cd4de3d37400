//! `flow steps`: the reference of the steps that workflows can use.

use std::collections::BTreeMap;
use std::fmt::Write;

use flow_compiler::declare::{Param, ParamDefault};
use flow_compiler::signature::{Signature, Signatures};
use flow_core::effect::Effect;
use flow_core::schema::json_schema;
use flow_core::ty::{EnumType, FieldType, RecordType, Type};
use flow_steps::Plugins;
use flow_syntax::diagnostic::nearest;
use flow_syntax::span::Span;
use serde::Serialize;

use crate::args::{DataFormat, Steps};
use crate::drive::wall_clock;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::project::Projects;
use crate::render::{human, pretty};
use crate::report::Report;
use crate::wording::{self, clip};

/// The version of the JSON shape.
const VERSION: u32 = 1;

/// Shows one step, those of a family, or all.
pub(super) fn run(args: &Steps, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut projects = Projects::new(args.settled.profile.as_deref(), extra)?;
    let here = projects.here.clone();
    let project = projects.of_folder(&here)?;
    let mut report = Report::default();
    projects.tell_project(&mut report, &project);
    let said = human(&report, output.message_looks());
    if !said.is_empty() {
        output.message(&said)?;
    }
    let signatures = &project.signatures;
    let programs = Plugins::new(&project.root, &wall_clock());
    let found = matching(signatures, args.name.as_deref())?;
    let exact = args
        .name
        .as_deref()
        .and_then(|name| signatures.steps.get(name));
    let text = match (args.format, exact) {
        (DataFormat::Json, _) => json(signatures, &found, &programs),
        (DataFormat::Human, Some(step)) => page(signatures, step, &programs),
        (DataFormat::Human, None) => list(&found),
    };
    output.data(&text)?;
    Ok(Exit::Done)
}

/// Returns the step of a name.
pub(super) fn one<'a>(signatures: &'a Signatures, name: &str) -> Result<&'a Signature, Failure> {
    signatures
        .steps
        .get(name)
        .ok_or_else(|| unknown(signatures, name))
}

/// Returns the steps of a name: itself, or all that begin with it and a dot.
fn matching<'a>(
    signatures: &'a Signatures,
    name: Option<&str>,
) -> Result<Vec<&'a Signature>, Failure> {
    let Some(name) = name else {
        return Ok(signatures.steps.values().collect());
    };
    if let Some(step) = signatures.steps.get(name) {
        return Ok(vec![step]);
    }
    let family = format!("{}.", name.trim_end_matches('.'));
    let found: Vec<&Signature> = (signatures.steps.values())
        .filter(|step| step.name.starts_with(&family))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    Err(unknown(signatures, name))
}

fn unknown(signatures: &Signatures, name: &str) -> Failure {
    let names = signatures.steps.keys().map(|name| &**name);
    let failure = Failure::usage(format!("there is no step `{name}`"));
    match nearest(name, names) {
        Some(near) => failure.with_help(format!("did you mean `{near}`?")),
        None => failure.with_help("`flow steps` lists all of them"),
    }
}

fn list(steps: &[&Signature]) -> String {
    let width = steps.iter().map(|step| step.name.len()).max().unwrap_or(0);
    let effect = steps
        .iter()
        .map(|step| effects(step).len())
        .max()
        .unwrap_or(0);
    let effect = effect.min(24);
    let lines = steps.iter().map(|step| {
        let about = match &step.run {
            None => sentence(&step.docs),
            Some(run) => {
                let about = [sentence(&step.docs), format!("runs `{}`", clip(run, 60))];
                let about = about.iter().filter(|part| !part.is_empty());
                about.map(String::as_str).collect::<Vec<_>>().join(" · ")
            }
        };
        let line = format!("{:width$}  {:effect$}  {about}", step.name, effects(step));
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}

/// Returns the first sentence of a documentation.
fn sentence(docs: &str) -> String {
    let paragraph = docs.split("\n\n").next().unwrap_or_default();
    let text = paragraph.replace('\n', " ");
    let end = text.find(['.', ';']).unwrap_or(text.len());
    clip(&text[..end], 90)
}

/// Writes what a step does first, then what a call may ask for.
fn effects(step: &Signature) -> String {
    let words = step.effects.iter().map(|effect| wording::effect(*effect));
    words.collect::<Vec<_>>().join(" | ")
}

fn page(signatures: &Signatures, step: &Signature, programs: &Plugins) -> String {
    let mut out = format!("{}\n", head(step));
    if !step.docs.is_empty() {
        writeln!(out, "\n{}", step.docs).ok();
    }
    if !step.params.is_empty() {
        out.push_str("\nParameters\n");
    }
    let width = |text: &dyn Fn(&Param) -> usize, most: usize| {
        step.params.iter().map(text).max().unwrap_or(0).min(most)
    };
    let name = width(&|param| param.name.chars().count(), 24);
    let ty = width(&|param| type_of(param).chars().count(), 36);
    for param in &step.params {
        let mut line = format!("  {:name$}  {:ty$}  ", param.name, type_of(param));
        match default(param) {
            Some(default) => line.extend(["= ", &default]),
            None => line.push_str("required"),
        }
        writeln!(out, "{}", line.trim_end()).ok();
        for docs in param.docs.lines() {
            writeln!(out, "  {:name$}  {docs}", "").ok();
        }
    }
    out.push_str(&types(step));
    writeln!(out, "\nEffect  {}", effects(step)).ok();
    writeln!(out, "        {}", about(step.effects.first().copied())).ok();
    if let Some(cost) = &step.cost {
        writeln!(out, "Cost    {}", slice(signatures, cost.span)).ok();
    }
    if let Some(pool) = &step.pool {
        writeln!(out, "Pool    {}", slice(signatures, pool.span)).ok();
    }
    if let Some(run) = &step.run {
        writeln!(out, "Runs    {run}").ok();
        writeln!(out, "        {}", program(run, programs)).ok();
    }
    out
}

/// Says what the program of a command consists of.
fn program(run: &str, programs: &Plugins) -> String {
    match programs.look(run) {
        Err(failure) => failure.message.to_string(),
        Ok(parts) => {
            let digest = parts.program.digest.short();
            match parts.files.as_slice() {
                [] => "a program of this machine, known by its name".to_owned(),
                [file] => format!("{file}, {digest}"),
                files => format!("{} files, {digest}", files.len()),
            }
        }
    }
}

/// Writes what the types are that a step mentions by name.
fn types(step: &Signature) -> String {
    let mut named = BTreeMap::new();
    for ty in step.params.iter().filter_map(|param| param.ty.as_ref()) {
        collect(ty, &mut named);
    }
    collect(&step.returns, &mut named);
    if named.is_empty() {
        return String::new();
    }
    let mut out = String::from("\nTypes\n");
    for (name, ty) in named {
        match ty {
            Named::Enum(words) => {
                let words: Vec<&str> = words.variants.iter().map(|word| &*word.name).collect();
                writeln!(out, "  {name} = {}", words.join(" | ")).ok();
            }
            Named::Record(record) => {
                writeln!(out, "  {name}").ok();
                let width = |field: &FieldType| field.name.chars().count();
                let width = record.fields.iter().map(width).max().unwrap_or(0).min(24);
                for field in &record.fields {
                    writeln!(out, "    {:width$}  {}", field.name, field.ty).ok();
                    for docs in field.docs.lines() {
                        writeln!(out, "    {:width$}  {docs}", "").ok();
                    }
                }
            }
        }
    }
    out
}

/// A type that has a name.
enum Named<'a> {
    Enum(&'a EnumType),
    Record(&'a RecordType),
}

/// Finds the types with names that a type is made of.
fn collect<'a>(ty: &'a Type, named: &mut BTreeMap<&'a str, Named<'a>>) {
    match ty {
        Type::List(list) => collect(&list.item, named),
        Type::Map(inner) | Type::Optional(inner) => collect(inner, named),
        Type::Record(record) => {
            if let Some(name) = &record.name
                && named.insert(name, Named::Record(record)).is_some()
            {
                return;
            }
            for field in &record.fields {
                collect(&field.ty, named);
            }
        }
        Type::Enum(words) => {
            if let Some(name) = &words.name {
                named.insert(name, Named::Enum(words));
            }
        }
        Type::Text(_)
        | Type::Int(_)
        | Type::Float(_)
        | Type::Bool
        | Type::Duration(_)
        | Type::Money(_)
        | Type::Time
        | Type::Size
        | Type::Model
        | Type::Json
        | Type::Secret
        | Type::Step
        | Type::Media(_)
        | Type::Param
        | Type::None => {}
    }
}

/// Writes a declaration's first line.
fn head(step: &Signature) -> String {
    let params = step.params.iter().map(|param| {
        let constant = if param.constant { "const " } else { "" };
        let text = format!("{constant}{}: {}", param.name, type_of(param));
        match default(param) {
            Some(default) => format!("{text} = {default}"),
            None => text,
        }
    });
    let params: Vec<String> = params.collect();
    let generic = step.type_param.as_ref();
    let generic = generic.map_or_else(String::new, |name| format!("<{name}>"));
    let short = format!(
        "{}{generic}({}) -> {}",
        step.name,
        params.join(", "),
        step.returns
    );
    if short.chars().count() <= 90 {
        return short;
    }
    format!(
        "{}{generic}(\n  {},\n) -> {}",
        step.name,
        params.join(",\n  "),
        step.returns
    )
}

fn type_of(param: &Param) -> String {
    let ty = param.ty.as_ref();
    ty.map_or_else(|| "?".to_owned(), ToString::to_string)
}

fn default(param: &Param) -> Option<String> {
    match &param.default {
        ParamDefault::Required => None,
        ParamDefault::Setting => Some("default".to_owned()),
        ParamDefault::Value(value) => Some(clip(&wording::constant(value), 40)),
    }
}

fn about(effect: Option<Effect>) -> &'static str {
    match effect {
        Some(Effect::Pure) | None => "the same inputs give the same output; results are kept",
        Some(Effect::Read) => "it looks at the outside world and may be run again",
        Some(Effect::Paid) => "it costs money or much time and is not made twice",
        Some(Effect::Act(_)) => "it changes the outside world",
    }
}

/// Returns what a declaration says, on one line.
fn slice(signatures: &Signatures, span: Span) -> String {
    let source = signatures
        .sources
        .iter()
        .find(|source| source.id == span.source);
    let text = source.map_or("", |source| source.slice(span));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Debug, Serialize)]
struct Whole<'a> {
    version: u32,
    steps: Vec<StepShape<'a>>,
}

#[derive(Debug, Serialize)]
struct StepShape<'a> {
    name: &'a str,
    signature: String,
    docs: &'a str,
    params: Vec<ParamShape<'a>>,
    returns: String,
    effects: Vec<String>,
    cost: Option<String>,
    pool: Option<String>,
    run: Option<&'a str>,
    /// What its program consists of; nothing if it is none, or can't be found.
    program: Option<ProgramShape>,
    digest: &'a str,
}

#[derive(Debug, Serialize)]
struct ProgramShape {
    files: Vec<String>,
    digest: String,
    variables: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ParamShape<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    ty: String,
    constant: bool,
    required: bool,
    default: Option<String>,
    docs: &'a str,
    schema: Option<serde_json::Value>,
}

fn json(signatures: &Signatures, steps: &[&Signature], programs: &Plugins) -> String {
    let steps = steps.iter().map(|step| StepShape {
        name: &step.name,
        signature: head(step),
        docs: &step.docs,
        params: step.params.iter().map(param).collect(),
        returns: step.returns.to_string(),
        effects: step.effects.iter().map(|e| wording::effect(*e)).collect(),
        cost: step.cost.as_ref().map(|cost| slice(signatures, cost.span)),
        pool: step.pool.as_ref().map(|pool| slice(signatures, pool.span)),
        run: step.run.as_deref(),
        program: step.run.as_deref().and_then(|run| parts(run, programs)),
        digest: &step.digest,
    });
    pretty(&Whole {
        version: VERSION,
        steps: steps.collect(),
    })
}

fn parts(run: &str, programs: &Plugins) -> Option<ProgramShape> {
    let parts = programs.look(run).ok()?;
    let variables = parts.program.variables.iter();
    Some(ProgramShape {
        variables: variables.map(|(name, _)| name.to_string()).collect(),
        digest: parts.program.digest.to_string(),
        files: parts.files,
    })
}

fn param(param: &Param) -> ParamShape<'_> {
    ParamShape {
        name: &param.name,
        ty: type_of(param),
        constant: param.constant,
        required: param.default == ParamDefault::Required,
        default: default(param),
        docs: &param.docs,
        schema: param.ty.as_ref().map(json_schema),
    }
}
