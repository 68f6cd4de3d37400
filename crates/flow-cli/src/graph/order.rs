//! The order in which each layer stands, so that few edges cross.

/// How often the layers are gone through, down and up.
const SWEEPS: usize = 16;

/// Layers with the edges between neighbours, all edges of length one.
#[derive(Debug, Default)]
pub(super) struct Layered {
    /// The nodes of each layer, in their order.
    pub(super) layers: Vec<Vec<usize>>,
    /// The neighbours above each node.
    pub(super) above: Vec<Vec<usize>>,
    /// The neighbours below each node.
    pub(super) below: Vec<Vec<usize>>,
}

impl Layered {
    /// Orders all layers: each node near the middle of its neighbours, again
    /// and again, keeping the best that was seen.
    pub(super) fn order(&mut self) {
        let mut best = self.layers.clone();
        let mut least = self.crossings();
        for sweep in 0..SWEEPS {
            if least == 0 {
                break;
            }
            if sweep % 2 == 0 {
                for at in 1..self.layers.len() {
                    self.arrange(at, true);
                }
            } else {
                for at in (0..self.layers.len().saturating_sub(1)).rev() {
                    self.arrange(at, false);
                }
            }
            let crossings = self.crossings();
            if crossings < least {
                least = crossings;
                best.clone_from(&self.layers);
            }
        }
        self.layers = best;
    }

    /// Returns the position of each node in its layer.
    fn positions(&self) -> Vec<usize> {
        let mut positions = vec![0; self.above.len()];
        for layer in &self.layers {
            for (at, node) in layer.iter().enumerate() {
                positions[*node] = at;
            }
        }
        positions
    }

    #[expect(clippy::cast_precision_loss, reason = "positions are small")]
    fn arrange(&mut self, at: usize, from_above: bool) {
        let positions = self.positions();
        let neighbours = if from_above { &self.above } else { &self.below };
        let mut keyed: Vec<(f64, usize)> = (self.layers[at].iter())
            .map(|node| {
                let near = &neighbours[*node];
                let sum: usize = near.iter().map(|n| positions[*n]).sum();
                let own = positions[*node] as f64;
                let key = if near.is_empty() {
                    own
                } else {
                    sum as f64 / near.len() as f64
                };
                (key, *node)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.layers[at] = keyed.into_iter().map(|(_, node)| node).collect();
    }

    /// Counts the crossings between all neighbouring layers.
    pub(super) fn crossings(&self) -> usize {
        let positions = self.positions();
        let pairs = self.layers.iter().map(|layer| {
            let mut ends: Vec<usize> = Vec::new();
            for node in layer {
                let mut below: Vec<usize> =
                    self.below[*node].iter().map(|to| positions[*to]).collect();
                below.sort_unstable();
                ends.extend(below);
            }
            inversions(&mut ends)
        });
        pairs.sum()
    }
}

/// Counts the pairs that stand the wrong way round, by merging.
fn inversions(list: &mut [usize]) -> usize {
    if list.len() < 2 {
        return 0;
    }
    let middle = list.len() / 2;
    let (left, right) = list.split_at_mut(middle);
    let mut count = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut a, mut b) = (0, 0);
    while a < left.len() || b < right.len() {
        if b == right.len() || (a < left.len() && left[a] <= right[b]) {
            merged.push(left[a]);
            a += 1;
        } else {
            count += left.len() - a;
            merged.push(right[b]);
            b += 1;
        }
    }
    list.copy_from_slice(&merged);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_counted() {
        assert_eq!(inversions(&mut [3, 1, 2]), 2);
        assert_eq!(inversions(&mut [1, 1, 2]), 0);
    }

    #[test]
    fn two_crossed_edges_are_uncrossed() {
        let mut layered = Layered {
            layers: vec![vec![0, 1], vec![2, 3]],
            above: vec![vec![], vec![], vec![1], vec![0]],
            below: vec![vec![3], vec![2], vec![], vec![]],
        };
        assert_eq!(layered.crossings(), 1);
        layered.order();
        assert_eq!(layered.crossings(), 0);
    }
}
