//! What the metrics are made of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Mode, Settings};
use crate::report::{Counts, Outcome, OverrideKind, Report};
use crate::service::Polling;
use crate::state::{State, StateError};

/// The host as metrics show it. Times are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// When it was taken.
    pub now: f64,
    /// The agent's version.
    pub version: String,
    /// Whether the host is configured to change nothing.
    pub audit: bool,
    /// How often the repository is asked, in seconds.
    pub interval: f64,
    /// The last run about the whole host.
    pub last_run: Option<LastRun>,
    /// What has come together since the state was made.
    pub totals: Totals,
    /// Episodes of drift that nothing has put right.
    pub open_drift: u32,
    /// Notifications that could not be delivered yet.
    pub owed: u32,
    /// Nothing is changed for a time.
    pub pause: Option<Period>,
    /// An earlier revision is held for a time.
    pub rollback: Option<Period>,
    /// When the repository's server last answered, where that is known.
    pub answered: Option<f64>,
    /// How often in a row it has not, where that is known.
    pub failures: Option<u32>,
    /// Resources that are left alone because something else keeps changing them, where that is known.
    pub left_alone: Option<u32>,
}

/// What only the running agent knows.
#[derive(Debug, Clone, Default)]
pub struct Resident {
    /// The repository's server.
    pub polling: Polling,
    /// Resources that are left alone because something else keeps changing them.
    pub left_alone: u32,
}

/// The last run about the whole host.
#[derive(Debug, Clone, PartialEq)]
pub struct LastRun {
    /// When it began.
    pub started: f64,
    /// How long it took, in seconds.
    pub duration: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// The resources by state.
    pub counts: Counts,
    /// What was applied.
    pub applied: Applied,
    /// Whether another revision should have been, and could not be.
    pub refused: bool,
}

/// The revision that is in force.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// The commit; empty where there is none.
    pub commit: String,
    /// When it was committed.
    pub committed: Option<f64>,
    /// How far it was verified, in words.
    pub verification: String,
}

/// A time with an end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    /// When it began.
    pub since: f64,
    /// When it ends by itself.
    pub until: f64,
}

/// What has come together since the state was made. Kept with every report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Runs.
    pub runs: u64,
    /// Runs that failed, were interrupted or refused.
    pub failed_runs: u64,
    /// Resources that were changed because their declaration had changed.
    pub changed: u64,
    /// Resources that had drifted and were corrected.
    pub corrected: u64,
    /// Resources that failed.
    pub failed: u64,
    /// When the last run about the whole host began that went through, in milliseconds since 1970.
    pub succeeded: i64,
}

impl Totals {
    /// Adds a run. `whole` tells whether it was about the whole host.
    pub fn add(&mut self, report: &Report, whole: bool) {
        let succeeded = match report.outcome {
            Outcome::Converged | Outcome::Changed | Outcome::Corrected | Outcome::Drifted => true,
            Outcome::Failed | Outcome::Interrupted | Outcome::Refused => false,
        };
        self.runs += 1;
        self.failed_runs += u64::from(!succeeded);
        self.changed += u64::from(report.counts.changed);
        self.corrected += u64::from(report.counts.corrected);
        self.failed += u64::from(report.counts.failed);
        // With the last good revision in place of the newest one a run does not count.
        if succeeded && whole && report.wanted.is_none() {
            let started = report.started.parse::<Timestamp>();
            self.succeeded = started.map_or(self.succeeded, Timestamp::as_millisecond);
        }
    }
}

impl Snapshot {
    /// The host as `state` and `settings` have it at `now` (as [`crate::clock::now`] says it), and what
    /// the running agent knows beyond that.
    pub fn gather(
        state: &State,
        settings: &Settings,
        now: &str,
        resident: Option<&Resident>,
    ) -> Result<Self, StateError> {
        let overrides = state.overrides(now)?;
        let period = |kind: OverrideKind| {
            let order = overrides.iter().find(|order| order.kind == kind)?;
            Some(Period { since: seconds(&order.since)?, until: seconds(&order.until)? })
        };
        let last = state.last_whole_run()?;
        let owed = state.owed()?.len();
        Ok(Self {
            last_run: last.as_ref().map(LastRun::of),
            totals: state.totals()?,
            open_drift: state.open_episodes()?,
            owed: u32::try_from(owed).unwrap_or(u32::MAX),
            pause: period(OverrideKind::Pause),
            rollback: period(OverrideKind::Rollback),
            answered: resident.and_then(|known| seconds(known.polling.answered.as_deref()?)),
            failures: resident.map(|known| known.polling.failures),
            left_alone: resident.map(|known| known.left_alone),
            ..Self::blank(settings, now)
        })
    }

    /// A host about which only `settings` are known.
    pub fn blank(settings: &Settings, now: &str) -> Self {
        Self {
            now: seconds(now).unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            audit: settings.agent.mode == Mode::Audit,
            interval: settings.agent.interval.as_secs_f64(),
            ..Self::default()
        }
    }
}

impl LastRun {
    /// The run of `report`.
    pub fn of(report: &Report) -> Self {
        let revision = &report.revision;
        Self {
            started: seconds(&report.started).unwrap_or_default(),
            duration: report.duration,
            outcome: report.outcome,
            counts: report.counts,
            applied: Applied {
                commit: revision.commit.clone().unwrap_or_default(),
                committed: revision.committed.as_deref().and_then(seconds),
                verification: revision.verification.clone(),
            },
            refused: report.wanted.is_some(),
        }
    }
}

/// A time (RFC 3339) in seconds since 1970.
fn seconds(time: &str) -> Option<f64> {
    time.parse::<Timestamp>().ok().map(|time| time.as_duration().as_secs_f64())
}
