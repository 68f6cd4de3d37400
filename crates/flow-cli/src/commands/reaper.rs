//! `flow __reaper`: ends what steps left behind. flow starts it itself.

use crate::exit::Exit;

/// Is the reaper until standard input ends.
pub(super) fn run() -> Exit {
    flow_runtime::reaper::reap(std::io::stdin());
    Exit::Done
}
