//! Broken worlds: each must be noticed, and by the right check.

/// What is broken in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// The run follows a plan that lacks an edge.
    EdgeIgnored,
    /// The money of a stopped attempt is forgotten: on a race or a cancel.
    HoldForgottenWhenStopped,
    /// The money of a lost attempt is forgotten: on a resume.
    HoldForgottenWhenLost,
    /// What is held is forgotten in a crash.
    HoldForgottenOnCrash,
    /// What is held is not counted.
    DoubleGrant,
    /// The last item of a `for` is left out.
    ItemDropped,
    /// An outcome is written twice.
    SettledTwice,
    /// A request leaves before its intent is safe.
    EffectBeforeIntent,
    /// An unknown outcome is taken for a failure, and the fallback for it.
    FallbackOnUnknown,
    /// An act is sent twice.
    SentTwice,
    /// An attempt may begin although the run is paused.
    PauseIgnored,
    /// A presumed bill is written as none.
    BillForgotten,
    /// A wish is lost on its way to who carries it out.
    WishLost,
    /// A wish is missing in what an event changed.
    DeltaShort,
    /// A replay leaves out an event.
    ReplayShort,
    /// A loser of a race is taken for its winner.
    WrongWinner,
    /// The bound of a call is not held.
    NothingHeld,
    /// A lost act that can't be repeated is repeated.
    OnceRepeated,
}
