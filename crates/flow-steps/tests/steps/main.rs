//! Tests of what carries out steps, through the table of all of them.

#![expect(clippy::unwrap_used, reason = "test harness")]

mod children;
mod desk;

mod declared;
mod human;
mod json;
mod plugin;
mod shell;
mod text;
mod time;
