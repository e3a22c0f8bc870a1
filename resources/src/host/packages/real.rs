//! The machine's own packages: answers remembered over a backend.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::backend::{Backend, Database, Stamp, detect};
use super::staging::stage;
use super::{
    Announced, Answer, Availability, Index, PackageChanges, PackageError, PackageFile, PackageName,
    PackageView, Provider, Record, Refreshed, Staged, Transaction, VersionScheme,
};
use crate::host::HostOptions;

/// The machine's own packages. Made anew for each run: "once per run" means once per value.
pub struct RealPackages {
    options: HostOptions,
    backend: OnceLock<Box<dyn Backend>>,
    memory: Mutex<Memory>,
}

/// What was learnt so far.
#[derive(Default)]
struct Memory {
    database: Option<(Stamp, Arc<Database>)>,
    announced: Vec<Announced>,
    /// Answers, and an empty one for each name that was asked for and is not known.
    available: BTreeMap<PackageName, Availability>,
    refreshed: Option<(Stamp, Refreshed)>,
}

impl RealPackages {
    /// Opens nothing yet.
    pub fn new(options: &HostOptions) -> Self {
        Self {
            options: options.clone(),
            backend: OnceLock::new(),
            memory: Mutex::new(Memory::default()),
        }
    }

    fn backend(&self) -> Result<&dyn Backend, PackageError> {
        if self.backend.get().is_none() {
            let _ = self.backend.set(detect(&self.options)?);
        }
        self.backend.get().map(AsRef::as_ref).ok_or_else(|| PackageError::Unsupported {
            root: self.options.root.clone(),
            found: None,
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database, read again only if its files are not the ones that were read.
    fn database(&self) -> Result<Arc<Database>, PackageError> {
        let backend = self.backend()?;
        let stamp = backend.database_stamp()?;
        let mut memory = self.memory();
        if let Some((read, database)) = &memory.database
            && *read == stamp
        {
            return Ok(Arc::clone(database));
        }
        let database = Arc::new(backend.database()?);
        memory.database = Some((stamp, Arc::clone(&database)));
        Ok(database)
    }
}

impl PackageView for RealPackages {
    fn scheme(&self) -> Result<VersionScheme, PackageError> {
        Ok(self.backend()?.scheme())
    }

    fn package(&self, name: &PackageName) -> Result<Option<Record>, PackageError> {
        Ok(self.database()?.find(name).cloned())
    }

    fn chosen(&self) -> Result<Vec<PackageName>, PackageError> {
        let automatic = self.backend()?.automatic()?;
        Ok(self.database()?.chosen(&automatic))
    }

    fn providers(&self, name: &PackageName) -> Result<Vec<Provider>, PackageError> {
        let database = self.database()?;
        let fits = |provider: &&Provider| {
            provider.package != name.name()
                && name.architecture().is_none_or(|wanted| provider.architecture == wanted)
        };
        let all = database.providers.get(name.name()).map(Vec::as_slice).unwrap_or_default();
        Ok(all.iter().filter(fits).cloned().collect())
    }

    fn announce(&self, names: &[Announced]) {
        self.memory().announced = names.to_vec();
    }

    fn is_announced(&self, name: &str) -> bool {
        let memory = self.memory();
        memory.announced.iter().any(|known| known.installed && known.name.name() == name)
    }

    fn availability(&self, name: &PackageName) -> Result<Availability, PackageError> {
        let backend = self.backend()?;
        let mut memory = self.memory();
        if let Some(known) = memory.available.get(name) {
            return Ok(known.clone());
        }
        let asked: BTreeSet<PackageName> = memory
            .announced
            .iter()
            .filter(|other| other.asked && !memory.available.contains_key(&other.name))
            .map(|other| other.name.clone())
            .chain([name.clone()])
            .collect();
        let asked: Vec<PackageName> = asked.into_iter().collect();
        let mut answers = backend.availability(&asked)?;
        for other in asked {
            let answer = answers.remove(&other).unwrap_or_default();
            memory.available.insert(other, answer);
        }
        Ok(memory.available.get(name).cloned().unwrap_or_default())
    }

    fn index(&self) -> Result<Index, PackageError> {
        let backend = self.backend()?;
        let memory = self.memory();
        let refreshed = match &memory.refreshed {
            Some((sources, refreshed)) if *sources == backend.sources_stamp() => refreshed.clone(),
            _ => Refreshed::NotYet,
        };
        Ok(Index { date: backend.index_date(), refreshed })
    }
}

impl PackageChanges for RealPackages {
    fn refresh_index(&mut self, deadline: Instant) {
        let Ok(backend) = self.backend() else { return };
        let sources = backend.sources_stamp();
        let tried = |memory: &Memory| {
            memory.refreshed.as_ref().is_some_and(|(refreshed, _)| *refreshed == sources)
        };
        if tried(&self.memory()) {
            return;
        }
        let refreshed = match backend.refresh_index(deadline) {
            Ok(()) => Refreshed::Done,
            Err(failed) => {
                log::warn!("cannot refresh the package index: {}", failed.failure);
                Refreshed::Failed { failure: failed.failure, reached: failed.reached }
            }
        };
        let mut memory = self.memory();
        memory.available.clear();
        memory.refreshed = Some((sources, refreshed));
    }

    fn transact(
        &mut self,
        transaction: &Transaction,
        deadline: Instant,
    ) -> Result<(), PackageError> {
        let done = self.backend()?.transact(transaction, deadline);
        self.memory().database = None;
        done
    }

    fn set_holds(
        &mut self,
        holds: &[(PackageName, bool)],
        deadline: Instant,
    ) -> Result<(), PackageError> {
        let done = self.backend()?.set_holds(holds, deadline);
        self.memory().database = None;
        done
    }

    fn preset_answers(
        &mut self,
        answers: &[Answer],
        deadline: Instant,
    ) -> Result<(), PackageError> {
        self.backend()?.preset_answers(answers, deadline)
    }

    fn stage(
        &mut self,
        name: &PackageName,
        file: &PackageFile<'_>,
    ) -> Result<Staged, PackageError> {
        stage(&self.options.root, self.backend()?, name, file)
    }
}
