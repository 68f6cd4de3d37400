//! What carries out the steps of the standard library: the only place where a
//! workflow touches the world.
//!
//! A step says what happened; what follows is decided by the run. Nothing here
//! knows the scheduler, the store, or another step.
//!
//! Modules, in reading order: which step is carried out by what, what a step
//! was given, what people are asked, and one module for each family.

mod register;

mod given;
mod paths;

mod form;

mod human;
mod json;
mod shell;
mod text;
mod time;

pub use form::{Form, NoChoice, choice, choice_of};
pub use register::{Clock, Place, Registry, register};
