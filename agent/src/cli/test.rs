//! `steadfast test`: the repository's own tests.

use std::path::Path;

use clap::Args;

use super::input::{CopyPlace, Input};
use super::{CommandError, Exit, Locations};
use crate::output::{Output, test_document, test_text};

/// Arguments of `test`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A directory or a Git URL (#branch picks one) [default: the configured repository]
    repository: Option<String>,
    /// Only cases whose name or file contains this word
    #[arg(long, value_name = "WORD")]
    filter: Option<String>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let target = super::input::target_for_validation(Path::new("/"), locations)?;
    let input =
        Input::open(arguments.repository.as_deref(), &target, CopyPlace::Temporary, output)?;
    let Some(results) = input.test(arguments.filter.as_deref()) else {
        return Err(CommandError::new("a single policy file has no tests")
            .with_hint("name the directory with `site.toml`; its cases are in `tests/*.toml`"));
    };
    if arguments.json {
        output.data(&(serde_json::to_string_pretty(&test_document(&results))? + "\n"))?;
    } else {
        output.message(&results.diagnostics.render(output.message_style.is_coloured()));
        if results.cases.is_empty() {
            let message = match &arguments.filter {
                Some(word) => format!("no case has {word:?} in its name or file\n"),
                None => "there are no cases: write them as `tests/NAME.toml`\n".to_owned(),
            };
            output.message(&message);
        }
        output.data(&test_text(&results, output.style))?;
    }
    Ok(if results.passed() { Exit::Done } else { Exit::Failed })
}
