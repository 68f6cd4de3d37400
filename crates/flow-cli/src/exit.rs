//! How the command ends: exit codes, and failures that are not the author's.
//!
//! | Code | Meaning |
//! | --- | --- |
//! | 0 | everything went well |
//! | 1 | the files have errors, or `--check` found a difference |
//! | 2 | the command line can't be used |
//! | 3 | a file can't be read or written |
//! | 4 | the run failed |
//! | 5 | the run waits for a person |
//! | 6 | nobody knows what became of an act of the run |
//! | 7 | the run doesn't fit into a budget |
//! | 8 | the run was interrupted, and can be resumed |
//! | 9 | the run belongs to another process |
//! | 10 | the store can't be used |
//! | 11 | it came too late: somebody was faster, or it is over |
//!
//! `docs/cli.md` has the table for people; the codes from 4 on belong to runs.

use std::fmt;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything went well.
    Done,
    /// The files have errors, or differ from what was asked for.
    Invalid,
    /// The command line can't be used.
    Usage,
    /// A file can't be read or written.
    Io,
    /// The run failed.
    Failed,
    /// The run waits for a person.
    Waiting,
    /// Nobody knows what became of an act of the run.
    Unknown,
    /// The run doesn't fit into a budget.
    Budget,
    /// The run was interrupted, and can be resumed.
    Interrupted,
    /// The run belongs to another process.
    Owned,
    /// The store can't be used.
    Store,
    /// It came too late: somebody was faster, or what it is about is over.
    Late,
}

impl Exit {
    /// Returns the number that the shell sees.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Invalid => 1,
            Self::Usage => 2,
            Self::Io => 3,
            Self::Failed => 4,
            Self::Waiting => 5,
            Self::Unknown => 6,
            Self::Budget => 7,
            Self::Interrupted => 8,
            Self::Owned => 9,
            Self::Store => 10,
            Self::Late => 11,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// Why a command could not go on.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody reads what is written. The command ends quietly.
    Closed,
    /// Something to tell the user.
    Told {
        /// How the command ends.
        exit: Exit,
        /// What went wrong.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
}

impl Failure {
    /// Says that the command line can't be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Told {
            exit: Exit::Usage,
            message: message.into(),
            help: None,
        }
    }

    /// Says that a file can't be read or written.
    pub(crate) fn io(message: impl Into<String>) -> Self {
        Self::Told {
            exit: Exit::Io,
            message: message.into(),
            help: None,
        }
    }

    /// Says that the store can't be used.
    pub(crate) fn store(message: impl Into<String>) -> Self {
        Self::Told {
            exit: Exit::Store,
            message: message.into(),
            help: None,
        }
    }

    /// Says that it came too late.
    pub(crate) fn late(message: impl Into<String>) -> Self {
        Self::Told {
            exit: Exit::Late,
            message: message.into(),
            help: None,
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn with_help(mut self, text: impl Into<String>) -> Self {
        if let Self::Told { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => Ok(()),
            Self::Told { message, help, .. } => {
                write!(f, "error: {message}")?;
                match help {
                    Some(help) => write!(f, "\n  help: {help}"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do_next() {
        let failure = Failure::usage("no workflow named `x`").with_help("did you mean `y`?");
        assert_eq!(
            failure.to_string(),
            "error: no workflow named `x`\n  help: did you mean `y`?"
        );
    }
}
