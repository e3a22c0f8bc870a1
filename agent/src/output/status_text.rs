//! `steadfast status`, as a program and as a person reads it.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::duration::short_duration;
use super::plan_text::short;
use super::style::{Style, printable};
use crate::clock;
use crate::report::{Outcome, Override, ResourceState, Revision};
use crate::service::{LastRun, Live};
use crate::state::{OwedNotification, State, StateError};

/// The version of the document's schema.
pub const STATUS_SCHEMA: u32 = 1;

/// How this host is kept.
#[derive(Debug, Serialize)]
pub struct StatusDocument {
    /// The version of this document's schema.
    pub schema: u32,
    /// The running agent; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Live>,
    /// Why there is none, or it does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_problem: Option<String>,
    /// The host's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// How this host is, in the worst word of the last run about everything and what events have
    /// found since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The last run about everything; where no agent is running, the last one that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
    /// What a person should know about that run.
    pub messages: Vec<String>,
    /// Orders in force.
    pub overrides: Vec<Override>,
    /// Notifications that are owed.
    pub owed: Vec<OwedNotification>,
}

impl StatusDocument {
    /// What the agent and the recorded state say together.
    pub fn new(
        agent: Option<Live>,
        agent_problem: Option<String>,
        state: Option<&State>,
    ) -> Result<Self, StateError> {
        let mut document = Self {
            schema: STATUS_SCHEMA,
            agent,
            agent_problem,
            host: None,
            outcome: None,
            last_run: None,
            messages: Vec::new(),
            overrides: Vec::new(),
            owed: Vec::new(),
        };
        if let Some(state) = state {
            if let Some(stored) = state.stored_run(None)? {
                document.last_run = Some(LastRun::from(&stored.report));
                document.host = Some(stored.report.host);
                document.messages = stored.report.messages;
            }
            document.owed = state.owed()?;
            document.overrides = state.overrides(&clock::now())?;
        }
        if let Some(agent) = &document.agent {
            document.last_run.clone_from(&agent.last_run);
            document.messages.clone_from(&agent.messages);
        }
        let event = document.agent.as_ref().and_then(|agent| agent.last_event.as_ref());
        document.outcome = document
            .last_run
            .iter()
            .chain(event)
            .map(|run| run.outcome)
            .max_by_key(|outcome| badness(*outcome));
        // Whatever an event has found in order since then, it is not what was asked for.
        let refused = document.last_run.iter().chain(event).any(|run| run.wanted.is_some());
        let problem = document.agent.as_ref().is_some_and(|agent| agent.problem.is_some());
        if refused || problem {
            document.outcome = Some(Outcome::Failed);
        }
        Ok(document)
    }
}

/// How much an outcome needs somebody to look.
fn badness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Converged => 0,
        Outcome::Changed => 1,
        Outcome::Corrected => 2,
        Outcome::Drifted => 3,
        Outcome::Refused => 4,
        Outcome::Interrupted => 5,
        Outcome::Failed => 6,
    }
}

/// The status as text, one screen of it.
pub fn status_text(status: &StatusDocument, style: Style) -> String {
    let mut text = String::new();
    let host = printable(status.host.as_deref().unwrap_or("this host"));
    match (&status.agent, &status.agent_problem) {
        (Some(agent), _) => {
            let age = ago(&agent.started);
            let version = printable(&agent.version);
            let _ = writeln!(
                text,
                "{} {version} on {host}, running since {age} (process {})",
                style.strong("steadfast"),
                agent.pid
            );
        }
        (None, problem) => {
            let problem = printable(problem.as_deref().unwrap_or("the agent is not running"));
            let _ =
                writeln!(text, "{} on {host}: {}", style.strong("steadfast"), style.bad(problem));
        }
    }
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "  {} {value}", style.faint(format!("{name:<11}")));
    };
    for order in &status.overrides {
        row("override", style.change(printable(&order.to_string())));
    }
    if let Some(agent) = &status.agent {
        row("mode", printable(&agent.mode));
        row("repository", repository(agent));
        if let Some(running) = &agent.running {
            let of = format!("{} of {} not as declared", running.open, running.total);
            row("running", format!("{} run since {}, {of}", running.trigger, ago(&running.since)));
        }
    }
    match &status.last_run {
        Some(last) => {
            row("revision", revision(&last.revision));
            if let Some(wanted) = &last.wanted {
                row("refused", style.bad(revision(wanted)));
            }
            row("verified", printable(&last.revision.verification));
            row("last run", last_run(last, style));
        }
        None => row("last run", "none yet".to_owned()),
    }
    if let Some(agent) = &status.agent {
        if let Some(event) = &agent.last_event {
            row("last event", last_run(event, style));
        }
        row("watching", printable(&agent.watching));
        if let Some(problem) = &agent.problem {
            row("problem", style.bad(printable(problem)));
        }
        if let Some(problem) = &agent.configuration {
            row("settings", style.bad(printable(problem)));
        }
        for name in &agent.left_alone {
            let why = "left alone, because something else keeps changing it";
            row("fight", style.change(format!("{}: {why}", printable(name))));
        }
    }
    for owed in &status.owed {
        let target = crate::report::display_reference(&owed.target_kind, &owed.target_title);
        let since = printable(&owed.since);
        row("owed", style.change(format!("{} to be notified since {since}", printable(&target))));
    }
    for message in status.messages.iter().take(12) {
        row("note", printable(message));
    }
    text
}

fn repository(agent: &Live) -> String {
    let polling = &agent.polling;
    let branch = agent.branch.as_deref().map(|branch| format!(" ({branch})")).unwrap_or_default();
    let mut text = format!("{}{branch}", agent.repository);
    match (&polling.failure, &polling.answered) {
        (Some(_), answered) => {
            let since = answered.as_deref().map_or("it started".to_owned(), ago);
            let _ = write!(text, ", has not answered since {since} ({} times)", polling.failures);
        }
        (None, Some(answered)) => {
            let _ = write!(text, ", answered {} ago", ago(answered));
        }
        (None, None) => {}
    }
    if let Some(next) = polling.next {
        let _ = write!(text, ", asked again in {}", short_duration(Duration::from_secs(next)));
    }
    printable(&text)
}

fn revision(revision: &Revision) -> String {
    let Some(commit) = &revision.commit else { return printable(&revision.source) };
    let mut text = short(commit).to_owned();
    if let Some(subject) = &revision.subject {
        let _ = write!(text, " {subject:?}");
    }
    if let Some(author) = &revision.author {
        let _ = write!(text, " by {}", author.split(" <").next().unwrap_or(author));
    }
    if let Some(committed) = &revision.committed {
        let _ = write!(text, ", {} old", ago(committed));
    }
    printable(&text)
}

fn last_run(last: &LastRun, style: Style) -> String {
    let word = match last.outcome {
        Outcome::Converged | Outcome::Changed => style.good(last.outcome.as_str()),
        Outcome::Corrected => style.change(last.outcome.as_str()),
        Outcome::Drifted => style.uncertain(last.outcome.as_str()),
        Outcome::Failed | Outcome::Interrupted | Outcome::Refused => {
            style.bad(last.outcome.as_str())
        }
    };
    let counts = &last.counts;
    let mut parts = vec![format!("{} resources", counts.total)];
    for (state, count) in counts.by_state() {
        let told = !matches!(state, ResourceState::InSync | ResourceState::Skipped);
        if told && count > 0 {
            parts.push(format!("{count} {}", state.words()));
        }
    }
    format!(
        "{word}, {} ago ({}), {} in {:.2} s, id {}",
        ago(&last.started),
        printable(&last.trigger),
        parts.join(", "),
        last.duration,
        printable(&last.id)
    )
}

/// How long ago a time (RFC 3339) was.
fn ago(time: &str) -> String {
    clock::since(time).map_or_else(|| "an unknown time".to_owned(), short_duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::tests::report;
    use crate::report::{Counts, Scope};
    use crate::state::Retention;

    #[test]
    fn what_is_refused_shows_also_after_an_event_where_no_agent_is_running() {
        let scratch = tempfile::tempdir().unwrap();
        let state = State::open(&scratch.path().join("state")).unwrap();
        let whole = report("1", "2026-01-01T00:00:00.000Z", "enforce");
        let event = report("2", "2026-01-01T00:01:00.000Z", "enforce");
        let event = crate::report::Report {
            trigger: "event".to_owned(),
            scope: Scope::Focus,
            outcome: Outcome::Corrected,
            wanted: Some(Revision::default()),
            counts: Counts { total: 1, corrected: 1, ..Counts::default() },
            ..event
        };
        for (kept, expected) in [(&whole, Outcome::Drifted), (&event, Outcome::Failed)] {
            state.keep_report(kept, None, &Retention::new(10, 100_000)).unwrap();
            let status = StatusDocument::new(None, None, Some(&state)).unwrap();
            assert_eq!(status.outcome, Some(expected));
        }
    }
}
