//! What `steadfast` says of a repository.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::outer::{self, Output};

const DEADLINE: Duration = Duration::from_secs(60);

/// A host that every repository is evaluated for.
const HOST: &[(&str, &str)] = &[
    ("etc/hostname", "web1.example.com\n"),
    ("etc/os-release", "ID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"),
];

/// What that host's administrator wrote.
const SETTINGS: &str = "[labels]\nrole = \"web\"\nenvironment = \"production\"\n";

/// What came of it.
pub struct Verdict {
    /// `steadfast validate`.
    pub validated: Output,
    /// `steadfast plan` for a host with the labels `role = "web"`, `environment = "production"`.
    pub planned: Output,
    /// `steadfast test`, where the repository has tests.
    pub tested: Option<Output>,
}

impl Verdict {
    /// What is wrong, if anything: an error or a warning, a host that gets no catalog, a case that fails.
    pub fn complaint(&self) -> Option<String> {
        if !self.validated.stdout.contains("0 errors, 0 warnings") {
            return Some(self.validated.to_string());
        }
        // 0: nothing to do, 2: something to do. What a host without packages cannot do is a failure
        // of a resource and not of the command.
        if !matches!(self.planned.status, 0 | 2) {
            return Some(self.planned.to_string());
        }
        self.tested.as_ref().filter(|tested| !tested.succeeded()).map(Output::to_string)
    }
}

/// Validates the repository in `directory`, evaluates it, and runs its tests.
pub fn judge(directory: &Path) -> Verdict {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let write = |path: PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory");
        std::fs::write(path, text).expect("a file");
    };
    for (path, text) in HOST {
        write(scratch.path().join("host").join(path), text);
    }
    write(scratch.path().join("settings/agent.toml"), SETTINGS);
    let run = |words: &[&str]| {
        let mut command = outer::command(program());
        command.env("NO_COLOR", "1").args(words).arg(directory);
        command.arg("--config-dir").arg(scratch.path().join("settings"));
        if words == ["plan"] {
            command.arg("--root").arg(scratch.path().join("host"));
        }
        outer::run(command, &[], DEADLINE)
    };
    let tested = directory.join("tests").is_dir().then(|| run(&["test"]));
    Verdict { validated: run(&["validate"]), planned: run(&["plan"]), tested }
}

/// The program under test: `STEADFAST_BIN`, or the one built beside this test.
pub fn program() -> PathBuf {
    std::env::var_os("STEADFAST_BIN").map_or_else(
        || {
            let mut path = std::env::current_exe().expect("the test's own path");
            path.pop();
            path.pop();
            path.join("steadfast")
        },
        PathBuf::from,
    )
}
