//! The seam between the packages port and a package manager.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{
    Answer, Availability, PackageError, PackageName, Provider, Record, Transaction, VersionScheme,
    apt,
};
use crate::failure::Failure;
use crate::host::HostOptions;

/// One package manager of one root directory. Keeps nothing between calls but what it was made
/// from; the port remembers answers.
pub(super) trait Backend: Send + Sync {
    /// How it compares versions.
    fn scheme(&self) -> VersionScheme;
    /// What tells whether the database is still the one that was read.
    fn database_stamp(&self) -> Result<Stamp, PackageError>;
    /// Reads the whole database.
    fn database(&self) -> Result<Database, PackageError>;
    /// The packages (name, architecture) that came only because others need them.
    fn automatic(&self) -> Result<BTreeSet<(String, String)>, PackageError>;
    /// What the present indexes offer, for each of `names` that they know, by one or two processes.
    fn availability(
        &self,
        names: &[PackageName],
    ) -> Result<BTreeMap<PackageName, Availability>, PackageError>;
    /// When the indexes were last refreshed, as people read it.
    fn index_date(&self) -> Option<String>;
    /// What tells whether the sources of the indexes are still the same.
    fn sources_stamp(&self) -> Stamp;
    /// Refreshes the indexes.
    fn refresh_index(&self, deadline: Instant) -> Result<(), RefreshFailure>;
    /// See [`super::PackageChanges::transact`].
    fn transact(&self, transaction: &Transaction, deadline: Instant) -> Result<(), PackageError>;
    /// See [`super::PackageChanges::set_holds`].
    fn set_holds(
        &self,
        holds: &[(PackageName, bool)],
        deadline: Instant,
    ) -> Result<(), PackageError>;
    /// See [`super::PackageChanges::preset_answers`].
    fn preset_answers(&self, answers: &[Answer], deadline: Instant) -> Result<(), PackageError>;
    /// Name, version and architecture of the package file at `path` (as the backend's programs
    /// see it).
    fn identify(&self, path: &Path) -> Result<FileIdentity, PackageError>;
    /// How the names of its package files end.
    fn file_suffix(&self) -> &'static str;
}

/// Why indexes could not be refreshed, and whether any source answered.
pub(super) struct RefreshFailure {
    pub(super) failure: Failure,
    pub(super) reached: bool,
}

/// What a package file says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileIdentity {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
}

/// Device, inode, size and modification time of the files that something was read from.
pub(super) type Stamp = Vec<(PathBuf, u64, u64, u64, i64, i64)>;

/// All packages of a database.
#[derive(Debug, Default)]
pub(super) struct Database {
    /// The machine's own architecture, where the database tells.
    pub(super) native: Option<String>,
    /// Records by name.
    pub(super) packages: HashMap<String, Vec<Record>>,
    /// Installed packages by the names they provide.
    pub(super) providers: HashMap<String, Vec<Provider>>,
}

impl Database {
    /// See [`super::PackageView::package`].
    pub(super) fn find(&self, name: &PackageName) -> Option<&Record> {
        let records = self.packages.get(name.name())?;
        let native = |record: &&Record| {
            record.architecture == "all" || Some(&record.architecture) == self.native.as_ref()
        };
        match name.architecture() {
            Some(wanted) if Some(wanted) == self.native.as_deref() => records.iter().find(native),
            Some(wanted) => records.iter().find(|record| record.architecture == wanted),
            None => records
                .iter()
                .find(|record| native(record) && record.state.is_present())
                .or_else(|| records.iter().find(|record| record.state.is_present()))
                .or_else(|| records.iter().find(native))
                .or_else(|| records.first()),
        }
    }
}

impl Database {
    /// See [`super::PackageView::chosen`].
    pub(super) fn chosen(&self, automatic: &BTreeSet<(String, String)>) -> Vec<PackageName> {
        let is_native = |record: &Record| {
            record.architecture == "all" || Some(&record.architecture) == self.native.as_ref()
        };
        let by_itself = |record: &&Record| {
            let architecture =
                if is_native(record) { self.native.as_ref() } else { Some(&record.architecture) };
            let native = architecture.cloned().unwrap_or_default();
            let names = [native, record.architecture.clone()];
            record.state.is_present()
                && !names.iter().any(|it| automatic.contains(&(record.name.clone(), it.clone())))
        };
        let mut names: Vec<PackageName> = self
            .packages
            .values()
            .flatten()
            .filter(by_itself)
            .filter_map(|record| {
                if is_native(record) {
                    PackageName::parse(&record.name).ok()
                } else {
                    PackageName::parse(&format!("{}:{}", record.name, record.architecture)).ok()
                }
            })
            .collect();
        names.sort();
        names
    }
}

/// The backend for the package manager of a root directory.
pub(super) fn detect(options: &HostOptions) -> Result<Box<dyn Backend>, PackageError> {
    let root = &options.root;
    if root.join(apt::STATUS).is_file() {
        return Ok(Box::new(apt::Apt::new(options)));
    }
    let others = [
        ("rpm", "usr/lib/sysimage/rpm"),
        ("rpm", "var/lib/rpm"),
        ("pacman", "var/lib/pacman/local"),
        ("apk", "lib/apk/db"),
        ("portage", "var/db/pkg"),
    ];
    let found = others.iter().find(|(_, path)| root.join(path).is_dir()).map(|(name, _)| *name);
    Err(PackageError::Unsupported { root: root.clone(), found })
}
