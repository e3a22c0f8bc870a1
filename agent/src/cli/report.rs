//! `steadfast report`: what a run did, which runs there were, and whether none is missing.

use std::path::PathBuf;

use clap::Args;

use super::history::{self, Since};
use super::{CommandError, Exit, Locations};
use crate::output::{Output, RunsDocument, chain_text, report_text, runs_text};
use crate::state::{RunQuery, State};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run's id, its beginning or its last part [default: the last run]
    #[arg(conflicts_with_all = ["list", "since", "resource", "verify", "html"])]
    id: Option<String>,
    /// List the runs instead, the newest first
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    since: Since,
    /// List the runs in which something happened to this resource
    #[arg(long, value_name = "KIND.TITLE")]
    resource: Option<String>,
    /// Follow the chain of all kept reports; exits with 1 where one was changed or is missing
    #[arg(long, conflicts_with_all = ["list", "since", "resource", "html"])]
    verify: bool,
    /// Write the history as one page for a browser into this file; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "list"])]
    html: Option<PathBuf>,
    /// Print it as JSON (`steadfast schema report`): a whole report has every resource
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
    let resource = history::resource(arguments.resource.as_deref())?;
    let state = history::open(&arguments.root, locations)?;
    if arguments.verify {
        return verify(&state, arguments, output);
    }
    let since = arguments.since.since.clone();
    if arguments.list || since.is_some() || resource.is_some() {
        return list(&state, &RunQuery { since, resource, limit: None }, arguments, output);
    }
    let Some(stored) = state.stored_run(arguments.id.as_deref())? else {
        return Err(match &arguments.id {
            Some(id) => CommandError::new(format!("no recorded run's id begins or ends with {id}"))
                .with_hint("`steadfast report --list` shows the runs"),
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

fn list(
    state: &State,
    query: &RunQuery,
    arguments: &Arguments,
    output: &Output,
) -> Result<Exit, CommandError> {
    let runs = state.run_summaries(query)?;
    if arguments.json {
        let document = RunsDocument::new(runs);
        output.data(&(serde_json::to_string_pretty(&document)? + "\n"))?;
    } else if runs.is_empty() {
        output.message("no kept run is like that\n");
    } else {
        output.data(&runs_text(&runs, output.style, output.width))?;
    }
    Ok(Exit::Done)
}

fn verify(state: &State, arguments: &Arguments, output: &Output) -> Result<Exit, CommandError> {
    let check = state.verify_chain()?;
    if arguments.json {
        output.data(&(serde_json::to_string_pretty(&check)? + "\n"))?;
    } else {
        output.data(&chain_text(&check, output.style))?;
    }
    Ok(if check.broken.is_none() { Exit::Done } else { Exit::Failed })
}
