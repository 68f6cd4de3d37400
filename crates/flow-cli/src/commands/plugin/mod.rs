//! `flow plugin`: steps of a project's own, and their programs.

mod check;
mod new;

use crate::args::{Plugin, PluginCommand};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

/// Does what is asked of plugins.
pub(super) fn run(args: &Plugin, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    match &args.command {
        PluginCommand::New(args) => new::run(args, extra, output),
        PluginCommand::Check(args) => check::run(args, extra, output),
    }
}
