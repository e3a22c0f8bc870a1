//! Units below a root directory whose system does not run: enabled, disabled and masked by their
//! links, which this machine's `systemctl --root` reads and makes. Never started.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::disk::{self, UNIT_PATH};
use super::error::ServicesError;
use super::guard;
use super::name::UnitName;
use super::settle::Launch;
use super::systemd::{Job, LinkChange};
use super::unit::{FileState, Manager, Unit};
use super::{ServiceChanges, ServiceView};
use crate::host::command::{self, Output, Request};
use crate::host::files::Way;

/// How long reading one unit's state may take.
const READ_DEADLINE: Duration = Duration::from_secs(30);

/// The units below a root directory.
pub(super) struct Offline {
    root: PathBuf,
    search: Vec<PathBuf>,
}

impl Offline {
    pub(super) fn new(root: &Path) -> Self {
        let search = UNIT_PATH.iter().map(|path| disk::below(root, Path::new(path))).collect();
        Self { root: root.to_owned(), search }
    }

    fn systemctl(
        &self,
        verb: &'static str,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<Output, ServicesError> {
        let root = format!("--root={}", self.root.display());
        let request = Request::new(["systemctl", &root, verb, "--", unit.as_str()]);
        command::run(&request, deadline).map_err(|error| ServicesError::Command(Box::new(error)))
    }

    fn file_state(&self, unit: &UnitName, deadline: Instant) -> Result<FileState, ServicesError> {
        let output = self.systemctl("is-enabled", unit, deadline)?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let word = printed.trim();
        if word.is_empty() && !output.success() && disk::exists(&self.search, unit) {
            log::info!("{unit}: {}", output.text());
            return Ok(FileState::Bad);
        }
        Ok(FileState::from_word(word))
    }

    /// The unit that the alias `unit` leads to.
    fn aliased(&self, unit: &UnitName) -> Option<UnitName> {
        let target = self
            .search
            .iter()
            .find_map(|directory| directory.join(unit.as_str()).read_link().ok())?;
        UnitName::from_title(target.file_name()?.to_str()?).ok()
    }

    fn refusal(&self, operation: &'static str, unit: &UnitName, message: String) -> ServicesError {
        ServicesError::Systemctl {
            operation,
            unit: unit.clone(),
            root: self.root.display().to_string(),
            message,
        }
    }
}

impl ServiceView for Offline {
    fn unit(&self, name: &UnitName) -> Result<Unit, ServicesError> {
        let deadline = Instant::now() + READ_DEADLINE;
        guard::check(&self.root, "look at", name, Way::WithoutPlantedLinks)?;
        let mut name = name.clone();
        let mut file = self.file_state(&name, deadline)?;
        if file == FileState::Alias {
            match self.aliased(&name) {
                Some(real) => {
                    file = self.file_state(&real, deadline)?;
                    name = real;
                }
                None => file = FileState::Bad,
            }
        }
        let mut also = Vec::new();
        if file == FileState::Indirect {
            let install = disk::install(&self.search, &name);
            let others = install.also.iter().filter_map(|other| UnitName::from_title(other).ok());
            for other in others.filter(|other| !install.rules && *other != name) {
                let state = self.file_state(&other, deadline)?;
                also.push((other, state));
            }
        }
        Ok(Unit {
            also,
            beneath_mask: file.is_masked() && disk::is_beneath_mask(&self.search, &name),
            in_place_of_mask: disk::in_place_of_mask(&self.root, &name),
            manager: Manager::Offline { root: self.root.clone() },
            name,
            file,
        })
    }

    fn units(&self) -> Result<Vec<UnitName>, ServicesError> {
        Ok(disk::names(&self.search).into_iter().collect())
    }
}

impl ServiceChanges for Offline {
    fn daemon_reload(&mut self, _deadline: Instant) -> Result<(), ServicesError> {
        Ok(())
    }

    fn change_links(
        &mut self,
        change: LinkChange,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        guard::check(&self.root, change.verb(), unit, Way::RootsAlone)?;
        let output = self.systemctl(change.verb(), unit, deadline)?;
        if output.success() {
            Ok(())
        } else {
            Err(self.refusal(change.verb(), unit, output.text()))
        }
    }

    fn run_job(
        &mut self,
        job: Job,
        _unit: &UnitName,
        _deadline: Instant,
    ) -> Result<Option<Launch>, ServicesError> {
        let root = self.root.display().to_string();
        Err(ServicesError::Offline { operation: job.done(), root })
    }

    fn settle(
        &mut self,
        launches: &[Launch],
        _deadline: Instant,
    ) -> Vec<Result<(), ServicesError>> {
        launches.iter().map(|_| Ok(())).collect()
    }
}
