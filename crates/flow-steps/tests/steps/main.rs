//! Tests of what carries out steps, through the table of all of them.

#![expect(clippy::unwrap_used, reason = "test harness")]

mod children;
mod desk;
mod web;

mod declared;
mod file;
mod http;
mod human;
mod json;
mod notify;
mod plugin;
mod shell;
mod state;
mod text;
mod time;
