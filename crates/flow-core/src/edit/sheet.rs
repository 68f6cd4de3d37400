//! Sheets: what becomes of the parts of a run if it goes on under another plan,
//! for people to agree with.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::amount::Money;
use crate::cost::Total;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::key::Difference;
use crate::path::StepPath;
use crate::run::Left;

use super::inputs::{InputChange, InputWay};

/// What becomes of the parts of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// What becomes of them: those of the new plan in its order, then those that
    /// it doesn't have.
    pub rows: Vec<Row>,
    /// Acts that happened, or may have, and that may happen again.
    pub repeated: Vec<Repeated>,
    /// Attempts of which the outcome isn't known, and which stay with the run.
    pub open: Vec<Open>,
    /// Arguments of the workflow that are others than before.
    pub inputs: Vec<InputChange>,
    /// What is yet to come costs at most this.
    pub ahead: Total,
    /// What was paid for what is taken over.
    pub kept: Money,
    /// What was paid for what is not.
    pub lost: Money,
}

/// Instances of a step that have the same before them, for the same reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What becomes of them.
    pub verdict: Verdict,
    /// The place, with `[*]` for any item or round.
    pub place: Arc<str>,
    /// The step.
    pub step: Arc<str>,
    /// What the step may do.
    pub effect: Effect,
    /// The instances, as far as they are known.
    pub items: Vec<Item>,
    /// Why.
    pub reason: Option<Reason>,
    /// What was paid for them, if they have results.
    pub paid: Money,
    /// What they cost at most, if they are to be made.
    pub cost: Total,
}

/// An instance of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Where it is.
    pub place: StepPath,
    /// Where its result was made, if that is elsewhere.
    pub was: Option<StepPath>,
}

/// What becomes of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Its result is taken over.
    Adopt,
    /// What was begun goes on.
    GoOn,
    /// It is made again.
    Again,
    /// It is made again, unless what it is made of comes out as it was.
    Perhaps,
    /// It is made for the first time.
    New,
    /// Nobody asks for its result any more.
    Orphaned,
}

/// Why something is not taken over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Another step was there.
    Was(Arc<str>),
    /// It is made of something else.
    Differs(Vec<Difference>),
    /// It is made of what these give, which run before.
    Follows(Vec<Arc<str>>),
    /// It has failed.
    Failed(Arc<str>),
    /// It was begun, and has no result.
    Unfinished,
    /// Its result was there, and is gone.
    Gone,
    /// That is what was asked for.
    Asked,
    /// An equal call has its result.
    Taken,
}

/// An act that happened, or may have, and that may happen again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repeated {
    /// Where it happened.
    pub place: StepPath,
    /// The step.
    pub step: Arc<str>,
    /// Whether it is known that it happened.
    pub is_known: bool,
    /// Whether it is known that it is done again.
    pub is_certain: bool,
}

/// An attempt of which the outcome isn't known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// Where it was begun.
    pub place: StepPath,
    /// The step.
    pub step: Arc<str>,
    /// What is left of it.
    pub left: Left,
    /// What is held for it.
    pub hold: Money,
    /// Whether an instance of the new plan takes it over.
    pub is_joined: bool,
}

impl Sheet {
    /// Returns whether something is in it that has to be agreed with: something
    /// that cost money is made again or lost, or an act belongs to no step any
    /// more. Acts that may be done again are a matter of their own.
    pub fn has_to_be_agreed_with(&self) -> bool {
        let is_dear = |row: &Row| match row.verdict {
            Verdict::Again | Verdict::Perhaps => {
                row.effect == Effect::Paid || row.paid > Money(0) || !row.is_free()
            }
            Verdict::Orphaned => row.effect.costs() || row.paid > Money(0),
            Verdict::Adopt | Verdict::GoOn | Verdict::New => false,
        };
        self.rows.iter().any(is_dear)
    }

    /// Returns whether it says that acts may happen again.
    pub fn repeats_acts(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// Returns its name by content.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().to_string().as_bytes())
    }

    /// Returns how many instances have something before them.
    pub fn count(&self, verdict: Verdict) -> usize {
        let rows = self.rows.iter().filter(|row| row.verdict == verdict);
        rows.map(|row| row.items.len()).sum()
    }

    /// Writes it for programs.
    pub fn to_json(&self) -> Json {
        let rows = self.rows.iter().map(Row::to_json);
        let repeated = self.repeated.iter().map(|act| {
            json!({
                "path": act.place.to_string(),
                "step": &*act.step,
                "happened": if act.is_known { "yes" } else { "unknown" },
                "again": if act.is_certain { "yes" } else { "perhaps" },
            })
        });
        let open = self.open.iter().map(|open| {
            json!({
                "path": open.place.to_string(),
                "step": &*open.step,
                "left": open.left.word(),
                "held": open.hold.to_string(),
                "orphaned": !open.is_joined,
            })
        });
        let inputs = self
            .inputs
            .iter()
            .map(|change| json!({ "name": &*change.name, "change": change.way.word() }));
        json!({
            "rows": rows.collect::<Vec<_>>(),
            "repeated": repeated.collect::<Vec<_>>(),
            "open": open.collect::<Vec<_>>(),
            "inputs": inputs.collect::<Vec<_>>(),
            "ahead": amount(&self.ahead),
            "kept": self.kept.to_string(),
            "lost": self.lost.to_string(),
        })
    }
}

/// Returns an amount for programs; nothing if there is no bound.
fn amount(total: &Total) -> Option<String> {
    match total {
        Total::Known(amount) => Some(amount.to_string()),
        Total::Unbounded(_) => None,
    }
}

impl Row {
    /// Returns whether it can't cost anything.
    pub fn is_free(&self) -> bool {
        self.cost == Total::Known(Money(0))
    }

    fn to_json(&self) -> Json {
        let items = self.items.iter().map(|item| {
            json!({
                "path": item.place.to_string(),
                "was": item.was.as_ref().map(ToString::to_string),
            })
        });
        json!({
            "verdict": self.verdict.word(),
            "place": &*self.place,
            "step": &*self.step,
            "effect": self.effect.to_string(),
            "items": items.collect::<Vec<_>>(),
            "reason": self.reason.as_ref().map(ToString::to_string),
            "paid": self.paid.to_string(),
            "cost": amount(&self.cost),
        })
    }
}

impl Verdict {
    /// Returns the word for it, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::GoOn => "go_on",
            Self::Again => "run_again",
            Self::Perhaps => "may_run_again",
            Self::New => "new",
            Self::Orphaned => "orphaned",
        }
    }
}

impl Left {
    /// Returns the word for it, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Job => "job",
            Self::Unknown => "unknown",
            Self::Question => "question",
            Self::Wait => "wait",
            Self::Lost => "lost",
        }
    }
}

impl InputWay {
    /// Returns the word for it, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::New => "new",
            Self::Default => "default",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for Reason {
    /// Writes it for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Was(step) => write!(f, "it was `{step}`"),
            Self::Differs(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                f.write_str(&parts.join(", "))
            }
            Self::Follows(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "follows {}", names.join(", "))
            }
            Self::Failed(message) => write!(f, "it failed: {message}"),
            Self::Unfinished => f.write_str("it was begun, and has no result"),
            Self::Gone => f.write_str("its result was removed or lost"),
            Self::Asked => f.write_str("as you said"),
            Self::Taken => f.write_str("an equal call has its result"),
        }
    }
}
