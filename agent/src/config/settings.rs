//! The validated settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::describe::Description;
use super::problem::ConfigError;
use super::{directory, document, merged, validate};

/// The agent's settings: everything checked, nothing left to interpret.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[repository]`; absent when no file names one.
    pub repository: Option<Repository>,
    /// `[agent]`.
    pub agent: Agent,
    /// `[labels]`.
    pub labels: BTreeMap<String, String>,
    /// `[reports]`.
    pub reports: Reports,
    /// What the operator should know although it is no error, one line each.
    pub warnings: Vec<String>,
    /// The files that were read, in order.
    pub files: Vec<PathBuf>,
    pub(super) description: Description,
}

impl Settings {
    /// Reads the configuration in `directory` (`/etc/steadfast` unless a command says otherwise).
    /// Without any file in it these are the defaults.
    pub fn load(directory: &Path) -> Result<Self, ConfigError> {
        let absolute = std::path::absolute(directory)
            .map_err(|source| ConfigError::List { path: directory.to_owned(), source })?;
        let found = directory::read(&absolute)?;
        let mut problems = Vec::new();
        let mut merged = merged::Merged::defaults();
        for (path, text) in &found.files {
            merged.overlay(document::entries(path, text, &mut problems));
        }
        let mut settings = validate::settings(&merged, problems)?;
        settings.warnings.splice(0..0, found.warnings);
        settings.files = found.files.into_iter().map(|(path, _)| path).collect();
        Ok(settings)
    }

    /// Every setting with its value and where it came from, for `steadfast config`: prints as TOML
    /// with comments, serializes as a list.
    pub fn describe(&self) -> &Description {
        &self.description
    }
}

/// Where the policy repository is, how to get it, and whom to believe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// https, ssh, or a local path.
    pub url: String,
    /// The same repository elsewhere, tried in order.
    pub mirrors: Vec<String>,
    /// The branch; the repository's default branch if unset.
    pub branch: Option<String>,
    /// The directory inside the repository that holds `site.toml`.
    pub path: String,
    /// How many commits of history to keep; 0 keeps all.
    pub depth: u32,
    /// A file with the token for https.
    pub token_file: Option<PathBuf>,
    /// The private key for ssh.
    pub ssh_key: Option<PathBuf>,
    /// The only file with ssh host keys to trust.
    pub known_hosts: Option<PathBuf>,
    /// Client certificate and key for https.
    pub client: Option<(PathBuf, PathBuf)>,
    /// The only certificate authorities to trust for https.
    pub ca_file: Option<PathBuf>,
    /// Which commits are believed.
    pub verify: Verify,
    /// What a fetch and a revision may cost.
    pub limits: Limits,
}

/// Which commits are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verify {
    /// Only signed ones; at least one of the two is given.
    Signed {
        /// Who may sign with ssh keys.
        allowed_signers: Option<PathBuf>,
        /// Who may sign with `OpenPGP` keys.
        openpgp_keyring: Option<PathBuf>,
    },
    /// Whatever the server says. Every report mentions it.
    Anything,
}

/// What a fetch and a revision may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most that one fetch may transfer, in bytes.
    pub max_pack_bytes: u64,
    /// The largest file, in bytes.
    pub max_blob_bytes: u64,
    /// All files together, in bytes.
    pub max_total_bytes: u64,
    /// The most files.
    pub max_files: u32,
    /// How long one conversation with the server may take.
    pub deadline: Duration,
}

/// How the agent works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Whether anything is changed at all.
    pub mode: Mode,
    /// How often the repository is asked.
    pub interval: Duration,
    /// The largest random delay.
    pub splay: Duration,
    /// Whether drift is noticed when it happens.
    pub watch: bool,
    /// How long a run may take.
    pub run_timeout: Duration,
    /// Whether an interrupted package manager may be repaired.
    pub repair: bool,
}

/// Whether anything is changed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Drift is corrected.
    Enforce,
    /// Nothing is changed, whatever the policy says.
    Audit,
}

/// How long reports are kept, and where metrics go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// How many runs.
    pub keep_runs: u32,
    /// How many days.
    pub keep_days: u32,
    /// The file for Prometheus' node exporter.
    pub textfile: Option<PathBuf>,
}
