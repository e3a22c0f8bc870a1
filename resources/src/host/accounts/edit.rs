//! Changes to the four databases as pure functions on their text: what the distribution's tools
//! would do, for a root directory that is not running and for tests.
//!
//! What must stay true: every function can be repeated; none touches a line that it need not.

use std::collections::BTreeSet;

use super::AccountError;
use super::defaults::Defaults;
use super::model::{Ageing, GroupReference, NewGroup, NewUser, PasswordHash, UserFields};
use super::snapshot::{ShadowTable, Snapshot, member_list};
use super::table::Table;

/// The four databases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Databases {
    /// `passwd`.
    pub(super) passwd: Table,
    /// `shadow`.
    pub(super) shadow: Table,
    /// `group`.
    pub(super) group: Table,
    /// `gshadow`.
    pub(super) gshadow: Table,
}

const SHADOW_HASH: usize = 1;
const SHADOW_CHANGED: usize = 2;
const SHADOW_MINIMUM: usize = 3;
const SHADOW_MAXIMUM: usize = 4;
const SHADOW_WARNING: usize = 5;
const SHADOW_EXPIRY: usize = 7;
const SHADOW_LAST: usize = 8;
const PASSWD_HASH: usize = 1;

impl Databases {
    /// The accounts that the databases describe.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot::new(&self.passwd, ShadowTable::Readable(&self.shadow), &self.group)
    }

    /// Adds a group.
    pub(super) fn create_group(
        &mut self,
        group: &NewGroup,
        defaults: &Defaults,
    ) -> Result<(), AccountError> {
        let snapshot = self.snapshot();
        if snapshot.group(&group.name).is_some() {
            return Err(taken(format!("group {}", group.name), &group.name));
        }
        let range = if group.system { defaults.system_gids } else { defaults.gids };
        let gid = match group.gid {
            Some(gid) => match snapshot.group_by_id(gid) {
                Some(holder) => return Err(taken(format!("gid {gid}"), &holder.name)),
                None => gid,
            },
            None => {
                free_number(range, group.system, &numbers(snapshot.groups(), |group| group.gid))?
            }
        };
        self.group.add(&[&group.name, "x", &gid.to_string(), ""]);
        self.gshadow.remove(&group.name);
        self.gshadow.add(&[&group.name, "!", "", ""]);
        Ok(())
    }

    /// Gives a group another number, and every user who has it as primary group with it.
    pub(super) fn set_group_id(&mut self, name: &str, gid: u32) -> Result<(), AccountError> {
        let snapshot = self.snapshot();
        let group = snapshot.group(name).ok_or_else(|| AccountError::NoGroup(name.into()))?;
        if let Some(holder) = snapshot.group_by_id(gid).filter(|holder| holder.name != name) {
            return Err(taken(format!("gid {gid}"), &holder.name));
        }
        for user in snapshot.users().iter().filter(|user| user.gid == group.gid) {
            self.passwd.set_field(&user.name, 3, gid.to_string().as_bytes());
        }
        self.group.set_field(name, 2, gid.to_string().as_bytes());
        Ok(())
    }

    /// Adds and removes members of a group.
    pub(super) fn change_members(
        &mut self,
        name: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<(), AccountError> {
        if !self.group.has(name) {
            return Err(AccountError::NoGroup(name.into()));
        }
        if let Some(stranger) = add.iter().find(|member| !self.passwd.has(member)) {
            return Err(AccountError::NoUser(stranger.clone()));
        }
        change_list(&mut self.group, name, add, remove);
        change_list(&mut self.gshadow, name, add, remove);
        Ok(())
    }

    /// Removes a group that is nobody's primary group.
    pub(super) fn delete_group(&mut self, name: &str) -> Result<(), AccountError> {
        let snapshot = self.snapshot();
        let group = snapshot.group(name).ok_or_else(|| AccountError::NoGroup(name.into()))?;
        if let Some(user) = snapshot.users().iter().find(|user| user.gid == group.gid) {
            return Err(AccountError::PrimaryGroup { group: name.into(), user: user.name.clone() });
        }
        self.group.remove(name);
        self.gshadow.remove(name);
        Ok(())
    }

    /// Adds a user, locked. `today` is in days since 1970-01-01.
    pub(super) fn create_user(
        &mut self,
        user: &NewUser,
        defaults: &Defaults,
        today: i64,
    ) -> Result<(), AccountError> {
        let snapshot = self.snapshot();
        if snapshot.user(&user.name).is_some() {
            return Err(taken(format!("user {}", user.name), &user.name));
        }
        let gid = resolve(&snapshot, &user.group)?;
        let range = if user.system { defaults.system_uids } else { defaults.uids };
        let uid = match user.uid {
            Some(uid) => match snapshot.user_by_id(uid) {
                Some(holder) => return Err(taken(format!("uid {uid}"), &holder.name)),
                None => uid,
            },
            None => free_number(range, user.system, &numbers(snapshot.users(), |user| user.uid))?,
        };
        let shell = user.shell.as_deref().unwrap_or(&defaults.shell);
        // The shadow line first: an account never exists without its lock.
        self.shadow.remove(&user.name);
        let (minimum, maximum, warning) = defaults.ageing;
        let days =
            |days: i64| if user.system || days < 0 { String::new() } else { days.to_string() };
        self.shadow.add(&[
            &user.name,
            "!",
            &today.to_string(),
            &days(minimum),
            &days(maximum),
            &days(warning),
            "",
            "",
            "",
        ]);
        self.passwd.add(&[
            &user.name,
            "x",
            &uid.to_string(),
            &gid.to_string(),
            &user.comment,
            &user.home,
            shell,
        ]);
        Ok(())
    }

    /// Changes fields of a user's `passwd` line.
    pub(super) fn change_user(
        &mut self,
        name: &str,
        fields: &UserFields,
    ) -> Result<(), AccountError> {
        let snapshot = self.snapshot();
        if snapshot.user(name).is_none() {
            return Err(AccountError::NoUser(name.into()));
        }
        if let Some(uid) = fields.uid {
            if let Some(holder) = snapshot.user_by_id(uid).filter(|holder| holder.name != name) {
                return Err(taken(format!("uid {uid}"), &holder.name));
            }
            self.passwd.set_field(name, 2, uid.to_string().as_bytes());
        }
        if let Some(group) = &fields.group {
            let gid = resolve(&snapshot, group)?;
            self.passwd.set_field(name, 3, gid.to_string().as_bytes());
        }
        for (index, value) in [(4, &fields.comment), (5, &fields.home), (6, &fields.shell)] {
            if let Some(value) = value {
                self.passwd.set_field(name, index, value.as_bytes());
            }
        }
        Ok(())
    }

    /// Replaces a user's password field and notes the day.
    pub(super) fn set_password(
        &mut self,
        name: &str,
        hash: &PasswordHash,
        today: i64,
    ) -> Result<(), AccountError> {
        self.set_hash(name, hash)?;
        self.shadow.set_field(name, SHADOW_CHANGED, today.to_string().as_bytes());
        Ok(())
    }

    /// Locks or unlocks a user's password, keeping the hash.
    pub(super) fn set_locked(&mut self, name: &str, locked: bool) -> Result<(), AccountError> {
        let in_passwd = self.passwd.field(name, PASSWD_HASH).filter(|field| *field != b"x");
        let field = in_passwd.or_else(|| self.shadow.field(name, SHADOW_HASH)).unwrap_or_default();
        let hash = PasswordHash::new(String::from_utf8_lossy(field));
        self.set_hash(name, &hash.with_lock(locked))
    }

    fn set_hash(&mut self, name: &str, hash: &PasswordHash) -> Result<(), AccountError> {
        let field = self
            .passwd
            .field(name, PASSWD_HASH)
            .ok_or_else(|| AccountError::NoUser(name.into()))?;
        if field == b"x" {
            if !self.shadow.has(name) {
                self.shadow.add(&[name, "!", "", "", "", "", "", "", ""]);
            }
            self.shadow.set_field(name, SHADOW_HASH, hash.expose().as_bytes());
        } else {
            self.passwd.set_field(name, PASSWD_HASH, hash.expose().as_bytes());
        }
        Ok(())
    }

    /// Changes a user's ageing.
    pub(super) fn set_ageing(&mut self, name: &str, ageing: &Ageing) -> Result<(), AccountError> {
        if !self.passwd.has(name) {
            return Err(AccountError::NoUser(name.into()));
        }
        if !self.shadow.has(name) {
            self.shadow.add(&[name, "!", "", "", "", "", "", "", ""]);
        }
        self.shadow.set_field(name, SHADOW_LAST, b"");
        for (index, days) in [
            (SHADOW_MINIMUM, ageing.minimum),
            (SHADOW_MAXIMUM, ageing.maximum),
            (SHADOW_WARNING, ageing.warning),
            (SHADOW_EXPIRY, ageing.expiry),
        ] {
            if let Some(days) = days {
                let text = if days < 0 { String::new() } else { days.to_string() };
                self.shadow.set_field(name, index, text.as_bytes());
            }
        }
        Ok(())
    }

    /// Removes a user from all databases; its groups stay.
    pub(super) fn delete_user(&mut self, name: &str) -> Result<(), AccountError> {
        if !self.passwd.remove(name) {
            return Err(AccountError::NoUser(name.into()));
        }
        self.shadow.remove(name);
        let leaver = [name.to_owned()];
        for group in self.snapshot().groups() {
            change_list(&mut self.group, &group.name, &[], &leaver);
            change_list(&mut self.gshadow, &group.name, &[], &leaver);
        }
        Ok(())
    }
}

fn taken(what: String, holder: &str) -> AccountError {
    AccountError::Taken { what, holder: holder.into() }
}

fn numbers<T>(all: &[T], number: fn(&T) -> u32) -> BTreeSet<u32> {
    all.iter().map(number).collect()
}

fn resolve(snapshot: &Snapshot, group: &GroupReference) -> Result<u32, AccountError> {
    match group {
        GroupReference::Number(gid) => Ok(*gid),
        GroupReference::Name(name) => snapshot
            .group(name)
            .map(|group| group.gid)
            .ok_or_else(|| AccountError::NoGroup(name.clone())),
    }
}

/// The next number as shadow chooses it: ordinary ones upwards after the largest in use, system
/// ones downwards; the first gap where that end is reached.
fn free_number(
    (from, to): (u32, u32),
    system: bool,
    used: &BTreeSet<u32>,
) -> Result<u32, AccountError> {
    if from > to {
        return Err(AccountError::RangeFull(from, to));
    }
    let highest = used.range(from..=to).next_back().copied();
    let next = match (system, highest) {
        (true, _) => (from..=to).rev().find(|number| !used.contains(number)),
        (false, None) => Some(from),
        (false, Some(highest)) if highest < to => Some(highest + 1),
        (false, Some(_)) => (from..=to).find(|number| !used.contains(number)),
    };
    next.ok_or(AccountError::RangeFull(from, to))
}

fn change_list(table: &mut Table, name: &str, add: &[String], remove: &[String]) {
    let Some(field) = table.field(name, 3) else { return };
    let before = member_list(field);
    let mut members: Vec<String> =
        before.iter().filter(|member| !remove.contains(member)).cloned().collect();
    for member in add {
        if !members.contains(member) {
            members.push(member.clone());
        }
    }
    if members != before {
        table.set_field(name, 3, members.join(",").as_bytes());
    }
}
