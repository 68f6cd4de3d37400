//! `flow resume RUN --with FILE`: a run goes on under an edited file.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use flow_core::plan::Input as Param;
use flow_core::run::Input;
use flow_runtime::driver::{Change, Driver, Given, NewPlan, Order, Reuse, propose};
use flow_runtime::store::RunRow;
use flow_syntax::diagnostic::nearest;

use crate::archive::Archive;
use crate::args::{Agreement, Resume as Args, Running};
use crate::commands::agree::{Answer, agree};
use crate::commands::run::{files, read};
use crate::commands::target::Target;
use crate::drive::{Desk, budget, drive};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::render::human;
use crate::scene::user;

/// Goes on with a run under an edited file.
pub(super) fn run(
    args: &Args,
    with: &OsStr,
    extra: &Extra,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let archive = Archive::open(args.running.store.as_deref(), extra)?;
    let (name, inputs) = named(args);
    let row = archive.meant(name, None)?.row;
    let mut target = Target::load(with, args.running.settled.profile.as_deref(), extra)?;
    target.prefer(&row.workflow);
    let said = human(&target.report, output.message_looks());
    if !said.is_empty() {
        output.message(&format!("{said}{}", target.report.summary()))?;
    }
    if !target.compiled.is_ok() {
        output.message(&format!("run {} stays as it is", row.id))?;
        return Ok(Exit::Invalid);
    }
    let (root, shown) = (target.root.clone(), target.shown().to_owned());
    let mut workflow = target.into_workflow()?;
    let Some(plan) = workflow.plan.take() else {
        return Ok(Exit::Invalid);
    };
    let change = Change::Plan(NewPlan {
        given: settings(&plan.root().params, &inputs)?,
        files: files(plan.files(), &root),
        plan: Arc::new(plan),
    });
    let title = format!("run {} under `{shown}`:", row.id);
    carry_out(
        &Changing {
            archive: &archive,
            row: &row,
            change,
            title,
            agreement: &args.edit.agreement,
            running: &args.running,
            extra,
        },
        output,
    )
}

/// Returns the name of the run and the inputs; either may stand first.
fn named(args: &Args) -> (Option<&str>, Vec<String>) {
    let mut inputs = args.edit.inputs.clone();
    match args.run.as_deref() {
        Some(text) if text.contains('=') => {
            inputs.insert(0, text.to_owned());
            (None, inputs)
        }
        name => (name, inputs),
    }
}

/// Reads `name=value` by the types of inputs.
pub(super) fn settings(
    params: &[Param],
    written: &[String],
) -> Result<BTreeMap<Arc<str>, Given>, Failure> {
    let mut given = BTreeMap::new();
    for pair in written {
        let Some((name, text)) = pair.split_once('=') else {
            return Err(
                Failure::usage(format!("`{pair}` is not an input")).with_help("write `name=value`")
            );
        };
        let Some(param) = params.iter().find(|param| &*param.name == name) else {
            let failure = Failure::usage(format!("there is no input `{name}`"));
            let names = params.iter().map(|param| &*param.name);
            return Err(match nearest(name, names) {
                Some(near) => failure.with_help(format!("did you mean `{near}`?")),
                None => failure,
            });
        };
        let value = read(param, text)?;
        if given.insert(param.name.clone(), value).is_some() {
            return Err(Failure::usage(format!("the input `{name}` is given twice")));
        }
    }
    Ok(given)
}

/// A change of a run that somebody wants.
pub(super) struct Changing<'a> {
    pub(super) archive: &'a Archive,
    pub(super) row: &'a RunRow,
    pub(super) change: Change,
    pub(super) title: String,
    pub(super) agreement: &'a Agreement,
    pub(super) running: &'a Running,
    pub(super) extra: &'a Extra,
}

/// Shows what becomes of a run, and goes on with it if that is agreed with.
pub(super) fn carry_out(wanted: &Changing<'_>, output: &mut Output) -> Result<Exit, Failure> {
    let Changing {
        row,
        change,
        running,
        ..
    } = wanted;
    if !wanted.agreement.dry_run {
        wanted.archive.is_free(row)?;
    }
    let root = crate::project::root_here()?;
    let desk = Desk::open(&root, running, wanted.extra, Reuse::Results)?;
    let sheet = propose(&desk.quiet(), &row.id, change)?;
    let answer = agree(
        &sheet,
        &wanted.title,
        wanted.agreement,
        running.format,
        output,
    )?;
    let agreed = match answer {
        Answer::Agreed(agreed) => agreed,
        Answer::Over(exit) => return Ok(exit),
    };
    let (budget, by) = (budget(running)?, user());
    drive(&desk, output, running.format, |around, orders| async move {
        let driver = Driver::change(around, &row.id, change, &agreed, &by).await?;
        // The driver holds the other end, and takes them up first of all.
        let give = |input| orders.send(Order::Give(Box::new(input)));
        if let Some(amount) = budget {
            let (at, by) = (None, by.clone());
            drop(give(Input::Limit { at, amount, by }).await);
        }
        if driver.run().is_paused() {
            drop(give(Input::Resume { by }).await);
        }
        Ok::<_, Failure>(driver)
    })
}
