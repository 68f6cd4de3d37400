//! `flow plugin check`: tries the programs of declared steps out.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use flow_compiler::declare::{Param, ParamDefault};
use flow_compiler::signature::{Signature, Signatures};
use flow_core::effect::Effect;
use flow_core::ty::Type;
use flow_runtime::driver::Given as Read;
use flow_runtime::reaper::Reaper;
use flow_steps::{DryRun, Finding, Given, Groups, Parameter, Plugins, Subject, Verdict};
use flow_syntax::diagnostic::nearest;
use serde::Serialize;

use crate::args::{CheckPlugin, DataFormat};
use crate::drive::{runtime, wall_clock};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::given::read as given_as;
use crate::output::Output;
use crate::project::{Project, Projects, is_flow_file};
use crate::render::{human, pretty};
use crate::report::{Report, counted};

/// The version of the JSON shape.
const VERSION: u32 = 1;

/// A step, and what was found out about it.
struct Tried<'a> {
    step: &'a Signature,
    run: &'a str,
    findings: Vec<Finding>,
}

/// Tries steps out.
pub(super) fn run(args: &CheckPlugin, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut projects = Projects::new(args.settled.profile.as_deref(), extra)?;
    let (project, file) = project(&mut projects, &args.target)?;
    let mut report = Report::default();
    projects.tell_project(&mut report, &project);
    let said = human(&report, output.message_looks());
    if !said.is_empty() {
        output.message(&said)?;
    }
    if report.counts().0 > 0 {
        return Ok(Exit::Invalid);
    }
    let steps = meant(&project, &args.target, file.as_deref())?;
    let subjects = subjects(args, &steps)?;
    let plugins = Plugins::new(&project.root, &wall_clock());
    let name = format!("flow-check-{}", std::process::id());
    let folder = std::env::temp_dir().join(&name);
    // No process is left, however this ends.
    let reaper = Arc::new(Reaper::new(&name));
    let (adopts, releases) = (reaper.clone(), reaper);
    let groups = Groups {
        adopt: Arc::new(move |group| adopts.adopt(group)),
        release: Arc::new(move |group| releases.release(group)),
    };
    let runtime = runtime()?;
    let mut tried = Vec::new();
    for ((step, run), subject) in steps.iter().zip(&subjects) {
        let findings = runtime.block_on(plugins.conform(subject, &groups, folder.clone()));
        tried.push(Tried {
            step,
            run,
            findings,
        });
    }
    output.data(&match args.format {
        DataFormat::Human => text(&tried),
        DataFormat::Json => json(&tried),
    })?;
    let holds = tried.iter().all(|tried| count(&tried.findings).1 == 0);
    Ok(if holds { Exit::Done } else { Exit::Invalid })
}

/// Finds the project, and the name of the file in it if one is meant.
fn project(
    projects: &mut Projects,
    target: &str,
) -> Result<(std::rc::Rc<Project>, Option<String>), Failure> {
    let here = projects.here.clone();
    if !is_flow_file(target) {
        return Ok((projects.of_folder(&here)?, None));
    }
    let path = Path::new(target).canonicalize();
    let path = path.map_err(|error| Failure::io(format!("cannot read `{target}`: {error}")))?;
    let project = projects.of_folder(path.parent().unwrap_or(&here))?;
    let inside = path.strip_prefix(&project.root).unwrap_or(&path);
    let inside = inside.display().to_string();
    Ok((project, Some(inside)))
}

/// Returns the steps that are meant, each with its command.
fn meant<'a>(
    project: &'a Project,
    target: &str,
    file: Option<&str>,
) -> Result<Vec<(&'a Signature, &'a str)>, Failure> {
    let signatures = &project.signatures;
    let own = signatures.steps.values();
    let own: Vec<_> = own
        .filter_map(|step| Some((step, step.run.as_deref()?)))
        .collect();
    let Some(file) = file else {
        let mut found = own.iter().filter(|(step, _)| *step.name == *target);
        return match found.next() {
            Some(step) => Ok(vec![*step]),
            None => Err(unknown(signatures, target, &own)),
        };
    };
    let sources = signatures.sources.iter();
    let ids: Vec<_> = sources
        .filter(|source| source.name == file)
        .map(|source| source.id)
        .collect();
    let mut found = own;
    found.retain(|(step, _)| ids.contains(&step.span.source));
    if found.is_empty() {
        return Err(
            Failure::usage(format!("`{target}` declares no steps of the project"))
                .with_help("such files are in the folder `steps` of a project"),
        );
    }
    Ok(found)
}

fn unknown(signatures: &Signatures, target: &str, own: &[(&Signature, &str)]) -> Failure {
    if signatures.steps.contains_key(target) {
        return Failure::usage(format!("`{target}` is no step of the project's own"))
            .with_help("only those with a command have a program that can be tried");
    }
    let failure = Failure::usage(format!("there is no step `{target}`"));
    let names = own.iter().map(|(step, _)| &*step.name);
    match (nearest(target, names), own) {
        (Some(near), _) => failure.with_help(format!("did you mean `{near}`?")),
        (None, []) => {
            failure.with_help("the project declares no steps; `flow plugin new NAME` writes one")
        }
        (None, _) => failure.with_help("`flow steps` lists all of them"),
    }
}

/// Makes what is tried of what is declared and given.
fn subjects(args: &CheckPlugin, steps: &[(&Signature, &str)]) -> Result<Vec<Subject>, Failure> {
    let mut given: BTreeMap<&str, &str> = BTreeMap::new();
    for pair in &args.arguments {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(
                Failure::usage(format!("`{pair}` is no argument")).with_help("write `name=value`")
            );
        };
        let all = steps.iter().flat_map(|(step, _)| &step.params);
        let names: Vec<&str> = all.map(|param| &*param.name).collect();
        if !names.contains(&name) {
            let failure = Failure::usage(format!("there is no parameter `{name}`"));
            return Err(match nearest(name, names.iter().copied()) {
                Some(near) => failure.with_help(format!("did you mean `{near}`?")),
                None => failure.with_help(format!("there are `{}`", names.join("`, `"))),
            });
        }
        if given.insert(name, value).is_some() {
            return Err(Failure::usage(format!("`{name}` is given twice")));
        }
    }
    let subjects = steps.iter();
    subjects
        .map(|(step, run)| subject(args, step, run, &given))
        .collect()
}

fn subject(
    args: &CheckPlugin,
    step: &Signature,
    run: &str,
    given: &BTreeMap<&str, &str>,
) -> Result<Subject, Failure> {
    let type_arg = step.type_param.as_ref().map(|_| Type::text());
    let closed = |ty: &Type| match &type_arg {
        Some(arg) => Signature::closed(ty, arg),
        None => ty.clone(),
    };
    let params = step.params.iter().map(|param| {
        let ty = closed(param.ty.as_ref().unwrap_or(&Type::Json));
        let given = match given.get(&*param.name) {
            Some(text) => Some(given_for(param, &ty, text)?),
            None => None,
        };
        Ok(Parameter {
            name: param.name.clone(),
            default: match &param.default {
                ParamDefault::Value(expr) => flow_core::run::constant(expr).ok(),
                ParamDefault::Required | ParamDefault::Setting => None,
            },
            given,
            ty,
        })
    });
    Ok(Subject {
        step: step.name.clone(),
        run: run.into(),
        params: params.collect::<Result<_, Failure>>()?,
        result: closed(&step.returns),
        effect: step.effects.first().copied().unwrap_or(Effect::Read),
        dry_run: if args.dry_run {
            DryRun::Known
        } else {
            DryRun::Unknown
        },
        type_arg,
    })
}

fn given_for(param: &Param, ty: &Type, text: &str) -> Result<Given, Failure> {
    let read = given_as(text, ty);
    let read = read.map_err(|why| Failure::usage(format!("`{}`: {why}", param.name)))?;
    Ok(match read {
        Read::Value(value) => Given::Value(value),
        Read::File(path, media) => Given::File(path, media),
    })
}

/// Counts what holds, what doesn't, and what wasn't tried.
fn count(findings: &[Finding]) -> (usize, usize, usize) {
    let mut counts = (0, 0, 0);
    for finding in findings {
        match finding.verdict {
            Verdict::Holds(_) => counts.0 += 1,
            Verdict::Broken(..) => counts.1 += 1,
            Verdict::Untried(_) => counts.2 += 1,
        }
    }
    counts
}

fn text(tried: &[Tried<'_>]) -> String {
    let mut out = String::new();
    for (at, tried) in tried.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        writeln!(out, "{} · {}", tried.step.name, tried.run).ok();
        for finding in &tried.findings {
            let (mark, said) = match &finding.verdict {
                Verdict::Holds(seen) => ("ok", seen),
                Verdict::Broken(seen, _) => ("NO", seen),
                Verdict::Untried(why) => ("--", why),
            };
            let said = said.replace('\n', "\n                ");
            writeln!(out, "  {mark}  {:8}  {said}", finding.name).ok();
            if let Verdict::Broken(_, cure) = &finding.verdict {
                writeln!(out, "                {cure}").ok();
            }
        }
        let (holds, broken, untried) = count(&tried.findings);
        let mut parts = vec![format!("{holds} of {} hold", holds + broken)];
        if untried > 0 {
            parts.push(format!("{} not tried", counted(untried, "thing")));
        }
        writeln!(out, "  {}", parts.join(", ")).ok();
    }
    out
}

#[derive(Debug, Serialize)]
struct Whole<'a> {
    version: u32,
    steps: Vec<StepShape<'a>>,
}

#[derive(Debug, Serialize)]
struct StepShape<'a> {
    step: &'a str,
    run: &'a str,
    holds: bool,
    checks: Vec<CheckShape<'a>>,
}

#[derive(Debug, Serialize)]
struct CheckShape<'a> {
    name: &'a str,
    /// Nothing if it wasn't tried.
    holds: Option<bool>,
    message: &'a str,
    help: Option<&'a str>,
}

fn json(tried: &[Tried<'_>]) -> String {
    let steps = tried.iter().map(|tried| StepShape {
        step: &tried.step.name,
        run: tried.run,
        holds: count(&tried.findings).1 == 0,
        checks: tried.findings.iter().map(check).collect(),
    });
    pretty(&Whole {
        version: VERSION,
        steps: steps.collect(),
    })
}

fn check(finding: &Finding) -> CheckShape<'_> {
    let (holds, message, help) = match &finding.verdict {
        Verdict::Holds(seen) => (Some(true), seen, None),
        Verdict::Broken(seen, cure) => (Some(false), seen, Some(*cure)),
        Verdict::Untried(why) => (None, why, None),
    };
    CheckShape {
        name: finding.name,
        holds,
        message,
        help,
    }
}
