//! Tests of the whole command, and of how the crates depend on each other.

#![expect(clippy::unwrap_used, reason = "test harness")]

mod acting;
mod asking;
mod documentation;
mod folder;
mod graph;
mod layers;
mod licences;
mod limits;
mod pages;
mod plan;
mod plugin;
mod recall;
mod rules;
mod secrets;
mod starters;
mod streams;
mod testing;
mod transcripts;
mod validate;
