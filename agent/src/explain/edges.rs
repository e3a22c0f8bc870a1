//! What a resource comes after and what comes after it, with the reasons in words.

use serde::Serialize;
use steadfast_policies::{Catalog, Edge, EdgeReason, Place, Resource};
use steadfast_resources::{Autoedge, Identity};

/// A resource at the other end of an edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Its name.
    pub resource: String,
    /// `require`, `before`, `notify`, `subscribe` or `automatic`.
    pub reason: &'static str,
    /// The reason in words.
    pub why: String,
    /// Where the edge is written; an automatic one is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Whether the earlier one notifies the later one.
    pub notifies: bool,
}

/// What the resource at `index` comes after, and what comes after it. Mere written order is no
/// reason and not told.
pub fn neighbours(catalog: &Catalog, index: usize) -> (Vec<Neighbour>, Vec<Neighbour>) {
    let mut after = Vec::new();
    let mut before = Vec::new();
    for edge in &catalog.edges {
        if edge.to as usize == index {
            after.extend(neighbour(catalog, edge, edge.from));
        } else if edge.from as usize == index {
            before.extend(neighbour(catalog, edge, edge.to));
        }
    }
    (after, before)
}

fn neighbour(catalog: &Catalog, edge: &Edge, other: u32) -> Option<Neighbour> {
    let (from, to) = (resource(catalog, edge.from)?, resource(catalog, edge.to)?);
    let (first, later) = (&from.reference, &to.reference);
    let (reason, why, place) = match &edge.reason {
        EdgeReason::Require(place) => ("require", format!("{later} requires {first}"), Some(place)),
        EdgeReason::Before(place) => {
            ("before", format!("{first} is to come before {later}"), Some(place))
        }
        EdgeReason::Notify(place) => ("notify", format!("{first} notifies {later}"), Some(place)),
        EdgeReason::Subscribe(place) => {
            ("subscribe", format!("{later} subscribes to {first}"), Some(place))
        }
        EdgeReason::Automatic => ("automatic", automatic(from, to), None),
    };
    Some(Neighbour {
        resource: resource(catalog, other)?.reference.to_string(),
        reason,
        why,
        place: place.cloned(),
        notifies: matches!(edge.reason, EdgeReason::Notify(_) | EdgeReason::Subscribe(_)),
    })
}

fn resource(catalog: &Catalog, index: u32) -> Option<&Resource> {
    catalog.resources.get(index as usize)
}

/// Why the kinds put `from` before `to`: the later one rests on the earlier one, or the earlier one
/// rests on the later one, which is to be absent.
fn automatic(from: &Resource, to: &Resource) -> String {
    let relations = |resource: &Resource| resource.kind.relations(&resource.wanted).ok();
    let (Some(earlier), Some(later)) = (relations(from), relations(to)) else {
        return "the kinds know the order".to_owned();
    };
    if let Some(edge) = leading(&later.after, &earlier.identity) {
        let role = role(to, edge, &earlier.identity);
        return format!("{} is {role} of {}", from.reference, to.reference);
    }
    if let Some(edge) = leading(&earlier.after, &later.identity) {
        let role = role(from, edge, &later.identity);
        return format!("{} is {role} of {}, and is to be absent", to.reference, from.reference);
    }
    "the kinds know the order".to_owned()
}

fn leading<'e>(edges: &'e [Autoedge], identity: &Identity) -> Option<&'e Autoedge> {
    edges.iter().find(|edge| match edge {
        Autoedge::First(candidates) => candidates.contains(identity),
        Autoedge::Exactly(other) => other == identity,
        Autoedge::Under { kind, prefix } => {
            *kind == identity.kind && identity.name.starts_with(prefix.as_str())
        }
    })
}

/// What `other` is for `own`, by the edge that leads there. Kinds that this does not know are told
/// of in general words.
fn role(own: &Resource, edge: &Autoedge, other: &Identity) -> String {
    let words = match (own.reference.kind(), edge, other.kind) {
        ("file", Autoedge::First(_), "file") => "the parent directory",
        ("file", Autoedge::Exactly(_), "file") => "the target",
        ("file", _, "user") => "the owner",
        ("file", _, "group") => "the group",
        ("user", Autoedge::First(_), "file") => "the directory for the home",
        ("user", _, "file") => "the login shell",
        ("user", _, "package") => "the package of the login shell",
        ("user", _, "group") => "a group",
        ("group", _, "user") => "a member",
        ("service", _, "package") => "the package",
        ("service", Autoedge::Under { .. }, "file") => "a drop-in of the unit",
        ("service", _, "file") => "the unit file",
        ("package", _, "file") => "a source",
        (_, _, kind) => return format!("the {kind} that the kind {} needs", own.reference.kind()),
    };
    words.to_owned()
}
