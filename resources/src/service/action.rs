//! The steps of the `service` kind.

use std::fmt;

use serde::Serialize;

use crate::host::services::UnitName;
use crate::step::Action;

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum ServiceAction {
    /// Stop the unit.
    Stop {
        /// The unit.
        unit: UnitName,
    },
    /// Take its mask away.
    Unmask {
        /// The unit.
        unit: UnitName,
    },
    /// Start it at boot.
    Enable {
        /// The unit.
        unit: UnitName,
    },
    /// Do not start it at boot.
    Disable {
        /// The unit.
        unit: UnitName,
    },
    /// Let nobody start it.
    Mask {
        /// The unit.
        unit: UnitName,
    },
    /// Make systemd read all unit files again.
    DaemonReload {
        /// Why.
        reason: String,
    },
    /// Start the unit.
    Start {
        /// The unit.
        unit: UnitName,
    },
    /// Start a unit that keeps dying and being started, anew.
    Restart {
        /// The unit.
        unit: UnitName,
    },
}

impl fmt::Display for ServiceAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop { unit } => write!(formatter, "stop {unit}"),
            Self::Unmask { unit } => write!(formatter, "unmask {unit}"),
            Self::Enable { unit } => write!(formatter, "enable {unit}"),
            Self::Disable { unit } => write!(formatter, "disable {unit}"),
            Self::Mask { unit } => write!(formatter, "mask {unit}"),
            Self::DaemonReload { reason } => {
                write!(formatter, "daemon-reload, because {reason}")
            }
            Self::Start { unit } => write!(formatter, "start {unit}"),
            Self::Restart { unit } => write!(formatter, "restart {unit}"),
        }
    }
}

impl Action for ServiceAction {}
