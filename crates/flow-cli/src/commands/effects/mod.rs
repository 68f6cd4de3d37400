//! `flow effects`: what runs did to the world and what that cost, and what
//! people know of it that flow doesn't.

mod json;
mod list;
mod settle;

use flow_core::history::{Act, Acts};
use flow_core::step::Bill;
use flow_runtime::store::RunRow;

use crate::archive::{Archive, Past};
use crate::args::{Effects as Args, EffectsCommand};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

/// Shows acts, or says what became of one.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    match &args.command {
        None => list::run(args, extra, output),
        Some(EffectsCommand::Resolve(args)) => settle::resolve(args, extra, output),
        Some(EffectsCommand::Bill(args)) => settle::bill(args, extra, output),
        Some(EffectsCommand::Trust(args)) => settle::trust(args, extra, output),
    }
}

/// Folds a run, and what it did to the world.
fn acts(archive: &Archive, row: &RunRow) -> Result<(Past, Acts), Failure> {
    let mut acts = Acts::default();
    let values = archive.values();
    let past = archive.past_with(row, u64::MAX, &mut |event, run, history| {
        acts.note(event, run, history, &values);
    })?;
    Ok((past, acts))
}

/// Returns whether nobody knows what an act cost.
fn is_presumed(act: &Act) -> bool {
    matches!(act.bill, Bill::Presumed(_))
}
