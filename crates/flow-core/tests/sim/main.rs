//! Worlds: several runs and one arbiter, in one thread and from one seed.
#![expect(clippy::unwrap_used, reason = "test harness")]

mod dice;
mod generate;
mod oracle;
mod outside;
mod script;
