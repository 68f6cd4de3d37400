//! `flow schema`: placeholder.
use crate::args::Schema;
use crate::exit::{Exit, Failure};
use crate::output::Output;
/// x
pub(super) fn run(_args: &Schema, _output: &mut Output) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
