//! `steadfast pause` and `steadfast resume`.

use std::time::Duration;

use clap::Args;

use super::{CommandError, Exit, Locations, run};
use crate::clock;
use crate::output::{Output, short_duration};

/// Arguments of `pause`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// For how long, for example 30m, 2h or 1d; it ends by itself
    #[arg(long = "for", value_name = "TIME", value_parser = crate::config::duration)]
    duration: Duration,
    /// Why; it shows in every report until the end
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub(super) struct ResumeArguments {}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let body = serde_json::json!({
        "seconds": arguments.duration.as_secs(),
        "reason": arguments.reason,
    });
    locations.client().ask("POST", "/v1/pause", Some(&body), |_| false).map_err(run::explained)?;
    output.data(&format!(
        "paused for {}, until {}: drift is reported and not corrected\n",
        short_duration(arguments.duration),
        clock::after(arguments.duration)
    ))?;
    Ok(Exit::Done)
}

pub(super) fn resume(
    _arguments: &ResumeArguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let followed = run::follow(("POST", "/v1/resume", None), false, locations, output)?;
    Ok(followed.unwrap_or_else(|| {
        output.message("the agent is not paused\n");
        Exit::Done
    }))
}
