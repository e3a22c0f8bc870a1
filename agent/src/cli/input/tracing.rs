//! What `explain` asks of the policies besides the catalog: notes, history, contents.

use steadfast_policies::trace::Trace;
use steadfast_policies::{Catalog, Inputs, evaluate_policy_tracing, evaluate_tracing};
use steadfast_resources::Registry;

use super::{CommandError, Input, ManagedHost, Output, Policies, refused};
use crate::source::{History, NoHistory};

impl Input {
    /// The catalog for the host, and where the resource of this kind and title comes from; errors
    /// are printed.
    pub(in crate::cli) fn trace(
        &self,
        target: &ManagedHost,
        name: (&str, &str),
        output: &Output,
    ) -> Result<(Catalog, Trace), CommandError> {
        let inputs = Inputs { facts: target.facts.clone(), labels: target.settings.labels.clone() };
        let registry = Registry::standard();
        let result = match &self.policies {
            Policies::Site(repository) => {
                evaluate_tracing(repository.as_ref(), &inputs, &registry, name)
            }
            Policies::Single { directory, file, text } => {
                evaluate_policy_tracing(directory.as_ref(), file, text, &inputs, &registry, name)
            }
        };
        result.map_err(|diagnostics| refused(&diagnostics, output))
    }

    /// The history of the policies, or why there is none.
    pub(in crate::cli) fn history(&self) -> Result<History, String> {
        if let Some((source, id)) = &self.accepted {
            return source.history(*id).map_err(|error| error.to_string());
        }
        let Some(root) = &self.root else {
            return Err("a single policy file has no history of its own".to_owned());
        };
        History::of_directory(root).map_err(|reason| match reason {
            NoHistory::Unversioned => "the directory is not under version control".to_owned(),
            NoHistory::NoCommit => "nothing is committed yet".to_owned(),
            NoHistory::Unreadable { reason } => {
                format!("Git's repository cannot be read: {reason}")
            }
        })
    }

    /// The content of a file of the policies, where there is one.
    pub(in crate::cli) fn content(&self, path: &str) -> Option<Vec<u8>> {
        match &self.policies {
            Policies::Site(repository) => repository.read(path).ok().flatten(),
            Policies::Single { directory, .. } => directory.read(path).ok().flatten(),
        }
    }
}
