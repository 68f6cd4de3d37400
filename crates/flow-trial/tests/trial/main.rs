//! Trials of the whole command, and of what they are made with.

#![expect(clippy::unwrap_used, reason = "test harness")]

mod server;
