//! `steadfast restore`: put back content that was replaced.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;

use super::{CommandError, Exit, Locations};
use crate::output::Output;
use crate::state::{KeptContent, State};

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The file, by its absolute path on the managed system
    #[arg(required_unless_present = "list")]
    path: Option<String>,
    /// Which content: its digest, or the beginning of it [default: the newest kept]
    #[arg(long)]
    digest: Option<String>,
    /// Only list what is kept (for the path, or for all)
    #[arg(long)]
    list: bool,
    /// The root directory of the managed system
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}
