//! Where the nodes of a layer stand: in their order, without touching, as near
//! as possible to where they would like to be.

/// How often the layers are gone through.
const SWEEPS: usize = 24;

/// How many of the sweeps look at both sides.
const LAST: usize = 10;

/// Whose places a layer goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sides {
    Above,
    Below,
    Both,
}

/// A node as far as its place across is concerned.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// How wide it is.
    pub(super) width: f64,
    /// Its neighbours above.
    pub(super) above: Vec<usize>,
    /// Its neighbours below.
    pub(super) below: Vec<usize>,
    /// Whether it is a bend of a long edge. Those insist most, and follow each
    /// other, so that long edges are straight.
    pub(super) is_bend: bool,
}

impl Slot {
    /// Returns how far the middles of two neighbours are apart, at least.
    /// Lines may run closer to each other than frames.
    fn apart(&self, other: &Self, gap: f64) -> f64 {
        let gap = match (self.is_bend, other.is_bend) {
            (true, true) => gap / 5.0,
            (true, false) | (false, true) => gap / 1.5,
            (false, false) => gap,
        };
        self.width / 2.0 + gap + other.width / 2.0
    }
}

/// Returns the middle of each node, the leftmost edge being 0.
pub(super) fn spread(layers: &[Vec<usize>], slots: &[Slot], gap: f64) -> Vec<f64> {
    let mut middles = vec![0.0; slots.len()];
    for layer in layers {
        let mut at = 0.0;
        for (before, node) in layer.iter().zip(layer.iter().skip(1)) {
            at += slots[*before].apart(&slots[*node], gap);
            middles[*node] = at;
        }
        for node in layer {
            middles[*node] -= at / 2.0;
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
            let sides = if sweep + LAST >= SWEEPS {
                Sides::Both
            } else if down {
                Sides::Above
            } else {
                Sides::Below
            };
            settle(&layers[at], slots, gap, &mut middles, sides);
        }
    }
    straighten(layers, slots, gap, &mut middles);
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
fn settle(layer: &[usize], slots: &[Slot], gap: f64, middles: &mut [f64], sides: Sides) {
    let wish = |node: usize| {
        let slot = &slots[node];
        let mut near: Vec<f64> = Vec::new();
        let follow = |list: &[usize]| -> Vec<f64> {
            let bends = list.iter().filter(|n| slot.is_bend && slots[**n].is_bend);
            let mut found: Vec<f64> = bends.map(|n| middles[*n]).collect();
            if found.is_empty() && !(slot.is_bend && sides == Sides::Both) {
                found.extend(list.iter().map(|n| middles[*n]));
            }
            found
        };
        if sides != Sides::Below {
            near.extend(follow(&slot.above));
        }
        if sides != Sides::Above {
            near.extend(follow(&slot.below));
        }
        mean(&near).unwrap_or(middles[node])
    };
    // The room that the nodes before it need is taken off each wish; what is
    // left must not fall, which pooling neighbours achieves with the least
    // change.
    let mut room = 0.0;
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    let mut rooms = Vec::with_capacity(layer.len());
    let mut before: Option<&Slot> = None;
    for node in layer {
        let slot = &slots[*node];
        if let Some(before) = before {
            room += before.apart(slot, gap);
        }
        before = Some(slot);
        rooms.push(room);
        let free = slot.above.is_empty() && slot.below.is_empty();
        let weight = match (free, slot.is_bend) {
            (true, _) => 0.05,
            (false, true) => 3.0,
            (false, false) => 1.0,
        };
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

/// Puts the bends of a long edge below each other where there is room.
fn straighten(layers: &[Vec<usize>], slots: &[Slot], gap: f64, middles: &mut [f64]) {
    let mut beside: Vec<(Option<usize>, Option<usize>)> = vec![(None, None); slots.len()];
    for layer in layers {
        for (left, right) in layer.iter().zip(layer.iter().skip(1)) {
            beside[*left].1 = Some(*right);
            beside[*right].0 = Some(*left);
        }
    }
    let next = |node: usize| {
        slots[node]
            .below
            .first()
            .copied()
            .filter(|n| slots[*n].is_bend)
    };
    let is_first =
        |node: usize| slots[node].is_bend && !slots[node].above.iter().any(|n| slots[*n].is_bend);
    for first in (0..slots.len()).filter(|node| is_first(*node)) {
        let chain: Vec<usize> = std::iter::successors(Some(first), |node| next(*node)).collect();
        let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
        for node in &chain {
            let (left, right) = beside[*node];
            if let Some(left) = left {
                least = least.max(middles[left] + slots[left].apart(&slots[*node], gap));
            }
            if let Some(right) = right {
                most = most.min(middles[right] - slots[right].apart(&slots[*node], gap));
            }
        }
        let places: Vec<f64> = chain.iter().map(|node| middles[*node]).collect();
        if let Some(place) = mean(&places).filter(|_| least <= most) {
            for node in chain {
                middles[node] = place.clamp(least, most);
            }
        }
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
            is_bend: false,
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
