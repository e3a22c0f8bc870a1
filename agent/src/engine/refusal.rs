//! The report of a run that ended before there was a catalog.

use crate::clock;
use crate::report::{Counts, Outcome, Override, OverrideKind, Report, Revision, SCHEMA, Scope};
use crate::state::State;

/// A run that ended before there was a catalog: nothing was looked at or changed.
pub struct Refusal<'a> {
    /// Why, a line each.
    pub reasons: &'a [String],
    /// What was to be applied.
    pub revision: Revision,
    /// The host's name.
    pub host: String,
    /// What started the run.
    pub trigger: &'a str,
    /// What the run was to be about.
    pub scope: Scope,
    /// Whether it would have changed nothing.
    pub audit: bool,
    /// What an operator has ordered for a time.
    pub overrides: Vec<Override>,
}

impl Refusal<'_> {
    /// Its report, as the next one of `state`.
    pub fn report(self, state: &State) -> Report {
        Report {
            schema: SCHEMA,
            id: clock::run_id(),
            host: self.host,
            trigger: self.trigger.to_owned(),
            mode: mode(self.audit, &self.overrides).to_owned(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            started: clock::now(),
            duration: 0.0,
            revision: self.revision,
            catalog: None,
            policies: Vec::new(),
            outcome: Outcome::Failed,
            wanted: None,
            overrides: self.overrides,
            scope: self.scope,
            focus: None,
            counts: Counts::default(),
            resources: Vec::new(),
            owed: state.owed().unwrap_or_default(),
            messages: self.reasons.to_vec(),
            previous: state.newest_report_digest().unwrap_or_default(),
        }
    }
}

/// A report's `mode`.
pub(super) fn mode(audit: bool, overrides: &[Override]) -> &'static str {
    if is_paused(overrides) {
        "paused"
    } else if audit {
        "audit"
    } else {
        "enforce"
    }
}

/// Whether an operator has ordered that nothing is changed for a time.
pub(super) fn is_paused(overrides: &[Override]) -> bool {
    overrides.iter().any(|order| order.kind == OverrideKind::Pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_says_what_the_run_was_to_be_about_and_how_the_host_is_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let state = State::open(&scratch.path().join("state")).unwrap();
        let order = |kind| Override {
            kind,
            reason: "maintenance".to_owned(),
            by: "alice".to_owned(),
            since: clock::now(),
            until: clock::now(),
            revision: None,
        };
        let (pause, rollback) = (order(OverrideKind::Pause), order(OverrideKind::Rollback));
        for (audit, overrides, expected) in [
            (false, vec![], "enforce"),
            (true, vec![], "audit"),
            (false, vec![rollback.clone()], "enforce"),
            (false, vec![pause.clone()], "paused"),
            (true, vec![rollback, pause], "paused"),
        ] {
            let refusal = Refusal {
                reasons: &["there is no revision".to_owned()],
                revision: Revision::default(),
                host: "web1".to_owned(),
                trigger: "event",
                scope: Scope::Focus,
                audit,
                overrides: overrides.clone(),
            };
            let report = refusal.report(&state);
            assert_eq!((report.mode.as_str(), report.scope), (expected, Scope::Focus));
            assert_eq!(report.overrides, overrides);
            assert!(!report.is_nothing(), "an event that could not be looked into is something");
        }
    }
}
