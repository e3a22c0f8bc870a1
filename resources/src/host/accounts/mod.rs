//! The accounts port.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use thiserror::Error;

use super::{Faults, HostOptions};

/// Why accounts could not be read.
#[derive(Debug, Error)]
pub enum AccountError {
    /// A database of accounts cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The database.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// Reads accounts.
pub trait AccountView {
    /// The number of the user called `name`.
    fn user_id(&self, name: &str) -> Result<Option<u32>, AccountError>;
    /// The number of the group called `name`.
    fn group_id(&self, name: &str) -> Result<Option<u32>, AccountError>;
    /// The name of the user numbered `uid`.
    fn user_name(&self, uid: u32) -> Result<Option<String>, AccountError>;
    /// The name of the group numbered `gid`.
    fn group_name(&self, gid: u32) -> Result<Option<String>, AccountError>;
}

/// Changes accounts.
pub trait AccountChanges: AccountView {}

type Names = BTreeMap<String, u32>;

/// The machine's own accounts.
pub struct RealAccounts {
    root: PathBuf,
    users: OnceLock<Names>,
    groups: OnceLock<Names>,
}

impl RealAccounts {
    /// Opens nothing yet.
    pub fn new(options: &HostOptions) -> Self {
        Self { root: options.root.clone(), users: OnceLock::new(), groups: OnceLock::new() }
    }

    fn names<'a>(&self, cell: &'a OnceLock<Names>, file: &str) -> Result<&'a Names, AccountError> {
        if let Some(names) = cell.get() {
            return Ok(names);
        }
        let path = self.root.join(file);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| AccountError::Read { path: path.display().to_string(), source })?;
        Ok(cell.get_or_init(|| {
            text.lines()
                .filter_map(|line| {
                    let mut fields = line.split(':');
                    Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
                })
                .collect()
        }))
    }
}

fn name_of(names: &Names, id: u32) -> Option<String> {
    names.iter().find(|(_, number)| **number == id).map(|(name, _)| name.clone())
}

impl AccountView for RealAccounts {
    fn user_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        Ok(self.names(&self.users, "etc/passwd")?.get(name).copied())
    }
    fn group_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        Ok(self.names(&self.groups, "etc/group")?.get(name).copied())
    }
    fn user_name(&self, uid: u32) -> Result<Option<String>, AccountError> {
        Ok(name_of(self.names(&self.users, "etc/passwd")?, uid))
    }
    fn group_name(&self, gid: u32) -> Result<Option<String>, AccountError> {
        Ok(name_of(self.names(&self.groups, "etc/group")?, gid))
    }
}
impl AccountChanges for RealAccounts {}

/// Scripted accounts.
#[derive(Default)]
pub struct FakeAccounts {
    users: Names,
    groups: Names,
}

impl FakeAccounts {
    /// The scene of the conformance suite.
    pub fn scene(_faults: Faults) -> Self {
        let names =
            |list: &[(&str, u32)]| list.iter().map(|(n, i)| ((*n).to_owned(), *i)).collect();
        Self {
            users: names(&[("root", 0), ("daemon", 1), ("www-data", 33), ("nobody", 65534)]),
            groups: names(&[("root", 0), ("adm", 4), ("www-data", 33), ("nogroup", 65534)]),
        }
    }
}

impl AccountView for FakeAccounts {
    fn user_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        Ok(self.users.get(name).copied())
    }
    fn group_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        Ok(self.groups.get(name).copied())
    }
    fn user_name(&self, uid: u32) -> Result<Option<String>, AccountError> {
        Ok(name_of(&self.users, uid))
    }
    fn group_name(&self, gid: u32) -> Result<Option<String>, AccountError> {
        Ok(name_of(&self.groups, gid))
    }
}
impl AccountChanges for FakeAccounts {}
