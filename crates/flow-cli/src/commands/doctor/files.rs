//! The files of the store: whether all artifacts are there, and are what they
//! say.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use flow_core::digest::Digest;
use flow_runtime::artifacts::{Check, check as check_file};
use flow_runtime::store::examine::BlobRow;

use crate::archive::{Archive, unreadable};
use crate::exit::Failure;
use crate::page::number;
use crate::wording::bytes;

use super::{Care, Findings};

/// How many rows are read at once.
const PAGE: usize = 1_000;

/// How many of a kind are named.
const TOLD_MAX: usize = 5;

/// Files that are younger may be on their way into the store.
const YOUNG: Duration = Duration::from_hours(1);

/// What is wrong with files.
#[derive(Default)]
struct Seen {
    count: u64,
    size: u64,
    known: BTreeSet<Digest>,
    missing: Vec<Digest>,
    damaged: Vec<Digest>,
    lost: Vec<Digest>,
}

/// Checks artifacts and values.
pub(super) fn check(archive: &Archive, care: Care, found: &mut Findings) -> Result<(), Failure> {
    if care == Care::Verify {
        check_database(archive, found)?;
        check_values(archive, found)?;
    }
    let mut seen = Seen::default();
    let mut after = None;
    loop {
        let rows = archive.reader.blobs(after.as_ref(), PAGE);
        let rows = rows.map_err(|error| unreadable(&error))?;
        let Some(last) = rows.last() else { break };
        after = Some(last.digest);
        for row in &rows {
            seen.look(archive, row, care);
        }
    }
    tell(archive, &seen, care, found)?;
    check_strangers(archive, &seen.known, found);
    let dangling = archive.reader.dangling(TOLD_MAX);
    let dangling = dangling.map_err(|error| unreadable(&error))?;
    if !dangling.is_empty() {
        let names = names(&dangling);
        found.wrong(
            "artifacts",
            format!("runs speak of values that the store never had: {names}"),
            "the database is damaged; go back to a copy of the folder",
        );
    }
    Ok(())
}

impl Seen {
    fn look(&mut self, archive: &Archive, row: &BlobRow, care: Care) {
        if row.gone.is_some() {
            self.lost.push(row.digest);
            return;
        }
        self.known.insert(row.digest);
        self.count += 1;
        self.size = self.size.saturating_add(row.size);
        let path = archive.layout.blob(&row.digest);
        let state = match fs::metadata(&path) {
            Err(_) => Check::Missing,
            Ok(meta) if meta.len() != row.size => Check::Damaged,
            Ok(_) if care == Care::Glance => Check::Whole,
            Ok(_) => check_file(&path, &row.digest).unwrap_or(Check::Damaged),
        };
        match state {
            Check::Whole => {}
            Check::Damaged => self.damaged.push(row.digest),
            Check::Missing => self.missing.push(row.digest),
        }
    }
}

fn tell(archive: &Archive, seen: &Seen, care: Care, found: &mut Findings) -> Result<(), Failure> {
    for (what, digests) in [("missing", &seen.missing), ("damaged", &seen.damaged)] {
        if digests.is_empty() {
            continue;
        }
        let count = number(digests.len() as u64);
        let text = format!(
            "{count} {what}: {}{}",
            names(digests),
            needed(archive, digests)?
        );
        let cure =
            "`flow run --fresh` makes them again; or take the files from a copy of the folder";
        found.wrong("artifacts", text, cure);
    }
    if seen.missing.is_empty() && seen.damaged.is_empty() {
        let how = match care {
            Care::Glance => "there",
            Care::Verify => "there, and what they say",
        };
        let (count, size) = (number(seen.count), bytes(seen.size));
        found.fine("artifacts", format!("all {count} are {how}, {size} in all"));
    }
    let lost: Vec<Digest> = seen.lost.clone();
    let needed = needed(archive, &lost)?;
    if !needed.is_empty() {
        let count = number(lost.len() as u64);
        found.note(
            "artifacts",
            format!("{count} were collected, or lost in a power cut{needed}"),
            "what needs one makes it again; `flow run --fresh` makes all anew",
        );
    }
    Ok(())
}

fn names(digests: &[Digest]) -> String {
    let names: Vec<String> = digests.iter().take(TOLD_MAX).map(Digest::short).collect();
    let more = digests.len().saturating_sub(TOLD_MAX);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", names.join(", "))
}

/// Names the runs that need some of these.
fn needed(archive: &Archive, digests: &[Digest]) -> Result<String, Failure> {
    let mut runs = BTreeSet::new();
    for digest in digests.iter().take(TOLD_MAX) {
        let found = archive.reader.needed_by(digest, TOLD_MAX);
        runs.extend(found.map_err(|error| unreadable(&error))?);
    }
    let names: Vec<&str> = runs.iter().take(TOLD_MAX).map(|run| &*run.0).collect();
    Ok(match names.as_slice() {
        [] => String::new(),
        names => format!("; needed by {}", names.join(", ")),
    })
}

/// Looks for files that are no artifacts of the store.
fn check_strangers(archive: &Archive, known: &BTreeSet<Digest>, found: &mut Findings) {
    let (mut count, mut size) = (0_u64, 0_u64);
    for shard in 0..=u8::MAX {
        let entries = fs::read_dir(archive.layout.shard(shard));
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let digest = name.to_str().and_then(|name| name.parse::<Digest>().ok());
            if digest.is_some_and(|digest| known.contains(&digest)) {
                continue;
            }
            let Ok(meta) = entry.metadata() else { continue };
            let age = meta.modified().ok().and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > YOUNG) {
                count += 1;
                size = size.saturating_add(meta.len());
            }
        }
    }
    if count > 0 {
        let text = format!(
            "{} in `cas` belong to nothing, {} in all",
            crate::report::counted(usize::try_from(count).unwrap_or(usize::MAX), "file"),
            bytes(size)
        );
        found.note(
            "leftovers",
            text,
            "a crash left them behind; the next collection removes them",
        );
    }
}

fn check_database(archive: &Archive, found: &mut Findings) -> Result<(), Failure> {
    let faults = archive.reader.self_check();
    let faults = faults.map_err(|error| unreadable(&error))?;
    if faults.is_empty() {
        found.fine("database", "its pages and its indexes fit together");
    } else {
        let text = format!("it is damaged: {}", faults.join("; "));
        found.wrong("database", text, "go back to a copy of the folder");
    }
    Ok(())
}

fn check_values(archive: &Archive, found: &mut Findings) -> Result<(), Failure> {
    let mut damaged = Vec::new();
    let (mut after, mut count) = (None, 0_u64);
    loop {
        let rows = archive.reader.values(after.as_ref(), PAGE);
        let rows = rows.map_err(|error| unreadable(&error))?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(*last);
        for (digest, body) in &rows {
            count += 1;
            if Digest::of(body) != *digest {
                damaged.push(*digest);
            }
        }
    }
    if damaged.is_empty() {
        found.fine("values", format!("all {} are what they say", number(count)));
    } else {
        let text = format!("{} damaged: {}", damaged.len(), names(&damaged));
        found.wrong("values", text, "go back to a copy of the folder");
    }
    Ok(())
}
