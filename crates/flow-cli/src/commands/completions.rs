//! `flow completions`: scripts for shells.

use clap::CommandFactory;

use crate::args::{Cli, Completions};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Prints the script of a shell.
pub(super) fn run(args: &Completions, output: &mut Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "flow", &mut script);
    output.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
