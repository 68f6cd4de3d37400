//! `flow resume`: goes on with a run.

use std::sync::Arc;

use flow_core::address::At;
use flow_core::amount::Money;
use flow_core::letter::Order as Wanted;
use flow_core::run::Input;
use flow_runtime::driver::{BeginError, Driver, Order, Reuse};
use flow_runtime::store::{Phase, RunRow, Runs};

use crate::archive::{Archive, unreadable};
use crate::args::{Acting, Resume as Args};
use crate::commands::edit;
use crate::drive::{Budgets, Desk, budgets, drive, terms};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::scene::{Obeyed, Scene, process, unread};

/// Goes on with a run.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    if let Some(with) = &args.edit.with {
        return edit::run(args, with, extra, output);
    }
    if let Some(name) = args.edit.agreement.given() {
        let message = format!("`{name}` belongs to an edited file");
        return Err(Failure::usage(message).with_help("write `--with FILE`, too"));
    }
    if let Some(pair) = args.edit.inputs.first() {
        let message = format!("the inputs of a run stay, and `{pair}` is one");
        return Err(Failure::usage(message).with_help(
            "`flow rerun RUN --set NAME=VALUE` begins another; `--with FILE` may need new ones",
        ));
    }
    let root = crate::project::root_here()?;
    // Without right limits nothing goes on, whichever run is meant.
    terms(&root, args.running.settled.profile.as_deref())?;
    let archive = Archive::open(args.running.store.as_deref(), extra)?;
    let found = find(&archive, args.run.as_deref())?;
    let budgets = budgets(&args.running)?;
    let acting = Acting {
        run: found.id.to_string(),
        by: None,
        store: args.running.store.clone(),
    };
    let limits = if budgets == Budgets::default() {
        Vec::new()
    } else {
        let scene = Scene::open(&acting, extra)?;
        let limits = limits(&scene, &budgets)?;
        if let Some((pid, _)) = scene.driver()? {
            return raise(&scene, &limits, pid, output);
        }
        limits
    };
    // What fails only now, because nobody saw how it ended, is not tried again
    // unasked.
    let has_failed = matches!(found.summary.phase, Phase::Failed | Phase::Cancelled);
    let desk = Desk::open(&root, &args.running, extra, Reuse::Results)?;
    let (id, by) = (found.id, acting.by());
    drive(
        &desk,
        output,
        args.running.format,
        |around, orders| async move {
            let driver = Driver::resume(around, &id).await?;
            // The driver holds the other end, and takes them up first of all.
            let give = |input| orders.send(Order::Give(Box::new(input)));
            for (at, amount) in limits {
                let by = Arc::clone(&by);
                drop(give(Input::Limit { at, amount, by }).await);
            }
            if has_failed {
                let by = Arc::clone(&by);
                drop(give(Input::Reopen { by, part: None }).await);
            }
            if driver.run().is_paused() || driver.run().is_short() {
                drop(give(Input::Resume { by }).await);
            }
            Ok::<_, BeginError>(driver)
        },
    )
}

/// Returns the budgets of a run by their places.
fn limits(scene: &Scene<'_>, budgets: &Budgets) -> Result<Vec<(Option<At>, Money)>, Failure> {
    let mut limits: Vec<(Option<At>, Money)> = Vec::new();
    limits.extend(budgets.run.map(|amount| (None, amount)));
    for (path, amount) in &budgets.parts {
        let at = scene.at(path)?;
        if scene.past.run.budget_of(&at).is_none() {
            return Err(no_budget(scene, &at));
        }
        limits.push((Some(at), *amount));
    }
    Ok(limits)
}

fn no_budget(scene: &Scene<'_>, at: &At) -> Failure {
    let failure = Failure::usage(format!("`{}` has no budget now", scene.typed(at)));
    let there: Vec<String> = scene
        .past
        .run
        .budgeted()
        .map(|at| scene.typed(at))
        .collect();
    match there.as_slice() {
        [] => failure.with_help("no part of the run has one; without a path, it is for all of it"),
        some => failure.with_help(format!("there are `{}`", some.join("`, `"))),
    }
}

/// Gives a run that somebody drives other budgets.
fn raise(
    scene: &Scene<'_>,
    limits: &[(Option<At>, Money)],
    pid: Option<u32>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let desk = scene.desk()?;
    for (at, amount) in limits {
        let order = Wanted::Limit {
            at: at.clone(),
            amount: *amount,
        };
        match scene.order(&desk, order)? {
            Obeyed::Done => {}
            Obeyed::Refused(objection) => return Err(scene.refusal(&objection, at.as_ref())),
            Obeyed::Unread { pid, pace } => return Err(unread(scene.id(), pid, pace)),
        }
        let of = at.as_ref().map(|at| format!(" of {}", scene.typed(at)));
        output.message(&format!(
            "the budget{} is {amount} now",
            of.unwrap_or_default()
        ))?;
    }
    output.message(&format!("the run goes on in {}", process(pid)))?;
    Ok(Exit::Done)
}

/// Finds a run by the beginning of its name, or the newest that isn't over.
fn find(archive: &Archive, prefix: Option<&str>) -> Result<RunRow, Failure> {
    let Some(prefix) = prefix else {
        let newest = archive.reader.runs(Runs::Open, None, 1);
        let newest = newest.map_err(|error| unreadable(&error))?;
        return newest.into_iter().next().ok_or_else(|| {
            Failure::usage("every run is over")
                .with_help("`flow runs` lists them; `flow retry RUN` tries a failed one again")
        });
    };
    archive.run(prefix)
}
