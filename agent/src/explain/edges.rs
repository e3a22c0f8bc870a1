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
    let other_first = other == edge.from;
    let (reason, place) = match &edge.reason {
        EdgeReason::Require(place) => ("require", Some(place)),
        EdgeReason::Before(place) => ("before", Some(place)),
        EdgeReason::Notify(place) => ("notify", Some(place)),
        EdgeReason::Subscribe(place) => ("subscribe", Some(place)),
        EdgeReason::Automatic => ("automatic", None),
    };
    let why = match (&edge.reason, other_first) {
        (EdgeReason::Require(_), true) => "this one requires it".to_owned(),
        (EdgeReason::Require(_), false) => "it requires this one".to_owned(),
        (EdgeReason::Before(_), true) => "it is to come before this one".to_owned(),
        (EdgeReason::Before(_), false) => "this one is to come before it".to_owned(),
        (EdgeReason::Notify(_), true) => "it notifies this one".to_owned(),
        (EdgeReason::Notify(_), false) => "this one notifies it".to_owned(),
        (EdgeReason::Subscribe(_), true) => "this one subscribes to it".to_owned(),
        (EdgeReason::Subscribe(_), false) => "it subscribes to this one".to_owned(),
        (EdgeReason::Automatic, _) => automatic(from, to, other_first),
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
/// rests on the later one, which is to be absent. Told from the end that is not the other one.
fn automatic(from: &Resource, to: &Resource, other_first: bool) -> String {
    let relations = |resource: &Resource| resource.kind.relations(&resource.wanted).ok();
    let unknown = || "the kinds know this order".to_owned();
    let (Some(earlier), Some(later)) = (relations(from), relations(to)) else { return unknown() };
    if let Some(edge) = leading(&later.after, &earlier.identity) {
        let role = role(to, edge, &earlier.identity);
        return if other_first {
            format!("it is {role} of this one")
        } else {
            format!("this one is {role} of it")
        };
    }
    let Some(edge) = leading(&earlier.after, &later.identity) else { return unknown() };
    let role = role(from, edge, &later.identity);
    if other_first {
        format!("this one is {role} of it, and is to be absent")
    } else {
        format!("it is {role} of this one, and is to be absent")
    }
}

fn leading<'e>(edges: &'e [Autoedge], identity: &Identity) -> Option<&'e Autoedge> {
    edges.iter().find(|edge| match edge {
        Autoedge::Above { kind, path } => {
            let below = path.strip_prefix(identity.name.trim_end_matches('/'));
            *kind == identity.kind && below.is_some_and(|below| below.starts_with('/'))
        }
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
        ("file", Autoedge::Above { .. }, "file") => "the parent directory",
        ("file", Autoedge::Exactly(_), "file") => "the target",
        ("file", _, "user") => "the owner",
        ("file", _, "group") => "the group",
        ("user", Autoedge::Above { .. }, "file") => "the directory for the home",
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

#[cfg(test)]
mod tests {
    use steadfast_policies::{Inputs, Repository, RepositoryError, evaluate_policy};
    use steadfast_resources::Registry;

    use super::*;

    struct Empty;

    impl Repository for Empty {
        fn paths(&self) -> Result<Vec<String>, RepositoryError> {
            Ok(Vec::new())
        }
        fn read(&self, _: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
            Ok(None)
        }
        fn executable(&self, _: &str) -> Result<bool, RepositoryError> {
            Ok(false)
        }
    }

    /// For each edge of the policy `text`: the earlier and the later resource, and both reasons.
    fn edges(text: &str) -> Vec<String> {
        let (inputs, registry) = (Inputs::default(), Registry::standard());
        let catalog = evaluate_policy(&Empty, "p.toml", text, &inputs, &registry)
            .unwrap_or_else(|errors| panic!("{errors}"));
        let mut told = Vec::new();
        for (index, resource) in catalog.resources.iter().enumerate() {
            let (after, _) = neighbours(&catalog, index);
            for earlier in after {
                let name = resource.reference.to_string();
                let first = catalog
                    .resources
                    .iter()
                    .position(|known| known.reference.to_string() == earlier.resource);
                let (_, before) = neighbours(&catalog, first.unwrap());
                let back = before
                    .iter()
                    .find(|later| later.resource == name && later.reason == earlier.reason);
                let (there, back) = (&earlier.why, &back.unwrap().why);
                told.push(format!("{} < {name}: {there} / {back}", earlier.resource));
            }
        }
        told
    }

    #[test]
    fn every_edge_is_told_from_both_ends() {
        let link =
            |attribute: &str| format!("[service.a]\n{attribute} = [\"service.b\"]\n[service.b]\n");
        for (text, expected) in [
            (
                "[file.\"/a/b\"]\ncontent = \"\"\n[file.\"/a\"]\nensure = \"directory\"\n",
                "file.\"/a\" < file.\"/a/b\": it is the parent directory of this one / this one is the \
                 parent directory of it",
            ),
            (
                "[file.\"/a/b\"]\nensure = \"absent\"\n[file.\"/a\"]\nensure = \"absent\"\n",
                "file.\"/a/b\" < file.\"/a\": this one is the parent directory of it, and is to be absent \
                 / it is the parent directory of this one, and is to be absent",
            ),
            (
                "[file.\"/a\"]\ncontent = \"\"\nowner = \"ada\"\n[user.ada]\n",
                "user.ada < file.\"/a\": it is the owner of this one / this one is the owner of it",
            ),
            (
                "[file.\"/a\"]\ncontent = \"\"\ngroup = \"web\"\n[group.web]\n",
                "group.web < file.\"/a\": it is the group of this one / this one is the group of it",
            ),
            (
                "[user.ada]\ngroups = [\"web\"]\n[group.web]\n",
                "group.web < user.ada: it is a group of this one / this one is a group of it",
            ),
            (
                "[service.web]\n[package.web]\n",
                "package.web < service.web: it is the package of this one / this one is the package of it",
            ),
            (
                "[service.a]\n[file.\"/etc/systemd/system/a.service\"]\ncontent = \"\"\n",
                "file.\"/etc/systemd/system/a.service\" < service.a: it is the unit file of this one / \
                 this one is the unit file of it",
            ),
            (
                "[service.a]\n[file.\"/etc/systemd/system/a.service.d/x.conf\"]\ncontent = \"\"\n",
                "file.\"/etc/systemd/system/a.service.d/x.conf\" < service.a: it is a drop-in of the \
                 unit of this one / this one is a drop-in of the unit of it",
            ),
            (
                &link("require"),
                "service.b < service.a: this one requires it / it requires this one",
            ),
            (
                &link("before"),
                "service.a < service.b: it is to come before this one / this one is to come before it",
            ),
            (&link("notify"), "service.a < service.b: it notifies this one / this one notifies it"),
            (
                &link("subscribe"),
                "service.b < service.a: this one subscribes to it / it subscribes to this one",
            ),
        ] {
            assert_eq!(edges(text), [expected], "{text}");
        }
    }
}
