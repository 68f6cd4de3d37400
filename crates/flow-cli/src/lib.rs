//! The `flow` command: arguments in, text and exit codes out.
//!
//! It wires the crates together and knows no rule of the language. It is a
//! library so that a command with more steps can be made of it.
//!
//! Modules, in reading order: how it starts and with what, the command line,
//! how it ends, what it reads, what it does and tests, what it shows.

mod extra;
mod start;

mod args;
mod exit;
mod output;

mod codes;
mod config;
mod disk;
mod embedded;
mod front;
mod given;
mod inputs;
mod pages;
mod project;

mod asked;
mod next;
mod scene;

mod dotenv;
mod drive;
mod page;
mod progress;
mod secrets;
mod tell;

mod journal;

mod archive;
mod attempts;
mod sheet;
mod source;
mod standing;
mod waits;

mod testing;

mod commands;

mod graph;
mod outline;
mod render;
mod report;
mod wording;

pub use extra::Extra;
pub use start::main_with;
