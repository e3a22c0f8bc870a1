//! One episode of drift.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use steadfast_resources::{Actor, Change};

use super::{ACTORS, RECURRENCE_HOURS};
use crate::report::{Report, ResourceReport, ResourceState, display_reference};

/// The drift of one resource, from its first sight to its end. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Episode {
    /// The resource's kind.
    pub kind: String,
    /// The resource's title.
    pub title: String,
    /// The policy file that declares it.
    pub file: String,
    /// The line of that file.
    pub line: u32,
    /// When the run began that saw it first.
    pub first_seen: String,
    /// The id of that run.
    pub first_run: String,
    /// When the run began that saw it last.
    pub last_seen: String,
    /// The id of that run.
    pub last_run: String,
    /// How many kept runs saw it.
    pub seen: u32,
    /// How many episodes of the same resource came before this one, each within a day of the next.
    pub recurrence: u32,
    /// How the resource ended in the last of these runs.
    pub state: ResourceState,
    /// Why it was not corrected, or could not be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Who did it, as far as the kernel told.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub actors: Vec<Actor>,
    /// The properties that had drifted: what was found, and what is declared.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<Change>,
    /// What was done about it, or would be, as a person reads it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub steps: Vec<String>,
    /// How it ended; absent as long as it is open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end: Option<End>,
    /// The digest of the declaration that it differed from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub declaration: Option<String>,
}

/// The end of an episode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// How it ended.
    pub how: Ending,
    /// When: the end of the run that found out (RFC 3339, UTC).
    pub at: String,
    /// The id of that run.
    pub run: String,
}

/// How an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The agent put it right.
    Corrected,
    /// The declaration changed, and what is on the machine agrees with it.
    Redeclared,
    /// It was found in order again, without the agent.
    Resolved,
    /// The resource is no longer declared.
    Undeclared,
}

impl Ending {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Corrected => "corrected",
            Self::Redeclared => "redeclared",
            Self::Resolved => "resolved",
            Self::Undeclared => "undeclared",
        }
    }
}

impl Episode {
    /// The episode that begins with what `report` says of `resource`. `last` is the resource's last
    /// one before it.
    pub fn begin(
        report: &Report,
        resource: &ResourceReport,
        declaration: Option<String>,
        last: Option<&Self>,
    ) -> Self {
        let mut episode = Self {
            kind: resource.kind.clone(),
            title: resource.title.clone(),
            file: String::new(),
            line: 0,
            first_seen: report.started.clone(),
            first_run: report.id.clone(),
            last_seen: String::new(),
            last_run: String::new(),
            seen: 0,
            recurrence: last
                .filter(|last| last.is_shortly_before(&report.started))
                .map_or(0, |last| last.recurrence.saturating_add(1)),
            state: resource.state,
            reason: None,
            actors: Vec::new(),
            changes: Vec::new(),
            steps: Vec::new(),
            end: None,
            declaration: None,
        };
        episode.see(report, resource, declaration);
        episode
    }

    /// One more run saw it.
    pub fn see(&mut self, report: &Report, resource: &ResourceReport, declaration: Option<String>) {
        self.last_seen.clone_from(&report.started);
        self.last_run.clone_from(&report.id);
        self.seen = self.seen.saturating_add(1);
        self.state = resource.state;
        self.file.clone_from(&resource.file);
        self.line = resource.line;
        self.reason.clone_from(&resource.reason);
        if let Some(actor) = &resource.actor
            && !self.actors.contains(actor)
            && self.actors.len() < ACTORS
        {
            self.actors.push(actor.clone());
        }
        // What failed says only which steps it wanted to take.
        if !resource.changes.is_empty() {
            let seen_now = |old: &Change| {
                resource.changes.iter().any(|change| change.property == old.property)
            };
            self.changes.retain(|old| !seen_now(old));
            self.changes.extend(resource.changes.iter().cloned());
        }
        if !resource.steps.is_empty() {
            self.steps.clone_from(&resource.steps);
        }
        if declaration.is_some() {
            self.declaration = declaration;
        }
    }

    /// The run of `report` found it over.
    pub fn end(&mut self, report: &Report, how: Ending) {
        self.end = Some(End { how, at: ended(report), run: report.id.clone() });
    }

    /// How it ends where the resource is found in order, declared as `declaration` says.
    pub fn ending_in_order(&self, declaration: Option<&str>, changed_by_agent: bool) -> Ending {
        // A report that was kept late does not know the declarations.
        let same = match (self.declaration.as_deref(), declaration) {
            (Some(before), Some(now)) => before == now,
            _ => true,
        };
        match (same, changed_by_agent) {
            (false, _) => Ending::Redeclared,
            (true, true) => Ending::Corrected,
            (true, false) => Ending::Resolved,
        }
    }

    /// Whether nothing has put it right yet.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// The resource's name as policies write it.
    pub fn reference(&self) -> String {
        display_reference(&self.kind, &self.title)
    }

    /// Whether it ended (or was last seen) at most a day before `time`. A clock that was put back
    /// in between does not matter.
    fn is_shortly_before(&self, time: &str) -> bool {
        let end = self.end.as_ref().map_or(&self.last_seen, |end| &end.at);
        match (end.parse::<Timestamp>(), time.parse::<Timestamp>()) {
            (Ok(end), Ok(time)) => {
                time.duration_since(end) <= SignedDuration::from_hours(RECURRENCE_HOURS)
            }
            _ => false,
        }
    }
}

/// When the run of `report` ended.
fn ended(report: &Report) -> String {
    let after = SignedDuration::try_from_secs_f64(report.duration).unwrap_or_default();
    match report.started.parse::<Timestamp>().map(|started| started.checked_add(after)) {
        Ok(Ok(ended)) => format!("{ended:.3}"),
        _ => report.started.clone(),
    }
}
