//! What became of a job: its own result, and whether the unit stays up.
//!
//! `Type=simple` counts as started as soon as its process exists; a service with a typing error in
//! its configuration "starts" and is dead a moment later. So after a start the unit is watched
//! for a settle time, shorter for the types that tell systemd themselves when they are ready. Many
//! units are watched at the same time, by systemd's signals and not by polling.

use std::time::{Duration, Instant};

use super::error::ServicesError;
use super::journal;
use super::name::UnitName;
use super::systemd::{Event, Job, Properties, Systemd};
use super::unit::{ActiveState, LoadState};

/// How long a service is watched that systemd believes to be up as soon as it was forked.
const UNTOLD: Duration = Duration::from_millis(1500);

/// How long a service is watched that said itself that it is up.
const TOLD: Duration = Duration::from_millis(500);

/// A unit whose job has just ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The unit.
    pub unit: UnitName,
    /// What was done with it.
    pub job: Job,
    /// Its state in words (`active (running)`).
    pub state: String,
    pub(super) path: String,
    pub(super) snapshot: Snapshot,
    /// How often it had been restarted by itself, before.
    pub(super) restarts: u64,
    pub(super) until: Instant,
}

/// A unit's state at one moment, as far as it tells whether the unit is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub active: ActiveState,
    pub sub: String,
    pub load: LoadState,
    /// Services only.
    pub service: Option<ServiceSnapshot>,
    /// Whether a `Condition…=` kept the unit from starting.
    pub skipped: bool,
    /// Of the present or the last start.
    pub invocation: Option<String>,
}

/// What only services have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceSnapshot {
    /// `Type=`.
    pub kind: String,
    /// `RemainAfterExit=`.
    pub remains: bool,
    /// How it ended (`success`, `exit-code`, `signal`, …).
    pub result: String,
    /// The main process's exit code or signal.
    pub status: u64,
    /// How often `Restart=` has restarted it since it was last started by a job.
    pub restarts: u64,
}

impl Snapshot {
    fn take(
        systemd: &mut Systemd,
        path: &str,
        is_service: bool,
        deadline: Instant,
    ) -> Result<Self, ServicesError> {
        let unit = systemd.unit_properties(path, deadline)?;
        let load = LoadState::from_word(unit.text("LoadState"));
        let service = if is_service && load == LoadState::Loaded {
            let names = ["Type", "RemainAfterExit", "Result", "ExecMainStatus", "NRestarts"];
            Some(ServiceSnapshot::from(&systemd.service_properties(path, &names, deadline)?))
        } else {
            None
        };
        Ok(Self {
            active: ActiveState::from_word(unit.text("ActiveState")),
            sub: unit.text("SubState").to_owned(),
            load,
            service,
            skipped: !unit.flag("ConditionResult")
                && unit.number("ConditionTimestamp").is_some_and(|time| time > 0),
            invocation: unit.hexadecimal("InvocationID"),
        })
    }

    fn in_words(&self) -> String {
        format!("{} ({})", self.active, self.sub)
    }

    /// How long the unit has to stay up to count as started; zero where its job said it all.
    fn settle_time(&self) -> Duration {
        match self.service.as_ref().map(|service| service.kind.as_str()) {
            None | Some("oneshot") => Duration::ZERO,
            Some("simple" | "exec" | "idle") => UNTOLD,
            Some(_) => TOLD,
        }
    }

    fn restarts(&self) -> u64 {
        self.service.as_ref().map_or(0, |service| service.restarts)
    }

    /// Why the unit is not up; `None` where it is, or has done its work as it should. It had been
    /// restarted by itself `restarts` times before.
    fn ailment(&self, restarts: u64) -> Option<String> {
        let restarting = self.sub.starts_with("auto-restart");
        let ended = self.service.as_ref().map(ServiceSnapshot::in_words);
        let ended = ended.unwrap_or_else(|| self.in_words());
        if restarting || (self.restarts() > restarts && !self.active.counts_as_stopped()) {
            return Some(format!("it keeps dying and being restarted ({ended})"));
        }
        match self.active {
            ActiveState::Active
            | ActiveState::Reloading
            | ActiveState::Activating
            | ActiveState::Maintenance => None,
            ActiveState::Failed => Some(ended),
            ActiveState::Inactive | ActiveState::Deactivating => match &self.service {
                Some(service) if service.kind == "oneshot" && !service.remains => None,
                // Never started: a condition speaks against it.
                _ if self.skipped => {
                    Some("a Condition of the unit is not met, so systemd skipped it".into())
                }
                Some(service) if service.result == "success" => Some(
                    "it ended at once without an error; what does its work and ends should be \
                     Type=oneshot"
                        .into(),
                ),
                _ => Some(ended),
            },
        }
    }
}

impl From<&Properties> for ServiceSnapshot {
    fn from(properties: &Properties) -> Self {
        Self {
            kind: properties.text("Type").to_owned(),
            remains: properties.flag("RemainAfterExit"),
            result: properties.text("Result").to_owned(),
            status: properties.number("ExecMainStatus").unwrap_or(0),
            restarts: properties.number("NRestarts").unwrap_or(0),
        }
    }
}

impl ServiceSnapshot {
    fn in_words(&self) -> String {
        match self.result.as_str() {
            "success" => "it ended".into(),
            "exit-code" => format!("it exited with {}", self.status),
            "signal" | "core-dump" => format!("signal {} killed it", self.status),
            "oom-kill" => "it was killed because memory ran out".into(),
            "timeout" => "it was not ready in time".into(),
            "start-limit-hit" => "it was started too often in a short time".into(),
            other => format!("its result is {other}"),
        }
    }
}

/// How often `Restart=` has restarted `unit`.
pub(super) fn restarts(
    systemd: &mut Systemd,
    unit: &UnitName,
    deadline: Instant,
) -> Result<u64, ServicesError> {
    let path = systemd.loaded_unit(unit, deadline)?;
    let is_service = unit.suffix() == "service";
    Ok(Snapshot::take(systemd, path.as_str(), is_service, deadline)?.restarts())
}

impl Launch {
    /// Looks at `unit` right after `job`; it had been restarted by itself `restarts` times before.
    pub(super) fn of(
        systemd: &mut Systemd,
        job: Job,
        unit: &UnitName,
        restarts: u64,
        deadline: Instant,
    ) -> Result<Self, ServicesError> {
        // The unit's state has to be told even when the job used up all the time.
        let deadline = at_least_a_moment(deadline);
        let path = systemd.loaded_unit(unit, deadline)?.to_string();
        let snapshot = Snapshot::take(systemd, &path, unit.suffix() == "service", deadline)?;
        Ok(Self {
            unit: unit.clone(),
            job,
            state: snapshot.in_words(),
            until: Instant::now() + snapshot.settle_time(),
            path,
            // A job that started it anew made systemd count anew.
            restarts: if snapshot.restarts() < restarts { 0 } else { restarts },
            snapshot,
        })
    }
}

pub(super) fn at_least_a_moment(deadline: Instant) -> Instant {
    deadline.max(Instant::now() + Duration::from_secs(5))
}

/// Judges a job by its result and by how the unit is now. `Some` where the unit should be watched
/// for a while.
pub(super) fn after_job(
    job: Job,
    unit: &UnitName,
    result: &str,
    launch: Launch,
) -> Result<Option<Launch>, ServicesError> {
    let snapshot = &launch.snapshot;
    let reason = match result {
        "done" | "" => match job {
            Job::Stop if snapshot.active.counts_as_stopped() => return Ok(None),
            Job::Stop => Some(format!("it is {}", launch.state)),
            // The unit did not run, so there was nothing to do.
            Job::TryRestart | Job::TryReload if snapshot.active == ActiveState::Inactive => {
                return Ok(None);
            }
            _ => {
                return match snapshot.ailment(launch.restarts) {
                    None if snapshot.settle_time().is_zero() => Ok(None),
                    None => Ok(Some(launch)),
                    Some(reason) => Err(died(&launch, reason)),
                };
            }
        },
        "failed" => snapshot.ailment(launch.restarts),
        "timeout" => Some("it took longer than its own timeout".into()),
        "dependency" => Some("a unit that it requires failed to start".into()),
        "canceled" => Some("another job took the place of ours".into()),
        // A reload or restart of a unit that does not run.
        "skipped" => match job {
            Job::Start | Job::Restart => {
                Some("systemd skipped it: the unit does not apply here".into())
            }
            _ => return Ok(None),
        },
        "assert" => Some("an Assert of the unit is not met".into()),
        "unsupported" => Some("this machine does not support such a unit".into()),
        "once" => Some("the unit may be started only once".into()),
        other => Some(format!("the job's result is {other}")),
    };
    let reason = reason.unwrap_or_else(|| format!("it is {}", launch.state));
    Err(ServicesError::Job {
        unit: unit.clone(),
        done: job.done(),
        reason,
        journal: journal::last_lines(unit, snapshot.invocation.as_deref()),
    })
}

fn died(launch: &Launch, reason: String) -> ServicesError {
    let invocation = launch.snapshot.invocation.as_deref();
    ServicesError::Died {
        unit: launch.unit.clone(),
        done: launch.job.done(),
        reason,
        journal: journal::last_lines(&launch.unit, invocation),
    }
}

/// Why a settled unit is unwell, if it is.
type Health = Option<String>;

/// Units under watch until each has settled.
pub(super) struct Watch {
    launches: Vec<Launch>,
    /// For each launch: `None` while it is watched, then why it is unwell, if it is.
    outcomes: Vec<Option<Health>>,
}

impl Watch {
    pub(super) fn new(launches: &[Launch]) -> Self {
        Self { launches: launches.to_vec(), outcomes: vec![None; launches.len()] }
    }

    /// Watches until every unit has settled or died, or until `deadline`.
    pub(super) fn run(
        &mut self,
        systemd: &mut Systemd,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        if self.launches.is_empty() {
            return Ok(());
        }
        systemd.subscribe(deadline)?;
        for launch in &self.launches {
            systemd.pin(&launch.unit, deadline)?;
            systemd.watch_unit(&launch.path, deadline)?;
        }
        let result = self.watch(systemd, deadline);
        systemd.stop_listening();
        for launch in &self.launches {
            systemd.unwatch_unit(&launch.path, at_least_a_moment(deadline))?;
            systemd.unpin(&launch.unit, at_least_a_moment(deadline))?;
        }
        result
    }

    fn watch(&mut self, systemd: &mut Systemd, deadline: Instant) -> Result<(), ServicesError> {
        // Whatever happened before the signals were asked for.
        for index in 0..self.launches.len() {
            self.look(systemd, index, deadline)?;
        }
        while let Some((index, until)) = self.next() {
            match systemd.event(until.min(deadline))? {
                None => {
                    self.look(systemd, index, deadline)?;
                    if let Some(outcome @ None) = self.outcomes.get_mut(index) {
                        *outcome = Some(None);
                    }
                }
                Some(Event::Changed(path)) => {
                    if let Some(index) = self.launches.iter().position(|l| l.path == path) {
                        self.look(systemd, index, deadline)?;
                    }
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The unit that settles next.
    fn next(&self) -> Option<(usize, Instant)> {
        let watched = self.launches.iter().zip(&self.outcomes).enumerate();
        watched
            .filter(|(_, (_, outcome))| outcome.is_none())
            .map(|(index, (launch, _))| (index, launch.until))
            .min_by_key(|(_, until)| *until)
    }

    fn look(
        &mut self,
        systemd: &mut Systemd,
        index: usize,
        deadline: Instant,
    ) -> Result<(), ServicesError> {
        let (Some(launch), Some(outcome @ None)) =
            (self.launches.get_mut(index), self.outcomes.get_mut(index))
        else {
            return Ok(());
        };
        // The last look may fall on the deadline itself.
        let deadline = at_least_a_moment(deadline);
        let is_service = launch.unit.suffix() == "service";
        launch.snapshot = Snapshot::take(systemd, &launch.path, is_service, deadline)?;
        if let Some(reason) = launch.snapshot.ailment(launch.restarts) {
            *outcome = Some(Some(reason));
        }
        Ok(())
    }

    /// What became of each unit.
    pub(super) fn verdicts(
        self,
        watched: Result<(), ServicesError>,
    ) -> Vec<Result<(), ServicesError>> {
        let lost = watched.err().map(|error| error.to_string());
        self.launches
            .iter()
            .zip(self.outcomes)
            .map(|(launch, outcome)| match (outcome, &lost) {
                (Some(Some(reason)), _) => Err(died(launch, reason)),
                (None, Some(reason)) => Err(ServicesError::Unwatched {
                    unit: launch.unit.clone(),
                    reason: reason.clone(),
                }),
                (Some(None) | None, _) => Ok(()),
            })
            .collect()
    }
}
