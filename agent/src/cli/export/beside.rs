//! Contents that stand in files beside the policy, and the directory that holds both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use steadfast_resources::{Beside as Reason, Tree};

use super::super::CommandError;
use super::directory::NewDirectory;

/// The policy's own name in its directory.
pub(super) const POLICY: &str = "policy.toml";

/// The longest name that a file can have, in bytes.
const LONGEST: usize = 255;

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
        let path = self.unused(&path_beside(title));
        self.files.insert(path.clone(), File { title: title.to_owned(), content, reason });
        path
    }

    /// `path` in the first directory `files`, `files-2` and so on where nothing is in its way.
    fn unused(&self, path: &str) -> String {
        let below = |path: &str, above: &str| {
            path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let free = |path: &String| {
            !self.files.keys().any(|known| below(known, path) || below(path, known))
        };
        let tops = std::iter::once("files".to_owned())
            .chain((2_usize..).map(|number| format!("files-{number}")));
        tops.map(|top| format!("{top}/{path}")).find(free).unwrap_or_default()
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

    /// Writes the policy and the contents into `directory`, which must be new or empty.
    pub(super) fn write(&self, directory: &Path, policy: &str) -> Result<(), CommandError> {
        let directory = NewDirectory::open(directory)?;
        // What is private is so before anybody can list it.
        for (path, file) in &self.files {
            let mode = if file.reason.private { 0o600 } else { 0o644 };
            directory.write(path, &file.content, mode)?;
        }
        // A policy may hold password hashes.
        directory.write(POLICY, policy.as_bytes(), 0o600)
    }
}

/// `etc/motd` for `/etc/motd`. Hidden names are not part of a policy directory, so that their dots
/// are written out; what a repository refuses in a name is written in hexadecimal.
fn path_beside(title: &str) -> String {
    let parts = title.split('/').filter(|part| !part.is_empty());
    parts.map(name_beside).collect::<Vec<_>>().join("/")
}

fn name_beside(name: &str) -> String {
    let mut shown = String::new();
    for (index, letter) in name.chars().enumerate() {
        match letter {
            '.' if index == 0 => shown.push_str("dot."),
            letter if letter == '\\' || letter.is_control() => {
                let _ = write!(shown, "0x{:02x}", u32::from(letter));
            }
            letter => shown.push(letter),
        }
    }
    while shown.len() > LONGEST {
        shown.pop();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(titles: &[&str]) -> (Beside, Vec<String>) {
        let mut beside = Beside::default();
        let tree = Tree::File { content: (*b"x").into(), executable: false };
        let paths = titles.iter().map(|title| beside.add(title, &tree, None)).collect();
        (beside, paths)
    }

    #[test]
    fn paths_beside_a_policy_are_what_a_repository_takes() {
        for (title, path) in [
            ("/etc/motd", "etc/motd"),
            ("/root/.ssh/id", "root/dot.ssh/id"),
            ("//a/", "a"),
            ("/a\\b/c\u{7f}", "a0x5cb/c0x7f"),
        ] {
            assert_eq!(path_beside(title), path);
        }
        let long = format!("/.{}", "ü".repeat(127));
        assert!(path_beside(&long).len() <= LONGEST);
    }

    #[test]
    fn no_path_is_in_the_way_of_another() {
        let (beside, paths) =
            added(&["/d/.q", "/d/dot.q/y", "/d/dot.q", "/e/dot.q/y", "/e/.q", "/e/.qq"]);
        assert_eq!(
            paths,
            [
                "files/d/dot.q",
                "files-2/d/dot.q/y",
                "files-3/d/dot.q",
                "files/e/dot.q/y",
                "files-2/e/dot.q",
                "files/e/dot.qq"
            ]
        );
        let scratch = tempfile::tempdir().unwrap();
        let out = scratch.path().join("new/out");
        beside.write(&out, "text").unwrap();
        for path in paths {
            assert_eq!(std::fs::read(out.join(path)).unwrap(), b"x");
        }
        assert!(beside.write(&out, "text").is_err(), "it is not empty any more");
    }

    #[test]
    fn links_are_not_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let (beside, _) = added(&["/etc/motd"]);
        let (elsewhere, out) = (scratch.path().join("elsewhere"), scratch.path().join("out"));
        std::fs::create_dir_all(&elsewhere).unwrap();
        std::fs::create_dir_all(&out).unwrap();
        std::os::unix::fs::symlink(&elsewhere, scratch.path().join("link")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, out.join("files")).unwrap();
        for directory in ["link", "link/", "out"] {
            let error = beside.write(&scratch.path().join(directory), "text");
            assert!(error.is_err(), "{directory}");
        }
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
        let empty = scratch.path().join("empty/");
        std::fs::create_dir_all(&empty).unwrap();
        beside.write(&empty, "text").unwrap();
    }
}
