//! Scripted packages for tests: an index, a database in memory, failures on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{
    Announced, Answer, Availability, Faults, Index, IndexProvider, Install, PackageChanges,
    PackageError, PackageFile, PackageName, PackageView, Provider, Record, Refreshed, Selection,
    Staged, State, Transaction, VersionScheme,
};
use crate::failure::Failure;

/// A version of a package that can be installed.
#[derive(Debug, Clone, Default)]
pub struct FakePackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The names it provides.
    pub provides: Vec<String>,
    /// What cannot be installed beside it.
    pub conflicts: Vec<String>,
    /// What it needs.
    pub depends: Vec<String>,
    /// Whether configuring it fails.
    pub broken: bool,
}

impl FakePackage {
    /// A package that needs and provides nothing.
    pub fn new(name: &str, version: &str) -> Self {
        Self { name: name.into(), version: version.into(), ..Self::default() }
    }
}

/// Packages in memory. Everything is native; of several versions apt would choose the highest.
#[derive(Default)]
pub struct FakePackages {
    /// What the sources offer.
    pub index: Vec<FakePackage>,
    /// Whether the machine has no index until it refreshes it.
    pub stale: bool,
    /// Why refreshing fails, if it does.
    pub unreachable: Option<String>,
    /// The database, by name.
    pub installed: BTreeMap<String, Record>,
    /// What the installed packages are, by name.
    contents: BTreeMap<String, FakePackage>,
    /// Package files of the machine, by path.
    pub local_files: BTreeMap<String, FakePackage>,
    /// Every transaction so far, failed ones, too.
    pub transactions: Vec<Transaction>,
    /// How often the index was refreshed.
    pub refreshes: usize,
    /// Every answer so far.
    pub answers: Vec<Answer>,
    refreshed: Option<Refreshed>,
    announced: Mutex<Vec<Announced>>,
    faults: Faults,
}

impl FakePackages {
    /// The scene of the conformance suite: the packages `sf-*` that the tests also build for booted
    /// hosts, none installed.
    pub fn scene(faults: Faults) -> Self {
        let plain = FakePackage::new;
        let mut index = vec![
            plain("sf-web", "1.0-1"),
            plain("sf-web", "1.1-1"),
            plain("sf-web", "2.0-1"),
            plain("sf-tool", "1.0-1"),
            plain("sf-tool", "1.2-1"),
            plain("sf-tool", "1:0.5-1"),
            plain("sf-library", "1.0-1"),
            plain("sf-debconf", "1.0-1"),
            plain("sf-slow", "1.0-1"),
        ];
        index.push(FakePackage { broken: true, ..plain("sf-broken", "1.0-1") });
        for (name, needed) in
            [("sf-application", "sf-library"), ("sf-depends-missing", "sf-nowhere")]
        {
            index.push(FakePackage { depends: vec![needed.into()], ..plain(name, "1.0-1") });
        }
        for name in ["sf-virtual-a", "sf-virtual-b"] {
            index.push(FakePackage { provides: vec!["sf-virtual".into()], ..plain(name, "1.0-1") });
        }
        index.push(FakePackage {
            conflicts: vec!["sf-tool".into()],
            ..plain("sf-conflict", "1.0-1")
        });
        Self { index, faults, ..Self::default() }
    }

    /// Has `name` in `version` from the beginning.
    pub fn install(&mut self, name: &str, version: &str) {
        let package = self
            .index
            .iter()
            .find(|package| package.name == name && package.version == version)
            .cloned()
            .unwrap_or_else(|| FakePackage::new(name, version));
        self.put(&package, State::Installed);
    }

    /// Changes a package's record, as an administrator or an accident would.
    pub fn tamper(&mut self, name: &str, change: impl FnOnce(&mut Record)) {
        if let Some(record) = self.installed.get_mut(name) {
            change(record);
        }
    }

    /// Forgets what a run remembers, as the next one does.
    pub fn begin_run(&mut self) {
        self.refreshed = None;
    }

    /// What was announced last.
    pub fn announced(&self) -> Vec<Announced> {
        self.announced.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn offered(&self) -> &[FakePackage] {
        let hidden = self.stale && self.refreshed != Some(Refreshed::Done);
        if hidden { &[] } else { &self.index }
    }

    fn put(&mut self, package: &FakePackage, state: State) {
        let held = self.installed.get(&package.name).is_some_and(Record::is_held);
        self.installed.insert(
            package.name.clone(),
            Record {
                name: package.name.clone(),
                architecture: "amd64".into(),
                selection: if held { Selection::Hold } else { Selection::Install },
                reinstall_required: false,
                state,
                version: Some(package.version.clone()),
                essential: false,
            },
        );
        self.contents.insert(package.name.clone(), package.clone());
    }

    fn present(&self, name: &str) -> bool {
        self.installed.get(name).is_some_and(|record| record.state.is_present())
    }

    fn choose(&self, install: &Install) -> Result<FakePackage, PackageError> {
        let name = install.name.name();
        if let Some(file) = &install.file {
            let found = self.local_files.get(file.to_string_lossy().as_ref());
            return found.cloned().ok_or_else(|| complaint(format!("no file {}", file.display())));
        }
        let mut versions: Vec<&FakePackage> =
            self.offered().iter().filter(|package| package.name == name).collect();
        versions.sort_by(|a, b| VersionScheme::Debian.compare(&a.version, &b.version));
        let found = match &install.version {
            Some(version) => versions.into_iter().find(|package| package.version == *version),
            None => versions.pop(),
        };
        // What is installed can be named although no source has it.
        let installed = self.contents.get(name).filter(|_| self.present(name));
        let same = |package: &&FakePackage| install.version.as_ref() == Some(&package.version);
        found
            .or(installed.filter(same))
            .cloned()
            .ok_or_else(|| complaint(format!("Unable to locate package {name}")))
    }

    /// What `transaction` would install, with dependencies; refused where it would do more.
    fn resolve(&self, transaction: &Transaction) -> Result<Vec<FakePackage>, PackageError> {
        let mut chosen: Vec<FakePackage> = Vec::new();
        for install in &transaction.install {
            chosen.push(self.choose(install)?);
        }
        let mut next = 0;
        while let Some(package) = chosen.get(next).cloned() {
            for dependency in &package.depends {
                let there = chosen.iter().any(|other| other.name == *dependency);
                if !there && !self.present(dependency) {
                    let name = PackageName::parse(dependency)
                        .map_err(|error| complaint(error.to_string()))?;
                    let install = Install { name, version: None, file: None, again: false };
                    chosen.push(self.choose(&install)?);
                }
            }
            next += 1;
        }
        let names: BTreeSet<&str> = chosen.iter().map(|package| package.name.as_str()).collect();
        let leaving = |name: &str| transaction.remove.iter().any(|gone| gone.name() == name);
        let tolerated =
            |name: &str| transaction.tolerated_removals.iter().any(|gone| gone.name() == name);
        let mut removals = BTreeSet::new();
        for package in &chosen {
            for conflict in &package.conflicts {
                if names.contains(conflict.as_str()) {
                    let text = format!("{} : Conflicts: {conflict}", package.name);
                    return Err(complaint(text));
                }
                if self.present(conflict) && !leaving(conflict) {
                    removals.insert(conflict.clone());
                }
            }
            for (name, other) in &self.contents {
                if self.present(name) && !leaving(name) && other.conflicts.contains(&package.name) {
                    removals.insert(name.clone());
                }
            }
        }
        for (name, package) in &self.contents {
            let breaks = package.depends.iter().any(|dependency| leaving(dependency));
            if breaks && self.present(name) && !leaving(name) {
                removals.insert(name.clone());
            }
        }
        let downgrades: Vec<String> = chosen
            .iter()
            .filter(|package| {
                let now = self.installed.get(&package.name).and_then(Record::present_version);
                now.is_some_and(|now| VersionScheme::Debian.compare(&package.version, now).is_lt())
            })
            .filter(|_| !transaction.options.allow_downgrade)
            .map(|package| package.name.clone())
            .collect();
        let removals: Vec<String> = removals.into_iter().filter(|name| !tolerated(name)).collect();
        if removals.is_empty() && downgrades.is_empty() {
            return Ok(chosen);
        }
        Err(PackageError::Refused { removals, downgrades, held: Vec::new() })
    }
}

fn complaint(complaint: String) -> PackageError {
    PackageError::Transaction { complaint, hint: None, output: String::new() }
}

impl PackageView for FakePackages {
    fn scheme(&self) -> Result<VersionScheme, PackageError> {
        Ok(VersionScheme::Debian)
    }

    fn package(&self, name: &PackageName) -> Result<Option<Record>, PackageError> {
        Ok(self.installed.get(name.name()).cloned())
    }

    fn chosen(&self) -> Result<Vec<PackageName>, PackageError> {
        let present = self.installed.values().filter(|record| record.state.is_present());
        Ok(present.filter_map(|record| PackageName::parse(&record.name).ok()).collect())
    }

    fn providers(&self, name: &PackageName) -> Result<Vec<Provider>, PackageError> {
        let offers_name = |package: &&FakePackage| {
            let installed = self.installed.get(&package.name);
            installed.is_some_and(|record| record.state == State::Installed)
                && package.provides.iter().any(|provided| provided == name.name())
        };
        let told = |package: &FakePackage| Provider {
            package: package.name.clone(),
            architecture: "amd64".into(),
            version: None,
        };
        Ok(self.contents.values().filter(offers_name).map(told).collect())
    }

    fn announce(&self, names: &[Announced]) {
        *self.announced.lock().unwrap_or_else(PoisonError::into_inner) = names.to_vec();
    }

    fn is_announced(&self, name: &str) -> bool {
        self.announced().iter().any(|known| known.installed && known.name.name() == name)
    }

    fn availability(&self, name: &PackageName) -> Result<Availability, PackageError> {
        let offered = self.offered();
        let mut versions: Vec<String> = offered
            .iter()
            .filter(|package| package.name == name.name())
            .map(|package| package.version.clone())
            .collect();
        versions.sort_by(|left, right| VersionScheme::Debian.compare(right, left));
        let offers_name =
            |package: &&FakePackage| package.provides.iter().any(|it| it == name.name());
        let providers = if versions.is_empty() {
            let told = |package: &FakePackage| IndexProvider {
                package: package.name.clone(),
                version: None,
            };
            offered.iter().filter(offers_name).map(told).collect()
        } else {
            Vec::new()
        };
        Ok(Availability { candidate: versions.first().cloned(), versions, providers })
    }

    fn index(&self) -> Result<Index, PackageError> {
        let refreshed = self.refreshed.clone().unwrap_or(Refreshed::NotYet);
        let date = (!self.stale || refreshed == Refreshed::Done).then(|| "2026-01-01".to_owned());
        Ok(Index { date, refreshed })
    }
}

impl PackageChanges for FakePackages {
    fn refresh_index(&mut self, _deadline: Instant) {
        if self.refreshed.is_some() {
            return;
        }
        let struck = self.faults.strike("packages: refresh the index").err();
        self.refreshes += 1;
        let reason = struck.map(|error| error.to_string()).or_else(|| self.unreachable.clone());
        self.refreshed = Some(match reason {
            Some(reason) => Refreshed::Failed { failure: Failure::new(reason), reached: false },
            None => Refreshed::Done,
        });
    }

    fn transact(
        &mut self,
        transaction: &Transaction,
        _deadline: Instant,
    ) -> Result<(), PackageError> {
        self.transactions.push(transaction.clone());
        let names: Vec<String> = transaction
            .install
            .iter()
            .map(|install| install.name.to_string())
            .chain(transaction.remove.iter().map(|name| format!("{name}-")))
            .collect();
        let operation = format!("packages: transaction {}", names.join(" "));
        self.faults.strike(&operation).map_err(PackageError::Injected)?;
        let chosen = self.resolve(transaction)?;
        for name in &transaction.remove {
            self.tamper(name.name(), |record| {
                record.state =
                    if transaction.purge { State::NotInstalled } else { State::ConfigFiles };
                record.selection = Selection::Deinstall;
            });
        }
        let mut broken = None;
        for package in &chosen {
            let state = if package.broken { State::HalfConfigured } else { State::Installed };
            self.put(package, state);
            if package.broken {
                broken = Some(package.name.clone());
            }
        }
        match broken {
            Some(name) => Err(complaint(format!(
                "package {name}: installed {name} package post-installation script subprocess \
                 returned error exit status 1"
            ))),
            None => Ok(()),
        }
    }

    fn set_holds(
        &mut self,
        holds: &[(PackageName, bool)],
        _deadline: Instant,
    ) -> Result<(), PackageError> {
        self.faults.strike("packages: set holds").map_err(PackageError::Injected)?;
        for (name, hold) in holds {
            self.tamper(name.name(), |record| {
                record.selection = if *hold { Selection::Hold } else { Selection::Install };
            });
        }
        Ok(())
    }

    fn preset_answers(
        &mut self,
        answers: &[Answer],
        _deadline: Instant,
    ) -> Result<(), PackageError> {
        self.faults.strike("packages: preset answers").map_err(PackageError::Injected)?;
        self.answers.extend_from_slice(answers);
        Ok(())
    }

    fn stage(
        &mut self,
        name: &PackageName,
        file: &PackageFile<'_>,
    ) -> Result<Staged, PackageError> {
        let operation = format!("packages: stage {name}");
        self.faults.strike(&operation).map_err(PackageError::Injected)?;
        let path = match file {
            PackageFile::Local { path, .. } => (*path).to_owned(),
            // A fake package file is its own description: "NAME VERSION".
            PackageFile::Bytes(bytes) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                if let Some((name, version)) = text.split_once(' ') {
                    self.local_files.insert(text.clone(), FakePackage::new(name, version.trim()));
                }
                text
            }
        };
        let missing = || PackageError::Stage {
            path: path.clone(),
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        };
        let package = self.local_files.get(&path).ok_or_else(missing)?;
        if package.name != name.name() {
            let wanted = name.to_string();
            return Err(PackageError::OtherPackage { actual: package.name.clone(), wanted });
        }
        let version = package.version.clone();
        Ok(Staged { path: PathBuf::from(path), version, keeper: None })
    }
}
