//! Any text is compiled.
#![no_main]

use flow_fuzz::{properties::compiles, studio::read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| read(data, compiles));
