//! `flow doctor`.

use crate::args::Doctor as Args;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;

pub(super) fn run(_: &Args, _: &Extra, _: &mut Output) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
