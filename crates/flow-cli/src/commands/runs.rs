//! `flow runs`: the runs of a store, the newest first.

use flow_core::amount::{Duration, Money, Timestamp};
use flow_runtime::owner::Life;
use flow_runtime::store::{RunRow, Runs as Which};
use serde_json::json;

use crate::archive::{Archive, unreadable};
use crate::args::{DataFormat, RunState, Runs as Args};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::{Looks, Output};
use crate::page::{Page, Style, away, instant, tame, wide};

/// How many runs are read at once.
const PAGE: usize = 200;

/// A run, and how it stands.
struct Listed {
    row: RunRow,
    state: RunState,
    pid: Option<u32>,
}

/// Shows the runs of a store.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let archive = Archive::open_if(args.asking.store.as_deref(), extra)?;
    let since = args.since.as_deref();
    let now = crate::archive::now(extra);
    let since = since.map(|text| began_since(text, now)).transpose()?;
    let listed = match &archive {
        Some(archive) => list(archive, args, since)?,
        None => Vec::new(),
    };
    match args.asking.format {
        DataFormat::Json => output.data(&format!("{}\n", as_json(&listed)))?,
        DataFormat::Human if listed.is_empty() => output.message(&nothing(args))?,
        DataFormat::Human => output.data(&as_text(&listed, now, output.data_looks()))?,
    }
    Ok(Exit::Done)
}

fn nothing(args: &Args) -> String {
    let is_all =
        !args.open && args.state.is_empty() && args.workflow.is_none() && args.since.is_none();
    if is_all {
        "there are no runs".to_owned()
    } else {
        "there are no such runs".to_owned()
    }
}

/// Reads when runs have to have begun: so long ago, or at an instant.
fn began_since(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Ok(length) = text.parse::<Duration>() {
        return Ok(now.checked_sub(length).unwrap_or(Timestamp(i64::MIN)));
    }
    let is_day = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    let whole = if is_day {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    whole.parse::<Timestamp>().map_err(|_| {
        let text = tame(text);
        Failure::usage(format!(
            "`--since`: `{text}` is no length of time and no instant"
        ))
        .with_help("write `--since 2d`, `--since 2026-05-01` or `--since 2026-05-01T06:00:00Z`")
    })
}

/// Reads runs until there are enough that fit.
fn list(archive: &Archive, args: &Args, since: Option<Timestamp>) -> Result<Vec<Listed>, Failure> {
    let which = if args.open { Which::Open } else { Which::All };
    let mut found = Vec::new();
    let mut before = None;
    while found.len() < args.limit {
        let rows = archive.reader.runs(which, before, PAGE);
        let rows = rows.map_err(|error| unreadable(&error))?;
        let Some(last) = rows.last() else { break };
        before = Some(last.number);
        for row in rows {
            let is_named = args
                .workflow
                .as_deref()
                .is_none_or(|name| name == &*row.workflow);
            let is_young = since.is_none_or(|since| row.started >= since);
            if !is_named || !is_young || found.len() == args.limit {
                continue;
            }
            let driver = archive.driven_by(&row)?;
            let state = RunState::of(&row, driver.as_ref());
            if args.state.is_empty() || args.state.contains(&state) {
                let pid = match driver {
                    Some(Life::Alive { pid, .. }) if !state.is_over() => pid,
                    Some(_) | None => None,
                };
                found.push(Listed { row, state, pid });
            }
        }
    }
    Ok(found)
}

fn as_text(listed: &[Listed], now: Timestamp, looks: Looks) -> String {
    let widest = |cell: &dyn Fn(&Listed) -> usize| listed.iter().map(cell).max().unwrap_or(0);
    let name = widest(&|one| one.row.id.0.len());
    let state = widest(&|one| one.state.text().len());
    // The name of the workflow gets what is left.
    let spent = widest(&|one| wide(&one.row.summary.spent.to_string()));
    let others = name + state + spent + "2026-05-01T06:00:00Z".len() + 8;
    let is_narrow = others + 12 > looks.width;
    let others = if is_narrow { name + state + 14 } else { others };
    let room = looks.width.saturating_sub(others).max(8);
    let workflow = widest(&|one| wide(&one.row.workflow)).min(room);
    let mut page = Page::new(looks);
    for one in listed {
        let spent = match one.row.summary.spent {
            Money(0) => String::new(),
            amount => format!("  {amount}"),
        };
        let called = crate::page::short(&one.row.workflow, workflow);
        let id = &one.row.id.0;
        let started = if is_narrow {
            away(one.row.started, now)
        } else {
            instant(one.row.started)
        };
        let word = format!("{:state$}", one.state.text());
        let word = page.styled(style(one.state), &word);
        page.line(&format!(
            "{id:name$}  {called:workflow$}  {word}  {started}{spent}"
        ));
    }
    page.into_text()
}

/// Returns what the word for a run looks like.
pub(super) fn style(state: RunState) -> Style {
    match state {
        RunState::Running | RunState::Sleeping => Style::Busy,
        RunState::Waiting
        | RunState::ShortOfMoney
        | RunState::Paused
        | RunState::Interrupted
        | RunState::Stopped => Style::Warn,
        RunState::Succeeded => Style::Good,
        RunState::Failed => Style::Bad,
        RunState::Cancelled => Style::Dim,
    }
}

fn as_json(listed: &[Listed]) -> serde_json::Value {
    let runs = listed.iter().map(|one| {
        let row = &one.row;
        json!({
            "run": &*row.id.0,
            "workflow": &*row.workflow,
            "state": one.state.word(),
            "started": row.started.to_string(),
            "changed": row.summary.at.to_string(),
            "events": row.head,
            "spent": row.summary.spent.to_string(),
            "pid": one.pid,
        })
    });
    json!({ "version": 1, "runs": runs.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_length_a_day_or_an_instant() {
        let now = "2026-05-10T12:00:00Z".parse::<Timestamp>().unwrap();
        let since = |text: &str| began_since(text, now).map(|at| at.to_string()).ok();
        assert_eq!(since("2d").as_deref(), Some("2026-05-08T12:00:00Z"));
        assert_eq!(since("2026-05-01").as_deref(), Some("2026-05-01T00:00:00Z"));
        let instant = "2026-05-01T06:00:00Z";
        assert_eq!(since(instant).as_deref(), Some(instant));
        for wrong in ["", "yesterday", "2026-13-01", "-"] {
            assert_eq!(since(wrong), None, "{wrong}");
        }
    }
}
