//! `steadfast status`: one screen about how this host is kept.

use std::path::Path;

use clap::Args;

use super::{CommandError, Exit, Locations, run};
use crate::output::{Output, StatusDocument, status_text};
use crate::service::ClientError;
use crate::state::State;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print the status as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let (agent, trouble) = match locations.client().status() {
        Ok(live) => (Some(live), None),
        Err(error @ ClientError::Forbidden) => return Err(run::explained(error)),
        Err(error) => (None, Some(error.to_string())),
    };
    let directory = locations.state_directory(Path::new("/"));
    let state = State::open_read_only(Path::new("/"), &directory)?;
    let document = StatusDocument::new(agent, trouble, state.as_ref())?;
    if arguments.json {
        output.data(&(serde_json::to_string_pretty(&document)? + "\n"))?;
    } else {
        output.data(&status_text(&document, output.style))?;
    }
    Ok(match (&document.agent, document.outcome) {
        (None, _) => Exit::Failed,
        (_, Some(outcome)) => run::exit(outcome),
        (_, None) => Exit::Pending,
    })
}
