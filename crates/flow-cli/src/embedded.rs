//! Texts that the binary carries; the build script collects them.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
