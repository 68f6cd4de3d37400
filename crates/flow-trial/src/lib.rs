//! Tries the flow command where machines fail: kills it, cuts its power, stops
//! its clock, and counts on the other side what really arrived.
//!
//! For development only: no other crate depends on it, and nothing of it is in
//! the `flow` that people have.
//!
//! Modules, in reading order: how steps and the server speak, the server that
//! is the other side, the steps, and where a trial ends its own process.

pub mod http;

pub mod server;
