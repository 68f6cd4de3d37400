//! What a step may do to the world, and how failures are called.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::amount::Duration;

/// What a step may do, from the weakest to the strongest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Same inputs, same output.
    #[default]
    Pure,
    /// Looks at the outside world; may be run again.
    Read,
    /// Costs money or much time; is not repeatable.
    Paid,
    /// Changes the outside world.
    Act(Act),
}

/// How an act is kept from happening twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The target knows a key, for so long; without a window, for ever.
    Keyed(Option<Duration>),
    /// The target can be asked whether it happened.
    Probed,
    /// Nothing helps: a lost answer is an unknown outcome.
    Once,
}

impl Effect {
    /// Returns whether it changes the outside world.
    pub fn acts(self) -> bool {
        matches!(self, Self::Act(_))
    }

    /// Returns whether it can cost money.
    pub fn costs(self) -> bool {
        matches!(self, Self::Paid | Self::Act(_))
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pure => "pure",
            Self::Read => "read",
            Self::Paid => "paid",
            Self::Act(Act::Keyed(_)) => "act keyed",
            Self::Act(Act::Probed) => "act probed",
            Self::Act(Act::Once) => "act once",
        })
    }
}

/// Why a step failed, as far as it matters for what may be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// It may work next time.
    Transient,
    /// The other side asks for patience.
    RateLimited,
    /// It took too long.
    Timeout,
    /// The request can't be right.
    Invalid,
    /// The credentials are missing or wrong.
    Auth,
    /// The other side refuses such content.
    Policy,
    /// The other side is full.
    Capacity,
    /// It doesn't fit into a budget.
    Budget,
    /// Nobody answered in time.
    Expired,
    /// A mistake in the workflow or in flow.
    Bug,
    /// Nobody knows whether it happened.
    UnknownOutcome,
}

impl FailureClass {
    /// All classes, in the order in which they are documented.
    pub const ALL: [Self; 11] = [
        Self::Transient,
        Self::RateLimited,
        Self::Timeout,
        Self::Invalid,
        Self::Auth,
        Self::Policy,
        Self::Capacity,
        Self::Budget,
        Self::Expired,
        Self::Bug,
        Self::UnknownOutcome,
    ];

    /// Returns the word in the language.
    pub fn word(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Invalid => "invalid",
            Self::Auth => "auth",
            Self::Policy => "policy",
            Self::Capacity => "capacity",
            Self::Budget => "budget",
            Self::Expired => "expired",
            Self::Bug => "bug",
            Self::UnknownOutcome => "unknown_outcome",
        }
    }

    /// Reads a word of the language.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }
}
