//! `steadfast run`: a run of the running agent, followed live.

use clap::Args;

use super::{CommandError, Exit, Locations};
use crate::output::{Output, resource_text, summary_line};
use crate::report::{Outcome, Report, ResourceState};
use crate::service::{ClientError, Event};

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print the run's events as JSON, one a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let followed = follow(("POST", "/v1/run", None), arguments.json, locations, output)?;
    Ok(followed.unwrap_or(Exit::Done))
}

/// Asks the agent for something that a run comes of, and follows that. `None` where what was to be
/// ended is not there.
pub(super) fn follow(
    (method, path, body): (&str, &str, Option<serde_json::Value>),
    json: bool,
    locations: &Locations,
    output: &Output,
) -> Result<Option<Exit>, CommandError> {
    let mut ended: Option<Result<Option<Box<Report>>, String>> = None;
    let mut failed = None;
    let asked = locations.client().ask(method, path, body.as_ref(), |event| {
        if let Err(error) = show(&event, json, output) {
            failed = Some(error);
            return false;
        }
        if let Event::Ended { report, refused, .. } = event {
            ended = Some(refused.map_or(Ok(report), Err));
            return false;
        }
        true
    });
    match asked {
        Err(ClientError::Refused { missing: true, .. }) => return Ok(None),
        other => other.map_err(explained)?,
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    match ended {
        Some(Ok(Some(report))) => {
            if !json {
                for message in &report.messages {
                    output.message(&format!("note: {message}\n"));
                }
                output.data(&summary_line(&report, output.style))?;
            }
            Ok(Some(exit(report.outcome)))
        }
        Some(Ok(None)) => Ok(Some(Exit::Done)),
        Some(Err(reason)) => Err(CommandError::new(reason)),
        None => Err(CommandError::new("the agent ended before the run did")
            .with_hint("`steadfast status` and `journalctl -u steadfast` tell more")),
    }
}

/// The exit code for a run.
pub(super) fn exit(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Converged | Outcome::Changed | Outcome::Corrected => Exit::Done,
        Outcome::Drifted => Exit::Pending,
        Outcome::Failed | Outcome::Interrupted => Exit::AppliedWithFailures,
        Outcome::Refused => Exit::Refused,
    }
}

/// The agent's refusal as a person sees it.
pub(super) fn explained(error: ClientError) -> CommandError {
    let hint = match &error {
        ClientError::NotRunning { .. } => {
            Some("`systemctl start steadfast` starts it; `steadfast apply` needs no agent")
        }
        ClientError::Forbidden => Some("use sudo, or join the group"),
        _ => None,
    };
    let error = CommandError::from(error);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn show(event: &Event, json: bool, output: &Output) -> std::io::Result<()> {
    if json {
        let line = serde_json::to_string(event).map_err(std::io::Error::other)?;
        return output.data(&(line + "\n"));
    }
    match event {
        Event::Queued { .. } | Event::Begun { .. } | Event::Ended { .. } => {}
        Event::Planned { total, open, commit, .. } => {
            let commit = commit.as_deref().and_then(|commit| commit.get(..12));
            let at = commit.map(|commit| format!(" at {commit}")).unwrap_or_default();
            output.message(&format!("{total} resources{at}, {open} not as declared\n"));
        }
        Event::Resource { resource, .. } if resource.state == ResourceState::Skipped => {}
        Event::Resource { resource, .. } => output.data(&resource_text(resource, output.style))?,
        Event::Missed { events } => {
            output.message(&format!("warning: {events} lines are missing here\n"));
        }
    }
    Ok(())
}
