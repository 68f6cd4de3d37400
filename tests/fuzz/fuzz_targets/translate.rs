//! What can be compiled can be translated there and back.
#![no_main]

use flow_fuzz::{properties::translates, studio::read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| read(data, translates));
