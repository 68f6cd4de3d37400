//! The pure heart of flow: values, types, expressions and plans.
//!
//! Nothing here knows source text, clocks, randomness, threads, disks or what
//! any step does. Equal inputs give equal outputs, on every machine.
//!
//! Modules, in reading order: what is computed with, what may be computed, the
//! plan that says in which order, what it can cost, and what happens when it is
//! walked: its events, the run they make, what runs share, the names by which
//! results are known, what people ask about it, and the stored form of it all.

pub mod amount;
pub mod base64;
pub mod literal;
pub mod ty;
mod ty_display;
pub mod value;

pub mod check;
mod fit;
pub mod json;
pub mod mask;
pub mod relation;
pub mod scalar;
pub mod schema;

pub mod path;

pub mod expr;
pub mod template;

pub mod draw;
pub mod eval;

pub mod command;
pub mod effect;
pub mod plan;
mod recall;
mod stand_in;
mod walk;

pub mod digest;
pub mod store;

pub mod cost;

pub mod address;
pub mod arbiter;
pub mod edit;
pub mod event;
pub mod handle;
pub mod key;
pub mod letter;
pub mod memory;
pub mod run;
pub mod step;

pub mod history;

pub mod wire;
