//! A unit's place among the other resources.

use crate::host::services::UnitName;
use crate::relations::{Autoedge, Identity, Relations};

/// Where unit files and drop-ins are written by hand or by a policy.
const DIRECTORIES: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// After the package of the same name and all files that define the unit. A timer, socket or path
/// also comes after the definition of the service that it starts, without which it cannot be
/// loaded.
pub(super) fn relations(unit: &UnitName) -> Relations {
    let mut after = vec![Autoedge::Exactly(Identity::new("package", unit.prefix()))];
    define(unit, &mut after);
    if ["timer", "socket", "path"].contains(&unit.suffix()) {
        define(&unit.sibling("service"), &mut after);
    }
    if unit.suffix() == "socket" && unit.instance().is_none() {
        // With Accept=yes each connection is an instance.
        after.extend(files(&format!("{}@.service", unit.stem())));
    }
    Relations::new(Identity::new("service", unit.as_str()), after, false)
}

fn define(unit: &UnitName, after: &mut Vec<Autoedge>) {
    after.extend(files(unit.as_str()));
    if let Some(template) = unit.template() {
        after.extend(files(template.as_str()));
    }
    for drop_ins in unit.drop_in_directories() {
        after.extend(DIRECTORIES.map(|directory| Autoedge::Under {
            kind: "file",
            prefix: format!("{directory}/{drop_ins}/"),
        }));
    }
}

fn files(name: &str) -> [Autoedge; DIRECTORIES.len()] {
    DIRECTORIES
        .map(|directory| Autoedge::Exactly(Identity::new("file", format!("{directory}/{name}"))))
}

/// Whether the file at `path` is part of the definition of `unit`.
pub(super) fn defines(path: &str, unit: &UnitName) -> bool {
    let below =
        DIRECTORIES.iter().find_map(|directory| path.strip_prefix(directory)?.strip_prefix('/'));
    let Some(below) = below else { return false };
    match below.split_once('/') {
        None => below == unit.as_str() || unit.template().is_some_and(|t| below == t.as_str()),
        Some((directory, _)) => unit.drop_in_directories().iter().any(|known| known == directory),
    }
}
