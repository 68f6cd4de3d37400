//! What the command can do, a module each.

mod again;
mod agree;
mod answer;
mod call;
mod completions;
mod config;
mod doctor;
mod edit;
mod effects;
mod explain;
mod fix;
mod fmt;
mod gc;
mod graph;
mod halt;
mod logs;
mod new;
mod outputs;
mod plan;
mod plugin;
mod reaper;
mod rerun;
mod resume;
mod run;
mod runs;
mod schema;
mod show;
mod steps;
mod target;
pub(crate) mod test;
mod validate;
mod why;

#[cfg(test)]
mod recorded;

use crate::args::Command;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

/// Does what the command line says.
pub(crate) fn run(command: Command, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Validate(args) => validate::run(&args, extra, output),
        Command::Plan(args) => plan::run(&args, extra, output),
        Command::Test(args) => test::run(&args, extra, output),
        Command::Graph(args) => graph::run(&args, extra, output),
        Command::Fmt(args) => fmt::run(&args, extra, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Steps(args) => steps::run(&args, extra, output),
        Command::Config(args) => config::run(&args, output),
        Command::Schema(args) => schema::run(&args, extra, output),
        Command::New(args) => new::run(&args, output),
        Command::Completions(args) => completions::run(&args, output),
        Command::Plugin(args) => plugin::run(&args, extra, output),
        Command::Run(args) => run::run(&args, extra, output),
        Command::Resume(args) => resume::run(&args, extra, output),
        Command::Rerun(args) => rerun::run(&args, extra, output),
        Command::Reset(args) => rerun::reset(&args, extra, output),
        Command::Approve(args) => answer::verdict(&args, true, extra, output),
        Command::Reject(args) => answer::verdict(&args, false, extra, output),
        Command::Answer(args) => answer::value(&args, extra, output),
        Command::Pause(args) => halt::pause(&args, extra, output),
        Command::Cancel(args) => halt::cancel(&args, extra, output),
        Command::Retry(args) => again::retry(&args, extra, output),
        Command::Effects(args) => effects::run(&args, extra, output),
        Command::Gc(args) => gc::run(&args, extra, output),
        Command::Call(args) => call::run(&args, extra, output),
        Command::Runs(args) => runs::run(&args, extra, output),
        Command::Show(args) => show::run(&args, extra, output),
        Command::Logs(args) => logs::run(&args, extra, output),
        Command::Outputs(args) => outputs::run(&args, extra, output),
        Command::Why(args) => why::run(&args, extra, output),
        Command::Doctor(args) => doctor::run(&args, extra, output),
        Command::Reaper => Ok(reaper::run()),
    }
}
