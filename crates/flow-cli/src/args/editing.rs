//! The arguments of the commands that change what a run is.

use std::ffi::OsString;

use clap::Args;

use super::Running;

/// What is agreed with beforehand.
#[derive(Debug, Default, Args)]
pub(crate) struct Agreement {
    /// Only show what would be taken over and what would be made again
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go on without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Do acts again that have happened: post, send, pay
    #[arg(long)]
    pub(crate) accept_effects: bool,
}

impl Agreement {
    /// Returns the first of its options that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let all = [
            (self.dry_run, "--dry-run"),
            (self.yes, "--yes"),
            (self.accept_effects, "--accept-effects"),
        ];
        all.into_iter()
            .find_map(|(is_given, name)| is_given.then_some(name))
    }
}

/// What goes with an edited file.
#[derive(Debug, Default, Args)]
pub(crate) struct Edit {
    /// The edited file: what is made of the same as before is taken over, the rest runs again
    #[arg(long, value_name = "FILE[:NAME]")]
    pub(crate) with: Option<OsString>,
    /// Inputs of the edited workflow that the run doesn't have yet
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) inputs: Vec<String>,
    /// What is agreed with.
    #[command(flatten)]
    pub(crate) agreement: Agreement,
}

pub(crate) const RERUN_EXAMPLE: &str = "\
Examples:
  flow rerun kotemi                              # all of it again, with the same inputs
  flow rerun kotemi --set theme=dusk             # with another input
  flow rerun kotemi --from film                  # only that step, and what its result changes
  flow rerun kotemi --from 'stills[3]' --dry-run # what that would cost
  flow rerun kotemi --from stills --downstream   # and all that depends on it, changed or not
  flow rerun kotemi --from caption --only        # and nothing else

It is a run of its own, with a budget of its own; the one it comes from stays as it is.

Exit codes: those of `flow run`; 2 if something has to be agreed with.";

/// `flow rerun`
#[derive(Debug, Args)]
pub(crate) struct Rerun {
    /// The run; the beginning of its name is enough
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// Make this step or region again and take over the rest; may be given several times
    #[arg(long, value_name = "STEP")]
    pub(crate) from: Vec<String>,
    /// Also make again all that depends on it, even if that would come out the same
    #[arg(long, requires = "from", conflicts_with = "only")]
    pub(crate) downstream: bool,
    /// Make nothing else again: what depends on it stays as it was
    #[arg(long, requires = "from")]
    pub(crate) only: bool,
    /// Another value for an input
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// The number that all draws come from; without it, that of the run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Take no results of other runs for what is made again
    #[arg(long)]
    pub(crate) fresh: bool,
    /// What is agreed with.
    #[command(flatten)]
    pub(crate) agreement: Agreement,
    /// Where it is kept.
    #[command(flatten)]
    pub(crate) running: Running,
}

pub(crate) const RESET_EXAMPLE: &str = "\
Examples:
  flow reset kotemi film                 # make it again, and all that depends on it
  flow reset kotemi 'stills[3]'          # one item
  flow reset kotemi stills --dry-run

The run forgets what it made there, and goes on. `flow rerun` leaves it as it is and begins another.

Exit codes: those of `flow run`; 2 if something has to be agreed with.";

/// `flow reset`
#[derive(Debug, Args)]
pub(crate) struct Reset {
    /// The run; the beginning of its name is enough
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// The steps or regions that are made again, with all that depends on them
    #[arg(value_name = "STEP", required = true)]
    pub(crate) steps: Vec<String>,
    /// What is agreed with.
    #[command(flatten)]
    pub(crate) agreement: Agreement,
    /// Where it is kept.
    #[command(flatten)]
    pub(crate) running: Running,
}
