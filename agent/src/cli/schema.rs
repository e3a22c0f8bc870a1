//! `steadfast schema`: JSON Schema of the files that people write, for their editors, and of the
//! documents that the program prints, for those who read them.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use steadfast_resources::Registry;

use super::{CommandError, Exit};
use crate::output::Output;
use crate::reference::schema::{Topic, text};

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Whose schema to print
    #[arg(
        value_enum,
        value_name = "FILE",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    topic: Option<Topic>,
    /// Write all of them into this directory: policy.json, site.json, tests.json, agent.json, report.json, …
    #[arg(long, value_name = "DIR")]
    all: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CommandError> {
    let registry = Registry::standard();
    if let Some(directory) = &arguments.all {
        for topic in Topic::ALL {
            let path = directory.join(topic.file_name());
            write(directory, &path, &text(topic, &registry)).map_err(|error| {
                CommandError::new(format!("cannot write {}", path.display())).because(&error)
            })?;
            output.data(&format!("{}\n", path.display()))?;
        }
    }
    if let Some(topic) = arguments.topic {
        output.data(&text(topic, &registry))?;
    }
    Ok(Exit::Done)
}

/// Replaces `path` in `directory`, whole or not at all.
fn write(directory: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new()
        .prefix(".schema")
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
