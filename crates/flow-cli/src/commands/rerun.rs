//! `flow rerun`: another run of a run, that takes over what isn't to be made
//! again. `flow reset`: the same without another run.

use flow_core::edit::{Again, Extent};
use flow_core::path::StepPath;
use flow_runtime::driver::{Change, Driver, Rerun as Wanted, Reuse, propose_rerun};

use crate::archive::{Archive, Past};
use crate::args::{Rerun as Args, Reset as ResetArgs};
use crate::commands::agree::{Answer, agree};
use crate::commands::edit::{Changing, carry_out, settings};
use crate::drive::{Desk, budget, drive};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::standing::Words;

/// Runs a run again.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let archive = Archive::open(args.running.store.as_deref(), extra)?;
    let past = archive.past(&archive.meant(Some(&args.run), None)?.row)?;
    let from = places(&archive, &past, &args.from)?;
    let extent = match (args.downstream, args.only) {
        (true, _) => Extent::Downstream,
        (false, true) => Extent::Only,
        (false, false) => Extent::Changed,
    };
    let wanted = Wanted {
        of: past.row.id.clone(),
        again: (!from.is_empty()).then_some(Again { from, extent }),
        set: settings(&past.run.plan().root().params, &args.set)?,
        seed: args.seed,
        budget: budget(&args.running)?,
    };
    let reuse = if args.fresh {
        Reuse::Nothing
    } else {
        Reuse::Results
    };
    let root = crate::project::root_here()?;
    let desk = Desk::open(&root, &args.running, extra, reuse)?;
    let sheet = propose_rerun(&desk.quiet(), &wanted)?;
    let title = format!("another run of {}:", past.row.id);
    let answer = agree(&sheet, &title, &args.agreement, args.running.format, output)?;
    let agreed = match answer {
        Answer::Agreed(agreed) => agreed,
        Answer::Over(exit) => return Ok(exit),
    };
    drive(
        &desk,
        output,
        args.running.format,
        |around, _orders| async move {
            let driver = Driver::rerun(around, &wanted, &agreed)?;
            Ok::<_, Failure>(driver)
        },
    )
}

/// Makes a part of a run again.
pub(super) fn reset(args: &ResetArgs, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let archive = Archive::open(args.running.store.as_deref(), extra)?;
    let past = archive.past(&archive.meant(Some(&args.run), None)?.row)?;
    let from = places(&archive, &past, &args.steps)?;
    let change = Change::Reset(Again {
        from,
        extent: Extent::Downstream,
    });
    let wanted = Changing {
        archive: &archive,
        row: &past.row,
        change,
        title: format!("run {} without that:", past.row.id),
        agreement: &args.agreement,
        running: &args.running,
        extra,
    };
    carry_out(&wanted, output)
}

/// Finds what is meant by the paths of steps.
fn places(archive: &Archive, past: &Past, written: &[String]) -> Result<Vec<StepPath>, Failure> {
    let words = Words::new(archive, past);
    let found = written.iter().map(|text| {
        let place = past.place(text, &words)?;
        Ok(past.history.spot(&place, &words))
    });
    found.collect()
}
