//! Facts of the arbiter: all that changes its durable state.
//!
//! A fact carries what was decided, so that applying it decides nothing. One
//! that comes too late, or twice, changes nothing.

use std::sync::Arc;

use crate::address::RunId;
use crate::amount::{Duration, Money, Timestamp};
use crate::digest::Digest;
use crate::event::Grant;
use crate::run::Refusal;
use crate::step::Bill;

use super::demand::{HoldId, OwnerId};
use super::hold::Hold;

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArbEvent {
    /// An attempt was granted what it asked for: its money is held in all its
    /// ledgers, its slots are taken, and its key is in flight. It is one fact,
    /// so that no part of it can be without the others.
    Held(HoldId, Box<Hold>),
    /// An attempt whose owner died, or which gave slots back, has slots again.
    SlotsTaken {
        /// The attempt.
        hold: HoldId,
        /// Whose they are now.
        owner: OwnerId,
        /// The pools.
        pools: Vec<Arc<str>>,
        /// The key that is in flight with it again.
        key: Option<Digest>,
    },
    /// An attempt keeps only these slots.
    Narrowed {
        /// The attempt.
        hold: HoldId,
        /// The pools it keeps.
        pools: Vec<Arc<str>>,
    },
    /// What an attempt cost is known. The hold is spent by it and forgotten.
    Settled {
        /// The attempt.
        hold: HoldId,
        /// What it cost.
        bill: Money,
    },
    /// Nobody knows what an attempt cost. The hold is spent by what it counts
    /// as, and stays known.
    Presumed {
        /// The attempt.
        hold: HoldId,
        /// What it counts as.
        bill: Money,
    },
    /// An attempt cost nothing. The hold is given back and forgotten.
    Released {
        /// The attempt.
        hold: HoldId,
    },
    /// An attempt cost something else than it was billed.
    Rebilled {
        /// The attempt.
        hold: HoldId,
        /// What it was granted, for a hold that is forgotten.
        grant: Box<Grant>,
        /// What it was billed before, for a hold that is forgotten.
        old: Bill,
        /// What it is billed now.
        new: Bill,
    },
    /// An attempt began, and took a token.
    TokenTaken {
        /// The pool.
        pool: Arc<str>,
        /// When its bucket is full again.
        full_at: Duration,
        /// When it was taken.
        at: Timestamp,
    },
    /// The other side asked for patience.
    Paused {
        /// The pool.
        pool: Arc<str>,
        /// Until when.
        until: Timestamp,
        /// When it asked.
        at: Timestamp,
    },
    /// A pool worked, which closes its breaker, or failed.
    Saw {
        /// The pool.
        pool: Arc<str>,
        /// Which of the two.
        worked: Worked,
    },
    /// A breaker opened.
    Tripped {
        /// The pool.
        pool: Arc<str>,
        /// Until when nothing is let through.
        until: Timestamp,
        /// When it opened.
        at: Timestamp,
    },
    /// A breaker let one attempt through.
    HalfOpened {
        /// The pool.
        pool: Arc<str>,
        /// The attempt.
        probe: HoldId,
    },
    /// The attempt that a breaker let through said nothing.
    ProbeOver {
        /// The pool.
        pool: Arc<str>,
        /// The attempt.
        probe: HoldId,
    },
    /// A bill was above the bound that a price gives.
    Distrusted {
        /// The price.
        price: Arc<str>,
        /// The evidence.
        evidence: Overcharge,
    },
    /// Somebody said that a price is right.
    Trusted {
        /// The price.
        price: Arc<str>,
    },
    /// A process is dead: its slots are free and its keys no longer in flight.
    OwnerGone {
        /// The process.
        owner: OwnerId,
    },
    /// A run will bring no more bills: what is known for them is forgotten.
    RunClosed {
        /// The run.
        run: RunId,
    },
    /// The clock was set back. All instants that are waited for move with it.
    ClockSetBack {
        /// How far.
        by: Duration,
    },
}

/// Whether a pool worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// It did.
    Yes,
    /// It didn't.
    No,
}

/// A bill above its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overcharge {
    /// The bill.
    pub bill: Money,
    /// What was held for it.
    pub bound: Money,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// The facts, already applied, to be committed with the answers.
    pub events: Vec<ArbEvent>,
    /// The answers to demands, of whichever run.
    pub answers: Vec<Answer>,
    /// When to call [`Arbiter::tick`](super::Arbiter::tick), at the latest.
    pub wake: Option<Timestamp>,
}

/// The answer to a demand. A demand without one waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The attempt.
    pub hold: HoldId,
    /// The answer.
    pub reply: Reply,
}

/// What a demand is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It has all that it asked for.
    Granted(Grant),
    /// It will never have it, as things are.
    Never(Refusal),
    /// An equal call is over, whose result may be there now. To be looked up,
    /// and asked again if it isn't.
    Landed {
        /// The key.
        key: Digest,
    },
}
