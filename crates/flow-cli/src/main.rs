//! The `flow` command.

use std::process::ExitCode;

use flow_cli::Extra;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    flow_cli::main_with(&Extra::default())
}
