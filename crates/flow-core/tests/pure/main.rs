//! What the core promises to others, seen from outside.

mod eval;
mod golden;
mod key;
mod letters;
mod outline;
mod programs;
mod recall;
mod sample;
mod template;
mod wire;
