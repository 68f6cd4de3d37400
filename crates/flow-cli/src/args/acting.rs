//! The commands by which people act on runs, and what they are given.

use clap::Args;

use super::Running;

pub(super) const CALL_EXAMPLE: &str = "\
Examples:
  flow call text.words text=\"one two three\"
  flow call text.truncate \"a long text\" most=4   # the first parameter needs no name
  flow call json.parse '[1, 2]' --type 'list<int>'
  flow call shell.run '[\"uname\", \"-a\"]' --effect pure

It is a run like any other: `flow runs` lists it, and what is pure is taken from earlier results. \
A step that acts does so: who types it wants it.

Exit codes: those of `flow run`.";

/// `flow call`
#[derive(Debug, Args)]
pub(crate) struct Call {
    /// The step: a built-in one, or one of the project's `steps/*.flow`
    #[arg(value_name = "STEP")]
    pub(crate) step: String,
    /// Its parameters: `name=value`. A file is its path; lists and records are JSON
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) given: Vec<String>,
    /// What stands for its type parameter; without it, `json`
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) type_arg: Option<String>,
    /// What it may do, of a step that leaves a choice: `pure`, `act once`
    #[arg(long, value_name = "EFFECT")]
    pub(crate) effect: Option<String>,
    /// The number that all draws come from; without it, another one each time
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Take no results of earlier runs
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Where it is kept, and the project.
    #[command(flatten)]
    pub(crate) running: Running,
}
