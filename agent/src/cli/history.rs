//! The state as commands read it that only show something, while the agent may be at work.

use std::path::Path;

use clap::Args;

use super::{CommandError, Exit, Locations};
use crate::explain::parse_name;
use crate::state::{State, StateError};

/// Which part of the history is asked for.
#[derive(Debug, Args)]
pub(super) struct Since {
    /// Only what happened since: 2h, 3d, a date, or a time as RFC 3339 writes it
    #[arg(long, value_name = "WHEN", value_parser = super::since::parse)]
    pub(super) since: Option<String>,
}

/// Opens the state for reading.
pub(super) fn open(root: &Path, locations: &Locations) -> Result<State, CommandError> {
    let directory = locations.state_directory(root);
    match State::open_history(root, &directory) {
        Ok(Some(state)) => Ok(state),
        Ok(None) => {
            Err(CommandError::new(format!("no run is recorded in {}", directory.display()))
                .with_hint("`steadfast apply REPO` makes one"))
        }
        Err(error) if is_forbidden(&error) => {
            let text =
                format!("this user may not read the agent's state in {}", directory.display());
            Err(CommandError::new(text).because(&error).with_hint("run it as root"))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_forbidden(error: &StateError) -> bool {
    let (StateError::Directory { source, .. } | StateError::File { source, .. }) = error else {
        return false;
    };
    source.kind() == std::io::ErrorKind::PermissionDenied
}

/// Kind and title of a resource on the command line.
pub(super) fn resource(name: Option<&str>) -> Result<Option<(String, String)>, CommandError> {
    let parsed = name.map(parse_name).transpose();
    parsed.map_err(|problem| CommandError::new(problem).with_exit(Exit::Usage))
}
