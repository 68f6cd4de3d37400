//! Worlds: several runs and one arbiter, in one thread and from one seed.
#![expect(clippy::unwrap_used, reason = "test harness")]

mod dice;
mod gate;
mod generate;
mod mutants;
mod oracle;
mod outside;
mod script;
mod world;

use world::{Traits, World};

#[test]
fn worlds() {
    for seed in 0..200 {
        let traits = Traits { mood: script::Mood::Calm, is_split: false, is_moody: false, crashes: 0, meddling: 0, mutant: None };
        let (world, tastes) = World::new(seed, traits);
        if let Err(fault) = world.live(tastes) { panic!("seed {seed}: {fault}"); }
    }
}
