//! The arguments of the command that removes what nobody needs.

use clap::Args;

use super::asking::Asking;

pub(super) const GC_EXAMPLE: &str = "\
Examples:
  flow gc                              # what no run, result or state refers to
  flow gc --older-than 30d             # and what ended or was made before
  flow gc --max-size 10GB --dry-run    # says what would go, and removes nothing
  flow gc --keep kotemi                # this run stays, now and later

Runs that are not over stay, whatever their age. A run that is removed can't be shown, resumed or \
retried any more; what it gave elsewhere stays.

Exit codes: 0 done, 2 usage, 10 the store can't be used.";

/// `flow gc`
#[derive(Debug, Args)]
pub(crate) struct Gc {
    /// Also runs that ended, and results that were made, longer ago than this: `30d`
    #[arg(long, value_name = "AGE")]
    pub(crate) older_than: Option<String>,
    /// Also the oldest runs and results, until the rest has no more than this: `10GB`
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_size: Option<String>,
    /// Only say what would go
    #[arg(long, conflicts_with_all = ["keep", "release"])]
    pub(crate) dry_run: bool,
    /// A run that stays, now and later; several may be given
    #[arg(long, value_name = "RUN")]
    pub(crate) keep: Vec<String>,
    /// A run that needn't stay any more
    #[arg(long, value_name = "RUN")]
    pub(crate) release: Vec<String>,
    /// The store.
    #[command(flatten)]
    pub(crate) asking: Asking,
}
