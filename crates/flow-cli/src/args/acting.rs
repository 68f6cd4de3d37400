//! The commands by which people act on runs, and what they are given.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::asking::Asking;
use super::{DataFormat, Running, Settled};

pub(super) const CALL_EXAMPLE: &str = "\
Examples:
  flow call text.words text=\"one two three\"
  flow call text.truncate \"a long text\" most=4   # the first parameter needs no name
  flow call json.parse '[1, 2]' --type 'list<int>'
  flow call shell.run '[\"uname\", \"-a\"]' --effect pure

It is a run like any other: `flow runs` lists it, and what is pure is taken from earlier results. \
A step that acts does so: who types it wants it.

Exit codes: those of `flow run`.";

impl Running {
    /// Says only where runs are kept.
    pub(crate) fn of_store(store: Option<PathBuf>) -> Self {
        Self {
            store,
            parallel: None,
            budget: Vec::new(),
            format: DataFormat::Human,
            settled: Settled { profile: None },
        }
    }
}

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

/// Which run is acted on, and who acts.
#[derive(Debug, Args)]
pub(crate) struct Acting {
    /// The run; the beginning of its name is enough
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// Who says so; without it, the user of the machine
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// The folder that runs are kept in; without it, `.flow` in the project
    #[arg(long, value_name = "FOLDER")]
    pub(crate) store: Option<PathBuf>,
}

pub(super) const APPROVE_EXAMPLE: &str = "\
Examples:
  flow approve kotemi                  # the one question that is open
  flow approve kotemi post --resume    # and goes on
  flow approve kotemi post --shown 3f2a91

What is approved is exactly what is shown now; `--shown` makes sure that it is what was seen.

Exit codes: 0 it counts, 2 usage, 9 who drives the run hasn't read it yet, 10 the store can't be \
used, 11 too late: answered, expired or over; with `--resume` also those of `flow run`.";

pub(super) const ANSWER_EXAMPLE: &str = "\
Examples:
  flow answer kotemi                   # shows what is asked
  flow answer kotemi title \"A rainy street\"
  flow answer kotemi draft mood=happy  # a record, field by field; the rest is as suggested
  flow answer kotemi draft --suggested
  flow answer kotemi titles 1,3        # a choice, by numbers

Exit codes: those of `flow approve`.";

/// `flow approve` and `flow reject`
#[derive(Debug, Args)]
pub(crate) struct Verdict {
    /// The run.
    #[command(flatten)]
    pub(crate) acting: Acting,
    /// The path of the question; it may be left out if one is open
    #[arg(value_name = "STEP")]
    pub(crate) step: Option<String>,
    /// The digest of what was seen, or its beginning: anything else is not answered
    #[arg(long, value_name = "DIGEST")]
    pub(crate) shown: Option<String>,
    /// Go on with the run afterwards, if nobody drives it
    #[arg(long)]
    pub(crate) resume: bool,
}

/// `flow answer`
#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// The run.
    #[command(flatten)]
    pub(crate) acting: Acting,
    /// The path of the question, which may be left out if one is open; and the answer
    #[arg(value_name = "[STEP] VALUE", allow_negative_numbers = true)]
    pub(crate) words: Vec<String>,
    /// Answer with what is suggested
    #[arg(long)]
    pub(crate) suggested: bool,
    /// The digest of what was seen, or its beginning: anything else is not answered
    #[arg(long, value_name = "DIGEST")]
    pub(crate) shown: Option<String>,
    /// Go on with the run afterwards, if nobody drives it
    #[arg(long)]
    pub(crate) resume: bool,
}

pub(super) const PAUSE_EXAMPLE: &str = "\
Example:
  flow pause kotemi

It doesn't wait until what runs has finished. `flow resume` goes on.";

/// `flow pause`
#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The run.
    #[command(flatten)]
    pub(crate) acting: Acting,
}

pub(super) const CANCEL_EXAMPLE: &str = "\
Examples:
  flow cancel kotemi
  flow cancel kotemi 'stills[3]'             # one item
  flow cancel kotemi 'stills[3]/draft' --why \"too dark\"

What is running is stopped. What succeeded stays, and `flow retry` goes on with the rest.";

/// `flow cancel`
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The run.
    #[command(flatten)]
    pub(crate) acting: Acting,
    /// The path of a step, a region or an item; without one, all of the run
    #[arg(value_name = "STEP")]
    pub(crate) step: Option<String>,
    /// Why, for who asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
}

pub(super) const RETRY_EXAMPLE: &str = "\
Examples:
  flow retry kotemi
  flow retry kotemi 'stills[3]'        # one item alone; what else failed stays failed

What succeeded stays. Exit codes: those of `flow run`.";

/// `flow retry`
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// The run; the beginning of its name is enough
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// The path of a step, a region or an item; without one, all that failed
    #[arg(value_name = "STEP")]
    pub(crate) step: Option<String>,
    /// Who says so; without it, the user of the machine
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Where it is kept.
    #[command(flatten)]
    pub(crate) running: Running,
}

pub(super) const EFFECTS_EXAMPLE: &str = "\
Examples:
  flow effects                         # what somebody has to see to, in all runs
  flow effects kotemi                  # all that a run did to the world
  flow effects resolve kotemi post --happened '{ \"id\": 7 }'
  flow effects resolve kotemi post --did-not       # it is done again
  flow effects resolve kotemi post --give-up       # it has failed
  flow effects bill kotemi draft '$0.04'           # what an attempt cost whose answer was lost
  flow effects trust openai.image                  # after a bill above the price

Exit codes: 0 it counts, 2 usage, 9 who drives the run hasn't read it yet, 10 the store can't be \
used, 11 too late: it is known already.";

/// `flow effects`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Effects {
    /// The run; without it, all runs in which somebody has to see to something
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The store.
    #[command(flatten)]
    pub(crate) asking: Asking,
    /// What to say.
    #[command(subcommand)]
    pub(crate) command: Option<EffectsCommand>,
}

/// What people say of acts.
#[derive(Debug, Subcommand)]
pub(crate) enum EffectsCommand {
    /// Say what became of an act that nobody knows about
    #[command(after_help = EFFECTS_EXAMPLE)]
    Resolve(Resolve),
    /// Say what an attempt cost whose answer was lost
    #[command(after_help = EFFECTS_EXAMPLE)]
    Bill(Billed),
    /// Trust a price again that was too low
    #[command(after_help = EFFECTS_EXAMPLE)]
    Trust(Trust),
}

/// `flow effects resolve`
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("verdict").required(true).args(["happened", "did_not", "give_up"])))]
pub(crate) struct Resolve {
    /// The run.
    #[command(flatten)]
    pub(crate) acting: Acting,
    /// The path of the act
    #[arg(value_name = "STEP")]
    pub(crate) step: String,
    /// It happened, and this is what it gave: a word, or JSON
    #[arg(long, value_name = "VALUE", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "the value may be left out")]
    pub(crate) happened: Option<Option<String>>,
    /// It didn't happen: it is tried again
    #[arg(long)]
    pub(crate) did_not: bool,
    /// Nobody will ever know: it has failed
    #[arg(long)]
    pub(crate) give_up: bool,
    /// What it cost, if that is known
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) bill: Option<String>,
    /// Which attempt, if several are open
    #[arg(long, value_name = "N")]
    pub(crate) attempt: Option<u32>,
}

/// `flow effects bill`
#[derive(Debug, Args)]
pub(crate) struct Billed {
    /// The run.
    #[command(flatten)]
    pub(crate) acting: Acting,
    /// The path of the step
    #[arg(value_name = "STEP")]
    pub(crate) step: String,
    /// What it cost; `$0` if it wasn't charged
    #[arg(value_name = "AMOUNT")]
    pub(crate) amount: String,
    /// Which attempt, if several are open
    #[arg(long, value_name = "N")]
    pub(crate) attempt: Option<u32>,
}

/// `flow effects trust`
#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// The price, as `flow effects` names it
    #[arg(value_name = "PRICE")]
    pub(crate) price: String,
    /// The folder that runs are kept in; without it, `.flow` in the project
    #[arg(long, value_name = "FOLDER")]
    pub(crate) store: Option<PathBuf>,
}
