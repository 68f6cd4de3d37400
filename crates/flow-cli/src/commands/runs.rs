//! `flow runs`: the runs of a store, the newest first.

use flow_core::amount::Money;
use flow_runtime::owner::{Life, Pace, look};
use flow_runtime::store::layout::Layout;
use flow_runtime::store::{OpenError, Phase, Reader, RunRow, Runs as Which};
use serde_json::json;

use crate::args::{DataFormat, Runs as Args};
use crate::drive::{folder, whole};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::project::root_here;

/// Shows the runs of a store.
pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let layout = Layout::new(folder(&root_here()?, args.store.as_deref()));
    let rows = match Reader::open(&layout) {
        Ok(reader) => list(&reader, args)?,
        Err(OpenError::Missing { .. }) => Vec::new(),
        Err(error) => return Err(Failure::store(whole(&error))),
    };
    let shown = rows.iter().map(|row| Ok((row, state(&layout, row)?)));
    let shown: Vec<(&RunRow, &str)> = shown.collect::<Result<_, Failure>>()?;
    match args.format {
        DataFormat::Json => output.data(&format!("{}\n", as_json(&shown)))?,
        DataFormat::Human if shown.is_empty() => output.message("there are no runs")?,
        DataFormat::Human => output.data(&as_text(&shown))?,
    }
    Ok(Exit::Done)
}

fn list(reader: &Reader, args: &Args) -> Result<Vec<RunRow>, Failure> {
    let which = if args.open { Which::Open } else { Which::All };
    let rows = reader.runs(which, None, args.limit);
    rows.map_err(|error| Failure::store(whole(&error)))
}

/// Returns the word for how a run stands. One whose owner is dead was
/// interrupted, whatever it did before.
pub(super) fn state(layout: &Layout, row: &RunRow) -> Result<&'static str, Failure> {
    let word = match row.summary.phase {
        Phase::Succeeded => return Ok("succeeded"),
        Phase::Failed => return Ok("failed"),
        Phase::Cancelled => return Ok("cancelled"),
        Phase::Working => "running",
        Phase::Sleeping => "sleeping",
        Phase::Waiting => "waiting",
        Phase::Short => "short of money",
        Phase::Paused => "paused",
    };
    let Some(owner) = &row.owner else {
        return Ok(word);
    };
    let life = look(layout, owner).map_err(|error| Failure::store(whole(&error)))?;
    Ok(match life {
        Life::Dead => "interrupted",
        Life::Alive {
            pace: Pace::Stopped,
            ..
        } => "stopped",
        Life::Alive { .. } => word,
    })
}

fn as_text(shown: &[(&RunRow, &str)]) -> String {
    let widest = |cell: &dyn Fn(&(&RunRow, &str)) -> usize| {
        let widths = shown.iter().map(cell);
        widths.max().unwrap_or(0)
    };
    let name = widest(&|(row, _)| row.id.0.len());
    let workflow = widest(&|(row, _)| row.workflow.chars().count());
    let state = widest(&|(_, state)| state.len());
    let mut text = String::new();
    for (row, word) in shown {
        let spent = match row.summary.spent {
            Money(0) => String::new(),
            amount => format!("  {amount}"),
        };
        let (id, started) = (&row.id.0, row.started);
        let line = format!(
            "{id:name$}  {:workflow$}  {word:state$}  {started}{spent}",
            row.workflow
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn as_json(shown: &[(&RunRow, &str)]) -> serde_json::Value {
    let runs = shown.iter().map(|(row, state)| {
        json!({
            "run": &*row.id.0,
            "workflow": &*row.workflow,
            "state": state.replace(' ', "_"),
            "started": row.started.to_string(),
            "events": row.head,
            "spent": row.summary.spent.to_string(),
        })
    });
    json!({ "version": 1, "runs": runs.collect::<Vec<_>>() })
}
