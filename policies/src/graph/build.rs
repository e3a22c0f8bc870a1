//! From instances and edges to the catalog.

use super::cycles::report_cycles;
use super::edges::{RawEdge, Why, World, resolve};
use super::order::{Pair, order, superfluous};
use crate::catalog::{Catalog, Edge, EdgeReason, Resource};
use crate::diagnostics::{Context, Diagnostics, Reported};
use crate::evaluate::{Evaluator, Instance, catalog_digest};
use crate::map::{Set, set_for};
use crate::parse;
use crate::rules::SiteRules;

/// The catalog of everything that `evaluator` expanded. Errors are reported.
pub(crate) fn catalog(
    context: &Context,
    mut evaluator: Evaluator<'_>,
    policies: Vec<String>,
) -> Result<Catalog, Reported> {
    let instances = std::mem::take(&mut evaluator.instances);
    let world = World {
        context,
        registry: evaluator.registry,
        instances: &instances,
        skipped: &evaluator.skipped,
        modules: &evaluator.modules,
        broken_titles: &evaluator.broken_titles,
        unsound: evaluator.unsound,
    };
    let checks = evaluator.checks.iter().map(|(check, _)| check.clone()).collect();
    let edges = resolve(&world);
    let incomplete = instances.iter().any(|instance| instance.wanted.is_none());
    if report_cycles(&world, &edges) || context.has_errors() || evaluator.unsound || incomplete {
        return Err(Reported);
    }
    let edges = without_superfluous(instances.len(), edges);
    let pairs: Vec<Pair> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let Ok(order) = order(instances.len(), &pairs) else { return Err(Reported) };
    let mut catalog = assemble(context, instances, &edges, &order, policies);
    catalog.checks = checks;
    Ok(catalog)
}

/// The edges without duplicates of automatic ones and without those automatic ones that would close
/// a cycle.
fn without_superfluous(count: usize, edges: Vec<RawEdge>) -> Vec<RawEdge> {
    let (strong, mut weak): (Vec<RawEdge>, Vec<RawEdge>) =
        edges.into_iter().partition(|edge| edge.why != Why::Automatic);
    let mut seen: Set<Pair> = set_for(strong.len() + weak.len());
    seen.extend(strong.iter().map(|edge| (edge.from, edge.to)));
    weak.retain(|edge| seen.insert((edge.from, edge.to)));
    let pairs =
        |edges: &[RawEdge]| edges.iter().map(|edge| (edge.from, edge.to)).collect::<Vec<_>>();
    let dropped: Set<usize> =
        superfluous(count, &pairs(&strong), &pairs(&weak)).into_iter().collect();
    let kept = weak.into_iter().enumerate().filter(|(index, _)| !dropped.contains(index));
    strong.into_iter().chain(kept.map(|(_, edge)| edge)).collect()
}

fn assemble(
    context: &Context,
    instances: Vec<Instance>,
    edges: &[RawEdge],
    order: &[u32],
    policies: Vec<String>,
) -> Catalog {
    let mut position = vec![0_u32; order.len()];
    for (place, index) in (0_u32..).zip(order) {
        if let Some(slot) = position.get_mut(*index as usize) {
            *slot = place;
        }
    }
    let at = |index: u32| position.get(index as usize).copied().unwrap_or(0);
    let mut slots: Vec<Option<Resource>> = Vec::new();
    slots.resize_with(order.len(), || None);
    for (index, instance) in (0_u32..).zip(instances) {
        let (Some(wanted), Some(slot)) = (instance.wanted, slots.get_mut(at(index) as usize))
        else {
            continue;
        };
        *slot = Some(Resource {
            reference: instance.reference,
            kind: instance.kind,
            wanted,
            // In written order, so that lines are counted once.
            place: context.sources.place(instance.spot),
            common: instance.common,
            origin: instance.origin,
            digest: instance.digest,
            dependencies: Vec::new(),
            notifies: Vec::new(),
            record: instance.record,
        });
    }
    let mut resources: Vec<Resource> = slots.into_iter().flatten().collect();
    let mut reasons: Vec<Edge> = Vec::with_capacity(edges.len());
    for edge in edges {
        let (from, to) = (at(edge.from), at(edge.to));
        if let Some(resource) = resources.get_mut(to as usize) {
            resource.dependencies.push(from);
        }
        let notifies =
            matches!(edge.why, Why::Link(parse::Common::Notify | parse::Common::Subscribe, _));
        if notifies && let Some(resource) = resources.get_mut(from as usize) {
            resource.notifies.push(to);
        }
        let reason = match edge.why {
            Why::Automatic => EdgeReason::Automatic,
            Why::Link(relation, spot) => {
                let place = context.sources.place(spot);
                match relation {
                    parse::Common::Require => EdgeReason::Require(place),
                    parse::Common::Before => EdgeReason::Before(place),
                    parse::Common::Notify => EdgeReason::Notify(place),
                    _ => EdgeReason::Subscribe(place),
                }
            }
        };
        reasons.push(Edge { from, to, reason });
    }
    for resource in &mut resources {
        for list in [&mut resource.dependencies, &mut resource.notifies] {
            list.sort_unstable();
            list.dedup();
            list.shrink_to_fit();
        }
    }
    reasons.sort_by_key(|edge| (edge.to, edge.from));
    let digest = catalog_digest(&resources);
    Catalog {
        resources,
        edges: reasons,
        digest,
        policies,
        checks: Vec::new(),
        rules: SiteRules::default(),
        warnings: Diagnostics::default(),
    }
}
