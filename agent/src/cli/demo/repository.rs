//! The demonstration's policy repository: real Git, written without a git program.

use std::path::Path;

use gix::objs::Tree;
use gix::objs::tree::{Entry, EntryKind};

use crate::cli::CommandError;

/// A bare Git repository with one branch, `main`.
pub(super) struct DemoRepository {
    repository: gix::Repository,
    head: Option<gix::ObjectId>,
    seconds: i64,
}

impl DemoRepository {
    pub(super) fn make(directory: &Path) -> Result<Self, CommandError> {
        let repository = gix::init_bare(directory)?;
        Ok(Self { repository, head: None, seconds: 1_767_225_600 })
    }

    /// Commits exactly these files (path, content) and returns the commit's id.
    pub(super) fn commit(
        &mut self,
        message: &str,
        files: &[(&str, &str)],
    ) -> Result<String, CommandError> {
        let paths: Vec<(Vec<&str>, &str)> =
            files.iter().map(|(path, content)| (path.split('/').collect(), *content)).collect();
        let tree = self.tree(&paths)?;
        self.seconds += 60;
        let time = format!("{} +0000", self.seconds);
        let author = gix::actor::SignatureRef {
            name: "Policy Author".into(),
            email: "author@example.com".into(),
            time: &time,
        };
        let id = self
            .repository
            .commit_as(author, author, "refs/heads/main", message, tree, self.head)?
            .detach();
        self.head = Some(id);
        Ok(id.to_string())
    }

    fn tree(&self, files: &[(Vec<&str>, &str)]) -> Result<gix::ObjectId, CommandError> {
        let mut entries = Vec::new();
        let mut names: Vec<&str> =
            files.iter().filter_map(|(path, _)| path.first().copied()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let below: Vec<(Vec<&str>, &str)> = files
                .iter()
                .filter(|(path, _)| path.first() == Some(&name))
                .map(|(path, content)| (path.iter().skip(1).copied().collect(), *content))
                .collect();
            let (mode, oid) = match below.first() {
                Some((rest, content)) if rest.is_empty() => {
                    (EntryKind::Blob, self.repository.write_blob(content.as_bytes())?.detach())
                }
                _ => (EntryKind::Tree, self.tree(&below)?),
            };
            entries.push(Entry { mode: mode.into(), filename: name.into(), oid });
        }
        entries.sort();
        Ok(self.repository.write_object(&Tree { entries })?.detach())
    }
}
