//! What resources claim for themselves, and lists that are whole at one end and added to at the
//! other: two accounts with one number, a user whose groups are all named and a group that names the
//! user besides. No machine can be as both ask.

use steadfast_resources::{Identity, Relations};

use super::edges::World;
use crate::diagnostics::Code;
use crate::evaluate::Instance;
use crate::map::Map;

/// What was claimed so far, and by which resource.
#[derive(Default)]
pub(super) struct Claims<'a> {
    claimed: Map<&'a Identity, u32>,
}

impl<'a> Claims<'a> {
    /// Notes what `instance`, at `index`, claims. What another claims already is reported.
    pub(super) fn check(&mut self, world: &World<'a>, index: u32, instance: &'a Instance) {
        for claim in instance.relations.iter().flat_map(|relations| &relations.claims) {
            let first = *self.claimed.entry(claim).or_insert(index);
            let Some(first) = world.instances.get(first as usize).filter(|_| first != index) else {
                continue;
            };
            let (one, other) = (&instance.reference, &first.reference);
            let Identity { kind, name } = claim;
            world
                .context
                .error(
                    Code::Duplicate,
                    instance.spot,
                    format!("`{one}` has the `{kind}` of `{other}`"),
                )
                .related(first.spot, format!("this one has the `{kind}` {name} too"))
                .hint(format!("give one of them another `{kind}`, or leave it out"))
                .report();
        }
    }
}

/// Reports, among the resources for which `counts` holds, each whose list is whole and leaves out
/// another one that counts itself to it.
pub(super) fn contradictions(world: &World<'_>, counts: impl Fn(u32) -> bool) {
    let relations = || {
        let all = (0_u32..).zip(world.instances).filter(|(index, _)| counts(*index));
        all.filter_map(|(_, instance)| Some((instance, instance.relations.as_ref()?)))
    };
    let closed: Map<&Identity, (&Instance, &Relations)> = relations()
        .filter(|(_, relations)| relations.closed.is_some())
        .map(|(instance, relations)| (&relations.identity, (instance, relations)))
        .collect();
    if closed.is_empty() {
        return;
    }
    for (instance, own) in relations() {
        for (whole, other) in own.ties.iter().filter_map(|tie| closed.get(tie)) {
            if !other.ties.contains(&own.identity) {
                tell(world, (whole, other.closed.unwrap_or_default()), instance);
            }
        }
    }
}

fn tell(world: &World<'_>, (whole, why): (&Instance, &str), adding: &Instance) {
    let (one, other) = (&whole.reference, &adding.reference);
    let message = format!("`{other}` names `{one}`, whose own list is the whole one and lacks it");
    let hint = format!("name `{other}` in `{one}` alone, or leave `{why}` out");
    world
        .context
        .error(Code::Duplicate, whole.spot, message)
        .related(adding.spot, "the other one is declared here")
        .hint(hint)
        .report();
}
