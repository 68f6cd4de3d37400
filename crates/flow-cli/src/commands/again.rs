//! `flow retry`: what failed is tried again.

use flow_core::letter::{Letter, Order};
use flow_runtime::driver::{Driver, Order as Given, Reuse};

use crate::args::{Acting, Retry};
use crate::drive::{Desk, drive};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::scene::Scene;

/// Tries again what failed, all of it or a part.
pub(super) fn retry(args: &Retry, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let acting = Acting {
        run: args.run.clone(),
        by: args.by.clone(),
        store: args.running.store.clone(),
    };
    let scene = Scene::open(&acting, extra)?;
    let part = args.step.as_deref().map(|path| scene.part(path));
    let part = part.transpose()?;
    let values = scene.values();
    let letter = Letter {
        by: acting.by(),
        order: Order::Reopen { part: part.clone() },
    };
    let input = letter.input(&values);
    let checked = scene
        .past
        .run
        .order(input.clone(), scene.archive.now, &values);
    if let Err(objection) = checked {
        return Err(scene.refusal_of(&objection, part.as_ref()));
    }
    let root = crate::project::root_here()?;
    let desk = Desk::open(&root, &args.running, extra, Reuse::Results)?;
    let id = scene.past.row.id.clone();
    drive(
        &desk,
        output,
        args.running.format,
        |around, orders| async move {
            let driver = Driver::resume(around, &id).await?;
            // The driver holds the other end, and takes it up first of all.
            drop(orders.send(Given::Give(Box::new(input))).await);
            Ok::<_, flow_runtime::driver::BeginError>(driver)
        },
    )
}
