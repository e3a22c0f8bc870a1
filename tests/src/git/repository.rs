//! A policy repository for a test, written commit by commit.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::git;
use crate::outer;

/// Git on a repository of a few files.
const DEADLINE: Duration = Duration::from_secs(60);

/// When the first commit was made: every later one is a minute younger, so that ids are the same in
/// every run.
const FIRST_COMMIT: u64 = 1_700_000_000;

/// What a commit changes at a path.
#[derive(Debug, Clone, Copy)]
pub enum Entry<'content> {
    /// An ordinary file.
    File(&'content [u8]),
    /// A file with the executable bit.
    Executable(&'content [u8]),
    /// A symbolic link to this.
    Symlink(&'content str),
    /// A submodule at some commit.
    Submodule,
    /// The path, and what is below it, is no longer there.
    Removed,
}

/// A bare repository `policy.git` in a directory of its own, removed when dropped.
pub struct PolicyRepository {
    directory: TempDir,
    commits: u64,
    branch: String,
}

impl PolicyRepository {
    /// An empty repository with nothing on its branch `main`.
    #[must_use]
    pub fn empty() -> Self {
        let directory = tempfile::Builder::new().prefix("steadfast-policy-").tempdir();
        let directory = directory.expect("a temporary directory can be made");
        let repository = Self { directory, commits: 0, branch: "main".to_owned() };
        let mut init = git();
        init.args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(repository.path());
        outer::must(init, DEADLINE);
        // What a server of policies has to allow for shallow fetches of a known commit.
        repository.git(&["config", "uploadpack.allowReachableSHA1InWant", "true"]);
        repository
    }

    /// A repository with one commit that holds these files.
    #[must_use]
    pub fn with(files: &[(&str, &str)]) -> Self {
        let mut repository = Self::empty();
        repository.commit(files);
        repository
    }

    /// The bare repository itself: a local path that can be applied from.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("policy.git")
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Adds or replaces files in one commit; its id.
    pub fn commit(&mut self, files: &[(&str, &str)]) -> String {
        let entries: Vec<_> =
            files.iter().map(|(path, text)| (*path, Entry::File(text.as_bytes()))).collect();
        self.commit_entries(&entries)
    }

    /// Adds, replaces or removes entries of any type in one commit; its id.
    pub fn commit_entries(&mut self, entries: &[(&str, Entry<'_>)]) -> String {
        let parent = self.head();
        self.import(entries, parent.as_deref())
    }

    /// Puts a commit with only these files, and no parent, in the place of the branch: what a
    /// force-push of another history does; its id.
    pub fn replace_history(&mut self, files: &[(&str, &str)]) -> String {
        let entries: Vec<_> =
            files.iter().map(|(path, text)| (*path, Entry::File(text.as_bytes()))).collect();
        self.import(&entries, None)
    }

    /// Commits a tree whose only entry has this name, however absurd (`..`, `.git`, `a/b`); its id.
    pub fn commit_absurd_name(&mut self, name: &str) -> String {
        let blob = self.pipe(&["hash-object", "-w", "--stdin"], b"content\n");
        let object: Vec<u8> = (0..blob.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).expect("an id is hexadecimal"))
            .collect();
        let tree = [b"100644 ", name.as_bytes(), b"\0", &object].concat();
        let tree = self.pipe(&["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], &tree);
        let user = ["-c", "user.name=Author", "-c", "user.email=author@example.com"];
        let commit = self.git(&[&user[..], &["commit-tree", "-m", "Absurd", &tree]].concat());
        self.set_branch(&self.branch, &commit);
        commit
    }

    /// The branch that commits go to from now on. It begins where the present one is.
    pub fn switch_branch(&mut self, name: &str) {
        let head = self.head();
        name.clone_into(&mut self.branch);
        if let (None, Some(head)) = (self.head(), head) {
            self.set_branch(name, &head);
        }
    }

    /// Points a branch to a commit.
    pub fn set_branch(&self, name: &str, commit: &str) {
        self.git(&["update-ref", &format!("refs/heads/{name}"), commit]);
    }

    /// Deletes a branch.
    pub fn delete_branch(&self, name: &str) {
        self.git(&["update-ref", "-d", &format!("refs/heads/{name}")]);
    }

    /// The commit that the present branch is at, if there is one.
    pub fn head(&self) -> Option<String> {
        let name = format!("refs/heads/{}", self.branch);
        let mut command = git();
        command.arg("--git-dir").arg(self.path()).args(["rev-parse", "--quiet", "--verify", &name]);
        let output = outer::run(command, &[], DEADLINE);
        output.succeeded().then(|| output.stdout.trim().to_owned())
    }

    /// Runs Git on the repository; its standard output, trimmed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.pipe(arguments, &[])
    }

    fn pipe(&self, arguments: &[&str], input: &[u8]) -> String {
        let date = format!("{} +0000", FIRST_COMMIT + 60 * self.commits);
        let mut command = git();
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command.arg("--git-dir").arg(self.path()).args(arguments);
        outer::run(command, input, DEADLINE).success().stdout.trim().to_owned()
    }

    /// By the stream format of git-fast-import(1).
    fn import(&mut self, entries: &[(&str, Entry<'_>)], parent: Option<&str>) -> String {
        let number = self.commits;
        self.commits += 1;
        let message = format!("Commit {number}");
        let date = FIRST_COMMIT + 60 * number;
        let mut stream = format!(
            "commit refs/import/{number}\ncommitter Author <author@example.com> {date} +0000\n\
             data {}\n{message}\n",
            message.len()
        )
        .into_bytes();
        if let Some(parent) = parent {
            stream.extend(format!("from {parent}\n").bytes());
        }
        for (path, entry) in entries {
            let (mode, content) = match entry {
                Entry::File(content) => ("100644", *content),
                Entry::Executable(content) => ("100755", *content),
                Entry::Symlink(target) => ("120000", target.as_bytes()),
                Entry::Submodule => {
                    stream
                        .extend(format!("M 160000 {} {}\n", "1".repeat(40), quoted(path)).bytes());
                    continue;
                }
                Entry::Removed => {
                    stream.extend(format!("D {}\n", quoted(path)).bytes());
                    continue;
                }
            };
            let head = format!("M {mode} inline {}\ndata {}\n", quoted(path), content.len());
            stream.extend(head.bytes().chain(content.iter().copied()).chain(*b"\n"));
        }
        self.pipe(&["fast-import", "--quiet", "--force"], &stream);
        let commit = self.git(&["rev-parse", &format!("refs/import/{number}")]);
        self.set_branch(&self.branch, &commit);
        self.git(&["update-ref", "-d", &format!("refs/import/{number}")]);
        commit
    }
}

/// A path in the C-style quotes that fast-import reads.
fn quoted(path: &str) -> String {
    let mut text = String::from("\"");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b' '..=b'~' => text.push(char::from(byte)),
            _ => write!(text, "\\{byte:03o}").expect("writing to a string"),
        }
    }
    text.push('"');
    text
}
