//! Scripted units: the rules of systemd as far as the `service` kind relies on them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use super::error::ServicesError;
use super::name::UnitName;
use super::settle::Launch;
use super::systemd::{Job, LinkChange};
use super::unit::{ActiveState, FileState, Live, LoadState, Manager, Unit};
use super::{Faults, ServiceChanges, ServiceView};

/// One unit of the fake machine.
#[derive(Debug, Clone)]
pub struct FakeUnit {
    /// What a reader sees.
    pub unit: Unit,
    /// The state of its file when no mask is above it.
    pub unmasked: FileState,
    /// Whether it dies as soon as it was started.
    pub dies: bool,
}

impl FakeUnit {
    /// A unit that is neither enabled nor started.
    pub fn new(name: &UnitName) -> Self {
        let live = Live { load: LoadState::Loaded, kept: true, ..Live::absent() };
        Self {
            unit: Unit {
                name: name.clone(),
                file: FileState::Disabled,
                also: Vec::new(),
                beneath_mask: false,
                in_place_of_mask: None,
                manager: Manager::Live(live),
            },
            unmasked: FileState::Disabled,
            dies: false,
        }
    }

    /// The same unit with its file in this state.
    #[must_use]
    pub fn with_file(mut self, state: FileState) -> Self {
        self.unit.file = state;
        self.unit.beneath_mask = state.is_masked();
        if !state.is_masked() {
            self.unmasked = state;
        }
        self
    }

    /// The running side; `None` where the machine does not run.
    pub fn live(&mut self) -> Option<&mut Live> {
        match &mut self.unit.manager {
            Manager::Live(live) => Some(live),
            Manager::Offline { .. } => None,
        }
    }

    fn set_active(&mut self, active: ActiveState, sub: &str) {
        if let Some(live) = self.live() {
            live.active = active;
            sub.clone_into(&mut live.sub);
        }
    }
}

/// The fake machine's units.
#[derive(Debug, Default)]
pub struct FakeServices {
    faults: Faults,
    units: RefCell<BTreeMap<UnitName, FakeUnit>>,
    /// Every `sf-…` unit exists, as if a package or a file had brought it.
    scene: bool,
    /// The root directory, if the fake machine does not run.
    root: Option<PathBuf>,
    /// How often unit files were read again.
    pub reloads: usize,
}

impl FakeServices {
    /// The scene of the conformance suite: a bare Debian host. Any unit named `sf-…` is there.
    pub fn scene(faults: Faults) -> Self {
        let services = Self { faults, scene: true, ..Self::default() };
        for (title, state) in [
            ("getty@tty1", FileState::Enabled),
            ("getty@tty2", FileState::Disabled),
            ("systemd-journald", FileState::Static),
            ("fstrim.timer", FileState::Disabled),
            ("apt-daily.timer", FileState::Enabled),
        ] {
            if let Ok(name) = UnitName::from_title(title) {
                let mut unit = FakeUnit::new(&name).with_file(state);
                if matches!(state, FileState::Enabled | FileState::Static) {
                    unit.set_active(ActiveState::Active, "running");
                }
                services.set(unit);
            }
        }
        services
    }

    /// A machine below `root` that does not run, with the scene's units.
    pub fn offline_scene(faults: Faults, root: PathBuf) -> Self {
        Self { root: Some(root), ..Self::scene(faults) }
    }

    /// Adds or replaces a unit.
    pub fn set(&self, unit: FakeUnit) {
        self.units.borrow_mut().insert(unit.unit.name.clone(), unit);
    }

    /// Changes a unit behind everybody's back.
    pub fn edit(&self, name: &UnitName, edit: impl FnOnce(&mut FakeUnit)) {
        self.ensure(name);
        if let Some(unit) = self.units.borrow_mut().get_mut(name) {
            edit(unit);
        }
    }

    fn ensure(&self, name: &UnitName) {
        let mut units = self.units.borrow_mut();
        if self.scene && name.as_str().starts_with("sf-") && !units.contains_key(name) {
            units.insert(name.clone(), FakeUnit::new(name));
        }
    }

    fn change<R>(
        &self,
        operation: &'static str,
        name: &UnitName,
        change: impl FnOnce(&mut FakeUnit) -> Result<R, ServicesError>,
    ) -> Result<R, ServicesError> {
        self.faults.strike(&format!("{operation} {name}")).map_err(ServicesError::Injected)?;
        self.ensure(name);
        match self.units.borrow_mut().get_mut(name) {
            Some(unit) => change(unit),
            None => Err(ServicesError::Refused {
                operation,
                name: "org.freedesktop.systemd1.NoSuchUnit".into(),
                message: format!("Unit {name} not found."),
            }),
        }
    }
}

impl ServiceView for FakeServices {
    fn unit(&self, name: &UnitName) -> Result<Unit, ServicesError> {
        self.ensure(name);
        let found = self.units.borrow().get(name).map(|fake| fake.unit.clone());
        let mut unit = found.unwrap_or_else(|| Unit {
            name: name.clone(),
            file: FileState::Missing,
            also: Vec::new(),
            beneath_mask: false,
            in_place_of_mask: None,
            manager: Manager::Live(Live::absent()),
        });
        if let Some(root) = &self.root {
            unit.manager = Manager::Offline { root: root.clone() };
        }
        Ok(unit)
    }

    fn units(&self) -> Result<Vec<UnitName>, ServicesError> {
        Ok(self.units.borrow().keys().cloned().collect())
    }
}

impl ServiceChanges for FakeServices {
    fn daemon_reload(&mut self, _deadline: Instant) -> Result<(), ServicesError> {
        self.faults.strike("daemon-reload").map_err(ServicesError::Injected)?;
        self.reloads += 1;
        for fake in self.units.borrow_mut().values_mut() {
            let masked = fake.unit.file.is_masked();
            if let Some(live) = fake.live() {
                live.stale = None;
                live.load = if masked { LoadState::Masked } else { LoadState::Loaded };
            }
        }
        Ok(())
    }

    fn change_links(
        &mut self,
        change: LinkChange,
        unit: &UnitName,
        _deadline: Instant,
    ) -> Result<(), ServicesError> {
        if change == LinkChange::Mask && !self.units.borrow().contains_key(unit) {
            // What does not exist can be masked.
            let mut fake = FakeUnit::new(unit).with_file(FileState::Missing);
            fake.unmasked = FileState::Missing;
            self.set(fake);
        }
        self.change(change.verb(), unit, |fake| {
            let file = match change {
                LinkChange::Enable if fake.unit.file.is_masked() => {
                    return Err(ServicesError::Refused {
                        operation: "EnableUnitFiles",
                        name: "org.freedesktop.systemd1.UnitMasked".into(),
                        message: format!("Unit {unit} is masked."),
                    });
                }
                LinkChange::Enable => match fake.unit.file {
                    FileState::Static | FileState::Generated | FileState::Transient => {
                        return Err(ServicesError::NothingToInstall { unit: unit.clone() });
                    }
                    FileState::Indirect => {
                        fake.unit
                            .also
                            .iter_mut()
                            .for_each(|(_, state)| *state = FileState::Enabled);
                        FileState::Indirect
                    }
                    _ => FileState::Enabled,
                },
                LinkChange::Disable => match fake.unit.file {
                    FileState::Enabled | FileState::EnabledRuntime => FileState::Disabled,
                    FileState::Indirect => {
                        fake.unit
                            .also
                            .iter_mut()
                            .for_each(|(_, state)| *state = FileState::Disabled);
                        FileState::Indirect
                    }
                    other => other,
                },
                LinkChange::Mask => {
                    fake.unit.beneath_mask = fake.unmasked != FileState::Missing;
                    FileState::Masked
                }
                LinkChange::Unmask => fake.unmasked,
            };
            if !file.is_masked() {
                fake.unmasked = file;
            }
            fake.unit.file = file;
            Ok(())
        })
    }

    fn run_job(
        &mut self,
        job: Job,
        unit: &UnitName,
        _deadline: Instant,
    ) -> Result<Option<Launch>, ServicesError> {
        if let Some(root) = &self.root {
            let root = root.display().to_string();
            return Err(ServicesError::Offline { operation: job.done(), root });
        }
        self.change(job.done(), unit, |fake| {
            let masked = fake.unit.file.is_masked();
            let dies = fake.dies;
            let Some(live) = fake.live() else { return Ok(None) };
            let runs = live.active.counts_as_running();
            match job {
                Job::Stop if live.active != ActiveState::Failed => {
                    fake.set_active(ActiveState::Inactive, "dead");
                }
                Job::TryRestart | Job::TryReload if !runs => {}
                Job::Stop => {}
                _ if masked => {
                    return Err(ServicesError::Refused {
                        operation: "StartUnit",
                        name: "org.freedesktop.systemd1.UnitMasked".into(),
                        message: format!("Unit {unit} is masked."),
                    });
                }
                _ if dies => {
                    fake.set_active(ActiveState::Failed, "failed");
                    return Err(ServicesError::Died {
                        unit: unit.clone(),
                        done: job.done(),
                        reason: "it exited with 1".into(),
                        journal: "fatal: it was told to die".into(),
                    });
                }
                _ if live.passing => {
                    live.ran = true;
                    fake.set_active(ActiveState::Inactive, "dead");
                }
                _ => fake.set_active(ActiveState::Active, "running"),
            }
            Ok(None)
        })
    }

    fn settle(
        &mut self,
        launches: &[Launch],
        _deadline: Instant,
    ) -> Vec<Result<(), ServicesError>> {
        launches.iter().map(|_| Ok(())).collect()
    }
}
