//! `steadfast report`: what a run did, which runs there were, and whether none is missing.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::history::{self, Since};
use super::{CommandError, Exit, Locations};
use crate::output::{
    Output, PageData, PageLimits, RunsDocument, chain_text, page, report_text, runs_text,
};
use crate::state::{EpisodeQuery, RunQuery, State};

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
    if let Some(file) = &arguments.html {
        return html(&state, &RunQuery { since, resource, limit: None }, file, output);
    }
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

/// Writes the page. It holds what reports hold, which others must not read.
fn html(
    state: &State,
    query: &RunQuery,
    file: &Path,
    output: &Output,
) -> Result<Exit, CommandError> {
    let runs = state.run_summaries(query)?;
    let (since, resource) = (query.since.clone(), query.resource.clone());
    let episodes = state.episodes(&EpisodeQuery {
        since: since.clone(),
        resource,
        open: false,
        limit: None,
    })?;
    let limits = PageLimits::default();
    let mut data = PageData::new(&runs, episodes, since, crate::clock::now(), limits);
    let limit = u32::try_from(limits.runs).ok();
    state.visit_runs(&RunQuery { limit, ..query.clone() }, |report| data.add(report))?;
    let text = page(&data)?;
    if file == Path::new("-") {
        output.data(&text)?;
        return Ok(Exit::Done);
    }
    write(file, &text).map_err(|error| {
        CommandError::new(format!("cannot write {}", file.display())).because(&error)
    })?;
    output.message(&format!("{}\n", file.display()));
    Ok(Exit::Done)
}

/// Replaces `file` whole or not at all, readable by its owner only.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new().prefix(".report").tempfile_in(directory)?;
    temporary.write_all(text.as_bytes())?;
    temporary.persist(file)?;
    Ok(())
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
