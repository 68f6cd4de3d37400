//! The command line of `flow plugin`.

use clap::{Args, Subcommand, ValueEnum};

use super::{DataFormat, Settled};

pub(super) const EXAMPLE: &str = "\
Examples:
  flow plugin new shout                     # steps/shout.flow, steps/shout.py and try_shout.flow
  flow plugin new studio.shout --language sh
  flow plugin check my.shout
  flow plugin check steps/shout.flow --format json";

const CHECK_EXAMPLE: &str = "\
Examples:
  flow plugin check my.shout                # with arguments that are made up by their types
  flow plugin check my.shout text=\"a fox\" times=2
  flow plugin check steps/post.flow --dry-run

A step that costs or acts is only asked for dry runs, and only with --dry-run: its program has to know \
`\"dry_run\": true` in a request.

Exit codes: 0 all that was tried holds, 1 something doesn't, 2 usage, 3 files.";

/// `flow plugin`
#[derive(Debug, Args)]
pub(crate) struct Plugin {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

/// What `flow plugin` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Write a step, its program, and a workflow that uses it
    #[command(after_help = "Example:\n  flow plugin new shout && flow run try_shout.flow")]
    New(NewPlugin),
    /// Try whether the program of a step keeps what is asked of it
    #[command(after_help = CHECK_EXAMPLE)]
    Check(CheckPlugin),
}

/// `flow plugin new`
#[derive(Debug, Args)]
pub(crate) struct NewPlugin {
    /// The step's name: `shout`, which is `my.shout`, or `studio.shout`
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What the program is written in
    #[arg(long, value_enum, default_value_t = Language::Python)]
    pub(crate) language: Language,
}

/// What a program is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Python 3.8 or later, and nothing else
    Python,
    /// A shell, with `jq`
    Sh,
    /// JavaScript, for Node 18 or later
    Node,
}

/// `flow plugin check`
#[derive(Debug, Args)]
pub(crate) struct CheckPlugin {
    /// A step, or a file that declares some
    #[arg(value_name = "STEP|FILE")]
    pub(crate) target: String,
    /// Arguments in place of those that are made up: `name=value`. A file is its path; lists and
    /// records are JSON
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) arguments: Vec<String>,
    /// The programs know dry runs, so that what costs or acts can be tried, too
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to show what holds
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub(crate) format: DataFormat,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}
