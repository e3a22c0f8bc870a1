//! `steadfast agent`: the service.

use std::path::PathBuf;

use clap::Args;

use super::{CommandError, Exit, Locations};
use crate::service::{self, Options, SOCKET, ServiceError};

/// Arguments of `agent`.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: &Arguments, locations: &Locations) -> Result<Exit, CommandError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(CommandError::new("the agent runs as root")
            .with_hint("`systemctl start steadfast` starts it"));
    }
    // Says what is wrong with a directory that was named.
    locations.settings()?;
    let options = Options {
        config_directory: locations
            .config_dir
            .clone()
            .unwrap_or_else(|| PathBuf::from("/etc/steadfast")),
        state_directory: locations.state_directory(std::path::Path::new("/")),
        socket: locations.socket.clone().unwrap_or_else(|| PathBuf::from(SOCKET)),
    };
    match service::run(&options) {
        Ok(()) => Ok(Exit::Done),
        Err(error @ ServiceError::NoRepository) => Err(CommandError::from(error)
            .with_hint("set repository.url in /etc/steadfast/agent.toml, then start it again")),
        Err(error) => Err(error.into()),
    }
}
