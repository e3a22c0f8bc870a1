//! From interests to what is watched: which directories, which units, and for whom.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::interest::Interest;
use super::listeners::Resource;
use super::marker::Marker;
use super::places::{Builder, Depth, Places};
use crate::host::accounts;
use crate::host::files::AbsolutePath;
use crate::host::packages;

/// Where people put unit files and where enabled units are linked (systemd.unit(5)).
const UNIT_LINKS: &str = "/etc/systemd/system";

/// Who listens to what is no file, or not by its path.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By a unit's full name.
    units: HashMap<String, Vec<Resource>>,
    /// Those whose path depends on the account database.
    homes: BTreeSet<Resource>,
    /// Those that rest on the account database.
    accounts: BTreeSet<Resource>,
}

impl Tables {
    /// The resources that rest on the unit called `name`.
    pub(super) fn unit(&self, name: &str) -> &[Resource] {
        self.units.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a change of `resources` may be one of where homes are.
    pub(super) fn homes_move(&self, resources: &BTreeSet<Resource>) -> bool {
        !self.homes.is_empty() && resources.iter().any(|one| self.accounts.contains(one))
    }
}

/// Marks what the interests name. Returns what cannot be watched too.
pub(super) fn build(
    root: &Path,
    interests: &[(usize, Vec<Interest>)],
    marker: &mut Marker,
) -> (Tables, Places, Vec<String>) {
    let mut tables = Tables::default();
    let mut builder = Builder::new(root, marker);
    let mut with_units = Vec::new();
    let mut homes: Option<HashMap<String, String>> = None;
    for (resource, interests) in interests {
        let Ok(resource) = Resource::try_from(*resource) else { continue };
        for interest in interests {
            match interest {
                Interest::Path(path) => builder.path(resource, path, Depth::Content),
                Interest::Place(path) => builder.path(resource, path, Depth::Place),
                Interest::Tree(path) => builder.tree(resource, path),
                Interest::Home { user, below } => {
                    tables.homes.insert(resource);
                    let homes = homes.get_or_insert_with(|| accounts::homes_of_users(root));
                    if let Some(home) = homes.get(user)
                        && let Ok(path) = AbsolutePath::parse(&format!("{home}/{below}"))
                    {
                        builder.path(resource, &path, Depth::Content);
                    }
                }
                Interest::Unit(name) => {
                    tables.units.entry(name.to_string()).or_default().push(resource);
                    with_units.push(resource);
                }
                Interest::Accounts => {
                    tables.accounts.insert(resource);
                    databases(&mut builder, resource, accounts::DATABASES);
                }
                Interest::Packages => databases(&mut builder, resource, packages::DATABASES),
            }
        }
    }
    builder.units(&with_units, Path::new(UNIT_LINKS), 1);
    let (places, complaints) = builder.finish();
    (tables, places, complaints)
}

fn databases(builder: &mut Builder<'_>, resource: Resource, paths: &[&str]) {
    for path in paths.iter().filter_map(|path| AbsolutePath::parse(path).ok()) {
        builder.path(resource, &path, Depth::Content);
    }
}
