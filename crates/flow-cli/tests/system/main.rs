//! Tests of the whole command, and of how the crates depend on each other.

#![expect(clippy::unwrap_used, reason = "test harness")]

mod acting;
mod folder;
mod graph;
mod layers;
mod licences;
mod limits;
mod plan;
mod recall;
mod rules;
mod secrets;
mod starters;
mod streams;
mod transcripts;
mod validate;
