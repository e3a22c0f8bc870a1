//! `--tags` and `--skip-tags`.

use clap::Args;
use steadfast_policies::Catalog;

use super::CommandError;
use crate::engine::{Selection, SelectionError};

/// Which resources a command is about.
#[derive(Debug, Args)]
pub(super) struct SelectionArguments {
    /// Only resources with one of these tags: their own, their kind, policy or module
    #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
    tags: Vec<String>,
    /// No resources with any of these tags
    #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
    skip_tags: Vec<String>,
}

impl SelectionArguments {
    /// Whether no option leaves anything out.
    pub(super) fn is_all(&self) -> bool {
        self.tags.is_empty() && self.skip_tags.is_empty()
    }

    /// The selection, for the resources of `catalog`; without options, `otherwise`.
    pub(super) fn of(
        &self,
        catalog: &Catalog,
        otherwise: Option<&Selection>,
    ) -> Result<Selection, CommandError> {
        let mut selection =
            Selection { tags: self.tags.clone(), skip_tags: self.skip_tags.clone() };
        if selection.is_all() {
            selection = otherwise.cloned().unwrap_or_default();
        }
        selection.check(catalog).map_err(|error| {
            let hint = match &error {
                SelectionError::Unknown { hint, .. } => hint.clone(),
                SelectionError::Nothing { .. } => "leave out one of them".to_owned(),
            };
            CommandError::from(error).with_hint(hint)
        })?;
        Ok(selection)
    }
}
