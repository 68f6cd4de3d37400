//! Orders and circles of things that need each other, by position.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Returns positions so that each comes after those that it needs, the least
/// first; those in a circle, and behind one, are left out.
pub(crate) fn topological(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut needs = vec![0_usize; count];
    let mut wakes: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (from, to) in edges {
        needs[*to] += 1;
        wakes[*from].push(*to);
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..count)
        .filter(|at| needs[*at] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for to in &wakes[at] {
            needs[*to] -= 1;
            if needs[*to] == 0 {
                ready.push(Reverse(*to));
            }
        }
    }
    order
}

/// Completes an order by those that were left out.
pub(crate) fn complete(order: &mut Vec<usize>, count: usize) {
    let mut seen = vec![false; count];
    for at in &*order {
        seen[*at] = true;
    }
    order.extend((0..count).filter(|at| !seen[*at]));
}

/// Returns the circles, each in ascending order.
pub(crate) fn circles(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut graph: petgraph::graph::DiGraph<usize, (), u32> = petgraph::graph::DiGraph::new();
    let ids: Vec<_> = (0..count).map(|at| graph.add_node(at)).collect();
    for (from, to) in edges {
        graph.add_edge(ids[*from], ids[*to], ());
    }
    let mut circles = Vec::new();
    for component in petgraph::algo::tarjan_scc(&graph) {
        let mut members: Vec<usize> = component.iter().map(|id| graph[*id]).collect();
        members.sort_unstable();
        if members.len() > 1 || graph.contains_edge(component[0], component[0]) {
            circles.push(members);
        }
    }
    circles.sort();
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_order_is_kept_where_it_can_be() {
        assert_eq!(topological(4, &[(3, 0), (0, 1)]), [2, 3, 0, 1]);
    }

    #[test]
    fn circles_are_found_and_left_out() {
        let edges = [(0, 1), (1, 0), (1, 2), (3, 3)];
        assert!(topological(4, &edges).is_empty());
        assert_eq!(circles(4, &edges), [vec![0, 1], vec![3]]);
    }
}
