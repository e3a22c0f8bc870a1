//! Accounts as this port shows and takes them.

use std::fmt;

use serde::Serialize;

/// The password field of an account: a crypt(3) hash, `*`, or either behind the `!` that locks it
/// (shadow(5)). Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The field's text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The field's text, for the database only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the account is locked: the field begins with `!`.
    pub fn is_locked(&self) -> bool {
        self.0.starts_with('!')
    }

    /// What would be compared with a typed password if the account were not locked.
    pub fn unlocked(&self) -> &str {
        self.0.trim_start_matches('!')
    }

    /// The same hash, locked or not.
    #[must_use]
    pub fn with_lock(&self, locked: bool) -> Self {
        if locked == self.is_locked() {
            return self.clone();
        }
        Self(format!("{}{}", if locked { "!" } else { "" }, self.unlocked()))
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(redacted)")
    }
}

/// A local account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// Primary group's number.
    pub gid: u32,
    /// GECOS field.
    pub comment: String,
    /// Home directory.
    pub home: String,
    /// Login shell; empty means `/bin/sh` (passwd(5)).
    pub shell: String,
    /// Password and ageing.
    pub secrets: Secrets,
}

/// What is known of an account's password and ageing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secrets {
    /// The line in `shadow`.
    Shadow(Shadow),
    /// `passwd` refers to `shadow`, which has no line for the account.
    Missing,
    /// The hash stands in `passwd` itself; there is no ageing.
    InPasswd(PasswordHash),
    /// `shadow` may not be read by this process.
    Unreadable,
}

/// A line of `shadow`, in days (shadow(5)); `None` where the field is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// Hash and lock.
    pub hash: PasswordHash,
    /// Minimum age.
    pub minimum: Option<i64>,
    /// Maximum age.
    pub maximum: Option<i64>,
    /// Warning period.
    pub warning: Option<i64>,
    /// Expiry of the account, in days since 1970-01-01.
    pub expiry: Option<i64>,
}

/// A local group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Number.
    pub gid: u32,
    /// Members besides those who have it as their primary group.
    pub members: Vec<String>,
}

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its name, at most 15 bytes.
    pub name: String,
}

/// What stands at a home's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeFacts {
    /// Its owner; `None` where this process could not have given it another one (not root).
    pub owner: Option<u32>,
    /// Whether it is a directory (not a link to one).
    pub directory: bool,
    /// Whether a file system is mounted on it.
    pub mount_point: bool,
    /// Number of the file system it is on.
    pub device: u64,
}

impl HomeFacts {
    /// Whether it may be taken for the home of the user `uid`.
    pub fn belongs_to(&self, uid: u32) -> bool {
        self.owner.is_none_or(|owner| owner == uid)
    }
}

/// What stands at a shell's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShellFacts {
    /// Nothing.
    Missing,
    /// Something that nobody can execute.
    NotExecutable,
    /// A program.
    Executable,
}

/// A group to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewGroup {
    /// Name.
    pub name: String,
    /// Number; `None` lets the distribution's rules choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Whether the number comes from the range of system groups.
    pub system: bool,
}

/// A group by name or number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum GroupReference {
    /// By name.
    Name(String),
    /// By number.
    Number(u32),
}

impl fmt::Display for GroupReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Number(gid) => write!(formatter, "{gid}"),
        }
    }
}

/// A user to be created: locked, without password, home or other groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewUser {
    /// Login name.
    pub name: String,
    /// Number; `None` lets the distribution's rules choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Primary group.
    pub group: GroupReference,
    /// GECOS field.
    pub comment: String,
    /// Home directory.
    pub home: String,
    /// Shell; `None` is the distribution's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// Whether the number comes from the range of system users.
    pub system: bool,
}

/// Fields of `passwd` to change; `None` leaves a field alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UserFields {
    /// Number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Primary group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupReference>,
    /// GECOS field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Home directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
}

/// Ageing to change; `None` leaves a field alone, `Some(-1)` empties it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ageing {
    /// Minimum age in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// Maximum age in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
    /// Warning period in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<i64>,
    /// Expiry of the account in days since 1970-01-01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<i64>,
}

/// Whose files become whose when a user's or its primary group's number changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ownership {
    /// The user's number.
    pub uid: u32,
    /// The number of its primary group.
    pub gid: u32,
}

/// Processes in words, at most five of them by name.
pub fn process_list(processes: &[Process]) -> String {
    let mut words: Vec<String> = processes
        .iter()
        .take(5)
        .map(|process| format!("{} ({})", process.name, process.pid))
        .collect();
    if processes.len() > words.len() {
        words.push(format!("and {} more", processes.len() - words.len()));
    }
    words.join(", ")
}
