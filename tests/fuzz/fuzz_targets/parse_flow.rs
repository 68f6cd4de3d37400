//! Any text is parsed.
#![no_main]

use flow_fuzz::properties::parses;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| parses("main.flow", text));
