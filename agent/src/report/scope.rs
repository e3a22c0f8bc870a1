//! What a run was about: all that its host should be, or less.

use serde::{Deserialize, Serialize};

/// What a run was about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All that the host should be.
    #[default]
    Host,
    /// What options selected; the other resources are reported as skipped.
    Selection,
    /// The resources that an event concerns: the report's `focus`, and no others.
    Focus,
    /// A single policy that somebody tried out.
    Policy,
}

impl Scope {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Selection => "selection",
            Self::Focus => "focus",
            Self::Policy => "policy",
        }
    }
}

/// A resource's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResourceName {
    /// The kind.
    pub kind: String,
    /// The title.
    pub title: String,
}
