//! The parts of a block in layers: what waits stands below what it waits for.

/// A graph of one block: its nodes with their widths, and who is above whom.
#[derive(Debug)]
pub(super) struct Graph {
    /// How wide each node is.
    pub(super) widths: Vec<f64>,
    /// From, to.
    pub(super) edges: Vec<(usize, usize)>,
}

/// Layers wider than this are split, so that a picture fits on a screen.
const WIDTH_MAX: f64 = 1180.0;

/// Splitting takes a look at everything for each layer. A picture of more nodes
/// fits on no screen anyway.
const SPLIT_MAX: usize = 3_000;

/// What lies between two nodes of a layer.
pub(super) const GAP: f64 = 26.0;

impl Graph {
    /// Returns the layer of each node, from 0. Every edge goes down.
    pub(super) fn layers(&self) -> Vec<usize> {
        let order = self.sorted();
        let mut least = vec![0; self.widths.len()];
        let mut layers = self.longest(&order, &least);
        let heights = self.heights(&order);
        // Each round fixes a layer for good, and there are at most so many.
        let mut at = if self.widths.len() > SPLIT_MAX {
            self.widths.len()
        } else {
            0
        };
        while at < self.widths.len() {
            let moved = self.overflow(&layers, &heights, at);
            if moved.is_empty() {
                at += 1;
                if layers.iter().all(|layer| *layer < at) {
                    break;
                }
                continue;
            }
            for node in moved {
                least[node] = at + 1;
            }
            layers = self.longest(&order, &least);
        }
        self.pull_down(&mut layers);
        layers
    }

    /// Returns the nodes so that each comes after those above it.
    fn sorted(&self) -> Vec<usize> {
        let mut waits = vec![0_usize; self.widths.len()];
        for (_, to) in &self.edges {
            waits[*to] += 1;
        }
        let below = self.below();
        let mut order: Vec<usize> = (0..waits.len()).filter(|node| waits[*node] == 0).collect();
        let mut at = 0;
        while let Some(node) = order.get(at).copied() {
            at += 1;
            for to in &below[node] {
                waits[*to] -= 1;
                if waits[*to] == 0 {
                    order.push(*to);
                }
            }
        }
        order
    }

    fn below(&self) -> Vec<Vec<usize>> {
        let mut below = vec![Vec::new(); self.widths.len()];
        for (from, to) in &self.edges {
            below[*from].push(*to);
        }
        below
    }

    /// Returns the length of the longest way to each node.
    fn longest(&self, order: &[usize], least: &[usize]) -> Vec<usize> {
        let below = self.below();
        let mut layers = least.to_vec();
        for node in order {
            for to in &below[*node] {
                layers[*to] = layers[*to].max(layers[*node] + 1);
            }
        }
        layers
    }

    /// Returns the length of the longest way from each node.
    fn heights(&self, order: &[usize]) -> Vec<usize> {
        let below = self.below();
        let mut heights = vec![0; self.widths.len()];
        for node in order.iter().rev() {
            let tallest = below[*node].iter().map(|to| heights[*to] + 1).max();
            heights[*node] = tallest.unwrap_or(0);
        }
        heights
    }

    /// Returns the nodes that don't fit into a layer. Those with the most
    /// below them stay.
    fn overflow(&self, layers: &[usize], heights: &[usize], at: usize) -> Vec<usize> {
        let mut here: Vec<usize> = (0..layers.len()).filter(|n| layers[*n] == at).collect();
        let total: f64 = here.iter().map(|node| self.widths[*node] + GAP).sum();
        if total <= WIDTH_MAX || here.len() < 2 {
            return Vec::new();
        }
        here.sort_by_key(|node| std::cmp::Reverse(heights[*node]));
        let mut used = 0.0;
        let mut moved = Vec::new();
        for (rank, node) in here.into_iter().enumerate() {
            used += self.widths[node] + GAP;
            if rank > 0 && used > WIDTH_MAX {
                moved.push(node);
            }
        }
        moved
    }

    /// Brings nodes that wait for nothing next to those that wait for them.
    fn pull_down(&self, layers: &mut [usize]) {
        let below = self.below();
        let mut has_above = vec![false; layers.len()];
        for (_, to) in &self.edges {
            has_above[*to] = true;
        }
        let mut used: Vec<f64> = vec![0.0; layers.iter().max().map_or(0, |max| max + 1)];
        for (node, layer) in layers.iter().enumerate() {
            used[*layer] += self.widths[node] + GAP;
        }
        for node in 0..layers.len() {
            let Some(first) = below[node].iter().map(|to| layers[*to]).min() else {
                continue;
            };
            let target = first.saturating_sub(1);
            let width = self.widths[node] + GAP;
            if !has_above[node] && target > layers[node] && used[target] + width <= WIDTH_MAX {
                used[layers[node]] -= width;
                used[target] += width;
                layers[node] = target;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edge_goes_down() {
        let graph = Graph {
            widths: vec![100.0; 5],
            edges: vec![(0, 1), (1, 3), (0, 3), (2, 3)],
        };
        let layers = graph.layers();
        assert_eq!(layers, [0, 1, 1, 2, 0]);
    }

    #[test]
    fn a_wide_layer_is_split() {
        let graph = Graph {
            widths: vec![200.0; 30],
            edges: (0..29).map(|from| (from, 29)).collect(),
        };
        let layers = graph.layers();
        for layer in 0..30 {
            let count = layers.iter().filter(|at| **at == layer).count();
            assert!(count <= 5, "{count} in layer {layer}");
        }
        assert!(layers[..29].iter().all(|layer| *layer < layers[29]));
    }
}
