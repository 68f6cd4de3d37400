//! What is shown of a run while it goes on: bars on a terminal, lines elsewhere,
//! events for programs.
//!
//! Modules, in reading order: what is counted, what that looks like, what is
//! worth a line, and where it is shown.

mod bars;
mod screen;
mod stream;
mod tally;
mod told;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flow_core::address::Ticket;
use flow_core::amount::Timestamp;
use flow_core::event::Event;
use flow_core::run::Run;
use flow_core::step::Progress;
use flow_runtime::driver::{Driver, View, Watcher};

pub(crate) use screen::{Lines, Screen};
pub(crate) use stream::Stream;

/// Something that shows a run.
pub(crate) trait Show: Send {
    /// It begins, or goes on, with so many steps that are over.
    fn begin(&mut self, run: &Run, done: u64, now: Timestamp);
    /// An event is in the store.
    fn event(&mut self, view: &View<'_>, event: &Event);
    /// An attempt says how far it is.
    fn progress(&mut self, ticket: &Ticket, progress: &Progress);
    /// Something else is to be said.
    fn say(&mut self, text: &str);
    /// Time passes.
    fn tick(&mut self, now: Timestamp);
    /// Nothing more comes.
    fn close(&mut self);
    /// How often time should be told.
    fn pace(&self) -> Duration;
}

/// A show that the driver tells what happens, and a clock what time it is. Both
/// do so on one thread, so the lock is never waited for; but the driver owns
/// what it tells, and lives longer.
#[derive(Clone)]
pub(crate) struct Shown(Arc<Mutex<dyn Show>>);

impl Shown {
    /// Shows a run.
    pub(crate) fn new(show: impl Show + 'static) -> Self {
        Self(Arc::new(Mutex::new(show)))
    }

    /// Begins the show.
    pub(crate) fn begin(&self, driver: &Driver, now: Timestamp) {
        self.with(|show| show.begin(driver.run(), driver.counts().done.into(), now));
    }

    /// Lets time pass, as long as it is waited for.
    pub(crate) async fn ticks(&self, now: impl Fn() -> Timestamp) {
        let mut interval = tokio::time::interval(self.with(|show| show.pace()));
        loop {
            interval.tick().await;
            self.with(|show| show.tick(now()));
        }
    }

    /// Says something else.
    pub(crate) fn say(&self, text: &str) {
        self.with(|show| show.say(text));
    }

    /// Ends the show.
    pub(crate) fn close(&self) {
        self.with(|show| show.close());
    }

    fn with<T>(&self, edit: impl FnOnce(&mut dyn Show) -> T) -> T {
        edit(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Watcher for Shown {
    fn event(&mut self, view: &View<'_>, event: &Event) {
        self.with(|show| show.event(view, event));
    }

    fn progress(&mut self, ticket: &Ticket, progress: &Progress) {
        self.with(|show| show.progress(ticket, progress));
    }
}
