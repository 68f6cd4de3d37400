//! A run for programs.

use flow_core::amount::{Duration, Timestamp};
use flow_core::event::Status;
use flow_core::history::State;
use flow_core::run::Costs;
use flow_runtime::owner::{Life, Pace};
use serde_json::{Map, Value as Json, json};

use crate::standing;

use super::faults::{self, Fault};
use super::tree::{Handled, Kind, Row, Tally};
use super::{Shown, next};

/// Writes a run, or a part of one, as an object.
pub(super) fn of(shown: &Shown<'_>, is_part: bool) -> Json {
    let past = shown.past();
    let run = &past.run;
    let ended = shown.ended();
    let driver = match &shown.driver {
        Some(Life::Alive { pid, pace }) => json!({
            "pid": pid,
            "stopped": *pace == Pace::Stopped,
        }),
        Some(Life::Dead) | None => Json::Null,
    };
    let recalled = run.started().recalled.as_ref();
    let recalled = recalled.filter(|_| past.survey().is_recalled());
    let root = &shown.tree.root;
    json!({
        "version": 1,
        "run": &*past.row.id.0,
        "workflow": &**run.workflow(),
        "state": shown.state.word(),
        "status": ended.map(|(_, status)| match status {
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }),
        "driver": driver,
        "started": run.started_at().to_string(),
        "ended": ended.map(|(at, _)| at.to_string()),
        "changed": run.last_at().to_string(),
        "seconds": ended.map(|(at, _)| seconds(run.started_at(), at)),
        "resumed": past.history.owners().len(),
        "edits": past.history.edits().iter().map(|edit| json!({
            "at": edit.at.to_string(),
            "by": &*edit.by,
            "what": if edit.is_other_plan { "plan" } else { "part" },
        })).collect::<Vec<_>>(),
        "rerun_of": past.run.started().parent.as_ref().map(|from| from.run.to_string()),
        "events": past.seq,
        "spent": run.costs().spent.to_string(),
        "presumed": run.costs().presumed.to_string(),
        "held": run.costs().held.to_string(),
        "budget": shown.budget().map(|amount| amount.to_string()),
        "recalled_from": recalled.map(|recalled| recalled.from.run.to_string()),
        "counts": counts(shown.tree.steps),
        "failures": shown.faults.iter().map(|one| fault(shown, one)).collect::<Vec<_>>(),
        "waits": waits(shown),
        "steps": if is_part {
            vec![row(shown, root)]
        } else {
            root.rows.iter().map(|inner| row(shown, inner)).collect()
        },
        "next": shown.next.iter().map(next::json).collect::<Vec<_>>(),
    })
}

/// Writes the seconds from one instant to another.
pub(super) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.since(from).unwrap_or(Duration(0)).seconds()
}

fn fault(shown: &Shown<'_>, fault: &Fault) -> Json {
    let spot = shown.written.as_ref();
    let spot = spot.and_then(|written| written.spot(fault.node));
    json!({
        "path": fault.whole.first(),
        "paths": fault.whole,
        "count": fault.count,
        "class": fault.failure.class.word(),
        "message": &*fault.failure.message,
        "attempts": fault.attempts,
        "handled": fault.handled.map(|handled| match handled {
            Handled::FellBack => "else",
            Handled::LeftOut => "left_out",
            Handled::Outrun => "race",
        }),
        "place": spot.map(|spot| json!({
            "file": spot.file,
            "line": spot.line,
            "column": spot.column,
        })),
    })
}

fn waits(shown: &Shown<'_>) -> Vec<Json> {
    let told = shown.tree.told.iter();
    let waiting = told.filter(|told| !matches!(told.state, State::Failed | State::Running));
    waiting
        .take(WAITS_MAX)
        .map(|told| {
            json!({
                "path": faults::whole_path(&shown.words, told),
                "state": told.state.word(),
                "note": shown.words.note(&told.at, told.state),
            })
        })
        .collect()
}

/// How many waiting steps are written.
const WAITS_MAX: usize = 100;

/// Writes how many stand how.
fn counts(tally: Tally) -> Json {
    let counts = tally.states();
    let counts = counts.map(|(state, count)| (state.word().to_owned(), Json::from(count)));
    Json::Object(counts.collect::<Map<String, Json>>())
}

fn row(shown: &Shown<'_>, row: &Row) -> Json {
    let only = &shown.only;
    let rows = row
        .rows
        .iter()
        .filter(|row| only.is_empty() || row.kind != Kind::Item || only.contains(&row.state));
    let note = match (&row.at, row.kind) {
        (Some(at), Kind::Step) => shown.words.note(at, row.state),
        (Some(at), Kind::Region) if !matches!(row.state, State::Failed | State::Running) => {
            shown.words.note(at, row.state)
        }
        _ => None,
    };
    let fault = row.fault.as_ref();
    let fault = fault.and_then(|fault| faults::failure(&shown.words, fault));
    let Costs {
        spent,
        presumed,
        held,
    } = row.sums.costs;
    json!({
        "path": row.path,
        "name": row.name,
        "kind": match row.kind {
            Kind::Step => "step",
            Kind::Region => "region",
            Kind::Item => "item",
            Kind::Arm => "arm",
        },
        "head": row.head,
        "state": row.state.word(),
        "note": note.or_else(|| fault.map(|fault| standing::failure(&fault))),
        "instances": row.tally.all(),
        "counts": counts(row.tally),
        "items": row.items.map(|items| json!({
            "count": items.count,
            "counts": counts(items.tally),
            "rounds": items.are_rounds,
            "keep_ok": items.keeps_ok,
        })),
        "attempts": row.sums.attempts,
        "started": row.sums.first.map(|at| at.to_string()),
        "ended": row.sums.last.filter(|_| row.state.is_over()).map(|at| at.to_string()),
        "spent": spent.to_string(),
        "presumed": presumed.to_string(),
        "held": held.to_string(),
        "reused_from": row.reused,
        "fell_back": row.fell_back.as_ref().map(standing::failure),
        "steps": rows.map(|inner| self::row(shown, inner)).collect::<Vec<_>>(),
    })
}
