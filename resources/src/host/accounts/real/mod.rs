//! The machine's own accounts, or those of a root directory.

mod changes;
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
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use self::files::Order;
use self::name_service::NameService;
use super::edit::Databases;
use super::snapshot::Snapshot;
use super::{AccountError, AccountView, Group, HomeFacts, Process, ShellFacts, User, process_list};
use crate::host::HostOptions;

/// The machine's own accounts, or those of a root directory.
#[derive(Debug)]
pub struct RealAccounts {
    root: PathBuf,
    snapshot: RefCell<Option<Rc<Snapshot>>>,
    name_service: Option<NameService>,
}

/// The homes of the local users below `root`, by name; none where the database cannot be read.
pub(in crate::host) fn homes_of_users(root: &Path) -> HashMap<String, String> {
    match files::snapshot(root) {
        Ok(snapshot) => {
            let users = snapshot.users().iter();
            users.map(|user| (user.name.clone(), user.home.clone())).collect()
        }
        Err(error) => {
            log::debug!("homes are not known: {error}");
            HashMap::new()
        }
    }
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

    fn user_if_still_there(&self, name: &str) -> Result<Option<User>, AccountError> {
        self.forget();
        self.user(name)
    }

    fn fresh_user(&self, name: &str) -> Result<User, AccountError> {
        self.user_if_still_there(name)?.ok_or_else(|| AccountError::NoUser(name.into()))
    }

    /// What is known is stale after this, whether it worked or not.
    fn changed(&self, result: Result<(), AccountError>) -> Result<(), AccountError> {
        self.forget();
        result
    }

    /// A tool that an earlier, killed run had started may have done the work meanwhile, so that
    /// ours found nothing left to do and failed: `done` tells.
    fn settled(
        &self,
        result: Result<(), AccountError>,
        done: impl FnOnce(&Snapshot) -> bool,
    ) -> Result<(), AccountError> {
        self.forget();
        match result {
            Err(AccountError::Tool { .. }) if done(&*self.snapshot()?) => Ok(()),
            other => other,
        }
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

    fn users(&self) -> Result<Vec<User>, AccountError> {
        Ok(self.snapshot()?.users().to_vec())
    }

    fn groups(&self) -> Result<Vec<Group>, AccountError> {
        Ok(self.snapshot()?.groups().to_vec())
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

    fn authorized_keys(&self, user: &User) -> Result<Option<Vec<u8>>, AccountError> {
        keys::read(&self.root, user)
    }

    fn can_give_files(&self) -> bool {
        rustix::process::geteuid().is_root()
    }
}
