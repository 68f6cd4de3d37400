//! The `flow` command.

use std::process::ExitCode;

use flow_cli::Extra;

fn main() -> ExitCode {
    flow_cli::main_with(&Extra::default())
}
