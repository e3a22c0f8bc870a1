//! Who changed something on the machine, as far as the kernel tells.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A process that changed a resource behind the agent's back. Everything but its id may be unknown:
/// the process may be gone by the time somebody asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The process id.
    pub pid: i32,
    /// The executable's path.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub executable: Option<String>,
    /// The command line, one string for each argument; what looks like a secret is left out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub command: Vec<String>,
    /// The user id it ran with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uid: Option<u32>,
    /// The name of that user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// The user id that logged in, whoever it has become since (`/proc/PID/loginuid`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login_uid: Option<u32>,
    /// The name of that user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login_user: Option<String>,
    /// The login session (logind's number).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<String>,
    /// The systemd unit it ran in, where it was not a session.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unit: Option<String>,
}

impl fmt::Display for Actor {
    /// `vim (pid 4312, alice, session 3)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self
            .executable
            .as_deref()
            .map(|path| path.rsplit('/').next().unwrap_or(path))
            .filter(|name| !name.is_empty());
        write!(formatter, "{} (pid {}", name.unwrap_or("a process"), self.pid)?;
        match (&self.login_user, self.login_uid, &self.user, self.uid) {
            (Some(login), _, Some(user), _) if login != user => {
                write!(formatter, ", {login} as {user}")?;
            }
            (Some(user), ..) | (None, None, Some(user), _) => write!(formatter, ", {user}")?,
            (None, Some(uid), ..) | (None, None, None, Some(uid)) => {
                write!(formatter, ", uid {uid}")?;
            }
            (None, None, None, None) => {}
        }
        match (&self.session, &self.unit) {
            (Some(session), _) => write!(formatter, ", session {session}")?,
            (None, Some(unit)) => write!(formatter, ", {unit}")?,
            (None, None) => {}
        }
        formatter.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_reads_like_a_sentence() {
        let vim = Actor {
            pid: 4312,
            executable: Some("/usr/bin/vim".to_owned()),
            user: Some("root".to_owned()),
            uid: Some(0),
            login_user: Some("alice".to_owned()),
            login_uid: Some(1000),
            session: Some("3".to_owned()),
            ..Actor::default()
        };
        assert_eq!(vim.to_string(), "vim (pid 4312, alice as root, session 3)");
        let timer = Actor {
            pid: 7,
            executable: Some("/usr/sbin/logrotate".to_owned()),
            user: Some("root".to_owned()),
            unit: Some("logrotate.service".to_owned()),
            ..Actor::default()
        };
        assert_eq!(timer.to_string(), "logrotate (pid 7, root, logrotate.service)");
        assert_eq!(Actor { pid: 9, ..Actor::default() }.to_string(), "a process (pid 9)");
        let gone = Actor { pid: 9, uid: Some(33), ..Actor::default() };
        assert_eq!(gone.to_string(), "a process (pid 9, uid 33)");
    }
}
