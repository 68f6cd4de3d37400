//! `flow resume`: goes on with a run.

use flow_core::run::Input;
use flow_runtime::driver::{BeginError, Driver, Order, Reuse};
use flow_runtime::store::{Phase, RunRow, Runs};

use crate::args::Resume as Args;
use crate::commands::edit;
use crate::drive::{Desk, budget, drive, whole};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

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
    let desk = Desk::open(&root, &args.running, extra, Reuse::Results)?;
    let found = find(&desk, args.run.as_deref())?;
    // What fails only now, because nobody saw how it ended, is not tried again
    // unasked.
    let has_failed = matches!(found.summary.phase, Phase::Failed | Phase::Cancelled);
    let id = found.id;
    let budget = budget(&args.running)?;
    drive(
        &desk,
        output,
        args.running.format,
        |around, orders| async move {
            let driver = Driver::resume(around, &id).await?;
            let by: std::sync::Arc<str> = "resume".into();
            if let Some(amount) = budget {
                let input = Input::Limit {
                    at: None,
                    amount,
                    by: by.clone(),
                };
                give(&orders, input).await;
            }
            if has_failed {
                give(&orders, Input::Reopen { by: by.clone() }).await;
            }
            if driver.run().is_paused() {
                give(&orders, Input::Resume { by }).await;
            }
            Ok::<_, BeginError>(driver)
        },
    )
}

pub(super) async fn give(orders: &tokio::sync::mpsc::Sender<Order>, input: Input) {
    // The driver holds the other end, and takes them up first of all.
    drop(orders.send(Order::Give(Box::new(input))).await);
}

/// Finds a run by the beginning of its name, or the newest that isn't over.
fn find(desk: &Desk, prefix: Option<&str>) -> Result<RunRow, Failure> {
    let reader = desk.store().reader();
    let reader = reader.map_err(|error| Failure::store(whole(&error)))?;
    let found = match prefix {
        Some(prefix) => reader.runs_named(prefix, 10),
        None => reader.runs(Runs::Open, None, 1),
    };
    let found = found.map_err(|error| Failure::store(whole(&error)))?;
    let exact = found.iter().find(|run| Some(&*run.id.0) == prefix);
    match (exact, found.as_slice(), prefix) {
        (Some(only), _, _) | (None, [only], _) => Ok(only.clone()),
        (None, [], Some(prefix)) => Err(Failure::usage(format!("there is no run `{prefix}`"))
            .with_help("`flow runs` lists them")),
        (None, [], None) => Err(Failure::usage("every run is over")
            .with_help("`flow runs` lists them; `flow resume RUN` tries a failed one again")),
        (None, several, prefix) => {
            let names: Vec<&str> = several.iter().map(|run| &*run.id.0).collect();
            let prefix = prefix.unwrap_or_default();
            let message = format!("several runs begin with `{prefix}`");
            Err(Failure::usage(message).with_help(format!("there are `{}`", names.join("`, `"))))
        }
    }
}
