//! `steadfast plan`: what would change, without changing it.

use std::path::PathBuf;

use clap::Args;
use steadfast_resources::host::{Host, RealHost};

use super::input::{CopyPlace, Input};
use super::selection::SelectionArguments;
use super::supposed::SupposedArguments;
use super::{CommandError, Exit, Locations};
use crate::engine::{Circumstances, make_plan_of};
use crate::output::{Output, PlanDocument, plan_text};
use crate::state::{InForce, State};

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A directory, a Git URL (#branch picks one) or a policy file [default: the configured repository]
    repository: Option<String>,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
    /// Keep the plan in a file, for `apply --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    supposed: SupposedArguments,
    #[command(flatten)]
    selection: SelectionArguments,
    /// The root directory of the managed system
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let mut target = super::input::target(&arguments.root, locations, arguments.supposed.facts()?)?;
    arguments.supposed.label(&mut target);
    let input =
        Input::open(arguments.repository.as_deref(), &target, CopyPlace::Temporary, output)?;
    let catalog = input.evaluate(&target, output)?;
    let selection = arguments.selection.of(&catalog, None)?;
    let host = RealHost::new(&target.host_options());
    let (in_force, owed) = match State::open_read_only(&target.root, &target.state_directory)? {
        Some(state) => (state.in_force(&catalog)?, state.owed()?),
        None => (InForce::Declarations(std::collections::HashMap::new()), Vec::new()),
    };
    let plan = make_plan_of(
        &selection,
        &Circumstances::default(),
        &catalog,
        &host.view(),
        &in_force,
        &owed,
    );
    let document =
        PlanDocument::new(&catalog, &plan, &input.revision, &target.host_name(), target.audit());
    let json = || serde_json::to_string_pretty(&document).map(|text| text + "\n");
    if let Some(file) = &arguments.out {
        super::input::write_new(file, json()?.as_bytes())?;
    }
    if arguments.json {
        output.data(&json()?)?;
    } else {
        output.data(&plan_text(&document, output.style))?;
    }
    Ok(if plan.is_empty() { Exit::Done } else { Exit::Pending })
}
