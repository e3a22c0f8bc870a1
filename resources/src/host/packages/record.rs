//! What a package database says about one package.

use std::fmt;

use serde::Serialize;

/// One package of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The name, without architecture.
    pub name: String,
    /// The architecture, `all` for none in particular.
    pub architecture: String,
    /// What the administrator wants of it.
    pub selection: Selection,
    /// Whether it is so broken that it has to be unpacked again.
    pub reinstall_required: bool,
    /// How far it is installed.
    pub state: State,
    /// The version that is there, if any of it is.
    pub version: Option<String>,
    /// Whether the system cannot do without it.
    pub essential: bool,
}

impl Record {
    /// The version whose files are there, in whatever state.
    pub fn present_version(&self) -> Option<&str> {
        if self.state.is_present() { self.version.as_deref() } else { None }
    }

    /// Whether its version may not be changed.
    pub fn is_held(&self) -> bool {
        self.selection == Selection::Hold
    }
}

/// What is wanted of a package: the first word of dpkg's `Status` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Nothing was ever said.
    Unknown,
    /// To be installed.
    Install,
    /// To stay as it is.
    Hold,
    /// To be removed, configuration kept.
    Deinstall,
    /// To be removed with its configuration.
    Purge,
}

/// How far a package is installed: the last word of dpkg's `Status` field, in dpkg(1)'s terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing of it is there.
    NotInstalled,
    /// Only its configuration is left.
    ConfigFiles,
    /// Unpacking was begun and not finished.
    HalfInstalled,
    /// Unpacked, not configured.
    Unpacked,
    /// Configuring was begun and not finished.
    HalfConfigured,
    /// Another package has yet to act for it.
    TriggersAwaited,
    /// It has yet to act for another package.
    TriggersPending,
    /// Installed and configured.
    Installed,
}

impl State {
    /// Whether its files are there, finished or not.
    pub fn is_present(self) -> bool {
        !matches!(self, Self::NotInstalled | Self::ConfigFiles)
    }

    /// Whether something was begun and not finished.
    pub fn is_unfinished(self) -> bool {
        self.is_present() && self != Self::Installed
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotInstalled => "not-installed",
            Self::ConfigFiles => "config-files",
            Self::HalfInstalled => "half-installed",
            Self::Unpacked => "unpacked",
            Self::HalfConfigured => "half-configured",
            Self::TriggersAwaited => "triggers-awaited",
            Self::TriggersPending => "triggers-pending",
            Self::Installed => "installed",
        })
    }
}

/// An installed package that provides another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The package.
    pub package: String,
    /// Its architecture.
    pub architecture: String,
    /// The version it provides the name in, where it says one.
    pub version: Option<String>,
}
