//! Whole repositories in memory, with kinds that exist only here.

mod accounts;
mod cases;
mod checks;
mod golden;
mod hostile;
mod hosts;
mod includes;
pub(crate) mod kinds;
mod language;
mod limits;
mod properties;
mod recording;
mod secrets;
mod tracing;

use std::collections::BTreeMap;

use steadfast_resources::Registry;

use crate::catalog::{Catalog, Inputs};
use crate::diagnostics::Diagnostics;
use crate::repository::{Repository, RepositoryError};

/// A repository in memory. A path that ends in `.sh` is executable.
#[derive(Default)]
pub(crate) struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).into(), text.as_bytes().into())).collect())
    }

    pub(crate) fn with_bytes(mut self, path: &str, bytes: &[u8]) -> Self {
        self.0.insert(path.into(), bytes.into());
        self
    }
}

impl Repository for Memory {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        Ok(self.0.keys().cloned().collect())
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        Ok(self.0.get(path).cloned())
    }
    fn executable(&self, path: &str) -> Result<bool, RepositoryError> {
        Ok(std::path::Path::new(path).extension().is_some_and(|extension| extension == "sh"))
    }
}

pub(crate) fn registry() -> Registry {
    Registry::of(vec![&kinds::Note, &kinds::Bell])
}

pub(crate) fn inputs() -> Inputs {
    Inputs {
        facts: serde_json::json!({
            "os": { "id": "debian", "family": "debian", "version": "12" },
            "hostname": "web1",
            "fqdn": "web1.example.com",
            "cpu": { "count": 4 },
        }),
        labels: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
    }
}

/// The catalog of one policy, or its errors as text.
pub(crate) fn policy(text: &str) -> Result<Catalog, Diagnostics> {
    crate::evaluate_policy(&Memory::default(), "test.toml", text, &inputs(), &registry())
}

/// The references of a catalog, in order.
pub(crate) fn titles(catalog: &Catalog) -> Vec<String> {
    catalog.resources.iter().map(|resource| resource.reference.to_string()).collect()
}

/// The resource called `reference`.
pub(crate) fn find<'c>(catalog: &'c Catalog, reference: &str) -> &'c crate::Resource {
    let found =
        catalog.resources.iter().find(|resource| resource.reference.to_string() == reference);
    found.unwrap_or_else(|| panic!("no {reference} in {:?}", titles(catalog)))
}

/// What the policy asks of the note called `reference`.
pub(crate) fn note<'c>(catalog: &'c Catalog, reference: &str) -> &'c kinds::WantedNote {
    find(catalog, reference).wanted.downcast_ref().expect("a note")
}
