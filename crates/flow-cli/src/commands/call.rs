//! `flow call`: one step, carried out as a run of its own.
//!
//! A workflow is written that calls the step and nothing else, and run like any
//! other: with the same checks, the same journal and the same results of before.

use std::fmt::Write as _;
use std::sync::Arc;

use flow_compiler::declare::{Param, ParamDefault};
use flow_compiler::signature::Signature;
use flow_core::ty::Type;
use flow_runtime::driver::{Driver, NewRun, Reuse};
use flow_syntax::diagnostic::nearest;

use crate::args::{Call as Args, DataFormat};
use crate::commands::run::{any_seed, files, inputs};
use crate::commands::steps::one;
use crate::drive::{Desk, budget, drive};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::project::Projects;
use crate::render::human;
use crate::report::Report;
use crate::tell::Shape;

/// The name that the workflow has as a file.
const NAME: &str = "call.flow";

/// Carries out one step.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut projects = Projects::new(args.running.settled.profile.as_deref(), extra)?;
    let here = projects.here.clone();
    let project = projects.of_folder(&here)?;
    let mut report = Report::default();
    projects.tell_project(&mut report, &project);
    let said = human(&report, output.message_looks());
    if !said.is_empty() {
        output.message(&format!("{said}{}", report.summary()))?;
    }
    if report.counts().0 > 0 {
        return Ok(Exit::Invalid);
    }
    let step = one(&project.signatures, &args.step)?;
    let given = Given::read(step, &args.given)?;
    let text = source(step, &given, args);
    let entry = projects.stdin_entry(NAME, text.into())?;
    let mut compiled = entry.compile();
    if let Some(error) = compiled.diagnostics.iter().find(|found| found.is_error()) {
        let help = match &args.type_arg {
            Some(ty) if error.helps.is_empty() => Some(format!("check the type `{ty}`")),
            Some(_) | None => error.helps.first().cloned(),
        };
        return Err(Failure::Told {
            exit: Exit::Invalid,
            message: format!("`{}` can't be called so: {}", step.name, error.message),
            help,
        });
    }
    let mut workflow = compiled.workflows.remove(0);
    let plan = workflow.plan.take().ok_or(Failure::Told {
        exit: Exit::Invalid,
        message: format!("`{}` can't be called so", step.name),
        help: None,
    })?;
    let desk = Desk::open(&project.root, &args.running, extra, reuse(args))?;
    let new = NewRun {
        inputs: inputs(&workflow, &plan, &given.inputs)?,
        files: files(plan.files(), &project.root),
        plan: Arc::new(plan),
        seed: args.seed.unwrap_or_else(any_seed),
        budget: budget(&args.running)?,
        trigger: None,
    };
    drive(
        &desk,
        output,
        match args.running.format {
            DataFormat::Human => Shape::Plain,
            DataFormat::Json => Shape::Json,
        },
        |around, _orders| async move { Driver::begin(around, new) },
    )
}

fn reuse(args: &Args) -> Reuse {
    if args.fresh {
        Reuse::Nothing
    } else {
        Reuse::Results
    }
}

/// What was given to a step.
struct Given<'a> {
    /// The parameters that are inputs, in the order of the step.
    params: Vec<&'a Param>,
    /// Their values, as `name=value`.
    inputs: Vec<String>,
    /// Parameters that are written out, and how.
    constants: Vec<(&'a Param, String)>,
}

impl<'a> Given<'a> {
    /// Reads what was given: `name=value`, and at most one value without a name,
    /// which is the first parameter's.
    fn read(step: &'a Signature, written: &[String]) -> Result<Self, Failure> {
        let mut values: Vec<(&Param, &str)> = Vec::new();
        for one in written {
            let (param, value) = match one.split_once('=') {
                Some((name, value)) if is_name(name) => (find(step, name)?, value),
                Some(_) | None => (first(step, one)?, one.as_str()),
            };
            if values.iter().any(|(other, _)| other.name == param.name) {
                let message = format!("`{}` is given twice", param.name);
                return Err(Failure::usage(message));
            }
            values.push((param, value));
        }
        let mut given = Self {
            params: Vec::new(),
            inputs: Vec::new(),
            constants: Vec::new(),
        };
        for param in &step.params {
            let found = values.iter().find(|(other, _)| other.name == param.name);
            match found {
                Some((_, value)) if param.constant => {
                    given.constants.push((param, quoted(value)));
                }
                Some((_, value)) => {
                    given.params.push(param);
                    given.inputs.push(format!("{}={value}", param.name));
                }
                None if param.default == ParamDefault::Required => {
                    return Err(missing(step, param));
                }
                None => {}
            }
        }
        Ok(given)
    }
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_')
}

fn find<'a>(step: &'a Signature, name: &str) -> Result<&'a Param, Failure> {
    let param = step.params.iter().find(|param| &*param.name == name);
    param.ok_or_else(|| {
        let names: Vec<&str> = step.params.iter().map(|param| &*param.name).collect();
        let failure = Failure::usage(format!("`{}` has no parameter `{name}`", step.name));
        match nearest(name, names.iter().copied()) {
            Some(near) => failure.with_help(format!("did you mean `{near}`?")),
            None if names.is_empty() => failure.with_help("it has none"),
            None => failure.with_help(format!(
                "there are `{}`; a value with a `=` needs its name before it: `{}=…`",
                names.join("`, `"),
                names[0]
            )),
        }
    })
}

fn first<'a>(step: &'a Signature, value: &str) -> Result<&'a Param, Failure> {
    step.params
        .first()
        .ok_or_else(|| Failure::usage(format!("`{}` takes no value, such as `{value}`", step.name)))
}

fn missing(step: &Signature, param: &Param) -> Failure {
    let ty = param.ty.as_ref().map(|ty| format!(": {ty}"));
    let message = format!(
        "`{}` needs `{}{}`",
        step.name,
        param.name,
        ty.unwrap_or_default()
    );
    let help = format!(
        "write `{}=…`; `flow steps {}` has all of it",
        param.name, step.name
    );
    Failure::usage(message).with_help(help)
}

/// Writes the workflow that calls the step.
fn source(step: &Signature, given: &Given<'_>, args: &Args) -> String {
    let type_arg = args.type_arg.as_deref().unwrap_or("json");
    let ty = |ty: &Type| with_arg(&ty.to_string(), step.type_param.as_deref(), type_arg);
    let params = given.params.iter().map(|param| {
        let ty = param.ty.as_ref().map_or_else(|| "json".to_owned(), ty);
        format!("{}: {ty}", param.name)
    });
    let params: Vec<String> = params.collect();
    let inputs = given.params.iter();
    let inputs = inputs.map(|param| format!("{0}: {0}", param.name));
    let constants = given.constants.iter();
    let constants = constants.map(|(param, text)| format!("{}: {text}", param.name));
    let arguments: Vec<String> = inputs.chain(constants).collect();
    let type_arg = match &step.type_param {
        Some(_) => format!("<{type_arg}>"),
        None => String::new(),
    };
    let mut call = format!("{}{type_arg}({})", step.name, arguments.join(", "));
    if let Some(effect) = &args.effect {
        write!(call, " effect {effect}").ok();
    }
    let name = step.name.replace('.', "_");
    let params = params.join(", ");
    if step.returns == Type::None {
        return format!("workflow call_{name}({params}) {{\n  {call}\n}}\n");
    }
    let returns = ty(&step.returns);
    format!("workflow call_{name}({params}) -> {returns} {{\n  return {call}\n}}\n")
}

/// Puts a type in the place of a type parameter.
fn with_arg(ty: &str, param: Option<&str>, arg: &str) -> String {
    // A type writes its parameter as `T`, whatever it is called.
    if param.is_none() {
        return ty.to_owned();
    }
    let mut out = String::new();
    let mut word = String::new();
    for letter in ty.chars().chain([' ']) {
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        out.push_str(if word == "T" { arg } else { &word });
        word.clear();
        out.push(letter);
    }
    out.pop();
    out
}

/// Writes a text as the language has it, without holes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                write!(out, "\\u{{{:X}}}", u32::from(c)).ok();
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_stands_for_the_parameter_and_for_nothing_else() {
        let with = |ty| with_arg(ty, Some("T"), "list<int>");
        assert_eq!(with("T"), "list<int>");
        assert_eq!(with("list<T> min 1"), "list<list<int>> min 1");
        assert_eq!(with("{ a: T?, T_b: Tx }"), "{ a: list<int>?, T_b: Tx }");
        assert_eq!(with_arg("T", None, "int"), "T");
    }

    #[test]
    fn a_text_is_written_as_the_language_has_it() {
        assert_eq!(
            quoted("a \"b\" \\ ${c}\n\u{7}"),
            r#""a \"b\" \\ $${c}\n\u{7}""#
        );
    }
}
