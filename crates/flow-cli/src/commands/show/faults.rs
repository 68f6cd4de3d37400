//! What failed in a run: equal failures of one step are told once.

use flow_core::event::Failure;
use flow_core::history::State;
use flow_core::plan::NodeId;

use crate::standing::Words;

use super::tree::{Handled, Told};

/// How many paths of equal failures are told.
pub(super) const PATHS_MAX: usize = 3;

/// A failure, and where it happened.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) node: NodeId,
    pub(super) failure: Failure,
    /// How many attempts there were at the first.
    pub(super) attempts: usize,
    /// What was done about it.
    pub(super) handled: Option<Handled>,
    /// Where, the first few.
    pub(super) paths: Vec<String>,
    /// How often.
    pub(super) count: usize,
}

/// Puts failures together that are equal but for the item, those that nothing
/// was done about first.
pub(super) fn gather(words: &Words<'_>, told: &[Told]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for told in told.iter().filter(|told| told.state == State::Failed) {
        let Some(failure) = failure(words, told) else {
            continue;
        };
        let node = told.at.node;
        let same = faults.iter_mut().find(|fault| {
            fault.node == node && fault.failure == failure && fault.handled == told.handled
        });
        let entry = words.past.history.entry(&told.at);
        match same {
            Some(fault) => {
                fault.count += 1;
                if fault.paths.len() < PATHS_MAX {
                    fault.paths.push(path(words, told));
                }
            }
            None => faults.push(Fault {
                node,
                failure,
                attempts: entry.map_or(0, |entry| entry.attempts.len()),
                handled: told.handled,
                paths: vec![path(words, told)],
                count: 1,
            }),
        }
    }
    faults.sort_by_key(|fault| fault.handled);
    faults
}

/// Returns the path of what is told.
pub(super) fn path(words: &Words<'_>, told: &Told) -> String {
    match told.item {
        Some(item) => {
            let path = words.past.history.item_path(&told.at, item, words);
            words.inside(&path.to_string())
        }
        None => words.path(&told.at),
    }
}

/// Returns why something failed.
pub(super) fn failure(words: &Words<'_>, told: &Told) -> Option<Failure> {
    let entry = words.past.history.entry(&told.at);
    if let Some(item) = told.item {
        return entry?.items()?.broken.get(&item).cloned();
    }
    if told.handled == Some(Handled::FellBack)
        && let Some(failure) = entry.and_then(|entry| entry.fell_back.clone())
    {
        return Some(failure);
    }
    let survey = words.past.survey();
    survey.failure(&survey.instance(&told.at))
}
