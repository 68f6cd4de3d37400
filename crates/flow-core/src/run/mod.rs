//! Runs: a plan, walked as far as the events of its log say.
//!
//! [`Run::decide`] is the only place where events are made. [`Run::apply`]
//! folds one into the state and says what changed in what should be in
//! progress; it never fails, and an event that comes too late changes nothing.
//! [`Run::outstanding`] derives all that should be in progress from the whole.
//!
//! Who drives a run hands every [`Action::Evaluate`] back at once, commits the
//! events, and only then carries out the other actions.

mod wish;

pub use wish::{Action, Corrupt, Delta, Fits, Input, Prepared, Refusal, Shared, Standing};
