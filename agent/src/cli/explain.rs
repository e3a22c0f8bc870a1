//! `steadfast explain`: where a resource comes from, and what became of it.

use std::path::PathBuf;

use clap::Args;
use steadfast_policies::Extent;
use steadfast_policies::trace::{Attribute, Trace};
use steadfast_resources::Registry;

use super::input::{CopyPlace, Input};
use super::supposed::SupposedArguments;
use super::{CommandError, Exit, Locations};
use crate::explain::{
    EXPLANATION_SCHEMA, Explanation, changed_file, changed_lines, neighbours, parse_name, position,
};
use crate::managed::ManagedHost;
use crate::output::{Output, explain_text};
use crate::report::display_reference;
use crate::state::{EpisodeQuery, State};

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The resource: KIND.TITLE, for instance service.nginx or file./etc/motd
    #[arg(value_name = "KIND.TITLE")]
    name: String,
    /// A directory, a Git URL (#branch picks one) or a policy file [default: the configured repository]
    repository: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    /// How many runs are told in which something happened to it, and how many episodes of drift
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    runs: usize,
    #[command(flatten)]
    supposed: SupposedArguments,
    /// The root directory of the managed system
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let (kind, title) = parse_name(&arguments.name)
        .map_err(|problem| CommandError::new(problem).with_exit(Exit::Usage))?;
    let mut target = super::input::target(&arguments.root, locations, arguments.supposed.facts()?)?;
    arguments.supposed.label(&mut target);
    let input =
        Input::open(arguments.repository.as_deref(), &target, CopyPlace::Temporary, output)?;
    let (catalog, trace) = input.trace(&target, (&kind, &title), output)?;
    if trace.subject.is_none() && trace.absent.is_empty() {
        let error = unknown(&kind, &title, &trace);
        let last = if arguments.supposed.another_host() {
            None
        } else {
            last_seen(&target, &kind, &title)?
        };
        return Err(match last {
            Some(last) => error.with_hint(last),
            None => error,
        });
    }
    // Declarations that made other titles only look alike: the name is probably wrong.
    let guess =
        trace.subject.is_none() && trace.absent.iter().all(|absent| absent.reason.is_weak());
    let mut explanation = Explanation {
        schema: EXPLANATION_SCHEMA,
        host: target.host_name(),
        revision: input.revision.clone(),
        present: trace.subject.is_some(),
        subject: trace.subject,
        absent: trace.absent,
        near: if guess { trace.near } else { Vec::new() },
        touched: Vec::new(),
        files: Vec::new(),
        without_history: None,
        after: Vec::new(),
        before: Vec::new(),
        runs: None,
        episodes: Vec::new(),
        owed: Vec::new(),
        notes: Vec::new(),
        kind,
        title,
    };
    if let Some(index) = position(&catalog, &explanation.kind, &explanation.title) {
        (explanation.after, explanation.before) = neighbours(&catalog, index);
    }
    if let Err(problem) = blame(&input, &mut explanation) {
        explanation.without_history = Some(problem);
    }
    if arguments.supposed.another_host() {
        let note = "the facts are given: what happened on this host is left out";
        explanation.notes.push(note.to_owned());
    } else {
        recall(&target, arguments.runs, &mut explanation)?;
    }
    if arguments.json {
        output.data(&(serde_json::to_string_pretty(&explanation)? + "\n"))?;
    } else {
        output.data(&explain_text(&explanation, output.style))?;
    }
    Ok(if guess { Exit::Failed } else { Exit::Done })
}

fn unknown(kind: &str, title: &str, trace: &Trace) -> CommandError {
    let registry = Registry::standard();
    if registry.kind(kind).is_none() {
        let kinds: Vec<&str> = registry.kinds().map(|kind| kind.declaration().name).collect();
        return CommandError::new(format!("there is no kind {kind:?}"))
            .with_hint(format!("the kinds are {}", kinds.join(", ")));
    }
    let name = display_reference(kind, title);
    let error = CommandError::new(format!("the policies have no resource {name}"));
    match trace.near.as_slice() {
        [] => error.with_hint("names are written as in the policies: kind, dot, title"),
        [near] => error.with_hint(format!("did you mean {near}?")),
        near => error.with_hint(format!("did you mean one of {}?", near.join(", "))),
    }
}

/// What the kept reports say about a resource that nothing declares any more.
fn last_seen(
    target: &ManagedHost,
    kind: &str,
    title: &str,
) -> Result<Option<String>, CommandError> {
    let Some(state) = State::open_read_only(&target.root, &target.state_directory)? else {
        return Ok(None);
    };
    let runs = state.runs_with(kind, title, 1)?.runs;
    Ok(runs.first().map(|last| {
        let resource = &last.resource;
        format!(
            "it was declared at {}:{} when run {} of {} last did something to it; \
             `steadfast report {}` shows that",
            resource.file, resource.line, last.run, last.started, last.run
        )
    }))
}

/// Who last touched the declaration and the files that it uses.
fn blame(input: &Input, explanation: &mut Explanation) -> Result<(), String> {
    let history = input.history()?;
    let told = |error: crate::source::SourceError| error.to_string();
    let subject = explanation.subject.as_ref();
    let declared: Option<&Extent> = subject
        .map(|subject| &subject.declared)
        .or_else(|| explanation.absent.first().map(|absent| &absent.declared));
    if let Some(extent) = declared {
        let content = input.content(&extent.file).unwrap_or_default();
        let lines = (extent.line, extent.last_line);
        let touched = changed_lines(&history, &extent.file, &content, lines).map_err(told)?;
        explanation.touched = touched;
    }
    let attributes: &[Attribute] = subject.map_or(&[], |subject| &subject.attributes);
    for path in attributes.iter().flat_map(|attribute| &attribute.files) {
        let content = input.content(path);
        let file = changed_file(&history, path, content.as_deref()).map_err(told)?;
        explanation.files.push(file);
    }
    Ok(())
}

/// What the state keeps about the resource.
fn recall(
    target: &ManagedHost,
    runs: usize,
    explanation: &mut Explanation,
) -> Result<(), CommandError> {
    let Some(state) = State::open_read_only(&target.root, &target.state_directory)? else {
        return Ok(());
    };
    let (kind, title) = (explanation.kind.as_str(), explanation.title.as_str());
    explanation.runs = Some(state.runs_with(kind, title, runs)?);
    explanation.episodes = state.episodes(&EpisodeQuery {
        resource: Some((kind.to_owned(), title.to_owned())),
        limit: u32::try_from(runs).ok(),
        ..EpisodeQuery::default()
    })?;
    explanation.owed = state.owed()?;
    explanation.owed.retain(|owed| owed.target_kind == kind && owed.target_title == title);
    Ok(())
}
