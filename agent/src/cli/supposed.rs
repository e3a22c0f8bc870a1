//! `--facts`, `--sample` and `--label`: a host as it might be.

use std::path::PathBuf;

use clap::Args;
use steadfast_policies::{sample_facts, sample_names};

use super::CommandError;
use super::input::facts_from;
use crate::managed::ManagedHost;

/// What is to be taken for true of the host.
#[derive(Debug, Args)]
pub(super) struct SupposedArguments {
    /// Suppose these facts instead of this host's (JSON as `steadfast facts --json` prints it)
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    facts: Option<PathBuf>,
    /// Suppose the facts of a built-in sample, for instance debian-12
    #[arg(long, value_name = "NAME")]
    sample: Option<String>,
    /// Suppose a label, in place of one of the same name in agent.toml; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    label: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, for instance role=web".to_owned()),
    }
}

impl SupposedArguments {
    /// Whether the facts are not those of this host.
    pub(super) fn another_host(&self) -> bool {
        self.facts.is_some() || self.sample.is_some()
    }

    /// The facts supposed; `None` for those of this host.
    pub(super) fn facts(&self) -> Result<Option<serde_json::Value>, CommandError> {
        if let Some(file) = &self.facts {
            return facts_from(file).map(Some);
        }
        let Some(name) = &self.sample else { return Ok(None) };
        let facts = sample_facts(name).ok_or_else(|| {
            let names: Vec<&str> = sample_names().collect();
            CommandError::new(format!("there is no sample {name:?}"))
                .with_hint(format!("the samples are: {}", names.join(", ")))
        })?;
        Ok(Some(facts))
    }

    /// Gives `target` the labels supposed.
    pub(super) fn label(&self, target: &mut ManagedHost) {
        target.settings.labels.extend(self.label.iter().cloned());
    }
}
