//! What the kind `package` does in one step.

use std::fmt;

use serde::Serialize;

use crate::host::packages::{PackageName, State};
use crate::step::Action;

/// One step for one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageAction {
    /// The package. Not the title where that is a name the package provides.
    pub package: PackageName,
    /// What happens to it.
    #[serde(flatten)]
    pub verb: Verb,
    /// Whether it is held by us and changed all the same.
    pub held: bool,
}

/// What happens to a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Verb {
    /// It is installed; without version, the package manager or the refreshed index decides.
    Install {
        /// The version.
        version: Option<String>,
    },
    /// A higher version replaces the installed one.
    Upgrade {
        /// The version found.
        from: String,
        /// The version to come.
        to: String,
    },
    /// A lower version replaces the installed one.
    Downgrade {
        /// The version found.
        from: String,
        /// The version to come.
        to: String,
    },
    /// Another version replaces the installed one; which, only the refreshed index or the package
    /// file will tell.
    Change {
        /// The version found.
        from: String,
        /// What was asked for.
        to: String,
    },
    /// What was begun and left is finished.
    Finish {
        /// The version found, if any.
        version: Option<String>,
        /// How far it had come.
        state: State,
        /// Whether it has to be unpacked again.
        again: bool,
    },
    /// It is removed; its configuration stays.
    Remove {
        /// The version found, if any.
        version: Option<String>,
    },
    /// It is removed with its configuration, or what was left of that.
    Purge {
        /// The version found, if any.
        version: Option<String>,
    },
    /// Its version is held.
    Hold,
    /// Its hold is lifted.
    Unhold,
}

impl Verb {
    /// Whether this is about a hold and not about what is installed.
    pub(super) fn concerns_hold(&self) -> bool {
        matches!(self, Self::Hold | Self::Unhold)
    }

    /// Whether the package goes.
    pub(super) fn removes(&self) -> bool {
        matches!(self, Self::Remove { .. } | Self::Purge { .. })
    }
}

impl Action for PackageAction {}

impl fmt::Display for PackageAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = &self.package;
        let version = |version: &Option<String>| {
            version.as_ref().map(|version| format!(" {version}")).unwrap_or_default()
        };
        match &self.verb {
            Verb::Install { version: wanted } => {
                write!(formatter, "install {package}{}", version(wanted))
            }
            Verb::Upgrade { from, to } => write!(formatter, "upgrade {package} {from} to {to}"),
            Verb::Downgrade { from, to } => {
                write!(formatter, "downgrade {package} {from} to {to}")
            }
            Verb::Change { from, to } => {
                write!(formatter, "change {package} {from} to a version {to}")
            }
            Verb::Finish { version: found, state, again } => {
                let verb = if *again { "reinstall" } else { "finish installing" };
                write!(formatter, "{verb} {package}{} ({state})", version(found))
            }
            Verb::Remove { version: found } => {
                write!(formatter, "remove {package}{}", version(found))
            }
            Verb::Purge { version: found } => {
                write!(formatter, "purge {package}{}", version(found))
            }
            Verb::Hold => write!(formatter, "hold {package}"),
            Verb::Unhold => write!(formatter, "lift the hold of {package}"),
        }
    }
}
