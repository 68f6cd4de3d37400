//! `flow logs`: what the steps of a run wrote, or the run's journal.
//!
//! Modules, in reading order: the run as it grows, the ends of files, what steps
//! wrote, what events say, and the journal.

mod captured;
mod growing;
mod journal;
mod tail;

use crate::archive::Archive;
use crate::args::Logs as Args;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

use growing::Growing;

/// Shows what was written.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut archive = Archive::open(args.asking.store.as_deref(), extra)?;
    let meant = archive.meant(args.run.as_deref(), args.path.as_deref())?;
    let past = archive.past(&meant.row)?;
    let place = meant.path.as_deref();
    let place = place.map(|path| past.place(path, &archive.values()));
    let place = place.transpose()?;
    if args.events {
        journal::show(&mut archive, past, place.as_ref(), args, output)?;
    } else {
        let growing = Growing::new(&mut archive, past);
        captured::show(growing, place.as_ref(), args, output)?;
    }
    Ok(Exit::Done)
}
