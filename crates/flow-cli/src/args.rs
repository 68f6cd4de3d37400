//! The command line.

mod acting;
mod asking;
mod editing;
mod keeping;
mod plugins;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use acting::{
    ANSWER_EXAMPLE, APPROVE_EXAMPLE, CALL_EXAMPLE, CANCEL_EXAMPLE, EFFECTS_EXAMPLE, PAUSE_EXAMPLE,
    RETRY_EXAMPLE,
};
pub(crate) use acting::{
    Acting, Answer, Billed, Call, Cancel, Effects, EffectsCommand, Pause, Resolve, Retry, Trust,
    Verdict,
};
use asking::{
    DOCTOR_EXAMPLE, LOGS_EXAMPLE, OUTPUTS_EXAMPLE, RUNS_EXAMPLE, SHOW_EXAMPLE, WHY_EXAMPLE,
};
pub(crate) use asking::{Doctor, Logs, Outputs, RunState, Runs, Show, Why};
pub(crate) use editing::{Agreement, Edit, Rerun, Reset};
use editing::{RERUN_EXAMPLE, RESET_EXAMPLE};
use keeping::GC_EXAMPLE;
pub(crate) use keeping::Gc;
pub(crate) use plugins::{CheckPlugin, Language, NewPlugin, Plugin, PluginCommand};

/// Check, price, run, draw and format workflows.
///
/// A workflow is a checked program: it knows its types, its worst bill and its
/// side effects before it runs.
#[derive(Debug, Parser)]
#[command(
    name = "flow",
    version,
    max_term_width = 100,
    disable_help_subcommand = false
)]
#[command(
    after_help = "Example:\n  flow new poster && flow validate poster.flow && flow plan poster.flow && flow run poster.flow"
)]
pub(crate) struct Cli {
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, hide_possible_values = false)]
    pub(crate) color: Color,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Also in files and pipes
    Always,
    /// Nowhere
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check files and show everything that is wrong with them
    #[command(after_help = VALIDATE_EXAMPLE)]
    Validate(Validate),
    /// Show what a workflow does, in which order, and what it costs at most
    #[command(after_help = PLAN_EXAMPLE)]
    Plan(Plan),
    /// Run a workflow
    #[command(after_help = RUN_EXAMPLE)]
    Run(Run),
    /// Go on with a run that was stopped, has failed or waits
    #[command(after_help = RESUME_EXAMPLE)]
    Resume(Resume),
    /// Run a run again, and take over what isn't to be made again
    #[command(after_help = RERUN_EXAMPLE)]
    Rerun(Rerun),
    /// Make a part of a run again, and all that depends on it
    #[command(after_help = RESET_EXAMPLE)]
    Reset(Reset),
    /// List the runs, the newest first
    #[command(after_help = RUNS_EXAMPLE)]
    Runs(Runs),
    /// Carry out the tests that stand in files, offline and on a simulated clock
    #[command(after_help = TEST_EXAMPLE)]
    Test(Test),
    /// Agree to what a run asks
    #[command(after_help = APPROVE_EXAMPLE)]
    Approve(Verdict),
    /// Disagree with what a run asks
    #[command(
        after_help = "Example:\n  flow reject kotemi post\n\nAll else is as with `flow approve`."
    )]
    Reject(Verdict),
    /// Answer a question of a run with a value
    #[command(after_help = ANSWER_EXAMPLE)]
    Answer(Answer),
    /// Let a run start nothing new
    #[command(after_help = PAUSE_EXAMPLE)]
    Pause(Pause),
    /// Give up a run, or a part of it
    #[command(after_help = CANCEL_EXAMPLE)]
    Cancel(Cancel),
    /// Try again what failed in a run
    #[command(after_help = RETRY_EXAMPLE)]
    Retry(Retry),
    /// Show what runs did to the world, and say what became of it
    #[command(after_help = EFFECTS_EXAMPLE)]
    Effects(Effects),
    /// Remove what nobody refers to, and what is old
    #[command(after_help = GC_EXAMPLE)]
    Gc(Gc),
    /// Carry out one step, as a run of its own
    #[command(after_help = CALL_EXAMPLE)]
    Call(Call),
    /// Show a run: how its steps stand, what failed, what it waits for
    #[command(after_help = SHOW_EXAMPLE)]
    Show(Show),
    /// Show what the steps of a run wrote, or its journal
    #[command(after_help = LOGS_EXAMPLE)]
    Logs(Logs),
    /// Show what a run gave, or copy its files out
    #[command(after_help = OUTPUTS_EXAMPLE)]
    Outputs(Outputs),
    /// Explain why a step of a run ran, failed, waits, or cost what it did
    #[command(after_help = WHY_EXAMPLE)]
    Why(Why),
    /// Check the installation and the store
    #[command(after_help = DOCTOR_EXAMPLE)]
    Doctor(Doctor),
    /// Draw a workflow
    #[command(after_help = GRAPH_EXAMPLE)]
    Graph(Graph),
    /// Format files, or translate them to the other spelling
    #[command(after_help = FMT_EXAMPLE)]
    Fmt(Fmt),
    /// Explain the code of a diagnostic
    #[command(after_help = "Example:\n  flow explain unknown-step")]
    Explain(Explain),
    /// Show the steps that workflows can use
    #[command(
        after_help = "Examples:\n  flow steps http.get      # one step: its parameters, types and effect\n  flow steps http          # all that begin with `http.`"
    )]
    Steps(Steps),
    /// Write steps of your own, and try their programs
    #[command(after_help = plugins::EXAMPLE)]
    Plugin(Plugin),
    /// Show what `flow.toml` sets, and which part of it does
    #[command(after_help = CONFIG_EXAMPLE)]
    Config(Config),
    /// Print the JSON Schema of `*.flow.yaml` files, for editors
    #[command(after_help = SCHEMA_EXAMPLE)]
    Schema(Schema),
    /// Write a file to start from
    #[command(after_help = "Example:\n  flow new poster --template fanout")]
    New(New),
    /// Print a script that completes commands in a shell
    #[command(
        after_help = "Example:\n  flow completions bash > ~/.local/share/bash-completion/completions/flow"
    )]
    Completions(Completions),
    /// End what steps left behind when flow is gone; flow starts it itself
    #[command(name = "__reaper", hide = true)]
    Reaper,
}

const RUN_EXAMPLE: &str = "\
Examples:
  flow run poster.flow theme=\"a rainy street\"
  flow run shots.flow:storyboard song=songs/tonight.flac --budget '$2.50'

Ctrl-C once starts nothing new, waits for what is running and says how to go on; twice stops at once.

Exit codes: 0 it went well, 1 the file has errors, 2 usage, 3 files, 4 it failed, 5 it waits for a \
person, 6 nobody knows what became of an act, 7 it doesn't fit into a budget, 8 it was interrupted, \
9 it belongs to another process, 10 the store can't be used.";

const RESUME_EXAMPLE: &str = "\
Examples:
  flow resume                          # the newest that isn't over
  flow resume kotemi
  flow resume ko --budget '$5'         # the beginning of its name is enough
  flow resume ko --budget 'stills=$2'  # a part of it that has a budget of its own
  flow resume ko --with poster.flow    # under an edited file: what is the same is taken over
  flow resume ko --with poster.flow --dry-run

Exit codes: those of `flow run`.";

/// Where runs are kept and how they are shown.
#[derive(Debug, Args)]
pub(crate) struct Running {
    /// The folder that runs are kept in; without it, `.flow` in the project
    #[arg(long, value_name = "FOLDER")]
    pub(crate) store: Option<PathBuf>,
    /// How many steps are in progress at once, at most
    #[arg(long, value_name = "N")]
    pub(crate) parallel: Option<std::num::NonZeroUsize>,
    /// The most that the run may spend; of a run that was begun, `STEP=AMOUNT` is for a part of it
    #[arg(long, value_name = "[STEP=]AMOUNT")]
    pub(crate) budget: Vec<String>,
    /// For people, or one JSON object for each event
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub(crate) format: DataFormat,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

/// `flow run`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The file, and the workflow in it if there are several
    #[arg(value_name = "FILE[:NAME]")]
    pub(crate) target: OsString,
    /// Inputs of the workflow: `name=value`. A file is its path; lists and records are JSON
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) inputs: Vec<String>,
    /// The number that all draws come from; without it, another one each time
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Take no results of earlier runs
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Where it is kept.
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `flow resume`
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The run; the beginning of its name is enough. Without it, the newest that isn't over
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// An edited file.
    #[command(flatten)]
    pub(crate) edit: Edit,
    /// Where it is kept.
    #[command(flatten)]
    pub(crate) running: Running,
}

const VALIDATE_EXAMPLE: &str = "\
Examples:
  flow validate                        # everything below this folder
  flow validate poster.flow --fix      # and mend what is certain
  flow validate --format github        # annotations in a pull request
  flow validate - --stdin-name x.flow.yaml < x.flow.yaml

Exit codes: 0 nothing is wrong, 1 there are errors (with --strict, or warnings), 2 usage, 3 files.";

const PLAN_EXAMPLE: &str = "\
Examples:
  flow plan poster.flow
  flow plan shots.flow:storyboard theme=\"a rainy street\" takes=2
  flow plan poster.flow --format json";

const TEST_EXAMPLE: &str = "\
Examples:
  flow test                            # everything below this folder
  flow test poster.flow --only \"posts what was approved\"
  flow test --only 'posts*' --list
  flow test --junit tests.xml          # for a build server

A test reaches nothing outside: stubs answer for its steps, time is simulated, and no store is touched.

Exit codes: 0 all tests passed, 1 files have errors, 2 usage, 3 files, 4 some tests failed.";

const GRAPH_EXAMPLE: &str = "\
Examples:
  flow graph poster.flow                          # text for a page that draws Mermaid
  flow graph poster.flow --format svg -o poster.svg
  flow graph poster.flow --format dot | dot -Tpdf -o poster.pdf";

const FMT_EXAMPLE: &str = "\
Examples:
  flow fmt                             # everything below this folder
  flow fmt --check workflows/          # only say which files would change
  flow fmt poster.flow --to yaml       # the same workflow in YAML";

const SCHEMA_EXAMPLE: &str = "\
Example:
  flow schema > flow.schema.json
  # and as the first line of a file:
  # yaml-language-server: $schema=flow.schema.json";

/// Which project and profile.
#[derive(Debug, Args)]
pub(crate) struct Settled {
    /// The profile of `flow.toml` whose defaults and budgets replace the project's
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// `flow validate`
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Files, folders, or `-` for standard input; without any, this folder
    #[arg(value_name = "FILES")]
    pub(crate) paths: Vec<PathBuf>,
    /// Fail if there are warnings, too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Apply the fixes that are certain
    #[arg(long)]
    pub(crate) fix: bool,
    /// How to show what is wrong
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    pub(crate) format: ReportFormat,
    /// The name of standard input; its ending tells the spelling
    #[arg(long, value_name = "NAME", default_value = "stdin.flow")]
    pub(crate) stdin_name: String,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

/// How diagnostics are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
}

/// `flow plan`
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The file, or `FILE:NAME` for one of its workflows
    #[arg(value_name = "FILE[:NAME]")]
    pub(crate) target: OsString,
    /// Inputs, read by their types: `theme="a fox" takes=2`
    #[arg(value_name = "INPUT=VALUE")]
    pub(crate) inputs: Vec<String>,
    /// How to show the plan
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub(crate) format: DataFormat,
    /// Fail if there are warnings, or if the worst case is above a budget
    #[arg(long)]
    pub(crate) strict: bool,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

/// `flow test`
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Files, folders, or `-` for standard input; without any, this folder
    #[arg(value_name = "FILES")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only tests with this in their names; `*` stands for any letters, and the whole name has to fit
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// List the tests, and carry none out
    #[arg(long)]
    pub(crate) list: bool,
    /// How to show what came of them
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub(crate) format: DataFormat,
    /// The file to write `JUnit` XML to
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub(crate) junit: Option<PathBuf>,
    /// The name of standard input; its ending tells the spelling
    #[arg(long, value_name = "NAME", default_value = "stdin.flow")]
    pub(crate) stdin_name: String,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

/// `flow graph`
#[derive(Debug, Args)]
pub(crate) struct Graph {
    /// The file, or `FILE:NAME` for one of its workflows
    #[arg(value_name = "FILE[:NAME]")]
    pub(crate) target: OsString,
    /// What to draw
    #[arg(long, value_enum, default_value_t = GraphFormat::Mermaid)]
    pub(crate) format: GraphFormat,
    /// The file to write instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

/// What a graph is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Text for Mermaid
    Mermaid,
    /// Text for Graphviz
    Dot,
    /// A picture, complete in itself
    Svg,
}

/// `flow fmt`
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Files, folders, or `-` for standard input; without any, this folder
    #[arg(value_name = "FILES")]
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; fail if a file would change
    #[arg(long)]
    pub(crate) check: bool,
    /// Read standard input and write to standard output
    #[arg(long)]
    pub(crate) stdin: bool,
    /// The name of standard input; its ending tells the spelling
    #[arg(long, value_name = "NAME", default_value = "stdin.flow")]
    pub(crate) stdin_name: String,
    /// Translate one file to the other spelling
    #[arg(long, value_enum, conflicts_with = "check")]
    pub(crate) to: Option<To>,
    /// The file to write the translation to
    #[arg(short, long, value_name = "FILE", requires = "to")]
    pub(crate) output: Option<PathBuf>,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

/// A spelling to translate to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum To {
    /// `*.flow.yaml`
    Yaml,
    /// `*.flow`
    Flow,
}

/// `flow explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, as in `error[unknown-step]`; without one, all are listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}

/// `flow steps`
#[derive(Debug, Args)]
pub(crate) struct Steps {
    /// A step, or the first words of several: `gen`
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How to show them
    #[arg(long, value_enum, default_value_t = DataFormat::Human)]
    pub(crate) format: DataFormat,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

const CONFIG_EXAMPLE: &str = "\
Examples:
  flow config                              # all that is set
  flow config explain budget.day
  flow config explain gen.image.model --profile draft";

/// `flow config`
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// What to do; without it, all that is set is listed
    #[command(subcommand)]
    pub(crate) command: Option<ConfigCommand>,
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

/// What `flow config` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what a key is set to, by what, and what it would be otherwise
    Explain {
        /// The key, such as `budget.day` or `gen.image.model`
        #[arg(value_name = "KEY")]
        key: String,
        /// The project.
        #[command(flatten)]
        settled: Settled,
    },
}

/// `flow schema`
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The project.
    #[command(flatten)]
    pub(crate) settled: Settled,
}

/// `flow new`
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The workflow's name, which becomes the file's
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What to start from
    #[arg(long, value_name = "TEMPLATE", default_value = "basic")]
    pub(crate) template: String,
    /// Write it in YAML
    #[arg(long)]
    pub(crate) yaml: bool,
    /// List the templates
    #[arg(long)]
    pub(crate) list: bool,
}

/// `flow completions`
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
