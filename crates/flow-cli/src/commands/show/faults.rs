//! What failed in a run: equal failures of one step are told once.

use flow_core::event::Failure;
use flow_core::history::State;
use flow_core::plan::NodeId;

use crate::standing::Words;

use super::tree::{Handled, Told};

/// How many paths of equal failures are told.
pub(in crate::commands) const PATHS_MAX: usize = 3;

/// A failure, and where it happened.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Fault {
    pub(in crate::commands) node: NodeId,
    pub(in crate::commands) failure: Failure,
    /// How many attempts there were at the first.
    pub(in crate::commands) attempts: usize,
    /// What was done about it.
    pub(in crate::commands) handled: Option<Handled>,
    /// Where, the first few.
    pub(in crate::commands) paths: Vec<String>,
    /// The same for programs.
    pub(in crate::commands) whole: Vec<String>,
    /// How often.
    pub(in crate::commands) count: usize,
}

/// Puts failures together that are equal but for the item, those that nothing
/// was done about first.
pub(in crate::commands) fn gather(words: &Words<'_>, told: &[Told]) -> Vec<Fault> {
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
                    fault.whole.push(whole_path(words, told));
                }
            }
            None => faults.push(Fault {
                node,
                failure,
                attempts: entry.map_or(0, |entry| entry.attempts.len()),
                handled: told.handled,
                paths: vec![path(words, told)],
                whole: vec![whole_path(words, told)],
                count: 1,
            }),
        }
    }
    faults.sort_by_key(|fault| fault.handled);
    faults
}

/// Returns the path of what is told, for people.
pub(in crate::commands) fn path(words: &Words<'_>, told: &Told) -> String {
    words.inside(&whole_path(words, told))
}

/// Returns the path of what is told, for programs.
pub(in crate::commands) fn whole_path(words: &Words<'_>, told: &Told) -> String {
    let history = &words.past.history;
    let path = match told.item {
        Some(item) => history.item_path(&told.at, item, words),
        None => history.path(&told.at, words),
    };
    path.to_string()
}

/// Returns why something failed.
pub(in crate::commands) fn failure(words: &Words<'_>, told: &Told) -> Option<Failure> {
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
