//! How resources relate without being told: identity, and automatic edges.

use crate::value::Text;

/// What a resource is about, whatever its title: two resources with the same identity are one
/// thing defined twice. For files the normalised path, for services the full unit name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The kind's name.
    pub kind: &'static str,
    /// The normalised name within the kind.
    pub name: Text,
}

impl Identity {
    /// The identity `name` within `kind`.
    pub fn new(kind: &'static str, name: impl Into<Text>) -> Self {
        Self { kind, name: name.into() }
    }
}

/// An automatic edge from a resource to others, which exist in the catalog or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Autoedge {
    /// After the nearest `kind` above `path` that is in the catalog: a managed parent directory.
    Above {
        /// The kind looked for.
        kind: &'static str,
        /// The path whose parents its identity may be; only the nearest sixty-four count.
        path: Text,
    },
    /// After this one, if it is in the catalog.
    Exactly(Identity),
    /// After every `kind` whose identity starts with `prefix` (unit drop-ins).
    Under {
        /// The kind looked for.
        kind: &'static str,
        /// What its identity starts with.
        prefix: String,
    },
}

/// What a kind says about one resource's place among the others.
///
/// An automatic edge turns round when the resource at its other end is to be absent: what rests on
/// something goes before that thing is removed (a file before its directory, a user before its
/// group, a service before its package).
#[derive(Debug, Clone)]
pub struct Relations {
    /// What this resource is about.
    pub identity: Identity,
    /// What it comes after.
    pub after: Vec<Autoedge>,
    /// Whether it is to be absent.
    pub absent: bool,
    /// What no other resource may have as well, as the attribute and its value: the number of an
    /// account. Nothing where it is to be absent.
    pub claims: Vec<Identity>,
    /// Who else it counts itself to, or counts to itself, beyond `after`: groups a user joins, a
    /// group's members. Nothing where it is to be absent.
    pub ties: Vec<Identity>,
    /// What the policy wrote that makes `ties` the whole list, so that a resource that ties itself
    /// to this one from the other end contradicts it.
    pub closed: Option<&'static str>,
    /// Whether nothing can be below it: a file that is no directory.
    pub leaf: bool,
}

impl Relations {
    /// The relations of what claims nothing and is tied to nothing.
    pub fn new(identity: Identity, after: Vec<Autoedge>, absent: bool) -> Self {
        Self {
            identity,
            after,
            absent,
            claims: Vec::new(),
            ties: Vec::new(),
            closed: None,
            leaf: false,
        }
    }
}
