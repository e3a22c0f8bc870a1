//! `steadfast validate`: every error of a repository, without a host.

use std::path::Path;

use super::input::{CopyPlace, Input, Target};
use super::{CommandError, Exit, Locations};
use crate::output::Output;
use clap::Args;

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A directory, a Git URL (#branch picks one) or a policy file [default: the configured repository]
    repository: Option<String>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let target = Target::for_validation(Path::new("/"), locations)?;
    let input =
        Input::open(arguments.repository.as_deref(), &target, CopyPlace::Temporary, output)?;
    let findings = input.validate();
    if arguments.json {
        output.data(&(serde_json::to_string_pretty(&findings)? + "\n"))?;
    } else {
        output.message(&findings.render(output.message_style.is_coloured()));
        let errors = findings.error_count();
        let warnings = findings.len() - errors;
        let count = |count: usize, word: &str| {
            format!("{count} {word}{}", if count == 1 { "" } else { "s" })
        };
        output.data(&format!("{}, {}\n", count(errors, "error"), count(warnings, "warning")))?;
    }
    Ok(if findings.has_errors() { Exit::Failed } else { Exit::Done })
}
