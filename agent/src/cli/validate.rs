//! `steadfast validate`: every error of a repository, without a host and with the facts of many.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use steadfast_policies::Diagnostics;

use super::input::{CopyPlace, Input};
use super::{CommandError, Exit, Locations};
use crate::output::{Output, github, sarif};
use crate::source::RepositoryArgument;

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A directory, a Git URL (#branch picks one) or a policy file [default: the configured repository]
    repository: Option<String>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Exit with 1 when there are warnings, too
    #[arg(long, visible_alias = "deny-warnings")]
    strict: bool,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// A list of findings
    Json,
    /// Workflow commands of GitHub Actions, which become annotations
    Github,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
}

pub(super) fn run(
    arguments: &Arguments,
    locations: &Locations,
    output: &Output,
) -> Result<Exit, CommandError> {
    let target = super::input::target_for_validation(Path::new("/"), locations)?;
    let repository = arguments.repository.as_deref();
    let input = Input::open(repository, &target, CopyPlace::Temporary, output)?;
    let findings = input.validate();
    let prefix = || repository.map_or_else(String::new, prefix);
    let as_given = |findings: Diagnostics| match repository.and_then(directory_as_given) {
        Some(directory) => findings.below(&directory),
        None => findings,
    };
    match if arguments.json { Format::Json } else { arguments.format } {
        Format::Text => {
            let findings = as_given(findings.clone());
            output.data(&findings.render(output.style.is_coloured()))?;
            output.data(&(counts(&findings) + "\n"))?;
        }
        Format::Json => {
            let findings = as_given(findings.clone());
            output.data(&(serde_json::to_string_pretty(&findings)? + "\n"))?;
        }
        Format::Github => {
            output.data(&github(&findings, &prefix()))?;
            output.message(&(counts(&findings) + "\n"));
        }
        Format::Sarif => {
            let log = sarif(&findings, &prefix());
            output.data(&(serde_json::to_string_pretty(&log)? + "\n"))?;
        }
    }
    let bad = findings.has_errors() || arguments.strict && !findings.is_empty();
    Ok(if bad { Exit::Failed } else { Exit::Done })
}

/// The directory of the policy file `repository`, as it was given; `None` where it is no policy file
/// or named without a directory.
fn directory_as_given(repository: &str) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let Ok(RepositoryArgument::PolicyFile(_)) = RepositoryArgument::parse(repository, &here) else {
        return None;
    };
    let (directory, _) = repository.rsplit_once('/')?;
    Some(directory.to_owned())
}

fn counts(findings: &Diagnostics) -> String {
    let errors = findings.error_count();
    let warnings = findings.len() - errors;
    let count =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", count(errors, "error"), count(warnings, "warning"))
}

/// Where the files of `repository` are, seen from the working directory: code hosts know files by
/// their paths in the Git repository, in whose root CI jobs start. Empty where they are not below.
fn prefix(repository: &str) -> String {
    let Ok(here) = std::env::current_dir() else { return String::new() };
    let directory: PathBuf = match RepositoryArgument::parse(repository, &here) {
        Ok(RepositoryArgument::Directory(path)) => path,
        Ok(RepositoryArgument::PolicyFile(path)) => match path.parent() {
            Some(parent) => parent.to_owned(),
            None => return String::new(),
        },
        Ok(RepositoryArgument::Git { .. }) | Err(_) => return String::new(),
    };
    let (Ok(directory), Ok(here)) = (here.join(directory).canonicalize(), here.canonicalize())
    else {
        return String::new();
    };
    directory
        .strip_prefix(&here)
        .map_or_else(|_| String::new(), |path| path.to_string_lossy().into_owned())
}
