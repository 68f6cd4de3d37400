//! The `flow` command: arguments in, text and exit codes out.
//!
//! It wires the crates together and knows no rule of the language.
//!
//! Modules, in reading order: the command line, how it ends, what it reads,
//! what it does, what it shows.

mod args;
mod exit;
mod output;

mod codes;
mod config;
mod disk;
mod embedded;
mod inputs;
mod pages;
mod project;

mod commands;

mod graph;
mod outline;
mod render;
mod report;
mod wording;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use exit::{Exit, Failure};
use output::Output;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new(cli.color);
    let ended = commands::run(cli.command, &mut output);
    let ended = ended.and_then(|exit| output.flush().map(|()| exit));
    let exit = match ended {
        Ok(exit) => exit,
        // Whoever reads has seen enough.
        Err(Failure::Closed) => Exit::Done,
        Err(failure @ Failure::Told { exit, .. }) => {
            output.message(&failure.to_string()).ok();
            exit
        }
    };
    exit.into()
}
