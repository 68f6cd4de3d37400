//! Where the nodes of a layer stand: in their order, without touching, as near
//! as possible to where they would like to be.

/// How often the layers are gone through.
const SWEEPS: usize = 12;

/// A node as far as its place across is concerned.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// How wide it is.
    pub(super) width: f64,
    /// Its neighbours above.
    pub(super) above: Vec<usize>,
    /// Its neighbours below.
    pub(super) below: Vec<usize>,
    /// How strongly it insists: bends of long edges do most.
    pub(super) weight: f64,
}

/// Returns the middle of each node, the leftmost edge being 0.
pub(super) fn spread(layers: &[Vec<usize>], slots: &[Slot], gap: f64) -> Vec<f64> {
    let mut middles = vec![0.0; slots.len()];
    for layer in layers {
        let total: f64 = layer.iter().map(|node| slots[*node].width + gap).sum();
        let mut at = -total / 2.0;
        for node in layer {
            middles[*node] = at + (slots[*node].width + gap) / 2.0;
            at += slots[*node].width + gap;
        }
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let order: Vec<usize> = if down {
            (0..layers.len()).collect()
        } else {
            (0..layers.len()).rev().collect()
        };
        for at in order {
            settle(
                &layers[at],
                slots,
                gap,
                &mut middles,
                sweep + 2 >= SWEEPS,
                down,
            );
        }
    }
    let edge = |node: usize| middles[node] - slots[node].width / 2.0;
    let left = (0..slots.len()).map(edge).fold(f64::INFINITY, f64::min);
    if left.is_finite() {
        for middle in &mut middles {
            *middle -= left;
        }
    }
    middles
}

/// Moves one layer. In the last sweeps both sides count.
fn settle(layer: &[usize], slots: &[Slot], gap: f64, middles: &mut [f64], both: bool, down: bool) {
    let wish = |node: usize| {
        let slot = &slots[node];
        let mut near: Vec<f64> = Vec::new();
        if both || down {
            near.extend(slot.above.iter().map(|n| middles[*n]));
        }
        if both || !down {
            near.extend(slot.below.iter().map(|n| middles[*n]));
        }
        mean(&near).unwrap_or(middles[node])
    };
    // The room that the nodes before it need is taken off each wish; what is
    // left must not fall, which pooling neighbours achieves with the least
    // change.
    let mut room = 0.0;
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    let mut rooms = Vec::with_capacity(layer.len());
    let mut before: Option<f64> = None;
    for node in layer {
        let slot = &slots[*node];
        if let Some(width) = before {
            room += width / 2.0 + gap + slot.width / 2.0;
        }
        before = Some(slot.width);
        rooms.push(room);
        let free = slot.above.is_empty() && slot.below.is_empty();
        let weight = if free { 0.05 } else { slot.weight };
        let mut pool = (wish(*node) - room, weight, 1);
        while let Some(last) = pools.last().copied() {
            if last.0 <= pool.0 {
                break;
            }
            pools.pop();
            let weight = last.1 + pool.1;
            let mean = (last.0 * last.1 + pool.0 * pool.1) / weight;
            pool = (mean, weight, last.2 + pool.2);
        }
        pools.push(pool);
    }
    let places = pools
        .iter()
        .flat_map(|(place, _, count)| std::iter::repeat_n(*place, *count));
    for ((node, room), place) in layer.iter().zip(rooms).zip(places) {
        middles[*node] = place + room;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of neighbours")]
fn mean(list: &[f64]) -> Option<f64> {
    if list.is_empty() {
        return None;
    }
    Some(list.iter().sum::<f64>() / list.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_a_layer_never_touch() {
        let slot = |above: Vec<usize>, below: Vec<usize>| Slot {
            width: 100.0,
            above,
            below,
            weight: 1.0,
        };
        let slots = [
            slot(vec![], vec![1, 2, 3]),
            slot(vec![0], vec![]),
            slot(vec![0], vec![]),
            slot(vec![0], vec![]),
        ];
        let middles = spread(&[vec![0], vec![1, 2, 3]], &slots, 20.0);
        assert!(middles[2] - middles[1] >= 119.9 && middles[3] - middles[2] >= 119.9);
        assert!(
            (middles[0] - middles[2]).abs() < 0.1,
            "the parent is centred"
        );
        assert!(
            (middles[1] - 50.0).abs() < 0.1,
            "it begins at the left edge"
        );
    }
}
