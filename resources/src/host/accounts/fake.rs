//! Scripted accounts: the databases as text in memory, edited by the same functions as those of a
//! root directory; homes, keys and processes as plain maps.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use super::defaults::Defaults;
use super::edit::Databases;
use super::snapshot::Snapshot;
use super::table::Table;
use super::{
    AccountChanges, AccountError, AccountView, Ageing, Group, HomeFacts, NewGroup, NewUser,
    Ownership, PasswordHash, Process, ShellFacts, User, UserFields, process_list,
};
use crate::host::Faults;

/// The day on which a fake machine lives, in days since 1970-01-01.
const TODAY: i64 = 20_000;

/// A home directory in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FakeHome {
    /// Owner's number.
    pub owner: u32,
    /// Group's number.
    pub group: u32,
    /// Whether a file system is mounted on it.
    pub mount_point: bool,
    /// The bytes of `.ssh/authorized_keys`.
    pub authorized_keys: Option<Vec<u8>>,
}

/// Scripted accounts.
#[derive(Debug, Default)]
pub struct FakeAccounts {
    databases: Databases,
    snapshot: Snapshot,
    faults: Faults,
    /// Homes by path.
    pub homes: BTreeMap<String, FakeHome>,
    /// Files that are no directories, by path: true where executable.
    pub programs: BTreeMap<String, bool>,
    /// Running processes by their owner's number.
    pub processes: BTreeMap<u32, Vec<Process>>,
    /// Users that only the name service knows.
    pub remote_users: BTreeMap<String, u32>,
    /// Groups that only the name service knows.
    pub remote_groups: BTreeMap<String, u32>,
}

impl FakeAccounts {
    /// The scene of the conformance suite: the accounts of a fresh Debian.
    pub fn scene(faults: Faults) -> Self {
        let mut accounts = Self { faults, ..Self::default() };
        accounts.set_databases(
            "root:x:0:0:root:/root:/bin/bash\n\
             daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
             bin:x:2:2:bin:/bin:/usr/sbin/nologin\n\
             www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
             nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
            "root:*:19000:0:99999:7:::\n\
             daemon:*:19000:0:99999:7:::\n\
             bin:*:19000:0:99999:7:::\n\
             www-data:*:19000:0:99999:7:::\n\
             nobody:*:19000:0:99999:7:::\n",
            "root:x:0:\ndaemon:x:1:\nbin:x:2:\nadm:x:4:\nsudo:x:27:\nwww-data:x:33:\n\
             users:x:100:\nnogroup:x:65534:\n",
        );
        accounts.homes.insert("/root".into(), FakeHome::default());
        for program in ["/bin/sh", "/bin/bash", "/usr/bin/bash", "/usr/sbin/nologin", "/bin/false"]
        {
            accounts.programs.insert(program.into(), true);
        }
        accounts.programs.insert("/etc/passwd".into(), false);
        accounts
    }

    /// Replaces the databases by these texts; `gshadow` gets a line for each group.
    pub fn set_databases(&mut self, passwd: &str, shadow: &str, group: &str) {
        let group_table = Table::parse(group.as_bytes());
        let mut gshadow = Table::default();
        for fields in group_table.entries(4) {
            if let Some(name) = fields.first() {
                gshadow.add(&[&String::from_utf8_lossy(name), "*", "", ""]);
            }
        }
        self.databases = Databases {
            passwd: Table::parse(passwd.as_bytes()),
            shadow: Table::parse(shadow.as_bytes()),
            group: group_table,
            gshadow,
        };
        self.snapshot = self.databases.snapshot();
    }

    /// The texts of `passwd`, `shadow` and `group`.
    pub fn databases(&self) -> [String; 3] {
        [&self.databases.passwd, &self.databases.shadow, &self.databases.group]
            .map(|table| String::from_utf8_lossy(&table.render()).into_owned())
    }

    fn change(
        &mut self,
        operation: &str,
        change: impl FnOnce(&mut Self) -> Result<(), AccountError>,
    ) -> Result<(), AccountError> {
        self.faults.strike(operation).map_err(|source| AccountError::Injected { source })?;
        let result = change(self);
        self.snapshot = self.databases.snapshot();
        result
    }

    fn local(&self, name: &str) -> Result<User, AccountError> {
        self.snapshot.user(name).cloned().ok_or_else(|| AccountError::NoUser(name.into()))
    }
}

impl AccountView for FakeAccounts {
    fn user_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        let local = self.snapshot.user(name).map(|user| user.uid);
        Ok(local.or_else(|| self.remote_users.get(name).copied()))
    }

    fn group_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        let local = self.snapshot.group(name).map(|group| group.gid);
        Ok(local.or_else(|| self.remote_groups.get(name).copied()))
    }

    fn user_name(&self, uid: u32) -> Result<Option<String>, AccountError> {
        let local = self.snapshot.user_by_id(uid).map(|user| user.name.clone());
        Ok(local.or_else(|| name_of(&self.remote_users, uid)))
    }

    fn group_name(&self, gid: u32) -> Result<Option<String>, AccountError> {
        let local = self.snapshot.group_by_id(gid).map(|group| group.name.clone());
        Ok(local.or_else(|| name_of(&self.remote_groups, gid)))
    }

    fn user(&self, name: &str) -> Result<Option<User>, AccountError> {
        Ok(self.snapshot.user(name).cloned())
    }

    fn group(&self, name: &str) -> Result<Option<Group>, AccountError> {
        Ok(self.snapshot.group(name).cloned())
    }

    fn users(&self) -> Result<Vec<User>, AccountError> {
        Ok(self.snapshot.users().to_vec())
    }

    fn groups(&self) -> Result<Vec<Group>, AccountError> {
        Ok(self.snapshot.groups().to_vec())
    }

    fn groups_of(&self, user: &str) -> Result<Vec<String>, AccountError> {
        Ok(self.snapshot.groups_of(user))
    }

    fn users_of_primary_group(&self, gid: u32) -> Result<Vec<String>, AccountError> {
        Ok(self.snapshot.users_of_primary_group(gid))
    }

    fn others_at_home(&self, home: &str, except: &str) -> Result<Vec<String>, AccountError> {
        Ok(self.snapshot.others_at_home(home, except))
    }

    fn processes(&self, uid: u32) -> Result<Vec<Process>, AccountError> {
        Ok(self.processes.get(&uid).cloned().unwrap_or_default())
    }

    fn home(&self, path: &str) -> Result<Option<HomeFacts>, AccountError> {
        let home = self.homes.get(path).map(|home| HomeFacts {
            owner: Some(home.owner),
            directory: true,
            mount_point: home.mount_point,
            device: 1,
        });
        let file = self.programs.get(path).map(|_| HomeFacts {
            owner: Some(0),
            directory: false,
            mount_point: false,
            device: 1,
        });
        Ok(home.or(file))
    }

    fn mount_below(&self, path: &str) -> Result<Option<String>, AccountError> {
        let below = |home: &&String| Path::new(home).starts_with(path) && *home != path;
        let mounted = self.homes.iter().filter(|(_, home)| home.mount_point);
        Ok(mounted.map(|(path, _)| path).find(below).cloned())
    }

    fn shell(&self, path: &str) -> Result<ShellFacts, AccountError> {
        Ok(match (self.programs.get(path), self.homes.contains_key(path)) {
            (Some(true), _) => ShellFacts::Executable,
            (Some(false), _) | (None, true) => ShellFacts::NotExecutable,
            (None, false) => ShellFacts::Missing,
        })
    }

    fn authorized_keys(&self, user: &User) -> Result<Option<Vec<u8>>, AccountError> {
        Ok(self.homes.get(&user.home).and_then(|home| home.authorized_keys.clone()))
    }

    fn can_give_files(&self) -> bool {
        true
    }
}

impl AccountChanges for FakeAccounts {
    fn create_group(&mut self, group: &NewGroup, _: Instant) -> Result<(), AccountError> {
        self.change("create group", |fake| fake.databases.create_group(group, &Defaults::default()))
    }

    fn set_group_id(&mut self, name: &str, gid: u32, _: Instant) -> Result<(), AccountError> {
        self.change("set group id", |fake| fake.databases.set_group_id(name, gid))
    }

    fn change_members(
        &mut self,
        group: &str,
        add: &[String],
        remove: &[String],
        _: Instant,
    ) -> Result<(), AccountError> {
        self.change("change members", |fake| fake.databases.change_members(group, add, remove))
    }

    fn delete_group(&mut self, name: &str, _: Instant) -> Result<(), AccountError> {
        self.change("delete group", |fake| fake.databases.delete_group(name))
    }

    fn create_user(&mut self, user: &NewUser, _: Instant) -> Result<(), AccountError> {
        self.change("create user", |fake| {
            fake.databases.create_user(user, &Defaults::default(), TODAY)
        })
    }

    fn change_user(
        &mut self,
        name: &str,
        fields: &UserFields,
        _: Instant,
    ) -> Result<(), AccountError> {
        self.change("change user", |fake| fake.databases.change_user(name, fields))
    }

    fn set_password(
        &mut self,
        name: &str,
        hash: &PasswordHash,
        _: Instant,
    ) -> Result<(), AccountError> {
        self.change("set password", |fake| fake.databases.set_password(name, hash, TODAY))
    }

    fn set_locked(&mut self, name: &str, locked: bool, _: Instant) -> Result<(), AccountError> {
        self.change("set locked", |fake| fake.databases.set_locked(name, locked))
    }

    fn set_ageing(&mut self, name: &str, ageing: &Ageing, _: Instant) -> Result<(), AccountError> {
        self.change("set ageing", |fake| fake.databases.set_ageing(name, ageing))
    }

    fn delete_user(&mut self, name: &str, _: Instant) -> Result<(), AccountError> {
        self.change("delete user", |fake| {
            let user = fake.local(name)?;
            busy(&user.name, fake.processes.get(&user.uid))?;
            fake.databases.delete_user(name)
        })
    }

    fn create_home(&mut self, name: &str, _: Instant) -> Result<(), AccountError> {
        self.change("create home", |fake| {
            let user = fake.local(name)?;
            let home = FakeHome { owner: user.uid, group: user.gid, ..FakeHome::default() };
            fake.homes.entry(user.home).or_insert(home);
            Ok(())
        })
    }

    fn move_home(&mut self, from: &str, to: &str, _: Instant) -> Result<(), AccountError> {
        self.change("move home", |fake| {
            if fake.homes.contains_key(to) {
                return Err(AccountError::Taken { what: to.into(), holder: "another home".into() });
            }
            if let Some(home) = fake.homes.remove(from) {
                fake.homes.insert(to.into(), home);
            }
            Ok(())
        })
    }

    fn remove_home(&mut self, name: &str, _: Instant) -> Result<(), AccountError> {
        self.change("remove home", |fake| {
            let user = fake.local(name)?;
            busy(&user.name, fake.processes.get(&user.uid))?;
            if fake.homes.get(&user.home).is_some_and(|home| home.owner == user.uid) {
                fake.homes.remove(&user.home);
            }
            Ok(())
        })
    }

    fn reown_home(
        &mut self,
        path: &str,
        from: Ownership,
        to: Ownership,
        _: Instant,
    ) -> Result<(), AccountError> {
        self.change("reown home", |fake| {
            if let Some(home) = fake.homes.get_mut(path) {
                if home.owner == from.uid {
                    home.owner = to.uid;
                }
                if home.group == from.gid {
                    home.group = to.gid;
                }
            }
            Ok(())
        })
    }

    fn write_authorized_keys(
        &mut self,
        name: &str,
        content: &[u8],
        _: Instant,
    ) -> Result<(), AccountError> {
        self.change("write authorized keys", |fake| {
            let user = fake.local(name)?;
            match fake.homes.get_mut(&user.home) {
                Some(home) if home.owner == user.uid => {
                    home.authorized_keys = Some(content.to_owned());
                    Ok(())
                }
                _ => Err(AccountError::NoUser(format!("{name} with a home of its own"))),
            }
        })
    }

    fn kill_processes(&mut self, uid: u32, _: Instant) -> Result<(), AccountError> {
        self.change("kill processes", |fake| {
            fake.processes.remove(&uid);
            Ok(())
        })
    }
}

fn name_of(names: &BTreeMap<String, u32>, number: u32) -> Option<String> {
    names.iter().find(|(_, id)| **id == number).map(|(name, _)| name.clone())
}

fn busy(user: &str, processes: Option<&Vec<Process>>) -> Result<(), AccountError> {
    match processes {
        Some(processes) if !processes.is_empty() => {
            Err(AccountError::Busy { user: user.into(), processes: process_list(processes) })
        }
        _ => Ok(()),
    }
}
