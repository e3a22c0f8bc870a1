//! The running systemd: units read and changed over D-Bus.
//!
//! What must stay true: a unit is read anew each time it is asked for (three or four messages, about
//! a millisecond), so that a file that another resource wrote in the same run is seen; only what no
//! other resource can change is remembered. A lost connection (`daemon-reexec`, a restarted
//! message bus) is opened again.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zvariant::OwnedObjectPath;

use super::disk::{self, Loaded};
use super::error::ServicesError;
use super::name::UnitName;
use super::settle::{self, Launch};
use super::systemd::{Event, Job, JobEnd, LinkChange, Properties, Systemd};
use super::unit::{ActiveState, FileState, Live, LoadState, Manager, Unit};
use super::{ServiceChanges, ServiceView, journal};

/// How long a read may take: systemd answers within milliseconds unless it is stuck.
const READ_DEADLINE: Duration = Duration::from_secs(30);

/// The units of the running machine.
#[derive(Default)]
pub(super) struct Online {
    connection: RefCell<Option<Systemd>>,
}

impl Online {
    /// Does `work` over the connection, which is opened if need be. If it turns out to be lost,
    /// `work` is done once more over a new one.
    fn with<R>(
        &self,
        mut work: impl FnMut(&mut Systemd) -> Result<R, ServicesError>,
    ) -> Result<R, ServicesError> {
        let mut connection = self.connection.borrow_mut();
        let mut fresh = connection.is_none();
        loop {
            let systemd = match connection.as_mut() {
                Some(systemd) => systemd,
                None => connection.insert(Systemd::connect()?),
            };
            match work(systemd) {
                Err(error) if error.is_lost() && !fresh => {
                    log::info!("{error}; connecting again");
                    *connection = None;
                    fresh = true;
                }
                Err(error) => {
                    if error.is_lost() {
                        *connection = None;
                    }
                    return Err(error);
                }
                result => return result,
            }
        }
    }
}

impl ServiceView for Online {
    fn unit(&self, name: &UnitName) -> Result<Unit, ServicesError> {
        let deadline = Instant::now() + READ_DEADLINE;
        self.with(|systemd| read_unit(systemd, name, deadline))
    }

    fn units(&self) -> Result<Vec<UnitName>, ServicesError> {
        let deadline = Instant::now() + READ_DEADLINE;
        self.with(|systemd| {
            let mut names = disk::names(&systemd.unit_path(deadline)?);
            let loaded = systemd.loaded_names(deadline)?;
            names.extend(loaded.iter().filter_map(|name| disk::unit_name(name)));
            Ok(names.into_iter().collect())
        })
    }
}

fn read_unit(
    systemd: &mut Systemd,
    name: &UnitName,
    deadline: Instant,
) -> Result<Unit, ServicesError> {
    let search = systemd.unit_path(deadline)?;
    if name.is_template() {
        return read_template(systemd, name, &search, deadline);
    }
    let held = systemd.held_unit(name, deadline)?;
    let kept = held.is_some();
    let path = match held {
        Some(path) => path,
        None => systemd.loaded_unit(name, deadline)?,
    };
    let properties = systemd.unit_properties(path.as_str(), deadline)?;
    let real = UnitName::from_title(properties.text("Id")).unwrap_or_else(|_| name.clone());
    let mut file = file_state(systemd, &real, deadline)?;
    if file == FileState::Alias {
        // Of an alias that systemd has not loaded as such; `real` is what was asked for then.
        file = FileState::Bad;
    }
    let mut unit = disk_side(systemd, real, file, &search, deadline)?;
    let live = read_live(systemd, &path, &properties, kept, deadline)?;
    let stale = staleness(systemd, &properties, &search, deadline)?;
    unit.manager = Manager::Live(Live { stale, ..live });
    Ok(unit)
}

/// A template is never loaded, only enabled.
fn read_template(
    systemd: &mut Systemd,
    name: &UnitName,
    search: &[PathBuf],
    deadline: Instant,
) -> Result<Unit, ServicesError> {
    let file = file_state(systemd, name, deadline)?;
    disk_side(systemd, name.clone(), file, search, deadline)
}

fn file_state(
    systemd: &mut Systemd,
    name: &UnitName,
    deadline: Instant,
) -> Result<FileState, ServicesError> {
    match systemd.file_state(name, deadline) {
        Ok(state) => Ok(state.map_or(FileState::Missing, |word| FileState::from_word(&word))),
        // A unit file that cannot be read is a state of the unit, not of the service manager.
        Err(ServicesError::Refused { name: error, message, .. })
            if error != "org.freedesktop.DBus.Error.AccessDenied" =>
        {
            log::info!("{name}: {message}");
            Ok(FileState::Bad)
        }
        Err(error) => Err(error),
    }
}

fn disk_side(
    systemd: &mut Systemd,
    name: UnitName,
    file: FileState,
    search: &[PathBuf],
    deadline: Instant,
) -> Result<Unit, ServicesError> {
    let mut also = Vec::new();
    if file == FileState::Indirect {
        let install = disk::install(search, &name);
        if !install.rules {
            for other in install.also {
                let Ok(other) = UnitName::from_title(&other) else { continue };
                if other != name {
                    let state = file_state(systemd, &other, deadline)?;
                    also.push((other, state));
                }
            }
        }
    }
    Ok(Unit {
        also,
        beneath_mask: file.is_masked() && disk::is_beneath_mask(search, &name),
        in_place_of_mask: disk::in_place_of_mask(Path::new("/"), &name),
        file,
        name,
        manager: Manager::Live(Live::absent()),
    })
}

fn read_live(
    systemd: &mut Systemd,
    path: &OwnedObjectPath,
    properties: &Properties,
    kept: bool,
    deadline: Instant,
) -> Result<Live, ServicesError> {
    let active = ActiveState::from_word(properties.text("ActiveState"));
    let load = LoadState::from_word(properties.text("LoadState"));
    let is_service = properties.text("Id").ends_with(".service");
    let passing = is_service
        && load == LoadState::Loaded
        && !active.counts_as_running()
        && is_passing(systemd, path.as_str(), deadline)?;
    let mut triggers = Vec::new();
    if active.counts_as_running() || active == ActiveState::Activating {
        for trigger in properties.texts("TriggeredBy") {
            if is_active(systemd, &trigger, deadline)? {
                triggers.push(trigger);
            }
        }
    }
    Ok(Live {
        load,
        active,
        sub: properties.text("SubState").to_owned(),
        passing,
        // A start that a condition forbade is one that was tried.
        ran: properties.hexadecimal("InvocationID").is_some()
            || properties.number("ConditionTimestamp").is_some_and(|time| time > 0),
        kept,
        can_reload: properties.flag("CanReload"),
        stale: None,
        triggers,
    })
}

/// Whether the service at `path` is over when its commands are.
pub(super) fn is_passing(
    systemd: &mut Systemd,
    path: &str,
    deadline: Instant,
) -> Result<bool, ServicesError> {
    let service = systemd.service_properties(path, &["Type", "RemainAfterExit"], deadline)?;
    Ok(service.text("Type") == "oneshot" && !service.flag("RemainAfterExit"))
}

fn is_active(systemd: &mut Systemd, name: &str, deadline: Instant) -> Result<bool, ServicesError> {
    let Ok(name) = UnitName::from_title(name) else { return Ok(false) };
    let Some(path) = systemd.held_unit(&name, deadline)? else { return Ok(false) };
    let properties = systemd.unit_properties(path.as_str(), deadline)?;
    Ok(ActiveState::from_word(properties.text("ActiveState")).counts_as_running())
}

fn staleness(
    systemd: &mut Systemd,
    properties: &Properties,
    search: &[PathBuf],
    deadline: Instant,
) -> Result<Option<String>, ServicesError> {
    let names = properties.texts("Names");
    let loaded = Loaded {
        names: names.iter().filter_map(|name| UnitName::from_title(name).ok()).collect(),
        fragment: properties.text("FragmentPath"),
        drop_ins: properties.texts("DropInPaths"),
        need_reload: properties.flag("NeedDaemonReload"),
    };
    let at = systemd.loaded_at(deadline)?;
    let stale = disk::staleness(search, &loaded, at);
    if stale.is_none() {
        return Ok(None);
    }
    // Somebody else may have reloaded since we asked when.
    systemd.forget_load_time();
    let at = systemd.loaded_at(deadline)?;
    Ok(disk::staleness(search, &loaded, at))
}

impl ServiceChanges for Online {
    fn daemon_reload(&mut self, deadline: Instant) -> Result<(), ServicesError> {
        self.with(|systemd| systemd.reload(deadline))
    }

    fn change_links(
        &mut self,
        change: LinkChange,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        self.with(|systemd| {
            let installable = systemd.change_links(change, unit, false, deadline)?;
            if matches!(change, LinkChange::Disable | LinkChange::Unmask) {
                // Links in /run as well: what is enabled or masked until the next boot. A unit
                // that was only linked may be gone by now.
                match systemd.change_links(change, unit, true, deadline) {
                    Err(error) if !error.is_missing() => return Err(error),
                    _ => {}
                }
            }
            if installable {
                Ok(())
            } else {
                Err(ServicesError::NothingToInstall { unit: unit.clone() })
            }
        })
    }

    fn run_job(
        &mut self,
        job: Job,
        unit: &UnitName,
        deadline: Instant,
    ) -> Result<Option<Launch>, ServicesError> {
        let asked = Instant::now();
        let (restarts, queued) = self.with(|systemd| {
            // What ends at once would be forgotten before anybody could ask how it ended.
            systemd.pin(unit, deadline)?;
            let restarts = settle::restarts(systemd, unit, deadline)?;
            systemd.subscribe(deadline)?;
            Ok((restarts, systemd.queue(job, unit, deadline)?))
        })?;
        let end = self.wait(&queued, deadline);
        let launch = self.with(|systemd| {
            systemd.stop_listening();
            let launch = Launch::of(systemd, job, unit, restarts, deadline)?;
            systemd.unpin(unit, settle::at_least_a_moment(deadline))?;
            Ok(launch)
        });
        match end? {
            None => Err(ServicesError::Slow {
                unit: unit.clone(),
                done: job.done(),
                state: launch.map_or_else(|_| "busy".into(), |launch| launch.state),
                after: asked.elapsed(),
                journal: journal::last_lines(unit),
            }),
            Some(result) => settle::after_job(job, unit, &result, launch?),
        }
    }

    fn settle(&mut self, launches: &[Launch], deadline: Instant) -> Vec<Result<(), ServicesError>> {
        let mut watch = settle::Watch::new(launches);
        let outcome = self.with(|systemd| watch.run(systemd, deadline));
        watch.verdicts(outcome)
    }
}

impl Online {
    /// Waits until the job is over; `None` when it is not by the deadline. An empty result means
    /// that nobody told how it ended.
    fn wait(
        &self,
        queued: &OwnedObjectPath,
        deadline: Instant,
    ) -> Result<Option<String>, ServicesError> {
        let mut asked_again = false;
        self.with(|systemd| {
            if asked_again {
                // A new connection: the job may have ended while nobody listened.
                systemd.subscribe(deadline)?;
                if !systemd.has_job(queued.as_str(), deadline)? {
                    return Ok(Some(String::new()));
                }
            }
            asked_again = true;
            while let Some(event) = systemd.event(deadline)? {
                if let Event::JobEnded(JobEnd { job, result }) = event
                    && job == *queued
                {
                    return Ok(Some(result));
                }
            }
            Ok(None)
        })
    }
}
