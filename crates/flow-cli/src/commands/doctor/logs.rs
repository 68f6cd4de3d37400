//! The runs: whether their logs can be followed, and whether lists say what the
//! logs do.

use std::collections::BTreeSet;

use flow_core::event::Status;
use flow_core::history::{Outcome, Said};
use flow_core::plan::NodeId;
use flow_runtime::store::{EffectState, Phase, RunRow, Runs};

use crate::archive::{Archive, Past, unreadable};
use crate::exit::Failure;
use crate::page::number;

use super::{Care, Findings};

/// How many runs are read at once.
const PAGE: usize = 100;

/// How many runs are looked at if not all are.
const GLANCE_MAX: usize = 50;

/// Longer logs are followed only if all is read.
const EVENTS_MAX: u64 = 20_000;

/// How many faults are told.
const TOLD_MAX: usize = 20;

/// Checks runs.
pub(super) fn check(archive: &Archive, care: Care, found: &mut Findings) -> Result<(), Failure> {
    let (mut before, mut looked, mut told) = (None, 0_usize, 0_usize);
    'all: loop {
        let rows = archive.reader.runs(Runs::All, before, PAGE);
        let rows = rows.map_err(|error| unreadable(&error))?;
        let Some(last) = rows.last() else { break };
        before = Some(last.number);
        for row in rows {
            if care == Care::Glance && looked == GLANCE_MAX {
                break 'all;
            }
            if care == Care::Glance && row.head > EVENTS_MAX {
                continue;
            }
            looked += 1;
            for fault in faults(archive, &row) {
                told += 1;
                if told <= TOLD_MAX {
                    found.wrong("logs", format!("the run {}: {fault}", row.id), CURE);
                }
            }
        }
    }
    if told > TOLD_MAX {
        found.wrong("logs", format!("and {} more", told - TOLD_MAX), "");
    }
    if told == 0 {
        let which = match care {
            Care::Glance => "of the newest runs",
            Care::Verify => "of all runs",
        };
        let count = number(looked as u64);
        found.fine(
            "logs",
            format!("those {which} ({count}) can be followed, and lists agree"),
        );
    }
    Ok(())
}

const CURE: &str = "the log counts: `flow resume` puts lists right; a log that can't be followed needs a copy of the folder, or the flow that wrote it";

/// Returns what is wrong with a run.
pub(in crate::commands) fn faults(archive: &Archive, row: &RunRow) -> Vec<String> {
    let head = row.head;
    let past = match archive.past(row) {
        Ok(past) => past,
        Err(failure) => {
            let text = failure.to_string();
            let text = text.lines().next().unwrap_or_default();
            return vec![text.trim_start_matches("error: ").to_owned()];
        }
    };
    let mut faults = Vec::new();
    // One that is being written is a moving target.
    let is_still = past.row.head == head && past.seq == head;
    if past.seq < head {
        faults.push(format!(
            "its list says {head} events, and there are {}",
            past.seq
        ));
    }
    if !is_still {
        return faults;
    }
    faults.extend(phase_fault(&past));
    faults.extend(spent_fault(&past));
    faults.extend(ask_fault(archive, &past));
    faults.extend(effect_fault(archive, &past));
    faults
}

fn phase_fault(past: &Past) -> Option<String> {
    let expected = past.run.status().map(|status| match status {
        Status::Succeeded => Phase::Succeeded,
        Status::Failed => Phase::Failed,
        Status::Cancelled => Phase::Cancelled,
    });
    let phase = past.row.summary.phase;
    let is_over = phase >= Phase::Succeeded;
    let fits = match expected {
        Some(expected) => expected == phase,
        None => !is_over,
    };
    (!fits).then(|| {
        format!(
            "its list says {phase:?}, and its log {}",
            match expected {
                Some(expected) => format!("{expected:?}"),
                None => "that it isn't over".to_owned(),
            }
        )
    })
}

fn spent_fault(past: &Past) -> Option<String> {
    // What is in progress is added up when it rests.
    if past.row.owner.is_some() {
        return None;
    }
    let costs = past.run.costs();
    let spent = costs.spent.saturating_add(costs.presumed);
    let listed = past.row.summary.spent;
    (spent != listed).then(|| format!("its list says {listed} were spent, and its log {spent}"))
}

/// Whether each question that is open can be found.
fn ask_fault(archive: &Archive, past: &Past) -> Option<String> {
    let asked: BTreeSet<Vec<u8>> = match archive.reader.asks(&past.row.id) {
        Ok(rows) => rows.into_iter().map(|row| row.ticket).collect(),
        Err(error) => return Some(error.to_string()),
    };
    let missing = attempts(past).filter(|attempt| {
        let is_open = attempt.outcome == Outcome::Asked;
        let stance = past.run.stance(&attempt.ticket.at);
        let is_asking = matches!(stance, Some(flow_core::run::Stance::Asking { .. }));
        is_open && is_asking && !asked.contains(attempt.ticket.to_string().as_bytes())
    });
    let missing = missing.count();
    (missing > 0).then(|| format!("{missing} of its open questions are in no list"))
}

/// Whether each act is known, and those of unknown outcome as such.
fn effect_fault(archive: &Archive, past: &Past) -> Option<String> {
    let rows = match archive.reader.effects_of(&past.row.id) {
        Ok(rows) => rows,
        Err(error) => return Some(error.to_string()),
    };
    let known = |ticket: &str| {
        let mut rows = rows.iter();
        rows.find(|row| row.ticket == ticket.as_bytes())
            .map(|row| row.state)
    };
    for attempt in attempts(past).filter(|attempt| attempt.effect.acts()) {
        let ticket = attempt.ticket.to_string();
        let Some(state) = known(&ticket) else {
            return Some(format!("the act {ticket} is in no list"));
        };
        let said = attempt.resolved.as_ref().map(|resolved| resolved.verdict);
        let fits = match (said, &attempt.outcome) {
            (Some(Said::Happened), _) | (None, Outcome::Succeeded) => {
                state == EffectState::Happened
            }
            (Some(Said::DidNot), _) => state == EffectState::DidNot,
            (Some(Said::GiveUp), _) => state == EffectState::GivenUp,
            (None, _) => true,
        };
        if !fits {
            return Some(format!(
                "the act {ticket} is listed as {state:?}, and its log says otherwise"
            ));
        }
    }
    None
}

fn attempts(past: &Past) -> impl Iterator<Item = &flow_core::history::Attempt> {
    let count = u32::try_from(past.history.plan().graph.node_count()).unwrap_or(0);
    let nodes = (0..count).map(NodeId);
    nodes.flat_map(|node| {
        past.history
            .entries(node)
            .flat_map(|(_, entry)| &entry.attempts)
    })
}
