//! The rules of a site that concern every run on every host: how much one may change, which hosts
//! go first, and when anything may be interrupted.
//!
//! Plain data and pure answers: the instant and the host are handed in. Nothing here enforces them.

mod clock;
mod window;

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;

use crate::catalog::Place;

pub use clock::{TimeSpan, Weekdays};
pub use window::Window;

/// What `site.toml` says about runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SiteRules {
    /// `[limits]`: a run that would exceed them changes nothing.
    pub limits: Limits,
    /// `[rollout]`: who gets a new revision when, in ascending order; empty where every host gets
    /// it at once. The last wave is all hosts.
    pub waves: Vec<Wave>,
    /// `[[window]]`: when something may be interrupted; empty where it always may.
    pub windows: Vec<Window>,
}

impl SiteRules {
    /// The tables of `site.toml` that say something, as it writes them.
    pub fn declared(&self) -> Vec<&'static str> {
        [
            ("[limits]", self.limits != Limits::default()),
            ("[rollout]", !self.waves.is_empty()),
            ("[[window]]", !self.windows.is_empty()),
        ]
        .into_iter()
        .filter_map(|(name, declared)| declared.then_some(name))
        .collect()
    }
}

/// How much one run may change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// The most resources that it may remove.
    pub deletions: Option<u32>,
    /// The most services that it may restart.
    pub restarts: Option<u32>,
    /// The most resources that it may change.
    pub changes: Option<ChangeLimit>,
    /// Where they are declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The most resources that one run may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeLimit {
    /// So many.
    Count(u32),
    /// So many of a hundred of the catalog's resources.
    Percent(u8),
}

impl ChangeLimit {
    /// The most that may change of `total` resources. A part of a resource does not count, but one
    /// resource always may: a small catalog could not be applied otherwise.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => count as usize,
            Self::Percent(percent) => (total.saturating_mul(usize::from(percent)) / 100).max(1),
        }
    }
}

/// One wave of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wave {
    /// How many of a hundred hosts get the revision in this wave or before it.
    pub percent: u8,
    /// How long after the commit's committer time.
    pub after: Duration,
    /// Where it is declared.
    pub place: Place,
}
