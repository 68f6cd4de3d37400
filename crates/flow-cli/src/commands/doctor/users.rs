//! Who uses the store, and what those left behind who are gone.

use std::fs;

use flow_runtime::owner::{Life, OwnerId, Pace, peek};
use flow_runtime::store::{Phase, Runs, examine};

use crate::archive::{Archive, unreadable};
use crate::args::RunState;
use crate::exit::Failure;
use crate::report::counted;

use super::Findings;

/// How many names are told.
const TOLD_MAX: usize = 5;

/// Checks owners, runs without one, and folders of dead ones.
pub(super) fn check(archive: &Archive, found: &mut Findings) -> Result<(), Failure> {
    let version = archive.reader.table_version();
    let version = version.map_err(|error| unreadable(&error))?;
    let newest = examine::version();
    found.fine(
        "store",
        format!("its tables have version {version} of {newest}"),
    );
    check_owners(archive, found)?;
    check_runs(archive, found)?;
    check_left(archive, found);
    Ok(())
}

fn check_owners(archive: &Archive, found: &mut Findings) -> Result<(), Failure> {
    let owners = archive.reader.owners();
    let owners = owners.map_err(|error| unreadable(&error))?;
    let (mut alive, mut stopped, mut elsewhere) = (0, Vec::new(), 0);
    for owner in owners {
        let lock = archive.layout.owner_lock(owner.id.as_str());
        if !owner.is_here {
            elsewhere += usize::from(lock.exists());
            continue;
        }
        match peek(&archive.layout, &owner.id).map_err(|error| unreadable(&error))? {
            Life::Dead => {}
            Life::Alive {
                pid,
                pace: Pace::Stopped,
            } => stopped.push(pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string())),
            Life::Alive { .. } => alive += 1,
        }
    }
    let processes = if alive == 1 { "process" } else { "processes" };
    found.fine("owners", format!("{alive} {processes} at work"));
    if !stopped.is_empty() {
        let pids = stopped.join(", ");
        let text = format!("stopped, and holding what it owns: {pids}");
        found.note(
            "owners",
            text,
            &format!("let it go on: `kill -CONT {}`", stopped.join(" ")),
        );
    }
    if elsewhere > 0 {
        found.wrong(
            "owners",
            "another machine uses this store, or did when it was moved here",
            "if nothing runs there any more, remove its locks in `owners`",
        );
    }
    Ok(())
}

fn check_runs(archive: &Archive, found: &mut Findings) -> Result<(), Failure> {
    let open = archive.reader.runs(Runs::Open, None, usize::MAX);
    let open = open.map_err(|error| unreadable(&error))?;
    let count = open.len();
    let mut interrupted = Vec::new();
    for row in open {
        if row.summary.phase < Phase::Succeeded && archive.state(&row)? == RunState::Interrupted {
            interrupted.push(row.id.to_string());
        }
    }
    found.fine("runs", format!("{count} not over"));
    if let Some(first) = interrupted.first() {
        let names: Vec<&str> = interrupted
            .iter()
            .take(TOLD_MAX)
            .map(String::as_str)
            .collect();
        let more = interrupted.len().saturating_sub(TOLD_MAX);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let text = format!(
            "{} interrupted: {}{more}",
            interrupted.len(),
            names.join(", ")
        );
        found.note(
            "runs",
            text,
            &format!("`flow resume {first}` goes on with it"),
        );
    }
    Ok(())
}

/// Looks for folders of owners that are gone.
fn check_left(archive: &Archive, found: &mut Findings) {
    let folder = archive.layout.root().join("tmp");
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut left = 0;
    for entry in entries {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            left += 1;
            continue;
        };
        let life = peek(&archive.layout, &OwnerId::known(name));
        left += usize::from(matches!(life, Ok(Life::Dead)));
    }
    if left > 0 {
        let text = format!(
            "{} of attempts that were interrupted",
            counted(left, "folder")
        );
        found.note("leftovers", text, "the next run removes them");
    } else {
        found.fine("leftovers", "none");
    }
}
