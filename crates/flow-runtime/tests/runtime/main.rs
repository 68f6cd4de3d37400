//! Tests of the runtime: of the store through its interface, in folders of
//! their own, with processes of their own, and with the power cut.
#![expect(clippy::unwrap_used, reason = "test harness")]

mod harness;

mod blobs;
mod collecting;
mod commits;
mod disks;
mod driving;
mod memory;
mod opening;
mod powercut;
mod processes;
mod rehearse;
