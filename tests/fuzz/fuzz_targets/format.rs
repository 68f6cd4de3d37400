//! What can be parsed can be formatted.
#![no_main]

use flow_fuzz::{properties::formats, studio::read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| read(data, formats));
