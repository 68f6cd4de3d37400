//! The `flow` command with the steps of trials.

use std::process::ExitCode;

fn main() -> ExitCode {
    flow_cli::main_with(&flow_trial::extra())
}
