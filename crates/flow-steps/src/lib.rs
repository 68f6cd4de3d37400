//! What carries out the steps of the standard library: the only place where a
//! workflow touches the world.
//!
//! A step says what happened; what follows is decided by the run. Nothing here
//! knows the scheduler, the store, or another step.
//!
//! Modules, in reading order: which step is carried out by what, what a step
//! was given, what people are asked, child processes, and one module for each
//! family.

mod register;

mod given;
mod hosts;
mod inside;
mod media;
mod paths;
mod pattern;
mod process;

mod file;
mod form;
mod http;
mod human;
mod json;
mod notify;
mod plugin;
mod shell;
mod state;
mod text;
mod time;

pub use form::{Form, NoChoice, choice, choice_of};
pub use hosts::{HostRule, HostRuleError};
pub use media::{Facts, MediaFault, facts};
pub use plugin::{
    DryRun, Finding, Given, Groups, MissingProgram, Parameter, Parts, Plugins, Subject, Verdict,
    missing_program,
};
pub use register::{Allowed, Clock, Console, Place, Registry, register, rehearsed};
