//! What a step does to an account.

use std::fmt;

use serde::Serialize;

use crate::host::accounts::{Ageing, NewGroup, NewUser, Ownership, Process, UserFields};
use crate::step::Action;

/// What a step does to an account. A password is never part of it: the step that sets one takes it
/// from what the policy asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UserAction {
    /// Adds the group that bears the user's own name.
    CreateGroup(NewGroup),
    /// Adds the account, locked.
    CreateUser(NewUser),
    /// Changes fields of the account.
    ModifyUser {
        /// The fields and their new values.
        fields: UserFields,
    },
    /// Gives the user's files in its home to its new numbers.
    ReownHome {
        /// The home.
        path: String,
        /// The numbers that the files have.
        from: Ownership,
        /// The user's new number, if it changes.
        uid: Option<u32>,
        /// Whether the files follow the user to its new primary group.
        group: bool,
    },
    /// Renames the home.
    MoveHome {
        /// Where it is.
        from: String,
        /// Where it goes.
        to: String,
    },
    /// Makes the home from the skeleton.
    CreateHome {
        /// Its path.
        path: String,
    },
    /// Removes the home.
    RemoveHome {
        /// Its path.
        path: String,
    },
    /// Changes ageing and expiry.
    SetAgeing {
        /// The fields and their new values, -1 for none.
        ageing: Ageing,
    },
    /// Adds the user to groups and takes it out of others.
    ChangeGroups {
        /// Groups it joins.
        add: Vec<String>,
        /// Groups it leaves.
        remove: Vec<String>,
    },
    /// Replaces `authorized_keys`.
    WriteAuthorizedKeys {
        /// The file's new content.
        #[serde(skip)]
        text: Vec<u8>,
        /// How many keys that has.
        keys: usize,
    },
    /// Sets the wanted password.
    SetPassword {
        /// Whether it is locked.
        locked: bool,
    },
    /// Locks or unlocks the password that is there.
    SetLocked {
        /// Whether it is locked.
        locked: bool,
    },
    /// Kills the user's processes.
    KillProcesses {
        /// The user's number.
        uid: u32,
        /// The processes seen.
        processes: Vec<Process>,
    },
    /// Removes the account.
    DeleteUser,
}

impl Action for UserAction {}

impl fmt::Display for UserAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateGroup(group) => write!(formatter, "create group {}", group.name),
            Self::CreateUser(user) => write!(formatter, "create user {}", user.name),
            Self::ModifyUser { fields } => {
                let all = [
                    ("uid", fields.uid.is_some()),
                    ("gid", fields.group.is_some()),
                    ("comment", fields.comment.is_some()),
                    ("home", fields.home.is_some()),
                    ("shell", fields.shell.is_some()),
                ];
                let names: Vec<&str> =
                    all.iter().filter(|(_, changes)| *changes).map(|(name, _)| *name).collect();
                write!(formatter, "change {}", names.join(", "))
            }
            Self::ReownHome { path, .. } => write!(formatter, "re-own the user's files in {path}"),
            Self::MoveHome { from, to } => write!(formatter, "move {from} to {to}"),
            Self::CreateHome { path } => write!(formatter, "create home {path}"),
            Self::RemoveHome { path } => write!(formatter, "remove home {path}"),
            Self::SetAgeing { .. } => formatter.write_str("set password ageing"),
            Self::ChangeGroups { add, remove } => {
                let joined = (!add.is_empty()).then(|| format!("join {}", add.join(", ")));
                let left = (!remove.is_empty()).then(|| format!("leave {}", remove.join(", ")));
                let both: Vec<String> = joined.into_iter().chain(left).collect();
                formatter.write_str(&both.join("; "))
            }
            Self::WriteAuthorizedKeys { keys, .. } => {
                write!(formatter, "write authorized_keys ({keys} keys)")
            }
            Self::SetPassword { locked: false } => formatter.write_str("set password"),
            Self::SetPassword { locked: true } => formatter.write_str("set password, locked"),
            Self::SetLocked { locked: true } => formatter.write_str("lock password"),
            Self::SetLocked { locked: false } => formatter.write_str("unlock password"),
            Self::KillProcesses { processes, .. } => {
                write!(formatter, "kill {} processes", processes.len())
            }
            Self::DeleteUser => formatter.write_str("remove user"),
        }
    }
}
