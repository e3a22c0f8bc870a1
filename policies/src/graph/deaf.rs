//! Notifications that reach nobody.

use std::collections::HashSet;

use super::edges::World;
use crate::diagnostics::{Code, Spot};
use crate::evaluate::{Instance, Link};
use crate::parse;

/// Says that a notification reaches nobody: the kinds to be notified do nothing about it. Once for
/// each place, however many resources were made there.
pub(super) fn warn_of_deaf(
    world: &World<'_>,
    link: &Link,
    own: &Instance,
    others: &[u32],
    told: &mut HashSet<Spot>,
) {
    let deaf = |instance: &Instance| !instance.kind.refreshes();
    let (kind, instead) = match link.relation {
        // What a module hands on is for those of its resources that can do something about it.
        parse::Common::Subscribe if !link.handed_on && deaf(own) => {
            (own.reference.kind(), "require")
        }
        parse::Common::Notify => {
            let mut found = others.iter().filter_map(|index| world.instances.get(*index as usize));
            let Some(first) = found.next() else { return };
            if !deaf(first) || found.any(|other| !deaf(other)) {
                return;
            }
            (first.reference.kind(), "before")
        }
        _ => return,
    };
    if !told.insert(link.spot) {
        return;
    }
    let kinds = world.registry.kinds().filter(|kind| kind.refreshes());
    let kinds: Vec<String> = kinds.map(|kind| format!("`{}`", kind.declaration().name)).collect();
    let message = format!("a `{kind}` cannot be notified: it does nothing when others change");
    world
        .context
        .warning(Code::Unused, link.spot, message)
        .hint(format!(
            "to say only which comes first, write `{instead}`; what can be notified: {}",
            kinds.join(", ")
        ))
        .report();
}
