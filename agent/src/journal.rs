//! One structured journal entry for each change, drift and failure, and one for the run.
//!
//! Fields: `STEADFAST_RUN`, `STEADFAST_RESOURCE`, `STEADFAST_KIND`, `STEADFAST_STATE`,
//! `STEADFAST_REVISION`, `STEADFAST_FILE`, `STEADFAST_LINE`, `STEADFAST_OUTCOME`.

use log::{Level, info, log};

use crate::logging::EVENT;
use crate::report::{Report, ResourceState};

/// Writes what `report` says to the journal, if this process has one.
pub fn tell(report: &Report) {
    let revision = report.revision.commit.as_deref().unwrap_or("none");
    for resource in &report.resources {
        let level = match resource.state {
            ResourceState::Failed => Level::Error,
            ResourceState::Blocked | ResourceState::Drifted | ResourceState::Corrected => {
                Level::Warn
            }
            ResourceState::Changed | ResourceState::NotReached => Level::Info,
            ResourceState::InSync | ResourceState::Skipped => continue,
        };
        let name = resource.reference();
        let state = format!("{:?}", resource.state).to_lowercase();
        let what = resource
            .reason
            .clone()
            .or_else(|| (!resource.steps.is_empty()).then(|| resource.steps.join("; ")))
            .or_else(|| resource.notified.clone())
            .unwrap_or_default();
        log!(
            target: EVENT, level,
            STEADFAST_RUN = report.id.as_str(),
            STEADFAST_RESOURCE = name.as_str(),
            STEADFAST_KIND = resource.kind.as_str(),
            STEADFAST_STATE = state.as_str(),
            STEADFAST_REVISION = revision,
            STEADFAST_FILE = resource.file.as_str(),
            STEADFAST_LINE = resource.line;
            "{name} {state}: {what}"
        );
    }
    let counts = &report.counts;
    info!(
        target: EVENT,
        STEADFAST_RUN = report.id.as_str(),
        STEADFAST_REVISION = revision,
        STEADFAST_OUTCOME = report.outcome.as_str();
        "run {}: {}, {} resources, {} changed, {} corrected, {} failed",
        report.id, report.outcome.as_str(), counts.total, counts.changed, counts.corrected,
        counts.failed + counts.blocked
    );
}
