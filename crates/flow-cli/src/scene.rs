//! A run on which somebody acts: found, folded, and told what is wanted of it.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is not general enough over lifetimes"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration as Wait;

use flow_core::address::{At, Part};
use flow_core::event::Status;
use flow_core::history::{Attempt, Outcome, Said};
use flow_core::letter::{Letter, Objection, Order, Reply};
use flow_core::path::StepPath;
use flow_runtime::artifacts::Kept;
use flow_runtime::mail::{self, Delivered, MailError};
use flow_runtime::owner::{Life, Pace};

use crate::archive::{Archive, Past, Shelf};
use crate::args::Acting;
use crate::drive::{Desk, runtime, whole};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::next::{Stop, plain, typed};
use crate::page::{instant, tame};

/// How long somebody who drives a run has to answer.
const PATIENCE: Wait = Wait::from_secs(10);

/// A run, as it was when it was looked at.
pub(crate) struct Scene<'a> {
    pub(crate) archive: Archive,
    pub(crate) past: Past,
    pub(crate) acting: &'a Acting,
    pub(crate) extra: &'a Extra,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obeyed {
    /// It is done.
    Done,
    /// It changes nothing.
    Refused(Objection),
    /// Nobody has read it yet.
    Unread { pid: Option<u32>, pace: Pace },
}

impl<'a> Scene<'a> {
    /// Finds a run by the beginning of its name, and folds it.
    pub(crate) fn open(acting: &'a Acting, extra: &'a Extra) -> Result<Self, Failure> {
        let archive = Archive::open(acting.store.as_deref(), extra)?;
        let row = archive.run(&acting.run)?;
        let past = archive.past(&row)?;
        Ok(Self {
            archive,
            past,
            acting,
            extra,
        })
    }

    /// Looks at the run again.
    pub(crate) fn again(&mut self) -> Result<(), Failure> {
        let row = self.archive.again(&self.past.row)?;
        self.past = self.archive.past(&row)?;
        Ok(())
    }

    /// Returns its name.
    pub(crate) fn id(&self) -> &str {
        &self.past.row.id.0
    }

    /// Returns the values of the store.
    pub(crate) fn values(&self) -> Shelf<'_> {
        self.archive.values()
    }

    /// Returns the path of an instance.
    pub(crate) fn path(&self, at: &At) -> StepPath {
        self.past.history.path(at, &self.values())
    }

    /// Returns the path of an instance as it is typed.
    pub(crate) fn typed(&self, at: &At) -> String {
        typed(&self.path(at))
    }

    /// Returns the path of a part as it is typed.
    pub(crate) fn typed_part(&self, part: &Part) -> String {
        typed(&self.past.history.part_path(part, &self.values()))
    }

    /// Returns the path of a part for inside of quotes.
    fn plain_part(&self, part: &Part) -> String {
        plain(&self.past.history.part_path(part, &self.values()))
    }

    /// Finds the part of the run that a path means.
    pub(crate) fn part(&self, path: &str) -> Result<Part, Failure> {
        let place = self.past.place(path, &self.values())?;
        place.part().ok_or_else(|| {
            let whole = self.past.history.place_path(&place, &self.values());
            Failure::usage(format!("`{}` is there many times", tame(path))).with_help(format!(
                "say which, with a key in place of `*`: `{}`",
                tame(&whole)
            ))
        })
    }

    /// Finds the instance that a path means.
    pub(crate) fn at(&self, path: &str) -> Result<At, Failure> {
        let part = self.part(path)?;
        match part.item {
            None => Ok(part.at),
            Some(_) => Err(Failure::usage(format!(
                "`{}` is an item, not a step",
                self.typed_part(&part)
            ))
            .with_help("say which step in it: `stills[3]/draw`")),
        }
    }

    /// Returns whether something was ever asked there.
    pub(crate) fn is_question(&self, at: &At) -> bool {
        let attempts = self.past.history.entry(at).map(|entry| &entry.attempts);
        let mut attempts = attempts.into_iter().flatten();
        attempts.any(|attempt| {
            matches!(
                attempt.outcome,
                Outcome::Asked | Outcome::Answered(_) | Outcome::Expired
            )
        })
    }

    /// Returns who drives the run, if somebody does.
    pub(crate) fn driver(&self) -> Result<Option<(Option<u32>, Pace)>, Failure> {
        Ok(match self.archive.driven_by(&self.past.row)? {
            Some(Life::Alive { pid, pace }) => Some((pid, pace)),
            Some(Life::Dead) | None => None,
        })
    }

    /// Opens the store to write into it.
    pub(crate) fn desk(&self) -> Result<Desk, Failure> {
        Desk::at(self.acting.store.as_deref(), self.extra)
    }

    /// Asks for something, and waits until it is known what came of it. What
    /// would change nothing is not asked for.
    pub(crate) fn order(&self, desk: &Desk, order: Order) -> Result<Obeyed, Failure> {
        self.order_with(desk, order, Vec::new())
    }

    /// Asks for something that speaks of files.
    pub(crate) fn order_with(
        &self,
        desk: &Desk,
        order: Order,
        kept: Vec<Kept>,
    ) -> Result<Obeyed, Failure> {
        let letter = Letter {
            by: self.acting.by(),
            order,
        };
        let values = self.values();
        let input = letter.clone().input(&values);
        if let Err(objection) = self.past.run.order(input, self.archive.now, &values) {
            return Ok(Obeyed::Refused(objection));
        }
        let around = || desk.quiet();
        let run = &self.past.row.id;
        let sent = mail::send(
            desk.store(),
            &around,
            run,
            &letter,
            kept,
            self.archive.now,
            PATIENCE,
        );
        match runtime()?.block_on(sent) {
            Ok(Delivered::Answered(Reply::Done)) => Ok(Obeyed::Done),
            Ok(Delivered::Answered(Reply::Refused(objection))) => Ok(Obeyed::Refused(objection)),
            Ok(Delivered::Unread { pid, pace }) => Ok(Obeyed::Unread { pid, pace }),
            Err(error) => Err(undelivered(&error)),
        }
    }

    /// Returns what people have to see to next.
    pub(crate) fn stop<T>(&self, with: impl FnOnce(&Stop<'_>) -> T) -> T {
        let values = self.values();
        let blobs = self.archive.layout.blobs();
        with(&Stop {
            run: &self.past.run,
            values: &values,
            path: &|at| self.past.history.path(at, &values),
            blobs: &blobs,
            store: self.acting.store.as_deref(),
        })
    }

    /// Says how it goes on from here: by itself, or with what to type.
    pub(crate) fn goes_on(&self) -> Result<String, Failure> {
        Ok(match self.driver()? {
            Some((pid, Pace::Running)) => format!("it goes on in {}", process(pid)),
            Some((pid, Pace::Stopped)) => format!("{} drives it, and is stopped", process(pid)),
            None => {
                if let Some(command) = self.stop(|stop| stop.command()) {
                    format!("go on with `{command}`")
                } else {
                    let command = format!("flow outputs {}", self.id());
                    let command = with_store(&command, self.acting.store.as_deref());
                    format!("it is over · `{command}` shows what it gave")
                }
            }
        })
    }

    /// Says why an order about an instance, or the run, changed nothing.
    pub(crate) fn refusal(&self, objection: &Objection, at: Option<&At>) -> Failure {
        let part = at.map(|at| Part {
            at: at.clone(),
            item: None,
        });
        self.refusal_of(objection, part.as_ref())
    }

    /// Says why an order about a part of the run changed nothing.
    pub(crate) fn refusal_of(&self, objection: &Objection, part: Option<&Part>) -> Failure {
        let id = self.id();
        let at = part.map(|part| &part.at);
        let path = part.map_or_else(
            || format!("the run `{id}`"),
            |part| format!("`{}`", self.plain_part(part)),
        );
        match objection {
            Objection::NotAsked => self.not_asked(&path, at),
            Objection::Expired => {
                Failure::late(format!("{path} was to be answered earlier: it is expired"))
            }
            Objection::OtherShown => Failure::late(format!(
                "{path} shows something else than what the answer is for"
            ))
            .with_help(format!("look again: `flow show {id}`")),
            Objection::Misfit(why) => {
                Failure::usage(format!("the value doesn't fit {path}: {}", tame(why)))
            }
            Objection::Over(status) => {
                let how = match status {
                    Status::Succeeded => "it succeeded",
                    Status::Failed => "it failed",
                    Status::Cancelled => "it was cancelled",
                };
                Failure::late(format!("the run `{id}` is over: {how}"))
            }
            Objection::NotOver => Failure::usage(format!("the run `{id}` isn't over")).with_help(
                format!("what fails can be tried again when it is; `flow resume {id}` goes on"),
            ),
            Objection::PausedAlready => Failure::late(format!("the run `{id}` is paused already")),
            Objection::NotPaused => Failure::late(format!("the run `{id}` isn't paused")),
            Objection::Nowhere => Failure::usage(format!(
                "{path} hasn't begun, or is not in progress any more"
            ))
            .with_help(format!("`flow show {id}` shows what is")),
            Objection::Settled => Failure::late(format!("{path} is over already")),
            Objection::NotFailed => Failure::usage(format!("{path} hasn't failed"))
                .with_help(format!("`flow show {id}` shows what has")),
            Objection::NoBudget => Failure::usage(format!("{path} has no budget now"))
                .with_help("without a path, `--budget AMOUNT` is for the whole run"),
            Objection::NotUnknown => self.not_unknown(&path, at),
            Objection::NotPresumed => Failure::late(format!("what {path} cost is known")),
            Objection::Busy => {
                Failure::usage(format!("something of the run `{id}` is in progress"))
                    .with_help(format!("`flow pause {id}` first; what runs may finish"))
            }
            Objection::Unknown => Failure::Told {
                exit: Exit::Unknown,
                message: format!(
                    "nobody knows what became of something of the run `{id}`, and it might happen again"
                ),
                help: Some(format!(
                    "`flow effects {id}` shows what; `flow effects resolve` says what became of it"
                )),
            },
            Objection::NoPlan | Objection::Unreadable => {
                Failure::store("who drives the run is another version of flow".to_owned())
            }
        }
    }

    /// Returns the last attempt at an instance.
    fn last(&self, at: Option<&At>) -> Option<&Attempt> {
        self.past.history.entry(at?)?.attempt()
    }

    fn not_asked(&self, path: &str, at: Option<&At>) -> Failure {
        let Some(last) = self.last(at) else {
            return Failure::late(format!("{path} isn't asked"));
        };
        let when = last.ended.map(|at| format!(" at {}", instant(at)));
        let when = when.unwrap_or_default();
        Failure::late(match &last.outcome {
            Outcome::Answered(by) => format!("{path} is answered already, by {}{when}", tame(by)),
            Outcome::Expired => format!("{path} is expired: nobody answered in time{when}"),
            Outcome::Failed { .. } => format!("{path} isn't asked any more: it failed{when}"),
            Outcome::Stopped(_) | Outcome::Lost(_) => format!("{path} isn't asked any more{when}"),
            Outcome::Asked if at.is_some_and(|at| self.is_given_up(at)) => {
                format!("{path} isn't asked any more: it was given up")
            }
            Outcome::Running
            | Outcome::Submitted
            | Outcome::Asked
            | Outcome::Waits(_)
            | Outcome::Succeeded => format!("{path} isn't asked"),
        })
    }

    fn is_given_up(&self, at: &At) -> bool {
        let mut cancels = self.past.history.cancels().iter();
        cancels.any(|cancel| self.past.history.is_in(at, &cancel.part))
    }

    fn not_unknown(&self, path: &str, at: Option<&At>) -> Failure {
        let resolved = self.last(at).and_then(|last| last.resolved.as_ref());
        let Some(resolved) = resolved else {
            return Failure::late(format!("what became of {path} is known"));
        };
        let what = match resolved.verdict {
            Said::Happened => "that it happened",
            Said::DidNot => "that it didn't happen",
            Said::GiveUp => "that nobody will know",
        };
        let (by, when) = (tame(&resolved.by), instant(resolved.at));
        Failure::late(format!("{by} said at {when} {what}"))
    }
}

/// Says that who drives the run hasn't read an order yet.
pub(crate) fn unread(id: &str, pid: Option<u32>, pace: Pace) -> Failure {
    let (why, help) = match pace {
        Pace::Stopped => ("which is stopped", "continue it with `fg`, or end it"),
        Pace::Running => (
            "which hasn't read it yet",
            "it counts as soon as it is read",
        ),
    };
    Failure::Told {
        exit: Exit::Owned,
        message: format!("it is left for {}, {why}", process(pid)),
        help: Some(format!("{help}; `flow show {id}` says what came of it")),
    }
}

/// Returns the name of a process.
pub(crate) fn process(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

fn undelivered(error: &MailError) -> Failure {
    match error {
        MailError::Gone { .. } => Failure::late(error.to_string()),
        MailError::Write(_)
        | MailError::Read(_)
        | MailError::Open(_)
        | MailError::Owner(_)
        | MailError::Take(_)
        | MailError::Answer(_) => Failure::store(whole(error)),
    }
}

impl Acting {
    /// Returns who acts: as it is said, or the user of the machine.
    pub(crate) fn by(&self) -> Arc<str> {
        self.by.as_deref().map_or_else(user, Into::into)
    }
}

/// Returns the user of the machine.
pub(crate) fn user() -> Arc<str> {
    let names = ["USER", "LOGNAME"].into_iter();
    let mut names = names.filter_map(|name| std::env::var(name).ok());
    let name = names.find(|name| !name.is_empty());
    name.map_or_else(|| "somebody".into(), Into::into)
}

/// Writes a command with the store, if that was named.
pub(crate) fn with_store(command: &str, store: Option<&Path>) -> String {
    match store {
        Some(store) => {
            let store = crate::page::quoted(&store.display().to_string());
            format!("{command} --store {store}")
        }
        None => command.to_owned(),
    }
}
