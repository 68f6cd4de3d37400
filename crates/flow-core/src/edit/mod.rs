//! Edits: a run goes on under another plan, or another run begins where one is
//! not to be made again.
//!
//! What was made is known by its key, so it is found wherever it belongs in the
//! new plan. Nothing here decides for good: an [`Estate`] says what may be taken
//! over, a [`Takeover`] says what is, one by one and in the order in which it
//! was made, and each is an event of the run. A [`Sheet`] says it beforehand, by
//! walking a copy of the run as far as it goes for nothing.
//!
//! Modules, in reading order: where instances are in a log; what a log leaves;
//! how it is taken over; and how that is told beforehand.

mod trace;

mod estate;

mod shelf;
mod takeover;

mod again;
mod inputs;

mod forecast;
mod sheet;
mod survey;

pub use again::{Again, Extent, Unplaced};
pub use estate::{Collected, Doubtful, Estate, Fallen, Legacy, Sources, collect};
pub use inputs::{InputChange, InputFault, InputWay, Inputs, inputs};
pub use sheet::{Item, Open, Reason, Repeated, Row, Sheet, Verdict};
pub use survey::{OpenStay, Proposal, survey};
pub use takeover::Takeover;
