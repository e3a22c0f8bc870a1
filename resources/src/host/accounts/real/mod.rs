//! The machine's own accounts, or those of a root directory.

mod files;
mod homes;
mod identity;
mod keys;
mod lock;
mod mounts;
mod name_service;
mod paths;
mod processes;
mod tools;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use self::files::Order;
use self::name_service::NameService;
use super::edit::Databases;
use super::snapshot::Snapshot;
use super::{
    AccountChanges, AccountError, AccountView, Ageing, Group, GroupReference, HomeFacts, NewGroup,
    NewUser, Ownership, PasswordHash, Process, ShellFacts, User, UserFields, process_list,
};
use crate::host::HostOptions;

/// The group that userdel(8) does not mistake for the private group of the user it removes.
const NO_GROUP: u32 = 65534;

/// The machine's own accounts, or those of a root directory.
#[derive(Debug)]
pub struct RealAccounts {
    root: PathBuf,
    snapshot: RefCell<Option<Rc<Snapshot>>>,
    name_service: Option<NameService>,
}

impl RealAccounts {
    /// Reads nothing yet.
    pub fn new(options: &HostOptions) -> Self {
        let running = options.root == Path::new("/");
        Self {
            root: options.root.clone(),
            snapshot: RefCell::new(None),
            name_service: running.then(NameService::default),
        }
    }

    fn is_running_machine(&self) -> bool {
        self.name_service.is_some()
    }

    fn snapshot(&self) -> Result<Rc<Snapshot>, AccountError> {
        if let Some(snapshot) = &*self.snapshot.borrow() {
            return Ok(Rc::clone(snapshot));
        }
        let read = Rc::new(files::snapshot(&self.root)?);
        *self.snapshot.borrow_mut() = Some(Rc::clone(&read));
        Ok(read)
    }

    fn forget(&self) {
        *self.snapshot.borrow_mut() = None;
        if let Some(service) = &self.name_service {
            service.forget();
        }
    }

    fn fresh_user(&self, name: &str) -> Result<User, AccountError> {
        self.forget();
        self.user(name)?.ok_or_else(|| AccountError::NoUser(name.into()))
    }

    /// What is known is stale after this, whether it worked or not.
    fn changed(&self, result: Result<(), AccountError>) -> Result<(), AccountError> {
        self.forget();
        result
    }

    fn edit(
        &self,
        order: Order,
        deadline: Instant,
        change: impl FnOnce(&mut Databases) -> Result<(), AccountError>,
    ) -> Result<(), AccountError> {
        self.changed(files::edit(&self.root, order, deadline, change))
    }

    fn refuse_if_busy(&self, user: &User) -> Result<(), AccountError> {
        let processes = self.processes(user.uid)?;
        if processes.is_empty() {
            return Ok(());
        }
        Err(AccountError::Busy { user: user.name.clone(), processes: process_list(&processes) })
    }
}

/// Today, in days since 1970-01-01, as `shadow` notes it.
fn today() -> i64 {
    let clock = nix::time::ClockId::CLOCK_REALTIME;
    nix::time::clock_gettime(clock).map_or(0, |now| now.tv_sec() / 86_400)
}

impl AccountView for RealAccounts {
    fn user_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        match (self.snapshot()?.user(name), &self.name_service) {
            (Some(user), _) => Ok(Some(user.uid)),
            (None, Some(service)) => service.user_id(name),
            (None, None) => Ok(None),
        }
    }

    fn group_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        match (self.snapshot()?.group(name), &self.name_service) {
            (Some(group), _) => Ok(Some(group.gid)),
            (None, Some(service)) => service.group_id(name),
            (None, None) => Ok(None),
        }
    }

    fn user_name(&self, uid: u32) -> Result<Option<String>, AccountError> {
        match (self.snapshot()?.user_by_id(uid), &self.name_service) {
            (Some(user), _) => Ok(Some(user.name.clone())),
            (None, Some(service)) => service.user_name(uid),
            (None, None) => Ok(None),
        }
    }

    fn group_name(&self, gid: u32) -> Result<Option<String>, AccountError> {
        match (self.snapshot()?.group_by_id(gid), &self.name_service) {
            (Some(group), _) => Ok(Some(group.name.clone())),
            (None, Some(service)) => service.group_name(gid),
            (None, None) => Ok(None),
        }
    }

    fn user(&self, name: &str) -> Result<Option<User>, AccountError> {
        Ok(self.snapshot()?.user(name).cloned())
    }

    fn group(&self, name: &str) -> Result<Option<Group>, AccountError> {
        Ok(self.snapshot()?.group(name).cloned())
    }

    fn groups_of(&self, user: &str) -> Result<Vec<String>, AccountError> {
        Ok(self.snapshot()?.groups_of(user))
    }

    fn users_of_primary_group(&self, gid: u32) -> Result<Vec<String>, AccountError> {
        Ok(self.snapshot()?.users_of_primary_group(gid))
    }

    fn others_at_home(&self, home: &str, except: &str) -> Result<Vec<String>, AccountError> {
        Ok(self.snapshot()?.others_at_home(home, except))
    }

    fn processes(&self, uid: u32) -> Result<Vec<Process>, AccountError> {
        if self.is_running_machine() { processes::of(uid) } else { Ok(Vec::new()) }
    }

    fn home(&self, path: &str) -> Result<Option<HomeFacts>, AccountError> {
        homes::facts(&self.root, path)
    }

    fn mount_below(&self, path: &str) -> Result<Option<String>, AccountError> {
        if self.is_running_machine() { mounts::below(path) } else { Ok(None) }
    }

    fn shell(&self, path: &str) -> Result<ShellFacts, AccountError> {
        homes::shell(&self.root, path)
    }

    fn authorized_keys(&self, user: &User) -> Result<Option<String>, AccountError> {
        keys::read(&self.root, user)
    }

    fn can_give_files(&self) -> bool {
        rustix::process::geteuid().is_root()
    }
}

impl AccountChanges for RealAccounts {
    fn create_group(&mut self, group: &NewGroup, deadline: Instant) -> Result<(), AccountError> {
        if self.is_running_machine() {
            return self.changed(tools::create_group(group, deadline));
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
        self.changed(tools())
    }

    fn delete_group(&mut self, name: &str, deadline: Instant) -> Result<(), AccountError> {
        if self.is_running_machine() {
            return self.changed(tools::delete_group(name, deadline));
        }
        self.edit(Order::PasswdLast, deadline, |databases| databases.delete_group(name))
    }

    fn create_user(&mut self, user: &NewUser, deadline: Instant) -> Result<(), AccountError> {
        if self.is_running_machine() {
            return self.changed(tools::create_user(user, deadline));
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
        let user = self.fresh_user(name)?;
        self.refuse_if_busy(&user)?;
        let own_group = self.group(name)?;
        if own_group.is_some_and(|group| group.gid == user.gid) {
            let group = Some(GroupReference::Number(NO_GROUP));
            let fields = UserFields { group, ..UserFields::default() };
            self.edit(Order::PasswdLast, deadline, |databases| {
                databases.change_user(name, &fields)
            })?;
        }
        self.changed(tools::delete_user(name, deadline))
    }

    fn create_home(&mut self, name: &str, _deadline: Instant) -> Result<(), AccountError> {
        let user = self.fresh_user(name)?;
        homes::create(&self.root, &user, &files::defaults(&self.root)?)
    }

    fn move_home(&mut self, from: &str, to: &str, _deadline: Instant) -> Result<(), AccountError> {
        homes::rename(&self.root, from, to)
    }

    fn remove_home(&mut self, name: &str, _deadline: Instant) -> Result<(), AccountError> {
        let user = self.fresh_user(name)?;
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
        content: &str,
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
