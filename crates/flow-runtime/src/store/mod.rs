//! The store: one database with everything that is in rows, and files beside it
//! for what is too large.
//!
//! A process has one thread that writes. What is handed to it is committed
//! together and in order, so what survives a crash is always a prefix of what
//! was written. How sure a commit has to be is said with it ([`Level`]): what
//! cost money or touched the world is synced before anything follows from it.
//!
//! Modules, in reading order: where everything is and how it is opened; what is
//! written and how; what is read, and what the store says of itself; what is removed; and what tests see of it.

pub mod filesystem;
pub mod layout;
mod schema;

mod open;

mod batch;
mod queue;
mod rows;

mod disk;
mod group;
mod writer;

mod read;
mod recent;

pub mod examine;

mod collect;
mod mend;
mod weigh;

mod observe;

mod handle;

pub use batch::{
    Append, AskChange, AskRow, Batch, Begin, CacheEntry, Committed, Counts, EPOCH_FIRST, EffectRow,
    EffectState, EventRow, Held, Hold, LetterReply, LetterTag, Level, Missed, NewLetter, NewValue,
    PartsRow, Phase, Pin, Refused, SharedChange, SharedRow, StateEntry, Summary, VALUE_MAX,
    WriteError,
};
pub use collect::{CollectError, Collected, Collecting};
pub(crate) use disk::Disk;
pub use disk::{Admission, BALLAST, FREE_MIN, free};
pub use handle::{Store, TakeError};
pub use observe::{Faults, SyncObserver, SyncPoint};
pub use open::{Closing, OpenError, Options};
pub use queue::{Pending, QUEUE_BYTES, Taken};
pub use read::{Cached, Letter, Posted, ReadError, Reader, RunRow, Runs, SharedState};
pub use weigh::{Doomed, Weight};
