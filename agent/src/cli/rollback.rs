//! `steadfast rollback`: an earlier revision in force, for a time.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::{CommandError, Exit, Locations, run};
use crate::output::Output;
use crate::report::OverrideKind;
use crate::state::State;

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The commit, or its beginning [default: the one that was in force before the present one]
    #[arg(conflicts_with = "end")]
    revision: Option<String>,
    /// For how long, for example 2h or 1d; it ends by itself
    #[arg(
        long = "for",
        value_name = "TIME",
        value_parser = crate::config::duration,
        required_unless_present = "end"
    )]
    duration: Option<Duration>,
    /// Why; it shows in every report until the end
    #[arg(long, value_name = "TEXT", required_unless_present = "end")]
    reason: Option<String>,
    /// End a rollback now, and apply what the repository has
    #[arg(long, conflicts_with_all = ["duration", "reason"])]
    end: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(CommandError::new("only root may roll a host back").with_hint("use sudo"));
    }
    let (Some(duration), Some(reason)) = (arguments.duration, &arguments.reason) else {
        let followed = run::follow(("DELETE", "/v1/rollback", None), false, locations, output)?;
        return Ok(followed.unwrap_or_else(|| {
            output.message("the host is not rolled back\n");
            Exit::Done
        }));
    };
    let revision = resolve(arguments.revision.as_deref(), locations)?;
    output.message(&format!("holding this host at {revision}\n"));
    let body = serde_json::json!({
        "revision": revision,
        "seconds": duration.as_secs(),
        "reason": reason,
    });
    let followed = run::follow(("POST", "/v1/rollback", Some(body)), false, locations, output)?;
    Ok(followed.unwrap_or(Exit::Done))
}

/// The commit that is meant, among those that were in force on this host.
fn resolve(named: Option<&str>, locations: &Locations) -> Result<String, CommandError> {
    let directory = locations.state_directory(Path::new("/"));
    let state = State::open_read_only(Path::new("/"), &directory)?;
    let commits = match &state {
        Some(state) => state.applied_commits()?,
        None => Vec::new(),
    };
    let Some(named) = named else {
        let held = match &state {
            Some(state) => state.overrides(&crate::clock::now())?,
            None => Vec::new(),
        };
        // What was in force before may be what was rolled away from.
        if let Some(held) = held.iter().find(|order| order.kind == OverrideKind::Rollback) {
            return Err(CommandError::new(format!("this host is {held}"))
                .with_hint("name a commit, or end that with `steadfast rollback --end`"));
        }
        return commits.get(1).cloned().ok_or_else(|| {
            CommandError::new("no other revision was in force on this host")
                .with_hint("name a commit; `steadfast report --list` shows what was applied when")
        });
    };
    let mut found = commits.iter().filter(|commit| commit.starts_with(named));
    match (found.next(), found.next()) {
        (Some(commit), None) => Ok(commit.clone()),
        (Some(_), Some(_)) => Err(CommandError::new(format!("several commits begin with {named}"))),
        (None, _) => Err(CommandError::new(format!("{named} was never in force on this host"))
            .with_hint(match commits.as_slice() {
                [] => "nothing has been applied yet".to_owned(),
                known => format!(
                    "these were: {}",
                    known
                        .iter()
                        .take(5)
                        .filter_map(|commit| commit.get(..12))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            })),
    }
}
