//! Which declarations are in force: what tells an intentional change from drift.

use std::collections::HashMap;

use rusqlite::params;
use steadfast_policies::{Catalog, Resource};

use super::{State, StateError};

/// The declarations last in force on this host.
#[derive(Debug)]
pub enum InForce {
    /// All of the catalog at hand, unchanged: whatever differs on the machine is drift.
    WholeCatalog,
    /// These, by kind and title, with the digest of each declaration.
    Declarations(HashMap<(String, String), Vec<u8>>),
}

impl InForce {
    /// Whether this very declaration was in force before.
    pub fn has(&self, resource: &Resource) -> bool {
        match self {
            Self::WholeCatalog => true,
            Self::Declarations(declarations) => declarations
                .get(&(resource.reference.kind().to_owned(), resource.reference.title().to_owned()))
                .is_some_and(|digest| digest.as_slice() == resource.digest),
        }
    }
}

impl State {
    /// What was in force before a run of `catalog`.
    pub fn in_force(&self, catalog: &Catalog) -> Result<InForce, StateError> {
        if self.database.meta("catalog_in_force")?.as_deref() == Some(catalog.digest.as_str()) {
            return Ok(InForce::WholeCatalog);
        }
        let failed = || self.database.failed("reading what is in force");
        let mut statement = self
            .database
            .connection
            .prepare_cached("SELECT kind, title, digest FROM in_force")
            .map_err(failed())?;
        let rows = statement
            .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))
            .map_err(failed())?;
        Ok(InForce::Declarations(rows.collect::<Result<_, _>>().map_err(failed())?))
    }

    /// Records that the resources for which `is_in_force` holds are now in force as declared.
    /// Those of which it does not hold keep what was in force before. Those that left the catalog
    /// are forgotten where `whole_host` says that the catalog is all this host should be (and not
    /// a single policy that somebody tries out).
    pub fn put_in_force(
        &self,
        catalog: &Catalog,
        before: &InForce,
        whole_host: bool,
        is_in_force: impl Fn(usize) -> bool,
    ) -> Result<(), StateError> {
        let whole = (0..catalog.resources.len()).all(&is_in_force);
        if whole && matches!(before, InForce::WholeCatalog) {
            return Ok(());
        }
        self.database.write("recording what is in force", |transaction| {
            if let (InForce::Declarations(declarations), true) = (before, whole_host) {
                let present: std::collections::HashSet<(&str, &str)> = catalog
                    .resources
                    .iter()
                    .map(|resource| (resource.reference.kind(), resource.reference.title()))
                    .collect();
                let mut delete = transaction
                    .prepare_cached("DELETE FROM in_force WHERE kind = ?1 AND title = ?2")?;
                for (kind, title) in declarations.keys() {
                    if !present.contains(&(kind.as_str(), title.as_str())) {
                        delete.execute(params![kind, title])?;
                    }
                }
            }
            let mut insert = transaction
                .prepare_cached("INSERT OR REPLACE INTO in_force VALUES (?1, ?2, ?3)")?;
            for (index, resource) in catalog.resources.iter().enumerate() {
                if is_in_force(index) && !before.has(resource) {
                    insert.execute(params![
                        resource.reference.kind(),
                        resource.reference.title(),
                        resource.digest.as_slice()
                    ])?;
                }
            }
            transaction.execute(
                "INSERT OR REPLACE INTO meta VALUES ('catalog_in_force', ?1)",
                [if whole && whole_host { catalog.digest.as_str() } else { "" }],
            )
        })?;
        Ok(())
    }
}
