//! `flow gc`: removes what nobody refers to, and what is old.

use std::time::Duration as Patience;

use flow_core::amount::{Duration, Timestamp};
use flow_runtime::store::{Batch, Collecting, Level, Pin, Store, Weight};
use serde_json::json;

use crate::archive::{Archive, unreadable};
use crate::args::{DataFormat, Gc as Args};
use crate::drive::{Desk, runtime, whole};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::page::{instant, tame};
use crate::wording::bytes;

/// How long it waits, in all, for runs that are keeping files.
const PATIENCE: Patience = Patience::from_secs(10);

/// How many runs that are kept are named.
const KEPT_MAX: u64 = 100;

/// What was removed, or would be.
struct Gone {
    is_dry: bool,
    /// Up to when runs ended and results were made that go.
    until: Option<Timestamp>,
    runs: Vec<String>,
    results: u64,
    files: u64,
    bytes: u64,
    /// The bytes of what stays.
    rest: u64,
    /// The most that were to stay.
    most: Option<u64>,
    /// What is left since somebody was busy with it.
    busy: u64,
    kept: Vec<String>,
}

/// Removes what nobody refers to, and what is old.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let store = args.asking.store.as_deref();
    let age = args.older_than.as_deref().map(age).transpose()?;
    let most = args.max_size.as_deref().map(size).transpose()?;
    let Some(archive) = Archive::open_if(store, extra)? else {
        return match args.keep.first().or(args.release.first()) {
            Some(_) => Err(Failure::usage("there are no runs")),
            None => tell(&Gone::nothing(args.dry_run, most), args, output),
        };
    };
    let pins = pins(args, &archive)?;
    let desk = (!args.dry_run)
        .then(|| Desk::at(store, extra))
        .transpose()?;
    if let (Some(desk), false) = (&desk, pins.is_empty()) {
        pin(desk.store(), pins)?;
    }
    let until = cut(&archive, age, most)?;
    let mut gone = Gone {
        until,
        kept: kept(&archive)?,
        ..Gone::nothing(args.dry_run, most)
    };
    match desk {
        Some(desk) => gone.remove(desk.store(), &archive)?,
        None => gone.weigh(&archive)?,
    }
    tell(&gone, args, output)
}

fn age(text: &str) -> Result<Duration, Failure> {
    let age = text.parse::<Duration>().ok().filter(|age| age.0 >= 0);
    age.ok_or_else(|| {
        let text = tame(text);
        Failure::usage(format!("`--older-than`: `{text}` is no length of time"))
            .with_help("write `--older-than 30d` or `--older-than 12h`")
    })
}

/// Reads a number of bytes: `10GB`, `1.5 MB`, `512`.
fn size(text: &str) -> Result<u64, Failure> {
    let wrong = || {
        let text = tame(text);
        Failure::usage(format!("`--max-size`: `{text}` is no size"))
            .with_help("write `--max-size 10GB` or `--max-size 500MB`")
    };
    let text = text.trim();
    let end = text.find(|letter: char| letter.is_ascii_alphabetic());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let unit: u128 = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "T" | "TB" => 1_000_000_000_000,
        "KIB" => 1 << 10,
        "MIB" => 1 << 20,
        "GIB" => 1 << 30,
        "TIB" => 1 << 40,
        _ => return Err(wrong()),
    };
    let (whole, part) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    let digits = format!("{whole}{part}");
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let scale = u32::try_from(part.len())
        .ok()
        .and_then(|places| 10_u128.checked_pow(places));
    let amount = digits
        .parse::<u128>()
        .ok()
        .and_then(|digits| digits.checked_mul(unit));
    let bytes = amount.zip(scale).map(|(amount, scale)| amount / scale);
    let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok());
    bytes.filter(|_| is_number).ok_or_else(wrong)
}

/// Returns which runs are to stay from here on, and which needn't.
fn pins(args: &Args, archive: &Archive) -> Result<Vec<Pin>, Failure> {
    let keep = args.keep.iter().map(|run| (run, true));
    let release = args.release.iter().map(|run| (run, false));
    let pins = keep.chain(release).map(|(run, is_kept)| {
        let run = archive.run(run)?.id;
        Ok(Pin { run, is_kept })
    });
    pins.collect()
}

fn pin(store: &Store, pins: Vec<Pin>) -> Result<(), Failure> {
    let batch = Batch {
        level: Level::Synced,
        pins,
        ..Batch::default()
    };
    let written = runtime()?.block_on(store.commit(batch));
    written
        .map(drop)
        .map_err(|refused| Failure::store(whole(&refused)))
}

/// Returns up to when runs ended and results were made that have to go.
fn cut(
    archive: &Archive,
    age: Option<Duration>,
    most: Option<u64>,
) -> Result<Option<Timestamp>, Failure> {
    let by_age = age.map(|age| archive.now.checked_sub(age).unwrap_or(Timestamp(i64::MIN)));
    let Some(most) = most else { return Ok(by_age) };
    let all = read(archive.reader.bytes())?;
    let fits = |until: Option<Timestamp>| -> Result<bool, Failure> {
        let goes = read(archive.reader.weigh(until, archive.now))?.bytes;
        Ok(all.saturating_sub(goes) <= most)
    };
    if fits(by_age)? {
        return Ok(by_age);
    }
    // The more goes, the less stays: so half of the instants can be left out
    // each time.
    let ages = read(archive.reader.ages())?;
    let (mut low, mut high) = (0, ages.len());
    while low < high {
        let middle = low.midpoint(high);
        if fits(Some(ages[middle]))? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let by_size = ages.get(low).or(ages.last()).copied();
    Ok(by_age.max(by_size))
}

fn read<T>(found: Result<T, impl std::error::Error>) -> Result<T, Failure> {
    found.map_err(|error| unreadable(&error))
}

fn kept(archive: &Archive) -> Result<Vec<String>, Failure> {
    let kept = read(archive.reader.kept(KEPT_MAX))?;
    Ok(kept.into_iter().map(|run| run.0.to_string()).collect())
}

impl Gone {
    fn nothing(is_dry: bool, most: Option<u64>) -> Self {
        Self {
            is_dry,
            until: None,
            runs: Vec::new(),
            results: 0,
            files: 0,
            bytes: 0,
            rest: 0,
            most,
            busy: 0,
            kept: Vec::new(),
        }
    }

    /// Finds out what would go.
    fn weigh(&mut self, archive: &Archive) -> Result<(), Failure> {
        let Weight {
            cache,
            files,
            bytes,
            runs: _,
        } = read(archive.reader.weigh(self.until, archive.now))?;
        if let Some(until) = self.until {
            let doomed = read(archive.reader.doomed(until))?;
            self.runs = doomed
                .into_iter()
                .map(|run| run.run.0.to_string())
                .collect();
        }
        (self.results, self.files, self.bytes) = (cache, files, bytes);
        self.rest = read(archive.reader.bytes())?.saturating_sub(bytes);
        Ok(())
    }

    /// Removes it.
    fn remove(&mut self, store: &Store, archive: &Archive) -> Result<(), Failure> {
        let now = archive.now;
        let failed = |error| Failure::store(whole(&error));
        if let Some(until) = self.until {
            for doomed in read(archive.reader.doomed(until))? {
                match store.forget(&doomed.run, now).map_err(failed)? {
                    Some(bytes) => {
                        self.bytes += bytes;
                        self.runs.push(doomed.run.0.to_string());
                    }
                    // Somebody has taken it up again.
                    None => self.busy += 1,
                }
            }
        }
        let wanted = Collecting {
            now,
            age: Duration(0),
            made_max: self.until,
            patience: PATIENCE,
        };
        let done = store.collect(wanted).map_err(failed)?;
        self.results = done.cache;
        self.files = done.blobs + done.orphans;
        self.bytes += done.bytes;
        self.busy += done.left;
        self.rest = read(archive.reader.bytes())?;
        Ok(())
    }
}

fn tell(gone: &Gone, args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    match args.asking.format {
        DataFormat::Json => output.data(&format!("{}\n", as_json(gone)))?,
        DataFormat::Human => output.data(&as_text(gone))?,
    }
    if let Some(most) = gone.most.filter(|most| gone.rest > *most) {
        output.message(&format!(
            "more than {} stay: the rest belongs to runs that are not over or are kept, and to `state`",
            bytes(most)
        ))?;
    }
    if gone.busy > 0 {
        output
            .message("some was in use and stays for now: try again when fewer runs are driven")?;
    }
    Ok(Exit::Done)
}

fn as_text(gone: &Gone) -> String {
    let counts = [
        (
            u64::try_from(gone.runs.len()).unwrap_or(u64::MAX),
            "run",
            "runs",
        ),
        (
            gone.results,
            "result for other runs",
            "results for other runs",
        ),
        (gone.files, "file", "files"),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    let (freed, rest) = (bytes(gone.bytes), bytes(gone.rest));
    let what = match counts.as_slice() {
        [] => freed,
        counts => format!("{} ({freed})", counts.join(", ")),
    };
    let line = match (counts.is_empty() && gone.bytes == 0, gone.is_dry) {
        (true, _) => format!("nothing to remove; there are {rest}"),
        (false, true) => format!("would remove {what}; {rest} would stay"),
        (false, false) => format!("removed {what}; {rest} stay"),
    };
    let mut lines = vec![line];
    if let Some(until) = gone.until.filter(|_| !gone.runs.is_empty()) {
        let (until, runs) = (instant(until), some(&gone.runs));
        let verb = if gone.is_dry { "would go" } else { "are gone" };
        lines.push(format!("runs that ended by {until} {verb}: {runs}"));
    }
    if !gone.kept.is_empty() {
        lines.push(format!("kept: {}", some(&gone.kept)));
    }
    format!("{}\n", lines.join("\n"))
}

/// Names the first of several runs.
fn some(runs: &[String]) -> String {
    const SHOWN_MAX: usize = 10;
    let shown: Vec<&str> = runs.iter().take(SHOWN_MAX).map(String::as_str).collect();
    match runs.len().checked_sub(SHOWN_MAX) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

fn as_json(gone: &Gone) -> serde_json::Value {
    json!({
        "version": 1,
        "dry_run": gone.is_dry,
        "until": gone.until.map(|until| until.to_string()),
        "runs": gone.runs,
        "results": gone.results,
        "files": gone.files,
        "bytes": gone.bytes,
        "rest": gone.rest,
        "busy": gone.busy,
        "kept": gone.kept,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        let cases = [
            ("512", 512),
            ("10GB", 10_000_000_000),
            ("1.5 mb", 1_500_000),
            (".5k", 500),
            ("2GiB", 2 << 30),
            ("0", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(size(text).ok(), Some(expected), "{text}");
        }
        for wrong in [
            "",
            "GB",
            "ten",
            "-1GB",
            "1,5GB",
            "1..5",
            "1e9",
            "10 G B",
            "99999999TB",
            ".",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
