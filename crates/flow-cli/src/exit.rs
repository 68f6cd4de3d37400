//! How the command ends: exit codes, and failures that are not the author's.
//!
//! | Code | Meaning |
//! | --- | --- |
//! | 0 | everything went well |
//! | 1 | the files have errors, or `--check` found a difference |
//! | 2 | the command line can't be used |
//! | 3 | a file can't be read or written |
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
}

impl Exit {
    /// Returns the number that the shell sees.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Invalid => 1,
            Self::Usage => 2,
            Self::Io => 3,
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
