//! What a host is booted with.

use std::path::{Path, PathBuf};

use super::{Suite, TestHost};

/// A host about to be booted. Everything has an ordinary value; [`TestHost::boot`] takes them all.
#[derive(Debug, Clone)]
pub struct HostOptions {
    pub(super) suite: Suite,
    pub(super) hostname: String,
    pub(super) settings: Vec<String>,
    pub(super) program: Option<PathBuf>,
}

impl HostOptions {
    pub(super) fn new(suite: Suite) -> Self {
        Self { suite, hostname: "host".to_owned(), settings: Vec::new(), program: program() }
    }

    /// The host's name; `host` unless told.
    #[must_use]
    pub fn hostname(mut self, hostname: &str) -> Self {
        hostname.clone_into(&mut self.hostname);
        self
    }

    /// Lets the host use fanotify, which nspawn forbids unless told.
    #[must_use]
    pub fn with_fanotify(self) -> Self {
        self.setting("--system-call-filter=fanotify_init fanotify_mark open_by_handle_at")
    }

    /// A directory or file of the outer machine, at `inside`, writable.
    #[must_use]
    pub fn bind(self, outside: &Path, inside: &str) -> Self {
        let setting = format!("--bind={}:{inside}", outside.display());
        self.setting(&setting)
    }

    /// A directory or file of the outer machine, at `inside`, read-only.
    #[must_use]
    pub fn bind_read_only(self, outside: &Path, inside: &str) -> Self {
        let setting = format!("--bind-ro={}:{inside}", outside.display());
        self.setting(&setting)
    }

    /// A file system of its own that holds no more than `kibibytes`, empty at every boot.
    #[must_use]
    pub fn small_disk(self, inside: &str, kibibytes: u32) -> Self {
        let setting = format!("--tmpfs={inside}:size={kibibytes}k,mode=0755");
        self.setting(&setting)
    }

    /// Another program than `STEADFAST_BIN` as `/usr/bin/steadfast`, or none.
    #[must_use]
    pub fn program(mut self, program: Option<&Path>) -> Self {
        self.program = program.map(Path::to_owned);
        self
    }

    /// One more argument of systemd-nspawn(1).
    #[must_use]
    pub fn setting(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// Boots it, and waits until systemd says that it is running.
    #[must_use]
    pub fn boot(self) -> TestHost {
        TestHost::boot_with(self)
    }
}

/// The program under test: `STEADFAST_BIN`, or the one built beside this test.
fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("STEADFAST_BIN") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "STEADFAST_BIN: there is no file {}", path.display());
        return Some(path);
    }
    let test = std::env::current_exe().ok()?;
    let beside = test.parent()?.parent()?.join("steadfast");
    beside.is_file().then_some(beside)
}
