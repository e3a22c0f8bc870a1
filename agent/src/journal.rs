//! One structured journal entry for each change, drift and failure, and one for the run.
//!
//! Fields: `STEADFAST_RUN`, `STEADFAST_RESOURCE`, `STEADFAST_KIND`, `STEADFAST_STATE`,
//! `STEADFAST_REVISION`, `STEADFAST_FILE`, `STEADFAST_LINE`, `STEADFAST_ACTOR` (who changed it before,
//! where that is known), `STEADFAST_OUTCOME`, `STEADFAST_TRIGGER`, and a `MESSAGE_ID` of [`messages`].

pub mod messages;

use log::{Level, Record};

use crate::logging::EVENT;
use crate::report::{Report, ResourceReport, ResourceState};
use messages::Message;

/// An entry before it is written.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    level: Level,
    /// Fields of which none is empty.
    fields: Vec<(&'static str, String)>,
    text: String,
}

/// Writes what `report` says to the journal, if this process has one.
pub fn tell(report: &Report) {
    let logger = log::logger();
    for Entry { level, fields, text } in entries(report) {
        logger.log(
            &Record::builder()
                .target(EVENT)
                .level(level)
                .key_values(&fields.as_slice())
                .args(format_args!("{text}"))
                .build(),
        );
    }
}

/// What is worth an entry: whatever is not simply in sync or left out on purpose, then the run.
fn entries(report: &Report) -> Vec<Entry> {
    let resources = report.resources.iter().filter_map(|resource| about(report, resource));
    resources.chain([about_run(report)]).collect()
}

fn about(report: &Report, resource: &ResourceReport) -> Option<Entry> {
    let (level, message) = match resource.state {
        ResourceState::Failed => (Level::Error, messages::FAILED),
        ResourceState::Blocked => (Level::Warn, messages::BLOCKED),
        ResourceState::Drifted => (Level::Warn, messages::DRIFTED),
        ResourceState::Corrected => (Level::Warn, messages::CORRECTED),
        ResourceState::Changed => (Level::Info, messages::CHANGED),
        ResourceState::NotReached => (Level::Info, messages::NOT_REACHED),
        ResourceState::InSync | ResourceState::Skipped => return None,
    };
    let name = resource.reference();
    let state = resource.state.as_str();
    let what = resource
        .reason
        .clone()
        .or_else(|| (!resource.steps.is_empty()).then(|| resource.steps.join("; ")))
        .or_else(|| resource.notified.clone());
    let actor = resource.actor.as_ref().map(ToString::to_string);
    let mut text = format!("{name} {state}");
    if let Some(what) = what {
        text.push_str(": ");
        text.push_str(&what);
    }
    if let Some(actor) = &actor {
        text.push_str("; changed by ");
        text.push_str(actor);
    }
    let mut fields = fields_of(report, &message);
    fields.extend([
        ("STEADFAST_RESOURCE", name),
        ("STEADFAST_KIND", resource.kind.clone()),
        ("STEADFAST_STATE", state.to_owned()),
        ("STEADFAST_FILE", resource.file.clone()),
        ("STEADFAST_LINE", resource.line.to_string()),
        ("STEADFAST_ACTOR", actor.unwrap_or_default()),
    ]);
    fields.retain(|(_, value)| !value.is_empty());
    Some(Entry { level, fields, text })
}

fn about_run(report: &Report) -> Entry {
    let counts = &report.counts;
    let outcome = report.outcome.as_str();
    let mut fields = fields_of(report, &messages::RUN);
    fields.push(("STEADFAST_OUTCOME", outcome.to_owned()));
    fields.push(("STEADFAST_TRIGGER", report.trigger.clone()));
    let text = format!(
        "run {}: {outcome}, {} resources, {} changed, {} corrected, {} failed",
        report.id,
        counts.total,
        counts.changed,
        counts.corrected,
        counts.failed + counts.blocked
    );
    Entry { level: Level::Info, fields, text }
}

fn fields_of(report: &Report, message: &Message) -> Vec<(&'static str, String)> {
    let revision = report.revision.commit.as_deref().unwrap_or("none");
    vec![
        ("MESSAGE_ID", message.id.to_owned()),
        ("STEADFAST_RUN", report.id.clone()),
        ("STEADFAST_REVISION", revision.to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use steadfast_resources::Actor;

    use super::*;

    #[test]
    fn each_change_drift_and_failure_has_an_entry_and_the_run_has_one() {
        let states = [
            ResourceState::InSync,
            ResourceState::Changed,
            ResourceState::Corrected,
            ResourceState::Drifted,
            ResourceState::Failed,
            ResourceState::Blocked,
            ResourceState::Skipped,
            ResourceState::NotReached,
        ];
        let mut report = crate::drift::tests::report("r1", "2026-01-01T00:00:00Z", "enforce");
        report.resources =
            states.iter().map(|state| crate::drift::tests::resource(*state, false)).collect();
        if let Some(corrected) = report.resources.get_mut(2) {
            corrected.steps = vec!["write 2 bytes".to_owned()];
            corrected.actor = Some(Actor { pid: 7, ..Actor::default() });
        }
        let entries = entries(&report);
        let field = |entry: &Entry, name: &str| {
            entry.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        };
        let told: Vec<_> = entries.iter().filter_map(|it| field(it, "STEADFAST_STATE")).collect();
        assert_eq!(told, ["changed", "corrected", "drifted", "failed", "blocked", "not_reached"]);
        assert_eq!(entries.len(), told.len() + 1);
        let corrected = &entries[1];
        assert_eq!(
            corrected.text,
            "file.\"/etc/a\" corrected: write 2 bytes; changed by a process (pid 7)"
        );
        let actor = field(corrected, "STEADFAST_ACTOR");
        assert_eq!(actor.as_deref(), Some("a process (pid 7)"));
        assert_eq!(field(&entries[0], "STEADFAST_ACTOR"), None);
        for entry in &entries {
            for name in ["MESSAGE_ID", "STEADFAST_RUN", "STEADFAST_REVISION"] {
                assert!(field(entry, name).is_some(), "{name} of {entry:?}");
            }
        }
        let run = entries.last().unwrap();
        assert_eq!(field(run, "MESSAGE_ID").as_deref(), Some(messages::RUN.id));
        assert_eq!(field(run, "STEADFAST_OUTCOME").as_deref(), Some("drifted"));
    }
}
