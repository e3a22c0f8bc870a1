//! Resources that depend on each other.

use super::edges::{RawEdge, Why, World};
use super::order::{Pair, cycle, tangles};
use crate::diagnostics::Code;
use crate::map::Map;
use crate::parse;

/// Of how many resources in a cycle the names and places are told.
const MAXIMUM_SHOWN: usize = 20;

/// Reports every tangle of explicit edges with one of its cycles. Whether there was any.
pub(crate) fn report_cycles(world: &World<'_>, edges: &[RawEdge]) -> bool {
    let explicit: Vec<&RawEdge> = edges.iter().filter(|edge| edge.why != Why::Automatic).collect();
    let pairs: Vec<Pair> = explicit.iter().map(|edge| (edge.from, edge.to)).collect();
    let tangles = tangles(world.instances.len(), &pairs);
    for (tangle, edges) in tangles.iter().zip(&by_tangle(explicit, &tangles)) {
        let pairs: Vec<Pair> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let path: Vec<&RawEdge> = cycle(&pairs, tangle)
            .into_iter()
            .filter_map(|index| edges.get(index).copied())
            .collect();
        let name = |index: u32| {
            let instance = world.instances.get(index as usize);
            instance.map_or_else(String::new, |instance| instance.reference.to_string())
        };
        let mut chain: Vec<String> =
            path.iter().take(MAXIMUM_SHOWN).map(|edge| name(edge.from)).collect();
        if path.len() > MAXIMUM_SHOWN {
            chain.push(format!("({} more)", path.len() - MAXIMUM_SHOWN));
        }
        chain.extend(chain.first().cloned());
        let Some(Why::Link(_, first)) = path.first().map(|edge| edge.why) else { continue };
        let message = format!("resources depend on each other in a cycle: {}", chain.join(" → "));
        let mut draft = world.context.error(Code::Cycle, first, message);
        for edge in path.iter().take(MAXIMUM_SHOWN).skip(1) {
            if let Why::Link(relation, spot) = edge.why {
                let (from, to) = (name(edge.from), name(edge.to));
                let words = match relation {
                    parse::Common::Require => format!("`{to}` requires `{from}`"),
                    parse::Common::Before => format!("`{from}` comes before `{to}`"),
                    parse::Common::Notify => format!("`{from}` notifies `{to}`"),
                    _ => format!("`{to}` subscribes to `{from}`"),
                };
                draft = draft.related(spot, words);
            }
        }
        draft.hint("remove one of these references".to_owned()).report();
    }
    !tangles.is_empty()
}

/// The edges within each of `tangles`.
fn by_tangle<'e>(edges: Vec<&'e RawEdge>, tangles: &[Vec<u32>]) -> Vec<Vec<&'e RawEdge>> {
    let mut group: Map<u32, usize> = Map::default();
    for (index, tangle) in tangles.iter().enumerate() {
        group.extend(tangle.iter().map(|member| (*member, index)));
    }
    let mut inside: Vec<Vec<&RawEdge>> = vec![Vec::new(); tangles.len()];
    for edge in edges {
        if let (Some(from), Some(to)) = (group.get(&edge.from), group.get(&edge.to))
            && from == to
            && let Some(inside) = inside.get_mut(*from)
        {
            inside.push(edge);
        }
    }
    inside
}
