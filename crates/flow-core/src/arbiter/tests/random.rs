//! Random operations against the oracle.

use super::oracle::Oracle;
use super::world::{Record, World, scarce};

const SEEDS: u64 = 2000;
const OPS: u32 = 250;

#[test]
fn whatever_happens_the_books_are_right() {
    for seed in 0..SEEDS {
        if let Err(text) = play(seed, OPS, |_, _| ()) {
            panic!("seed {seed}: {text}");
        }
    }
}

/// Lets a world go on for a while, then lets all of it end.
fn play(seed: u64, ops: u32, mut tamper: impl FnMut(&mut Record, u32)) -> Result<(), String> {
    let terms = scarce(0);
    let mut world = World::new(seed, terms.clone());
    let mut oracle = Oracle::new(terms);
    for at in 0..ops {
        let op = world.next_op();
        let mut record = world.carry_out(op);
        tamper(&mut record, at);
        world.judge(record, &mut oracle)?;
    }
    for at in 0..20 * ops {
        let Some(op) = world.ending() else {
            return Ok(());
        };
        let mut record = world.carry_out(op);
        tamper(&mut record, ops + at);
        world.judge(record, &mut oracle)?;
    }
    let waiting: Vec<_> = world.arbiter.waiting().collect();
    Err(format!("these wait for ever: {waiting:?}"))
}
