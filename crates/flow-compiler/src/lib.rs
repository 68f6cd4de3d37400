//! Checks a file of the flow language and lowers it to plans.
//!
//! [`compile`] is the whole interface: texts and declared steps in, plans and
//! diagnostics out. This crate reads no files itself and knows nothing of how a
//! plan is run or stored. It never panics, whatever the text.
//!
//! Modules, in reading order: what it says, what it is told, the declarations,
//! the checks, the plan.

pub mod codes;
pub mod project;
pub mod settings;

pub mod declare;
pub mod signature;
pub mod stdlib;

mod check;
mod compiled;
mod follow;
mod hir;
mod lower;
mod pipeline;
mod quoting;
mod translate;

pub use check::{
    Called, Catchup, CheckedTest, CheckedTrigger, Expect, FlowEnd, Notify, NotifyOn, Overlap,
    Schedule, Seen, Slot, Stub, StubReply, TestAction, TestRun, When,
};
pub use compiled::{Compiled, CompiledWorkflow, Unlowered};
pub use declare::{Param, ParamDefault, WorkflowId};
pub use lower::Origins;
pub use pipeline::{check, compile};
pub use signature::{Signature, Signatures};
pub use translate::translate;
