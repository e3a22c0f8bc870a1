//! Repositories to fetch from, made by Git itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use steadfast::source::RevisionId;
use steadfast_resources::host::command::{Request, run};
use tempfile::TempDir;

/// A bare repository and a work tree to make commits in.
pub(crate) struct Origin {
    directory: TempDir,
}

impl Origin {
    /// An empty repository with the default branch `main`.
    pub(crate) fn empty() -> Self {
        Self::with_format("sha1")
    }

    pub(crate) fn with_format(format: &str) -> Self {
        let origin = Self { directory: tempfile::tempdir().unwrap() };
        std::fs::create_dir(origin.work()).unwrap();
        let bare = origin.bare();
        let format = format!("--object-format={format}");
        git(
            &[],
            &[
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                &format,
                bare.to_str().unwrap(),
            ],
        );
        origin
    }

    /// A repository with one commit of a small site.
    pub(crate) fn new() -> (Self, RevisionId) {
        let origin = Self::empty();
        let first = origin.commit(&[("site.toml", "[site]\n"), ("policies/motd.toml", "# motd\n")]);
        (origin, first)
    }

    /// The directory that holds `policy.git`.
    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn bare(&self) -> PathBuf {
        self.directory.path().join("policy.git")
    }

    pub(crate) fn url(&self) -> String {
        self.bare().to_str().unwrap().to_owned()
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// Writes files and commits everything.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> RevisionId {
        for (path, content) in files {
            write(&self.work().join(path), content.as_bytes());
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=A change"]);
        self.git(&["rev-parse", "HEAD"]).parse().unwrap()
    }

    /// Runs git on this repository and returns what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_with_input(arguments, b"")
    }

    pub(crate) fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let (bare, work) = (self.url(), self.work());
        let variables = [("GIT_DIR", bare.as_str()), ("GIT_WORK_TREE", work.to_str().unwrap())];
        git_with_input(&variables, arguments, input)
    }

    /// A tree object with any entries, also ones that Git itself would refuse.
    pub(crate) fn raw_tree(&self, entries: &[(&str, &[u8], &str)]) -> String {
        let mut content = Vec::new();
        for (mode, name, id) in entries {
            content.extend_from_slice(mode.as_bytes());
            content.push(b' ');
            content.extend_from_slice(name);
            content.push(0);
            for pair in 0..id.len() / 2 {
                content.push(u8::from_str_radix(&id[2 * pair..2 * pair + 2], 16).unwrap());
            }
        }
        self.git_with_input(
            &["hash-object", "-t", "tree", "--literally", "-w", "--stdin"],
            &content,
        )
    }

    pub(crate) fn blob(&self, content: &[u8]) -> String {
        self.git_with_input(&["hash-object", "-w", "--stdin"], content)
    }

    /// Points `main` to a new commit of `tree`.
    pub(crate) fn commit_tree(&self, tree: &str) -> RevisionId {
        let id = self.git(&["commit-tree", "-m", "crafted", tree]);
        self.git(&["update-ref", "refs/heads/main", &id]);
        id.parse().unwrap()
    }
}

pub(crate) fn write(path: &Path, content: &[u8]) {
    use std::io::Write;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(path).unwrap().write_all(content).unwrap();
}

pub(crate) fn git(variables: &[(&str, &str)], arguments: &[&str]) -> String {
    git_with_input(variables, arguments, b"")
}

fn git_with_input(variables: &[(&str, &str)], arguments: &[&str], input: &[u8]) -> String {
    let mut request =
        Request::new(["git"].iter().chain(arguments).copied()).with_input(input.to_vec());
    let fixed = [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_NAME", "Grace"),
        ("GIT_COMMITTER_EMAIL", "grace@example.com"),
    ];
    for (name, value) in fixed.iter().chain(variables) {
        request = request.with_variable(name, *value);
    }
    let output = run(&request, Instant::now() + Duration::from_secs(60)).unwrap();
    assert!(output.success(), "git {arguments:?}: {}", output.text());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Printable text that does not compress to much less than three quarters (xorshift64).
pub(crate) fn noise(length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(33 + u8::try_from(state % 90).unwrap())
    };
    (0..length).map(next).collect()
}
