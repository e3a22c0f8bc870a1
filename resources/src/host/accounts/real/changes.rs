//! Changes to the machine's own accounts by the distribution's tools, or to those of a root
//! directory by our own edit.

use std::time::Instant;

use super::super::{
    AccountChanges, AccountError, AccountView, Ageing, GroupReference, NewGroup, NewUser,
    Ownership, PasswordHash, UserFields,
};
use super::files::Order;
use super::{RealAccounts, files, homes, keys, processes, tools};

/// The group that userdel(8) does not mistake for the private group of the user it removes.
const NO_GROUP: u32 = 65534;

impl AccountChanges for RealAccounts {
    fn create_group(&mut self, group: &NewGroup, deadline: Instant) -> Result<(), AccountError> {
        if self.is_running_machine() {
            return self.settled(tools::create_group(group, deadline), |now| {
                let made = now.group(&group.name);
                made.is_some_and(|made| group.gid.is_none_or(|gid| gid == made.gid))
            });
        }
        let defaults = files::defaults(&self.root)?;
        self.edit(Order::PasswdLast, deadline, |databases| databases.create_group(group, &defaults))
    }

    fn set_group_id(
        &mut self,
        name: &str,
        gid: u32,
        deadline: Instant,
    ) -> Result<(), AccountError> {
        if self.is_running_machine() {
            return self.changed(tools::set_group_id(name, gid, deadline));
        }
        self.edit(Order::PasswdFirst, deadline, |databases| databases.set_group_id(name, gid))
    }

    fn change_members(
        &mut self,
        group: &str,
        add: &[String],
        remove: &[String],
        deadline: Instant,
    ) -> Result<(), AccountError> {
        if !self.is_running_machine() {
            return self.edit(Order::PasswdLast, deadline, |databases| {
                databases.change_members(group, add, remove)
            });
        }
        self.forget();
        let before = self.group(group)?.ok_or_else(|| AccountError::NoGroup(group.into()))?;
        let tools = || {
            for user in remove.iter().filter(|user| before.members.contains(user)) {
                tools::remove_member(group, user, deadline)?;
            }
            for user in add.iter().filter(|user| !before.members.contains(user)) {
                tools::add_member(group, user, deadline)?;
            }
            Ok(())
        };
        self.settled(tools(), |now| {
            now.group(group).is_some_and(|now| {
                add.iter().all(|user| now.members.contains(user))
                    && !remove.iter().any(|user| now.members.contains(user))
            })
        })
    }

    fn delete_group(&mut self, name: &str, deadline: Instant) -> Result<(), AccountError> {
        if self.is_running_machine() {
            return self
                .settled(tools::delete_group(name, deadline), |now| now.group(name).is_none());
        }
        self.edit(Order::PasswdLast, deadline, |databases| databases.delete_group(name))
    }

    fn create_user(&mut self, user: &NewUser, deadline: Instant) -> Result<(), AccountError> {
        if self.is_running_machine() {
            return self.settled(tools::create_user(user, deadline), |now| {
                let made = now.user(&user.name);
                made.is_some_and(|made| {
                    user.uid.is_none_or(|uid| uid == made.uid) && user.home == made.home
                })
            });
        }
        let defaults = files::defaults(&self.root)?;
        self.edit(Order::PasswdLast, deadline, |databases| {
            databases.create_user(user, &defaults, today())
        })
    }

    fn change_user(
        &mut self,
        name: &str,
        fields: &UserFields,
        deadline: Instant,
    ) -> Result<(), AccountError> {
        if !self.is_running_machine() {
            return self.edit(Order::PasswdLast, deadline, |databases| {
                databases.change_user(name, fields)
            });
        }
        let user = self.fresh_user(name)?;
        let numbers_and_home = UserFields {
            uid: fields.uid,
            group: match &fields.group {
                Some(GroupReference::Name(group)) => Some(GroupReference::Number(
                    self.group_id(group)?.ok_or_else(|| AccountError::NoGroup(group.clone()))?,
                )),
                other => other.clone(),
            },
            home: fields.home.clone(),
            ..UserFields::default()
        };
        if let Some(uid) = fields.uid {
            self.refuse_if_busy(&user)?;
            if let Some(holder) = self.user_name(uid)?.filter(|holder| holder != name) {
                return Err(AccountError::Taken { what: format!("uid {uid}"), holder });
            }
        }
        if numbers_and_home != UserFields::default() {
            self.edit(Order::PasswdLast, deadline, |databases| {
                databases.change_user(name, &numbers_and_home)
            })?;
        }
        self.changed(tools::change_user(name, fields, deadline))
    }

    fn set_password(
        &mut self,
        name: &str,
        hash: &PasswordHash,
        deadline: Instant,
    ) -> Result<(), AccountError> {
        if self.is_running_machine() {
            self.fresh_user(name)?;
            return self.changed(tools::set_password(name, hash, deadline));
        }
        self.edit(Order::PasswdLast, deadline, |databases| {
            databases.set_password(name, hash, today())
        })
    }

    fn set_locked(
        &mut self,
        name: &str,
        locked: bool,
        deadline: Instant,
    ) -> Result<(), AccountError> {
        if self.is_running_machine() {
            let user = self.fresh_user(name)?;
            return self.changed(tools::set_locked(&user, locked, deadline));
        }
        self.edit(Order::PasswdLast, deadline, |databases| databases.set_locked(name, locked))
    }

    fn set_ageing(
        &mut self,
        name: &str,
        ageing: &Ageing,
        deadline: Instant,
    ) -> Result<(), AccountError> {
        if self.is_running_machine() {
            let user = self.fresh_user(name)?;
            return self.changed(tools::set_ageing(&user, ageing, deadline));
        }
        self.edit(Order::PasswdLast, deadline, |databases| databases.set_ageing(name, ageing))
    }

    fn delete_user(&mut self, name: &str, deadline: Instant) -> Result<(), AccountError> {
        if !self.is_running_machine() {
            return self.edit(Order::PasswdLast, deadline, |databases| databases.delete_user(name));
        }
        let Some(user) = self.user_if_still_there(name)? else { return Ok(()) };
        self.refuse_if_busy(&user)?;
        let own_group = self.group(name)?;
        if own_group.is_some_and(|group| group.gid == user.gid) {
            let group = Some(GroupReference::Number(NO_GROUP));
            let fields = UserFields { group, ..UserFields::default() };
            self.edit(Order::PasswdLast, deadline, |databases| {
                databases.change_user(name, &fields)
            })?;
        }
        self.settled(tools::delete_user(name, deadline), |now| now.user(name).is_none())
    }

    fn create_home(&mut self, name: &str, _deadline: Instant) -> Result<(), AccountError> {
        let user = self.fresh_user(name)?;
        homes::create(&self.root, &user, &files::defaults(&self.root)?)
    }

    fn move_home(&mut self, from: &str, to: &str, _deadline: Instant) -> Result<(), AccountError> {
        homes::rename(&self.root, from, to)
    }

    fn remove_home(&mut self, name: &str, _deadline: Instant) -> Result<(), AccountError> {
        let Some(user) = self.user_if_still_there(name)? else { return Ok(()) };
        self.refuse_if_busy(&user)?;
        homes::remove(&self.root, &user)
    }

    fn reown_home(
        &mut self,
        path: &str,
        from: Ownership,
        to: Ownership,
        deadline: Instant,
    ) -> Result<(), AccountError> {
        if !self.can_give_files() {
            return Ok(());
        }
        homes::reown(&self.root, path, from, to, deadline)
    }

    fn write_authorized_keys(
        &mut self,
        name: &str,
        content: &[u8],
        _deadline: Instant,
    ) -> Result<(), AccountError> {
        let user = self.fresh_user(name)?;
        keys::write(&self.root, &user, content)
    }

    fn kill_processes(&mut self, uid: u32, deadline: Instant) -> Result<(), AccountError> {
        if !self.is_running_machine() {
            return Ok(());
        }
        let name = self.user_name(uid)?.unwrap_or_else(|| uid.to_string());
        processes::kill(uid, &name, deadline)
    }
}

/// Today, in days since 1970-01-01, as `shadow` notes it.
fn today() -> i64 {
    let clock = nix::time::ClockId::CLOCK_REALTIME;
    nix::time::clock_gettime(clock).map_or(0, |now| now.tv_sec() / 86_400)
}
