//! Random operations against the oracle.

use super::oracle::Oracle;
use super::world::{Record, World, scarce};

/// How many worlds there are. Two thousand were tried.
const SEEDS: u64 = 12;
const OPS: u32 = 250;

#[test]
fn whatever_happens_the_books_are_right() {
    for seed in 0..SEEDS {
        if let Err(text) = play(seed, |_, _| ()) {
            panic!("seed {seed}: {text}");
        }
    }
}

/// Lets a world go on for a while, then lets all of it end.
pub(super) fn play(seed: u64, mut tamper: impl FnMut(&World, &mut Record)) -> Result<(), String> {
    let terms = scarce(0);
    let mut world = World::new(seed, terms.clone());
    let mut oracle = Oracle::new(terms);
    for _ in 0..OPS {
        let op = world.next_op();
        let mut record = world.carry_out(op);
        tamper(&world, &mut record);
        world.judge(record, &mut oracle)?;
    }
    for _ in 0..20 * OPS {
        let Some(op) = world.ending() else {
            return Ok(());
        };
        let mut record = world.carry_out(op);
        tamper(&world, &mut record);
        world.judge(record, &mut oracle)?;
    }
    let waiting: Vec<_> = world.arbiter.waiting().collect();
    Err(format!("these wait for ever: {waiting:?}"))
}
