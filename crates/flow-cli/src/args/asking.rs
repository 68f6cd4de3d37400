//! The arguments of the commands that ask about runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DataFormat;

/// Which store, and how to show what is found in it.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// The folder that runs are kept in; without it, `.flow` in the project
    #[arg(long, value_name = "FOLDER")]
    pub(crate) store: Option<PathBuf>,
    /// How to show it
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub(crate) format: DataFormat,
}

pub(crate) const RUNS_EXAMPLE: &str = "\
Examples:
  flow runs
  flow runs --open
  flow runs --state failed --workflow poster --since 2d
  flow runs --format json";

/// `flow runs`
#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// Only those that are not over
    #[arg(long)]
    pub(crate) open: bool,
    /// Only those that stand so; several may be given
    #[arg(long, value_enum, value_name = "STATE", value_delimiter = ',')]
    pub(crate) state: Vec<RunState>,
    /// Only those of this workflow
    #[arg(long, value_name = "NAME")]
    pub(crate) workflow: Option<String>,
    /// Only those that began since: a length of time like `2d`, or an instant
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// The store.
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum RunState {
    /// A process drives it
    Running,
    /// Only time has to pass
    Sleeping,
    /// A person has to answer, or to say what became of something
    Waiting,
    /// It doesn't fit into a budget
    #[value(name = "short_of_money", alias = "budget")]
    ShortOfMoney,
    /// Somebody paused it
    Paused,
    /// Its process is gone
    Interrupted,
    /// Its process is there, but was stopped
    Stopped,
    /// Everything went well
    Succeeded,
    /// Something failed
    Failed,
    /// Somebody gave it up
    Cancelled,
}

pub(crate) const SHOW_EXAMPLE: &str = "\
Examples:
  flow show                            # the newest run
  flow show kotemi
  flow show ko 'stills[3]'             # one item
  flow show ko 'stills[3]/draw'        # one step: attempts, arguments, value
  flow show ko stills --items --state failed";

/// `flow show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The run; the beginning of its name is enough. Without it, the newest
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// A step, a region or an item of it, by its path
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// List the items one by one, however many there are
    #[arg(long)]
    pub(crate) items: bool,
    /// Of the items, only those that stand so; several may be given
    #[arg(long, value_name = "STATE", value_delimiter = ',', requires = "items")]
    pub(crate) state: Vec<String>,
    /// The store.
    #[command(flatten)]
    pub(crate) asking: Asking,
}

pub(crate) const LOGS_EXAMPLE: &str = "\
Examples:
  flow logs                            # all that steps of the newest run wrote
  flow logs kotemi 'stills[3]/draw'
  flow logs ko -f                      # until the run ends
  flow logs ko --tail 20
  flow logs ko --events --format json | jq .event";

/// `flow logs`
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The run; the beginning of its name is enough. Without it, the newest
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// A step, a region or an item of it, by its path
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Wait for more, until the run ends or nobody drives it any more
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// The journal of the run, an event a line, instead of what steps wrote
    #[arg(long)]
    pub(crate) events: bool,
    /// Only the last lines, of each attempt
    #[arg(long, value_name = "N")]
    pub(crate) tail: Option<usize>,
    /// Only this attempt, counted from 1
    #[arg(long, value_name = "N", conflicts_with = "events")]
    pub(crate) attempt: Option<usize>,
    /// The store.
    #[command(flatten)]
    pub(crate) asking: Asking,
}

pub(crate) const OUTPUTS_EXAMPLE: &str = "\
Examples:
  flow outputs                         # of the newest run, as JSON
  flow outputs kotemi --to pictures    # files under good names, values in outputs.json
  flow outputs ko --format json

Exit codes: 0 they are there; else that of `flow run`, for a run that isn't over or has failed.";

/// `flow outputs`
#[derive(Debug, Args)]
pub(crate) struct Outputs {
    /// The run; the beginning of its name is enough. Without it, the newest
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The folder to copy files to; it is made
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
    /// Replace files that are there and differ
    #[arg(long, requires = "to")]
    pub(crate) force: bool,
    /// The store.
    #[command(flatten)]
    pub(crate) asking: Asking,
}

pub(crate) const WHY_EXAMPLE: &str = "\
Examples:
  flow why                             # why the newest run is as it is
  flow why kotemi 'stills[3]/draw'     # why it ran, failed, waits, cost what it did
  flow why 'stills[3]/draw'            # of the newest run
  flow why ko post --format json";

/// `flow why`
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The run; the beginning of its name is enough. Without it, the newest
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// A step or a region, by its path; without it, the run as a whole
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// The store.
    #[command(flatten)]
    pub(crate) asking: Asking,
}

pub(crate) const DOCTOR_EXAMPLE: &str = "\
Examples:
  flow doctor
  flow doctor --verify                 # reads all artifacts and logs again
  flow doctor --format json

Exit codes: 0 nothing is wrong, 1 something is, 10 the store can't be opened.";

/// `flow doctor`
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Read every artifact, every log and every table again
    #[arg(long)]
    pub(crate) verify: bool,
    /// The store.
    #[command(flatten)]
    pub(crate) asking: Asking,
}
