//! From the arguments of a process to its exit code.

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::commands;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

/// Does what the process was started for, with more steps than `flow` has.
pub fn main_with(extra: &Extra) -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new(cli.color);
    let ended = commands::run(cli.command, extra, &mut output);
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
