//! Resources that each need the other first (a group that lists a user, who names that group): no
//! order can serve both, so one of the two mentions has to go.

use steadfast_resources::{Autoedge, Identity};

use super::edges::World;
use crate::diagnostics::Code;
use crate::evaluate::Instance;
use crate::map::Map;

/// Reports each pair of the resources for which `counts` holds that name each other.
pub(crate) fn report(world: &World<'_>, counts: impl Fn(u32) -> bool) {
    let exact = |instance: &Instance| {
        instance.relations.as_ref().is_some_and(|relations| {
            !relations.absent
                && relations.after.iter().any(|edge| matches!(edge, Autoedge::Exactly(_)))
        })
    };
    // Only what is named at all can name back: where ten thousand files name their owner, the users.
    let mut kinds: Vec<&str> = Vec::new();
    for Identity { kind, .. } in world.instances.iter().flat_map(needed) {
        if !kinds.contains(kind) {
            kinds.push(kind);
        }
    }
    let mut identities: Map<&Identity, u32> = Map::default();
    for (index, instance) in (0_u32..).zip(world.instances) {
        if let Some(relations) = instance.relations.as_ref().filter(|_| counts(index))
            && kinds.contains(&relations.identity.kind)
            && exact(instance)
        {
            identities.entry(&relations.identity).or_insert(index);
        }
    }
    if identities.is_empty() {
        return;
    }
    for (own, instance) in (0_u32..).zip(world.instances) {
        if !counts(own) || !exact(instance) {
            continue;
        }
        for other in needed(instance).filter_map(|identity| identities.get(identity)) {
            if let Some(other) = world.instances.get(*other as usize).filter(|_| own < *other)
                && names(other, instance)
            {
                tell(world, instance, other);
            }
        }
    }
}

fn needed(instance: &Instance) -> impl Iterator<Item = &Identity> {
    instance.relations.iter().flat_map(|relations| &relations.after).filter_map(|edge| match edge {
        Autoedge::Exactly(identity) => Some(identity),
        Autoedge::Above { .. } | Autoedge::Under { .. } => None,
    })
}

fn names(instance: &Instance, other: &Instance) -> bool {
    let identity = other.relations.as_ref().map(|relations| &relations.identity);
    needed(instance).any(|needed| Some(needed) == identity)
}

fn tell(world: &World<'_>, first: &Instance, second: &Instance) {
    let (one, other) = (&first.reference, &second.reference);
    let message =
        format!("`{one}` and `{other}` name each other, so that each waits for the other");
    let hint =
        format!("say it in one place: leave out what `{one}` says of `{other}`, or the reverse");
    world
        .context
        .error(Code::Cycle, second.spot, message)
        .related(first.spot, "the other one is declared here")
        .hint(hint)
        .report();
}
