//! What the source can be told: plain data, checked when a [`super::Source`] is opened.
//!
//! Absent on purpose: contents of credentials. Settings name files; the files are read for each
//! fetch, so that a rotated token needs no restart, and [`Secret`] keeps them out of every log.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

/// Where the policy repository is and how to get it: `[repository]` of the agent's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// `https://…`, `ssh://…`, `user@host:path`, `file:///…` or an absolute path. `http://` is
    /// accepted for loopback addresses only.
    pub url: String,
    /// The same repository elsewhere, in the same forms: tried in order where `url` does not answer.
    #[serde(default)]
    pub mirrors: Vec<String>,
    /// The branch; the remote's default branch if unset.
    #[serde(default)]
    pub branch: Option<String>,
    /// The directory inside the repository that holds `site.toml`.
    #[serde(default = "root_directory")]
    pub path: String,
    /// How many commits of history to keep; 0 keeps all.
    #[serde(default = "default_depth")]
    pub depth: u32,
    /// A file with a token for https: `TOKEN`, `user:TOKEN` or `Bearer TOKEN`.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// The private key for ssh; ssh's own defaults if unset.
    #[serde(default)]
    pub ssh_key: Option<PathBuf>,
    /// The only file with ssh host keys to trust; ssh's own defaults if unset.
    #[serde(default)]
    pub known_hosts: Option<PathBuf>,
    /// The client certificate (PEM, with its chain) for https; needs `client_key`.
    #[serde(default)]
    pub client_cert: Option<PathBuf>,
    /// The key (PEM) of `client_cert`.
    #[serde(default)]
    pub client_key: Option<PathBuf>,
    /// The only certificate authorities (PEM) to trust for https; the system's if unset.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// What a fetch and a revision may cost.
    #[serde(default)]
    pub limits: Limits,
}

impl SourceSettings {
    /// The settings for `url` with every other setting at its default.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            mirrors: Vec::new(),
            branch: None,
            path: root_directory(),
            depth: default_depth(),
            token_file: None,
            ssh_key: None,
            known_hosts: None,
            client_cert: None,
            client_key: None,
            ca_file: None,
            limits: Limits::default(),
        }
    }
}

/// What a fetch and a revision may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The largest pack that one fetch may receive, in bytes.
    pub max_pack_bytes: u64,
    /// The largest file, in bytes.
    pub max_blob_bytes: u64,
    /// All files of a revision together, in bytes.
    pub max_total_bytes: u64,
    /// The most files (and directories) of a revision.
    pub max_files: u32,
    /// How long one conversation with the server may take, as in `"90s"` or `"5m"`.
    #[serde(deserialize_with = "duration_from_text")]
    pub deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pack_bytes: 512 << 20,
            max_blob_bytes: 64 << 20,
            max_total_bytes: 1 << 30,
            max_files: 200_000,
            deadline: Duration::from_secs(300),
        }
    }
}

fn root_directory() -> String {
    ".".to_owned()
}

fn default_depth() -> u32 {
    50
}

/// Reads `"90s"`, `"5m"`, or what serde itself writes for a duration (the contract with the
/// fetching process).
fn duration_from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Exact { secs: u64, nanos: u32 },
    }
    match Written::deserialize(deserializer)? {
        Written::Exact { secs, nanos } => Ok(Duration::new(secs, nanos)),
        Written::Text(text) => {
            let signed: jiff::SignedDuration = text.parse().map_err(serde::de::Error::custom)?;
            match Duration::try_from(signed) {
                Ok(duration) if !duration.is_zero() => Ok(duration),
                _ => Err(serde::de::Error::custom(format!("{text:?} must be longer than nothing"))),
            }
        }
    }
}

/// Something that may be sent but never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_with_defaults() {
        let settings: SourceSettings = toml::from_str(
            "url = 'https://git.example.com/policy.git'\nbranch = 'production'\n\
             [limits]\ndeadline = '90s'\nmax_files = 10\n",
        )
        .unwrap();
        let limits =
            Limits { deadline: Duration::from_secs(90), max_files: 10, ..Limits::default() };
        let expected = SourceSettings {
            branch: Some("production".to_owned()),
            limits,
            ..SourceSettings::new("https://git.example.com/policy.git")
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn unknown_keys_and_senseless_deadlines_are_errors() {
        for (text, expected) in [
            ("url = 'x'\nbranches = 'y'", "unknown field `branches`"),
            ("url = 'x'\n[limits]\ndeadlin = '1s'", "unknown field `deadlin`"),
            ("url = 'x'\n[limits]\ndeadline = '0s'", "longer than nothing"),
            ("branch = 'x'", "missing field `url`"),
        ] {
            let error = toml::from_str::<SourceSettings>(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret("hunter2".to_owned())), "(secret)");
    }
}
