//! `flow resume`: goes on with a run.

use flow_core::run::Input;
use flow_runtime::driver::{Driver, Order, Reuse};
use flow_runtime::store::{Phase, RunRow};

use crate::args::Resume as Args;
use crate::drive::{Desk, budget, drive};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

/// Goes on with a run.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let root = crate::project::root_here()?;
    let desk = Desk::open(&root, &args.running, extra, Reuse::Results)?;
    let found = find(&desk, &args.run)?;
    // What fails only now, because nobody saw how it ended, is not tried again
    // unasked.
    let has_failed = matches!(found.summary.phase, Phase::Failed | Phase::Cancelled);
    let id = found.id;
    let budget = budget(&args.running)?;
    drive(
        desk,
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
            Ok(driver)
        },
    )
}

async fn give(orders: &tokio::sync::mpsc::Sender<Order>, input: Input) {
    // The driver holds the other end, and takes them up first of all.
    drop(orders.send(Order::Give(Box::new(input))).await);
}

/// Finds a run by the beginning of its name.
fn find(desk: &Desk, prefix: &str) -> Result<RunRow, Failure> {
    let reader = desk.store().reader();
    let reader = reader.map_err(|error| Failure::store(error.to_string()))?;
    let found = reader.runs_named(prefix, 10);
    let found = found.map_err(|error| Failure::store(error.to_string()))?;
    if let Some(exact) = found.iter().find(|run| &*run.id.0 == prefix) {
        return Ok(exact.clone());
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::usage(format!("there is no run `{prefix}`"))
            .with_help("`flow run` begins one, and says its name")),
        several => {
            let names: Vec<&str> = several.iter().map(|run| &*run.id.0).collect();
            let message = format!("several runs begin with `{prefix}`");
            Err(Failure::usage(message).with_help(format!("there are `{}`", names.join("`, `"))))
        }
    }
}
