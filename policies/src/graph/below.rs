//! What is declared below something that can hold nothing: `/etc/x/y` where `/etc/x` is a file.

use steadfast_resources::{Autoedge, Identity};

use super::edges::{World, above};
use crate::diagnostics::Code;
use crate::evaluate::Instance;
use crate::map::Map;

/// Reports, among the resources for which `counts` holds, each that is below another that is to be
/// there and has no inside.
pub(super) fn report(world: &World<'_>, counts: impl Fn(u32) -> bool) {
    let instances = || {
        let all = (0_u32..).zip(world.instances).filter(|(index, _)| counts(*index));
        all.filter_map(|(_, instance)| Some((instance, instance.relations.as_ref()?)))
            .filter(|(_, relations)| !relations.absent)
    };
    let leaves: Map<(&str, &str), &Instance> = instances()
        .filter(|(instance, relations)| relations.leaf && instance.pattern.is_none())
        .map(|(instance, relations)| {
            let Identity { kind, name } = &relations.identity;
            ((*kind, name.as_str()), instance)
        })
        .collect();
    if leaves.is_empty() {
        return;
    }
    for (instance, relations) in instances() {
        for edge in &relations.after {
            let Autoedge::Above { kind, path } = edge else { continue };
            let found = above(path).find_map(|parent| leaves.get(&(*kind, parent)));
            if let Some(leaf) = found {
                let (one, other) = (&instance.reference, &leaf.reference);
                world
                    .context
                    .error(Code::Duplicate, instance.spot, format!("`{one}` is below `{other}`, which is no directory"))
                    .related(leaf.spot, "this is a file")
                    .hint("leave one of them out, or write `ensure = \"directory\"` for the upper one".to_owned())
                    .report();
            }
        }
    }
}
