//! The machine: the library, the disk, programs, and the clock.

use std::path::{Path, PathBuf};

use flow_core::amount::Timestamp;
use flow_core::arbiter::Row;
use flow_runtime::store::layout::Layout;
use flow_runtime::store::{FREE_MIN, Runs, examine, filesystem, free};

use crate::archive::{Archive, unreadable};
use crate::exit::Failure;
use crate::page::{away, instant};
use crate::wording::bytes;

use super::Findings;

/// Programs that some steps use.
const PROGRAMS: [(&str, &str); 2] = [
    ("ffmpeg", "it makes videos and other sound"),
    (
        "python3",
        "it runs models and plugins that are written in Python",
    ),
];

/// Folders that are copied elsewhere while they are used.
const COPIED: [&str; 6] = [
    "Dropbox",
    "OneDrive",
    "Google Drive",
    "iCloud Drive",
    "Mobile Documents",
    "Nextcloud",
];

/// A clock that is so far behind is wrong.
const AHEAD_MAX: i64 = 60_000;

/// Checks what needs no store.
pub(super) fn check(layout: &Layout, found: &mut Findings) {
    let sqlite = examine::sqlite();
    found.fine("sqlite", format!("version {sqlite}, compiled in"));
    for (program, what) in PROGRAMS {
        match in_path(program) {
            Some(path) => found.fine("programs", format!("`{program}` is `{}`", path.display())),
            None => found.note("programs", format!("`{program}` is not there; {what}"), ""),
        }
    }
    // Where there is no store yet it will be below.
    let root = layout.root();
    let there = root
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(Path::new("/"));
    check_place(there, found);
    check_room(there, layout, found);
}

fn check_place(path: &Path, found: &mut Findings) {
    match filesystem::of(path) {
        Ok(kind) => match filesystem::judge(&kind) {
            Ok(()) => found.fine("disk", format!("the store is on {kind}")),
            Err(unfit) => found.wrong(
                "disk",
                format!("the store is on {}, where it would be damaged", unfit.name),
                "use a folder of this machine: `--store /local/path`",
            ),
        },
        Err(error) => found.wrong(
            "disk",
            format!("`{}` can't be examined: {error}", path.display()),
            "check that the folder may be read",
        ),
    }
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let names = whole.iter().filter_map(|part| part.to_str());
    for name in names {
        if let Some(copied) = COPIED.iter().find(|copied| name.starts_with(**copied)) {
            found.note(
                "disk",
                format!(
                    "the store is in a folder of {copied}, which copies files while they change"
                ),
                "keep it elsewhere: `--store /local/path`",
            );
            return;
        }
    }
}

fn check_room(path: &Path, layout: &Layout, found: &mut Findings) {
    let Ok(free) = free(path) else {
        found.note("disk", "nobody can say how much of it is free", "");
        return;
    };
    let text = format!("{} are free", bytes(free));
    if free < FREE_MIN {
        found.wrong(
            "disk",
            format!(
                "only {text}, and nothing new is started below {}",
                bytes(FREE_MIN)
            ),
            "make room",
        );
    } else {
        found.fine("disk", text);
    }
    if layout.database().exists() && !layout.ballast().exists() {
        found.note(
            "disk",
            "the ballast was used up: the disk was full once",
            "it is made again by the next run, if there is room",
        );
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Checks that the clock is not behind what the store has seen.
pub(super) fn check_clock(archive: &Archive, found: &mut Findings) -> Result<(), Failure> {
    let newest = archive.reader.runs(Runs::All, None, 50);
    let newest = newest.map_err(|error| unreadable(&error))?;
    let seen = newest.iter().map(|row| row.started.max(row.summary.at));
    let shared = archive
        .reader
        .shared()
        .map_err(|error| unreadable(&error))?;
    let books = shared.rows.iter().filter_map(|row| {
        let row = Row::read(row.kind, &row.key, row.body.as_ref()?).ok()?;
        let Row::Clock(at) = row else { return None };
        Some(at)
    });
    let latest = seen.chain(books).max().unwrap_or(Timestamp(i64::MIN));
    if latest.0.saturating_sub(archive.now.0) > AHEAD_MAX {
        let text = format!(
            "it says {}, and the store has seen {}, {}",
            instant(archive.now),
            instant(latest),
            away(latest, archive.now)
        );
        let cure = "set the clock right; until then periods and rates count from the later instant";
        found.wrong("clock", text, cure);
    } else {
        found.fine("clock", format!("it says {}", instant(archive.now)));
    }
    Ok(())
}
