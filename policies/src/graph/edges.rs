//! Who comes before whom, and why: references resolved, automatic edges found, duplicates refused.

use std::collections::HashSet;

use steadfast_resources::{Autoedge, Identity, Registry, Text};

use super::below;
use super::claims::{self, Claims};
use super::cycles::report_cycles;
use super::deaf::warn_of_deaf;
use super::index::Index;
use super::mutual;
use crate::diagnostics::{Code, Context, Spot};
use crate::evaluate::{Instance, Skipped};
use crate::map::{Map, map_for};
use crate::parse;

/// How many edges references may make. (Ten thousand resources that each require ten thousand
/// others would be a hundred million.)
const MAXIMUM_EDGES: usize = 2_000_000;

/// An edge between instances, by their indices in written order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEdge {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) why: Why,
}

/// Why an edge exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody wrote it.
    Link(parse::Common, Spot),
    /// The kinds know.
    Automatic,
}

/// What references are resolved against.
pub(crate) struct World<'a> {
    pub(crate) context: &'a Context,
    pub(crate) registry: &'a Registry,
    pub(crate) instances: &'a [Instance],
    pub(crate) skipped: &'a [Skipped],
    pub(crate) modules: &'a HashSet<String>,
    pub(crate) broken_titles: &'a [Text],
    /// Whether any resource may be missing because of an error that was already reported.
    pub(crate) unsound: bool,
}

/// All edges. Errors are reported.
pub(crate) fn resolve(world: &World<'_>) -> Vec<RawEdge> {
    duplicates(world, |_| true);
    mutual::report(world, |_| true);
    claims::contradictions(world, |_| true);
    below::report(world, |_| true);
    let mut edges = links(world);
    edges.extend(automatic(world.instances));
    edges
}

/// Checks what can be checked without a host: references, and cycles and duplicates among the
/// resources from `own` on that exist under no condition.
pub(crate) fn check(world: &World<'_>, own: &[std::ops::Range<usize>]) {
    let edges = links(world);
    let fixed = |index: u32| {
        world.instances.get(index as usize).is_some_and(|instance| !instance.conditional)
    };
    for range in own {
        let inside = |index: u32| range.contains(&(index as usize)) && fixed(index);
        duplicates(world, inside);
        mutual::report(world, inside);
        claims::contradictions(world, inside);
        below::report(world, inside);
        let own: Vec<RawEdge> =
            edges.iter().filter(|edge| inside(edge.from) && inside(edge.to)).copied().collect();
        report_cycles(world, &own);
    }
}

/// Warns of `references` to what no policy may ever declare, in cases that say it is not there.
pub(crate) fn warn_of_impossible<'c>(
    world: &World<'_>,
    references: impl Iterator<Item = &'c (Text, Spot)>,
) {
    if world.unsound || world.context.has_errors() {
        return;
    }
    let mut index = Index::new(world);
    for (text, spot) in references {
        index.warn_of_impossible(text, *spot);
    }
}

/// The edges that references make. A reference to nothing is reported.
pub(crate) fn links(world: &World<'_>) -> Vec<RawEdge> {
    if world.instances.iter().all(|instance| instance.links.is_empty()) {
        return Vec::new();
    }
    let mut index = Index::new(world);
    let mut edges = Vec::new();
    let mut deaf = HashSet::new();
    for (own, instance) in (0_u32..).zip(world.instances) {
        for link in &instance.links {
            let Ok(found) = index.find(link) else { continue };
            if edges.len() + found.resources.len() > MAXIMUM_EDGES {
                let message = format!(
                    "the references of this host make more than {MAXIMUM_EDGES} edges between resources"
                );
                let hint = "refer to one resource that comes after (or before) all of them";
                let draft = world.context.error(Code::Limit, link.spot, message);
                draft.hint(hint.to_owned()).report();
                return edges;
            }
            warn_of_deaf(world, link, instance, &found.resources, &mut deaf);
            for other in found.resources.iter().copied() {
                if other == own && found.glob {
                    continue;
                }
                let (from, to) = match link.relation {
                    parse::Common::Require | parse::Common::Subscribe => (other, own),
                    _ => (own, other),
                };
                edges.push(RawEdge { from, to, why: Why::Link(link.relation, link.spot) });
            }
        }
    }
    edges
}

/// Reports resources that are defined twice, by title or by what they are about.
fn duplicates(world: &World<'_>, counts: impl Fn(u32) -> bool) {
    let mut titles: Map<(&str, &str), u32> = map_for(world.instances.len());
    let mut identities: Map<&Identity, u32> = map_for(world.instances.len());
    let mut claims = Claims::default();
    for (index, instance) in (0_u32..).zip(world.instances) {
        if !counts(index) || instance.pattern.is_some() {
            continue;
        }
        let reference = &instance.reference;
        let same_title = titles.insert((reference.kind(), reference.title()), index);
        let same_thing = instance
            .relations
            .as_ref()
            .and_then(|relations| identities.insert(&relations.identity, index));
        let Some(first) = same_title.or(same_thing) else {
            claims.check(world, index, instance);
            continue;
        };
        let Some(first) = world.instances.get(first as usize) else { continue };
        let message = if same_title.is_some() {
            format!("`{reference}` is defined twice")
        } else {
            format!("`{reference}` is the same thing as `{}`", first.reference)
        };
        world
            .context
            .error(Code::Duplicate, instance.spot, message)
            .related(first.spot, "first defined here")
            .hint(
                "a resource has exactly one definition; with `for_each`, make the titles differ"
                    .to_owned(),
            )
            .report();
    }
}

/// The edges that the kinds know of.
fn automatic(instances: &[Instance]) -> Vec<RawEdge> {
    let mut identities: Map<(&str, &str), u32> = map_for(instances.len());
    for (index, instance) in (0_u32..).zip(instances) {
        if let Some(relations) = &instance.relations {
            let Identity { kind, name } = &relations.identity;
            identities.entry((kind, name)).or_insert(index);
        }
    }
    let mut sorted: Option<Vec<((&str, &str), u32)>> = None;
    let mut kinds: Vec<&str> = Vec::new();
    for (kind, _) in identities.keys() {
        if !kinds.contains(kind) {
            kinds.push(kind);
        }
    }
    // Resources of one directory mostly stand together.
    let mut before: Option<(&str, &str, Option<u32>)> = None;
    let mut edges = Vec::new();
    for (own, instance) in (0_u32..).zip(instances) {
        let Some(relations) = &instance.relations else { continue };
        for edge in &relations.after {
            match edge {
                Autoedge::Above { kind, path } => {
                    let Some(nearest) = parent(path) else { continue };
                    let found = match before {
                        Some((known, directory, found))
                            if (known, directory) == (*kind, nearest) =>
                        {
                            found
                        }
                        _ => above(path).find_map(|path| identities.get(&(*kind, path))).copied(),
                    };
                    before = Some((kind, nearest, found));
                    edges.extend(found.and_then(|other| turned(instances, own, other)));
                }
                Autoedge::Exactly(Identity { kind, .. }) if !kinds.contains(kind) => {}
                Autoedge::Exactly(Identity { kind, name }) => {
                    let found = identities.get(&(*kind, name.as_str()));
                    edges.extend(found.and_then(|other| turned(instances, own, *other)));
                }
                Autoedge::Under { kind, prefix } => {
                    let sorted = sorted.get_or_insert_with(|| {
                        let all = identities.iter();
                        let mut list: Vec<_> = all.map(|(name, index)| (*name, *index)).collect();
                        list.sort_unstable();
                        list
                    });
                    let from = (*kind, prefix.as_str());
                    let start = sorted.partition_point(|(identity, _)| *identity < from);
                    let under = sorted.iter().skip(start).take_while(|((other, name), _)| {
                        other == kind && name.starts_with(prefix.as_str())
                    });
                    edges.extend(under.filter_map(|(_, other)| turned(instances, own, *other)));
                }
            }
        }
    }
    edges
}

/// The directories above `path`, nearest first.
pub(super) fn above(path: &str) -> impl Iterator<Item = &str> {
    const NEAREST: usize = 64;
    std::iter::successors(Some(path), |path| parent(path)).skip(1).take(NEAREST)
}

fn parent(path: &str) -> Option<&str> {
    let path = path.trim_end_matches('/');
    let parent = path.get(..path.rfind('/')?)?.trim_end_matches('/');
    Some(if parent.is_empty() { "/" } else { parent })
}

/// The edge by which `own` comes after `other`, or before it where `other` is to be absent.
fn turned(instances: &[Instance], own: u32, other: u32) -> Option<RawEdge> {
    let absent = instances.get(other as usize)?.relations.as_ref()?.absent;
    let (from, to) = if absent { (own, other) } else { (other, own) };
    (own != other).then_some(RawEdge { from, to, why: Why::Automatic })
}
