//! Trials of the whole command, and of what they are made with.
//!
//! In reading order: the server and the steps; the bench, the processes on it
//! and what they are judged by; and the trials. `FLOW_TRIAL_LONG=1` asks for
//! their long form, which takes minutes.

#![expect(clippy::unwrap_used, reason = "test harness")]

mod server;
mod steps;

mod asking;
mod bench;
mod dice;
mod flow;
mod oracle;

mod acting;
mod budget;
mod children;
mod clocks;
mod collecting;
mod crash;
mod encrypted;
mod faults;
mod full;
mod plugins;
mod powercut;
mod remember;
mod requests;
mod secrets;
mod syscalls;
mod twins;
