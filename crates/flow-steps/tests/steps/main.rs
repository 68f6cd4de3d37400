//! Tests of what carries out steps, through the table of all of them.

#![expect(clippy::unwrap_used, reason = "test harness")]

mod desk;
mod web;

mod declared;
mod http;
mod human;
mod json;
mod shell;
mod text;
mod time;
