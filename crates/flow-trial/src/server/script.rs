//! Scripts: how the server treats one request after another.
//!
//! A script is a list of turns, `lost,503_after+bill:2,ok`, one for each request
//! under a name, in the order in which they arrive; after the last one the rest
//! is `ok`. A turn is a list of words joined by `+`:
//!
//! | Word | What happens |
//! | --- | --- |
//! | `ok` | it is done and answered |
//! | `drop` | nothing is done, and the connection is closed |
//! | `lost` | it is done, and the connection is closed without an answer |
//! | `hang` | nothing is done, and the connection stays open without an answer |
//! | `hang_after` | it is done, and the connection stays open without an answer |
//! | `503` | it is refused with a status |
//! | `503!` | it is refused, and the same key is refused again for ever |
//! | `503_after` | it is done, and answered with the status all the same |
//! | `late:50` | the connection is closed, and it is done 50 ms later |
//! | `slow:50`, `slow_after:50` | there is a pause, before or after it is done |
//! | `gate`, `gate_after` | it waits until the gate is opened |
//! | `bill:2.5` | it costs so many times what it may cost at most |
//! | `forget` | what was known under its key is forgotten first |
//! | `expire` | a job is forgotten as soon as it was handed in |
//! | `cannot_tell`, `no` | a question whether it happened gets this answer |

use std::str::FromStr;
use std::time::Duration;

/// How one request is treated.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    /// A pause before.
    pub slow: Duration,
    /// A pause after.
    pub slow_after: Duration,
    /// Where it waits for the gate.
    pub gate: Option<Side>,
    /// Whether and when it is done.
    pub done: Done,
    /// How it is answered.
    pub answer: Answer,
    /// What it costs, in thousandths of the bound.
    pub bill: Option<i64>,
    /// Whether its key is forgotten first.
    pub forget: bool,
    /// Whether a job is forgotten at once.
    pub expire: bool,
    /// What a question gets for an answer.
    pub found: Option<Found>,
}

/// Before or after it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before.
    Before,
    /// After.
    After,
}

/// Whether a request is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Done {
    /// At once.
    #[default]
    Now,
    /// After a pause, when nobody waits any more.
    Late(Duration),
    /// Never.
    Never,
}

/// What a request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answer {
    /// Its result.
    #[default]
    Result,
    /// A status of failure.
    Status(u16),
    /// A status of failure, which its key gets from now on.
    Remembered(u16),
    /// Nothing; the connection is closed.
    Closed,
    /// Nothing; the connection stays open.
    Silence,
}

/// What is said about whether something happened, against the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nobody can tell.
    CannotTell,
    /// It didn't.
    No,
}

/// A word that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord(pub String);

impl FromStr for Turn {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let mut turn = Self::default();
        for word in text.split('+') {
            turn.take(word.trim())
                .ok_or_else(|| UnknownWord(word.to_owned()))?;
        }
        Ok(turn)
    }
}

impl Turn {
    fn take(&mut self, word: &str) -> Option<()> {
        let (name, number) = match word.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (word, None),
        };
        let pause = || number?.parse().ok().map(Duration::from_millis);
        match name {
            "ok" | "" => {}
            "drop" => (self.done, self.answer) = (Done::Never, Answer::Closed),
            "lost" => self.answer = Answer::Closed,
            "hang" => (self.done, self.answer) = (Done::Never, Answer::Silence),
            "hang_after" => self.answer = Answer::Silence,
            "late" => (self.done, self.answer) = (Done::Late(pause()?), Answer::Closed),
            "slow" => self.slow = pause()?,
            "slow_after" => self.slow_after = pause()?,
            "gate" => self.gate = Some(Side::Before),
            "gate_after" => self.gate = Some(Side::After),
            "bill" => self.bill = Some(thousandths(number?)?),
            "forget" => self.forget = true,
            "expire" => self.expire = true,
            "cannot_tell" => self.found = Some(Found::CannotTell),
            "no" => self.found = Some(Found::No),
            status => self.refuse(status)?,
        }
        Some(())
    }

    fn refuse(&mut self, word: &str) -> Option<()> {
        if let Some(status) = word.strip_suffix("_after") {
            self.answer = Answer::Status(status.parse().ok()?);
            return Some(());
        }
        self.done = Done::Never;
        self.answer = match word.strip_suffix('!') {
            Some(status) => Answer::Remembered(status.parse().ok()?),
            None => Answer::Status(word.parse().ok()?),
        };
        Some(())
    }
}

/// Reads `2`, `1.5` or `0.125`.
fn thousandths(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<3}");
    let whole: i64 = whole.parse().ok()?;
    whole
        .checked_mul(1000)?
        .checked_add(part.get(..3)?.parse().ok()?)
}

/// Returns the turn of a request: the scripts' one, or `ok`.
pub fn turn(script: &str, number: usize) -> Result<Turn, UnknownWord> {
    script.split(',').nth(number).unwrap_or("ok").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_each_other_and_then_everything_is_fine() {
        let script = "lost,503_after+bill:2.5,429!";
        let at = |number| turn(script, number).unwrap();
        assert_eq!(at(0).answer, Answer::Closed);
        assert_eq!(at(0).done, Done::Now);
        assert_eq!(at(1).answer, Answer::Status(503));
        assert_eq!((at(1).done, at(1).bill), (Done::Now, Some(2500)));
        assert_eq!(at(2).answer, Answer::Remembered(429));
        assert_eq!(at(2).done, Done::Never);
        assert_eq!(at(3), Turn::default());
        assert_eq!(turn("", 0).unwrap(), Turn::default());
    }

    #[test]
    fn a_word_that_means_nothing_is_told() {
        for script in ["lots", "bill", "slow:x", "bill:1.x", "+-1"] {
            assert!(turn(script, 0).is_err(), "{script}");
        }
    }
}
