//! `steadfast drift`: what drifted, since when, who did it, and whether it is mended.

use std::path::PathBuf;

use clap::Args;

use super::history::{self, Since};
use super::{CommandError, Exit, Locations};
use crate::drift::Episode;
use crate::output::{DriftDocument, Output, drift_summary, drift_text};
use crate::state::EpisodeQuery;

/// What is shown where nobody says how far to go back.
const USUAL: &str = "7d";

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only the drift of this resource: KIND.TITLE, for instance service.nginx or file./etc/motd
    #[arg(value_name = "KIND.TITLE")]
    name: Option<String>,
    #[command(flatten)]
    since: Since,
    /// Only what nothing has put right yet
    #[arg(long)]
    open: bool,
    /// Print it as JSON (`steadfast schema drift`)
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
    let resource = history::resource(arguments.name.as_deref())?;
    let state = history::open(&arguments.root, locations)?;
    // Who names a resource, or asks for what is open, wants all of it.
    let usual = (resource.is_none() && !arguments.open).then(|| super::since::parse(USUAL).ok());
    let since = arguments.since.since.clone().or_else(|| usual.flatten());
    let query = EpisodeQuery { since, open: arguments.open, resource, limit: None };
    let episodes = state.episodes(&query)?;
    let pending = episodes.iter().any(Episode::is_open);
    if arguments.json {
        let document = DriftDocument::new(episodes, query.since);
        output.data(&(serde_json::to_string_pretty(&document)? + "\n"))?;
    } else {
        if !episodes.is_empty() {
            output.data(&drift_text(&episodes, output.style, output.width))?;
        }
        output.data(&drift_summary(&episodes, query.since.as_deref(), output.style))?;
    }
    Ok(if pending { Exit::Pending } else { Exit::Done })
}
