//! What drives runs: the store of their events, who owns them, and the files
//! that their steps made.
//!
//! Nothing here knows source text or what any step does. What an event or a
//! value means is the core's business: here they are bytes.
//!
//! Modules, in reading order: where everything is kept and in which order it
//! becomes durable, the large files beside it, who may write, and what is left of
//! those who did; time, the process that ends what is left at once, what steps
//! and runs see of all that, what outlives runs; the loop that drives a run, and
//! the one that rehearses it; why a run made what it made, and how others have
//! something done to it.

pub mod store;

pub mod artifacts;

pub mod owner;
mod survivors;

pub mod clock;
pub mod reaper;

mod desk;
mod folders;
mod secrets;
mod values;

pub mod memory;

pub mod driver;
pub mod rehearse;

pub mod why;

pub mod mail;
pub mod prices;

pub use secrets::{SecretError, Secrets};
