//! Pure graph algorithms on indices: the stable topological order, cycles, and dropping the edges
//! that may be dropped.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

/// An edge: the first index comes before the second.
pub(crate) type Pair = (u32, u32);

/// Lists of the successors of every node.
struct Successors {
    starts: Vec<usize>,
    targets: Vec<u32>,
}

impl Successors {
    fn new(count: usize, edges: &[Pair]) -> Self {
        let mut starts = vec![0; count + 1];
        for (from, _) in edges {
            if let Some(slot) = starts.get_mut(*from as usize + 1) {
                *slot += 1;
            }
        }
        for index in 1..starts.len() {
            let before = starts.get(index - 1).copied().unwrap_or(0);
            if let Some(slot) = starts.get_mut(index) {
                *slot += before;
            }
        }
        let mut next = starts.clone();
        let mut targets = vec![0; edges.len()];
        for (from, to) in edges {
            if let Some(slot) = next.get_mut(*from as usize) {
                if let Some(target) = targets.get_mut(*slot) {
                    *target = *to;
                }
                *slot += 1;
            }
        }
        Self { starts, targets }
    }

    fn of(&self, node: u32) -> &[u32] {
        let bound = |index: usize| self.starts.get(index).copied().unwrap_or(0);
        self.targets.get(bound(node as usize)..bound(node as usize + 1)).unwrap_or_default()
    }
}

/// The nodes `0..count` so that every edge points forward; among nodes that could come next the
/// smallest comes first. Where there are cycles: the nodes that are in one or behind one.
pub(crate) fn order(count: usize, edges: &[Pair]) -> Result<Vec<u32>, Vec<u32>> {
    let successors = Successors::new(count, edges);
    let mut waiting = vec![0_u32; count];
    for (_, to) in edges {
        if let Some(slot) = waiting.get_mut(*to as usize) {
            *slot += 1;
        }
    }
    let indices = || (0_u32..).take(count).zip(&waiting);
    let mut ready: BinaryHeap<Reverse<u32>> =
        indices().filter(|(_, open)| **open == 0).map(|(node, _)| Reverse(node)).collect();
    let mut ordered = Vec::with_capacity(count);
    while let Some(Reverse(node)) = ready.pop() {
        ordered.push(node);
        for target in successors.of(node) {
            if let Some(slot) = waiting.get_mut(*target as usize) {
                *slot -= 1;
                if *slot == 0 {
                    ready.push(Reverse(*target));
                }
            }
        }
    }
    if ordered.len() == count {
        return Ok(ordered);
    }
    Err((0_u32..)
        .take(count)
        .zip(&waiting)
        .filter(|(_, open)| **open > 0)
        .map(|(node, _)| node)
        .collect())
}

/// The groups of nodes that can all reach each other (or themselves), each sorted, the group with
/// the smallest node first.
pub(crate) fn tangles(count: usize, edges: &[Pair]) -> Vec<Vec<u32>> {
    let Err(left) = order(count, edges) else { return Vec::new() };
    let left: HashSet<u32> = left.into_iter().collect();
    let inside: Vec<Pair> = edges
        .iter()
        .filter(|(from, to)| left.contains(from) && left.contains(to))
        .copied()
        .collect();
    let mut tangles: Vec<Vec<u32>> = components(count, &inside)
        .into_iter()
        .filter(|group| {
            group.len() > 1 || group.first().is_some_and(|node| inside.contains(&(*node, *node)))
        })
        .collect();
    for group in &mut tangles {
        group.sort_unstable();
    }
    tangles.sort_unstable();
    tangles
}

/// Tarjan's strongly connected components, without recursion.
fn components(count: usize, edges: &[Pair]) -> Vec<Vec<u32>> {
    const UNSEEN: u32 = u32::MAX;
    let successors = Successors::new(count, edges);
    let mut number = vec![UNSEEN; count];
    let mut low = vec![0_u32; count];
    let mut on_stack = vec![false; count];
    let mut stack: Vec<u32> = Vec::new();
    let mut groups = Vec::new();
    let mut counter = 0;
    let get = |list: &[u32], node: u32| list.get(node as usize).copied().unwrap_or(0);
    let mut roots: Vec<u32> = edges.iter().map(|(from, _)| *from).collect();
    roots.sort_unstable();
    roots.dedup();
    for root in roots {
        if get(&number, root) != UNSEEN {
            continue;
        }
        let mut calls: Vec<(u32, usize)> = vec![(root, 0)];
        while let Some((node, position)) = calls.pop() {
            let at = node as usize;
            if position == 0 {
                number[at] = counter;
                low[at] = counter;
                counter += 1;
                stack.push(node);
                on_stack[at] = true;
            }
            let next = successors.of(node).get(position).copied();
            if let Some(target) = next {
                calls.push((node, position + 1));
                if get(&number, target) == UNSEEN {
                    calls.push((target, 0));
                } else if on_stack[target as usize] {
                    low[at] = low[at].min(get(&number, target));
                }
                continue;
            }
            if let Some((parent, _)) = calls.last() {
                let parent = *parent as usize;
                low[parent] = low[parent].min(low[at]);
            }
            if low[at] == number[at] {
                let mut group = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member as usize] = false;
                    group.push(member);
                    if member == node {
                        break;
                    }
                }
                groups.push(group);
            }
        }
    }
    groups
}

/// A shortest cycle through the first node of `tangle` that is in one, as the indices of its edges
/// in `edges`, in order.
pub(crate) fn cycle(edges: &[Pair], tangle: &[u32]) -> Vec<usize> {
    let members: HashSet<u32> = tangle.iter().copied().collect();
    let mut leaving: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, (from, to)) in edges.iter().enumerate() {
        if members.contains(from) && members.contains(to) {
            leaving.entry(*from).or_default().push(index);
        }
    }
    let mut best: Vec<usize> = Vec::new();
    let starts = (MAXIMUM_STEPS / edges.len().max(1)).clamp(1, MAXIMUM_STARTS);
    for start in tangle.iter().take(starts) {
        let found = shortest(edges, &leaving, *start);
        if !found.is_empty() && (best.is_empty() || found.len() < best.len()) {
            best = found;
        }
    }
    best
}

/// From how many nodes of a tangle a shortest cycle is looked for.
const MAXIMUM_STARTS: usize = 200;

/// How many edges may be looked at for that, with one start at least.
const MAXIMUM_STEPS: usize = 1_000_000;

fn shortest(edges: &[Pair], leaving: &HashMap<u32, Vec<usize>>, start: u32) -> Vec<usize> {
    let mut came: HashMap<u32, usize> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for index in leaving.get(&node).into_iter().flatten() {
            let Some((_, to)) = edges.get(*index) else { continue };
            if *to == start {
                let mut path = vec![*index];
                let mut at = node;
                while at != start {
                    let Some(index) = came.get(&at) else { break };
                    path.push(*index);
                    at = edges.get(*index).map_or(start, |(from, _)| *from);
                }
                path.reverse();
                return path;
            }
            if let std::collections::hash_map::Entry::Vacant(slot) = came.entry(*to) {
                slot.insert(*index);
                queue.push_back(*to);
            }
        }
    }
    Vec::new()
}

/// Which of the edges in `weak` must go so that, with `strong` (which has no cycle), no cycle is
/// left: as few as a greedy choice in their given order drops. Where finding that out would take too
/// long, the rest of those that may be in a cycle. Indices into `weak`.
pub(crate) fn superfluous(count: usize, strong: &[Pair], weak: &[Pair]) -> Vec<usize> {
    let all: Vec<Pair> = strong.iter().chain(weak).copied().collect();
    let tangles = tangles(count, &all);
    if tangles.is_empty() {
        return Vec::new();
    }
    let mut group: HashMap<u32, usize> = HashMap::new();
    for (index, members) in tangles.iter().enumerate() {
        group.extend(members.iter().map(|member| (*member, index)));
    }
    let inside = |(from, to): &Pair| match (group.get(from), group.get(to)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    };
    let mut after: HashMap<u32, Vec<u32>> = HashMap::new();
    for (from, to) in strong.iter().filter(|pair| inside(pair)) {
        after.entry(*from).or_default().push(*to);
    }
    let mut dropped = Vec::new();
    let mut steps = 0;
    for (index, pair) in weak.iter().enumerate().filter(|(_, pair)| inside(pair)) {
        let (from, to) = *pair;
        if steps > MAXIMUM_SEARCH || reaches(&after, to, from, &mut steps) {
            dropped.push(index);
        } else {
            after.entry(from).or_default().push(to);
        }
    }
    dropped
}

/// How many edges may be followed in search of cycles that automatic edges close.
const MAXIMUM_SEARCH: usize = 5_000_000;

/// Counts the edges it follows in `steps`.
fn reaches(after: &HashMap<u32, Vec<u32>>, from: u32, to: u32, steps: &mut usize) -> bool {
    let mut seen = HashSet::from([from]);
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        if node == to {
            return true;
        }
        for next in after.get(&node).into_iter().flatten() {
            *steps += 1;
            if seen.insert(*next) {
                open.push(*next);
            }
        }
    }
    false
}
