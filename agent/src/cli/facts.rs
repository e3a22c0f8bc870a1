//! `steadfast facts`: what policies can know about this host.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use steadfast_resources::facts::Facts;

use super::{CommandError, Exit};
use crate::output::Output;

/// Arguments of `facts`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only this fact (`os.family`)
    fact: Option<String>,
    /// Print exactly what policies see, as `plan --facts` reads it
    #[arg(long)]
    json: bool,
    /// The root directory of the managed system
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CommandError> {
    let facts = Facts::gather(&arguments.root, Instant::now() + Duration::from_secs(30))?;
    for warning in &facts.warnings {
        output.message(&format!("warning: {warning}\n"));
    }
    if let Some(name) = &arguments.fact {
        let name = name.strip_prefix("facts.").unwrap_or(name);
        let path = format!("/{}", name.replace('.', "/"));
        let Some(value) = facts.values.pointer(&path) else {
            return Err(CommandError::new(format!("there is no fact {name:?}"))
                .with_hint("`steadfast facts` lists them all"));
        };
        let text = match value.as_str() {
            Some(text) if !arguments.json => text.to_owned(),
            _ => serde_json::to_string_pretty(value)?,
        };
        output.data(&(text + "\n"))?;
        return Ok(Exit::Done);
    }
    let shown = if arguments.json {
        facts.values
    } else {
        json!({ "facts": facts.values, "not visible to policies": facts.volatile })
    };
    output.data(&(serde_json::to_string_pretty(&shown)? + "\n"))?;
    Ok(Exit::Done)
}
