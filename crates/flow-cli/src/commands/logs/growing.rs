//! A run that may still grow, looked at again and again.

use std::thread::sleep;
use std::time::Duration;

use flow_core::event::Event;
use flow_runtime::owner::Life;

use crate::archive::{Archive, Go, Past, unreadable};
use crate::exit::Failure;

/// How long is waited before the next look. Asking whether anything changed
/// costs some microseconds.
const LOOK: Duration = Duration::from_millis(100);

/// After so many looks in vain is asked whether the run is driven at all.
const LOOKS_IN_VAIN: u32 = 10;

/// Is told of an event that was added: where it is kept, what it is part of, its
/// number, and what it is.
pub(super) type Tell<'a> = &'a mut dyn FnMut(&Archive, &Past, u64, &Event) -> Result<(), Failure>;

/// A run, and where it is kept.
pub(super) struct Growing<'a> {
    pub(super) archive: &'a mut Archive,
    pub(super) past: Past,
    in_vain: u32,
}

impl<'a> Growing<'a> {
    pub(super) fn new(archive: &'a mut Archive, past: Past) -> Self {
        Self {
            archive,
            past,
            in_vain: 0,
        }
    }

    /// Folds what was added, and hands each event to a function when it is part
    /// of the history.
    pub(super) fn grow(&mut self, tell: Tell<'_>) -> Result<(), Failure> {
        let archive = &*self.archive;
        let past = &mut self.past;
        let row = past.row.clone();
        let plans = |digest: &_| archive.plan(digest);
        archive.each_event(&row, past.seq, &mut |seq, event| {
            let followed = past.run.follow_log(&plans, &event);
            followed.map_err(|why| {
                Failure::store(format!("the run `{}` can't be read: {why}", row.id))
            })?;
            past.history.note(seq, &event, past.run.plan());
            past.seq = seq + 1;
            tell(archive, past, seq, &event)?;
            Ok(Go::On)
        })
    }

    /// Waits a moment; returns whether the run may grow further.
    pub(super) fn wait(&mut self) -> Result<bool, Failure> {
        sleep(LOOK);
        let changed = self.archive.reader.has_changed();
        if changed.map_err(|error| unreadable(&error))? {
            self.in_vain = 0;
            return self.may_grow();
        }
        self.in_vain += 1;
        if self.in_vain < LOOKS_IN_VAIN {
            return Ok(true);
        }
        self.in_vain = 0;
        self.may_grow()
    }

    /// Returns whether a process drives the run.
    pub(super) fn may_grow(&mut self) -> Result<bool, Failure> {
        self.past.row = self.archive.again(&self.past.row)?;
        let driver = self.archive.driven_by(&self.past.row)?;
        Ok(matches!(driver, Some(Life::Alive { .. })))
    }
}
