use proptest::prelude::*;

use super::order::{Pair, cycle, order, superfluous, tangles};

fn graph() -> impl Strategy<Value = (usize, Vec<Pair>)> {
    (1_usize..40).prop_flat_map(|count| {
        let node = 0..u32::try_from(count).unwrap();
        (Just(count), prop::collection::vec((node.clone(), node), 0..80))
    })
}

fn respects(order: &[u32], edges: &[Pair]) -> bool {
    let position = |node: u32| order.iter().position(|other| *other == node).unwrap();
    edges.iter().all(|(from, to)| position(*from) < position(*to))
}

proptest! {
    #[test]
    fn the_order_respects_every_edge((count, edges) in graph()) {
        // Only edges in one direction of a shuffled order: never a cycle.
        let key = |node: u32| (node.wrapping_mul(2_654_435_761), node);
        let edges: Vec<Pair> = edges.into_iter().filter(|(from, to)| key(*from) < key(*to)).collect();
        let order = order(count, &edges).unwrap();
        prop_assert_eq!(order.len(), count);
        prop_assert!(respects(&order, &edges));
    }

    #[test]
    fn a_cycle_is_found_exactly_where_there_is_no_order((count, edges) in graph()) {
        let found = tangles(count, &edges);
        prop_assert_eq!(order(count, &edges).is_err(), !found.is_empty());
        for tangle in found {
            let path = cycle(&edges, &tangle);
            prop_assert!(!path.is_empty());
            for (index, next) in path.iter().zip(path.iter().cycle().skip(1)) {
                prop_assert_eq!(edges[*index].1, edges[*next].0);
            }
        }
    }

    #[test]
    fn dropping_superfluous_edges_leaves_an_order((count, edges) in graph(), weak in any::<u64>()) {
        let key = |node: u32| (node.wrapping_mul(2_654_435_761), node);
        let is_weak = |index: usize| weak >> (index % 64) & 1 == 1;
        let mut strong = Vec::new();
        let mut loose = Vec::new();
        for (index, pair) in edges.into_iter().enumerate().filter(|(_, (from, to))| from != to) {
            if is_weak(index) { loose.push(pair) } else if key(pair.0) < key(pair.1) { strong.push(pair) }
        }
        let dropped = superfluous(count, &strong, &loose);
        let kept = loose.iter().enumerate().filter(|(index, _)| !dropped.contains(index));
        let all: Vec<Pair> = strong.iter().chain(kept.map(|(_, pair)| pair)).copied().collect();
        let order = order(count, &all).unwrap();
        prop_assert!(respects(&order, &strong));
    }
}

#[test]
fn without_edges_the_written_order_stands() {
    assert_eq!(order(5, &[]).unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(order(5, &[(4, 0)]).unwrap(), [1, 2, 3, 4, 0]);
    assert_eq!(order(4, &[(3, 1)]).unwrap(), [0, 2, 3, 1]);
}

#[test]
fn a_long_chain_overflows_nothing() {
    let count = 200_000_u32;
    let mut edges: Vec<Pair> = (1..count).map(|node| (node, node - 1)).collect();
    assert!(order(count as usize, &edges).is_ok());
    edges.push((0, count - 1));
    assert_eq!(tangles(count as usize, &edges).len(), 1);
}
