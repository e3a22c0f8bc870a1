//! Contents that stand in files beside the policy, and the directory that holds both.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use steadfast_resources::{Beside as Reason, Tree};

use super::super::CommandError;

/// The policy's own name in its directory.
pub(super) const POLICY: &str = "policy.toml";

/// Contents by their path beside the policy.
#[derive(Default)]
pub(super) struct Beside {
    files: BTreeMap<String, File>,
}

struct File {
    title: String,
    content: Vec<u8>,
    reason: Reason,
}

impl Beside {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Adds the content of the file `title`; returns the path a policy has to name.
    pub(super) fn add(&mut self, title: &str, tree: &Tree, reason: Option<Reason>) -> String {
        let content = match tree {
            Tree::File { content, .. } => content.to_vec(),
            Tree::Directory(_) => Vec::new(),
        };
        let reason = reason.unwrap_or(Reason { reason: "is not text".to_owned(), private: true });
        let mut path = path_beside(title);
        while self.files.contains_key(&path) {
            path.push('_');
        }
        self.files.insert(path.clone(), File { title: title.to_owned(), content, reason });
        path
    }

    /// Why nothing is printed without a directory.
    pub(super) fn refusal(&self) -> CommandError {
        let mut error = CommandError::new(match self.files.len() {
            1 => "the content of a file does not belong into the policy's text".to_owned(),
            count => format!("the content of {count} files does not belong into the policy's text"),
        })
        .with_hint("add `--out DIR`: the policy is written there, with such contents beside it");
        let lines =
            self.files.values().map(|file| format!("{} {}", file.title, file.reason.reason));
        error.chain.extend(lines);
        error
    }

    /// Writes the policy and the contents into `directory`, which must not have them yet.
    pub(super) fn write(&self, directory: &Path, policy: &str) -> Result<(), CommandError> {
        make_directory(directory)?;
        // What is private is so before anybody can list it.
        for (path, file) in &self.files {
            let target = directory.join(path);
            if let Some(parent) = target.parent() {
                make_directory(parent)?;
            }
            let mode = if file.reason.private { 0o600 } else { 0o644 };
            write_new(&target, &file.content, mode)?;
        }
        // A policy may hold password hashes.
        write_new(&directory.join(POLICY), policy.as_bytes(), 0o600)
    }
}

/// `files/etc/motd` for `/etc/motd`. Hidden names are not part of a policy directory, so that their
/// dots are written out.
fn path_beside(title: &str) -> String {
    let parts = title.split('/').filter(|part| !part.is_empty());
    let shown = parts.map(|part| match part.strip_prefix('.') {
        Some(rest) => format!("dot.{rest}"),
        None => part.to_owned(),
    });
    shown.fold("files".to_owned(), |path, part| path + "/" + &part)
}

fn make_directory(path: &Path) -> Result<(), CommandError> {
    DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(|error| {
        CommandError::new(format!("cannot make the directory {}", path.display())).because(&error)
    })
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), CommandError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    options.open(path).and_then(|mut file| file.write_all(content)).map_err(|error| {
        let error_text = CommandError::new(format!("cannot write {}", path.display()));
        error_text.because(&error).with_hint("name a directory that does not exist yet")
    })
}

#[cfg(test)]
mod tests {
    use super::path_beside;

    #[test]
    fn paths_beside_a_policy_are_never_hidden() {
        for (title, path) in [
            ("/etc/motd", "files/etc/motd"),
            ("/root/.ssh/id", "files/root/dot.ssh/id"),
            ("//a/", "files/a"),
        ] {
            assert_eq!(path_beside(title), path);
        }
    }
}
