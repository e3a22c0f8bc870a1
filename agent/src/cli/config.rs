//! `steadfast config`: the effective settings, and where each comes from.

use clap::Args;

use super::{CommandError, Exit, Locations};
use crate::output::Output;

/// Arguments of `config`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print the settings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let settings = locations.settings()?;
    for warning in &settings.warnings {
        output.message(&format!("warning: {warning}\n"));
    }
    if arguments.json {
        output.data(&(serde_json::to_string_pretty(settings.describe())? + "\n"))?;
    } else {
        output.data(&settings.describe().to_string())?;
    }
    Ok(Exit::Done)
}
