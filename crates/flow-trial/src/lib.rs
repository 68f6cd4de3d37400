//! Tries the flow command where machines fail: kills it, cuts its power, stops
//! its clock, and counts on the other side what really arrived.
//!
//! For development only: no other crate depends on it, and nothing of it is in
//! the `flow` that people have.
//!
//! Modules, in reading order: how steps and the server speak, the server that
//! is the other side, where a trial ends its own process, sets its clock and
//! looks into the store, the steps, and the command that has them.

pub mod http;

pub mod server;

pub mod clock;
pub mod point;
pub mod store;

pub mod steps;

mod command;

pub use command::extra;
