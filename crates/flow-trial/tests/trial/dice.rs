//! Numbers that look random and come again with their seed.

/// A source of numbers.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

/// The variable that asks for the long form of the trials.
pub(crate) const LONG: &str = "FLOW_TRIAL_LONG";

/// Returns whether the long form is asked for.
pub(crate) fn is_long() -> bool {
    std::env::var_os(LONG).is_some()
}

/// Returns all numbers from 1 to a limit in the long form, else some of them
/// that are spread over all.
pub(crate) fn some_of(limit: u64, count: u64) -> Vec<u64> {
    if is_long() || limit <= count {
        return (1..=limit).collect();
    }
    (0..count).map(|at| 1 + at * limit / count).collect()
}
