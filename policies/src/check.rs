//! Checks of health: what must hold on a host after a new revision was applied, or the revision is
//! not kept. Here they are only data; nothing in this crate performs them.

use std::time::Duration;

use serde::Serialize;
use steadfast_resources::host::files::AbsolutePath;
use steadfast_resources::host::services::UnitName;

use crate::catalog::Place;

/// One `[check.NAME]` with all values known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The policy that declares it; `None` for the site.
    pub policy: Option<String>,
    /// The modules it was made by, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Its name, unique within these.
    pub name: String,
    /// What is looked at.
    pub probe: Probe,
    /// How long it may take until it passes.
    pub within: Duration,
    /// How long to wait before it is tried again.
    pub interval: Duration,
    /// Where it is declared.
    pub place: Place,
}

/// What a check looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// An answer to `GET`.
    Http {
        /// The whole address, http or https.
        url: String,
        /// The status codes that pass, as inclusive ranges.
        status: Vec<(u16, u16)>,
        /// A text that must be in the body.
        #[serde(skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
    /// A connection that is accepted.
    Tcp {
        /// A name or an address, an IPv6 one without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A command that exits with 0, run without a shell.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
        /// A text that must be in its output.
        #[serde(skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
    /// A unit that is active.
    Unit(UnitName),
    /// A file that exists.
    File {
        /// Its path.
        path: AbsolutePath,
        /// How long ago it may have been written at most.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_age: Option<Duration>,
    },
}

impl Check {
    /// The name as messages print it, with the policy and modules it belongs to.
    pub fn qualified(&self) -> String {
        let policy = self.policy.as_deref().unwrap_or("site");
        let mut name = policy.to_owned();
        for part in self.modules.iter().chain([&self.name]) {
            name.push('/');
            name.push_str(part);
        }
        name
    }
}
