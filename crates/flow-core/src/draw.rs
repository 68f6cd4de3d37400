//! Draws: randomness that is the same again after a resume and elsewhere.
//!
//! A draw is a function of the run's seed, the path of the binding with the
//! keys of its items, and its ordinal inside the node. How it is computed must
//! never change: runs in progress depend on it.

use crate::path::{Key, StepPath};

/// Keeps these streams apart from everything else that is hashed.
const CONTEXT: &str = "flow 2026-01-01 draw of an expression";

/// An endless stream of random numbers.
#[derive(Debug, Clone)]
pub struct Draw(blake3::OutputReader);

impl Draw {
    /// Starts the stream of a draw.
    pub fn new(seed: u64, path: &StepPath, ordinal: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&seed.to_le_bytes());
        hasher.update(&ordinal.to_le_bytes());
        for segment in path.segments() {
            text(&mut hasher, &segment.name);
            match &segment.key {
                None => tag(&mut hasher, 0),
                Some(Key::Index(index)) => {
                    tag(&mut hasher, 1);
                    hasher.update(&index.to_le_bytes());
                }
                Some(Key::Word(word)) => {
                    tag(&mut hasher, 2);
                    text(&mut hasher, word);
                }
            }
        }
        Self(hasher.finalize_xof())
    }

    /// Returns the next number, of all that 64 bits can hold.
    pub fn bits(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Returns a number below another, each equally likely; 0 if there is none.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 {
            return 0;
        }
        // Numbers above the last multiple of the limit would favour the small.
        let excess = (u64::MAX % limit + 1) % limit;
        loop {
            let bits = self.bits();
            if bits <= u64::MAX - excess {
                return bits % limit;
            }
        }
    }

    /// Returns a number from 0 up to but not including 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits are what the number can hold"
    )]
    pub fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.bits() >> 11) as f64 * STEP
    }

    /// Returns the position of one of so many items, if there is one.
    pub fn pick(&mut self, count: usize) -> Option<usize> {
        let limit = u64::try_from(count).ok().filter(|limit| *limit > 0)?;
        usize::try_from(self.below(limit)).ok()
    }

    /// Returns the position of one item, each as likely as its weight says.
    ///
    /// Gives nothing unless all weights are finite and not negative, and their
    /// sum is finite and more than 0.
    pub fn pick_weighted(&mut self, weights: &[f64]) -> Option<usize> {
        let total: f64 = weights.iter().sum();
        let valid = weights.iter().all(|weight| *weight >= 0.0);
        if !valid || !total.is_finite() || total <= 0.0 {
            return None;
        }
        let mut rest = self.unit() * total;
        for (at, weight) in weights.iter().enumerate() {
            if rest < *weight {
                return Some(at);
            }
            rest -= weight;
        }
        // Rounding can leave a rest; it belongs to the last with a weight.
        weights.iter().rposition(|weight| *weight > 0.0)
    }

    /// Puts items into a random order, each equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            if let Some(other) = self.pick(last + 1) {
                items.swap(last, other);
            }
        }
    }
}

fn text(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

fn tag(hasher: &mut blake3::Hasher, tag: u8) {
    hasher.update(&[tag]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> StepPath {
        StepPath::root("music_video")
            .join("stills")
            .item(Key::Index(3))
            .join("mood")
    }

    #[test]
    fn draws_are_these_for_ever() {
        let mut draw = Draw::new(42, &path(), 0);
        let found = [draw.bits(), draw.bits(), draw.below(1000), draw.below(7)];
        assert_eq!(
            found,
            [
                18_043_681_136_443_009_397,
                9_844_674_620_116_458_011,
                489,
                3
            ]
        );
        let mut items = [1, 2, 3, 4, 5, 6, 7, 8];
        draw.shuffle(&mut items);
        assert_eq!(items, [1, 7, 2, 8, 4, 6, 5, 3]);
        let weighted: Vec<_> = (0..8)
            .filter_map(|_| draw.pick_weighted(&[1.0, 0.0, 2.0]))
            .collect();
        assert_eq!(weighted, [0, 0, 0, 2, 2, 0, 2, 2]);
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let base = Draw::new(1, &path(), 0).bits();
        let word = StepPath::root("music_video")
            .join("stills")
            .item(Key::Word("3".into()))
            .join("mood");
        let others = [
            Draw::new(2, &path(), 0).bits(),
            Draw::new(1, &path(), 1).bits(),
            Draw::new(1, &word, 0).bits(),
            Draw::new(1, &StepPath::root("music_video"), 0).bits(),
            Draw::new(1, &StepPath::root("music_videostills"), 0).bits(),
        ];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(*other, base);
            assert!(!others[..at].contains(other));
        }
    }

    #[test]
    fn draws_below_a_limit_are_even() {
        let mut draw = Draw::new(7, &path(), 0);
        let mut counts = [0_u32; 6];
        for _ in 0..6000 {
            counts[usize::try_from(draw.below(6)).unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
        assert_eq!(draw.below(0), 0);
        assert_eq!(draw.below(1), 0);
    }

    #[test]
    fn weights_that_mean_nothing_give_nothing() {
        let mut draw = Draw::new(7, &path(), 0);
        let table: [&[f64]; 5] = [
            &[],
            &[0.0],
            &[-1.0, 2.0],
            &[f64::NAN],
            &[f64::MAX, f64::MAX],
        ];
        for weights in table {
            assert_eq!(draw.pick_weighted(weights), None, "{weights:?}");
        }
    }

    #[test]
    fn the_unit_stays_below_one() {
        let mut draw = Draw::new(7, &path(), 0);
        assert!(
            (0..1000)
                .map(|_| draw.unit())
                .all(|unit| (0.0..1.0).contains(&unit))
        );
    }
}
