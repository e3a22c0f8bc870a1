//! Which resources of a catalog a case means.
//!
//! A case may call a resource by any title that evaluation takes for the same thing: `file./b/` is
//! `file./b`, `service."x.service"` is `service.x`. Titles alone would let `lacks` pass although
//! the thing is there.

use globset::{GlobBuilder, GlobMatcher};
use steadfast_resources::{AnyKind, AttributeReader, Text, Value};

use crate::catalog::{Catalog, Resource};
use crate::graph::reference;

/// The resources of a catalog by all their names.
pub(super) struct Names<'c> {
    pub(super) catalog: &'c Catalog,
    /// What each resource is about, whatever its title.
    identities: Vec<Option<Text>>,
}

impl<'c> Names<'c> {
    pub(super) fn of(catalog: &'c Catalog) -> Self {
        let identity = |resource: &Resource| {
            Some(resource.kind.relations(&resource.wanted).ok()?.identity.name)
        };
        Self { catalog, identities: catalog.resources.iter().map(identity).collect() }
    }

    /// The resource that is called `title`, or is the same thing by another title.
    pub(super) fn find(&self, kind: &str, title: &str) -> Option<(usize, &'c Resource)> {
        let titled = self.of_kind(kind).find(|(_, found, _)| found.reference.title() == title);
        let found = titled.or_else(|| {
            let identity = self.identity(kind, title)?;
            self.of_kind(kind).find(|(_, _, found)| *found == Some(&*identity))
        });
        found.map(|(index, resource, _)| (index, resource))
    }

    /// The resources that `text`, a reference with globs, names.
    pub(super) fn matching(&self, text: &str) -> impl Iterator<Item = (usize, &'c Resource)> {
        let (kind, title) = reference(text).unwrap_or_default();
        let identity = self.identity(&kind, &title);
        let patterns: Vec<(Text, Option<GlobMatcher>)> = [Some(Text::from(title)), identity]
            .into_iter()
            .flatten()
            .map(|title| {
                let glob = GlobBuilder::new(&title).build().ok();
                (title, glob.map(|glob| glob.compile_matcher()))
            })
            .collect();
        let fits = move |name: &str| {
            patterns.iter().any(|(title, glob)| {
                **title == *name || glob.as_ref().is_some_and(|glob| glob.is_match(name))
            })
        };
        self.of_kind(&kind)
            .filter(|(_, found, identity)| {
                fits(found.reference.title()) || identity.is_some_and(&fits)
            })
            .map(|(index, resource, _)| (index, resource))
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = (usize, &'c Resource, Option<&str>)> {
        let named = self.catalog.resources.iter().zip(&self.identities).enumerate();
        named
            .filter(move |(_, (resource, _))| resource.reference.kind() == kind)
            .map(|(index, (resource, identity))| (index, resource, identity.as_deref()))
    }

    /// What a resource with this title would be about. `None` where its kind cannot tell, or where
    /// the catalog has none of that kind.
    fn identity(&self, kind: &str, title: &str) -> Option<Text> {
        let (_, resource, _) = self.of_kind(kind).next()?;
        identity(resource.kind, title)
    }
}

/// What a resource of `kind` that is called `title` is about, as far as the title tells: it is
/// tried without attributes, and then as one that is to be absent, which needs the fewest.
fn identity(kind: &'static dyn AnyKind, title: &str) -> Option<Text> {
    let absent = [("ensure", Value::text("absent"))];
    [&[][..], &absent[..]].into_iter().find_map(|values| {
        let wanted = kind.wanted(title, &mut AttributeReader::new(values))?;
        Some(kind.relations(&wanted).ok()?.identity.name)
    })
}

#[cfg(test)]
mod tests {
    use steadfast_resources::Registry;

    use super::identity;

    #[test]
    fn every_kind_can_tell_what_a_title_is_about() {
        let registry = Registry::standard();
        for (kind, title, expected) in [
            ("file", "/b/", "/b"),
            ("service", "x", "x.service"),
            ("service", "x.service", "x.service"),
            ("package", "nginx", "nginx"),
            ("user", "deploy", "deploy"),
            ("group", "admin", "admin"),
        ] {
            let kind = registry.kind(kind).unwrap();
            assert_eq!(identity(kind, title).as_deref(), Some(expected), "{title}");
        }
        assert_eq!(registry.kinds().count(), 5, "a new kind belongs into this test");
    }
}
