//! `steadfast report`: what a run did.

use std::path::PathBuf;

use clap::Args;

use super::{CommandError, Exit, Locations};
use crate::output::{Output, report_text};
use crate::state::State;

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run's id, or its beginning [default: the last run]
    id: Option<String>,
    /// Print the whole report as JSON, every resource accounted for
    #[arg(long)]
    json: bool,
    /// The root directory of the managed system
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let directory = locations.state_directory(&arguments.root);
    let Some(state) = State::open_read_only(&arguments.root, &directory)? else {
        return Err(CommandError::new(format!("no run is recorded in {}", directory.display()))
            .with_hint("`steadfast apply REPO` makes one"));
    };
    let Some(stored) = state.stored_run(arguments.id.as_deref())? else {
        return Err(match &arguments.id {
            Some(id) => CommandError::new(format!("no recorded run's id begins with {id}")),
            None => CommandError::new("no run is recorded yet")
                .with_hint("`steadfast apply REPO` makes one"),
        });
    };
    let report = stored.report.completed(&stored.listing);
    if arguments.json {
        output.data(&(serde_json::to_string_pretty(&report)? + "\n"))?;
    } else {
        output.data(&report_text(&report, output.style))?;
    }
    Ok(Exit::Done)
}
