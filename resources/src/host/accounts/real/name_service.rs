//! The running machine's name service (getpwnam(3) and its kin): accounts that no local file has.
//!
//! Answers are remembered, absences too: one slow directory server must not be asked ten thousand
//! times for one missing owner.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User};

use super::super::AccountError;

#[derive(Debug, Default)]
pub(super) struct NameService {
    user_ids: RefCell<HashMap<String, Option<u32>>>,
    group_ids: RefCell<HashMap<String, Option<u32>>>,
    user_names: RefCell<HashMap<u32, Option<String>>>,
    group_names: RefCell<HashMap<u32, Option<String>>>,
}

impl NameService {
    pub(super) fn user_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        remembered(&self.user_ids, name.to_owned(), || {
            Ok(User::from_name(name)?.map(|user| user.uid.as_raw()))
        })
    }

    pub(super) fn group_id(&self, name: &str) -> Result<Option<u32>, AccountError> {
        remembered(&self.group_ids, name.to_owned(), || {
            Ok(Group::from_name(name)?.map(|group| group.gid.as_raw()))
        })
    }

    pub(super) fn user_name(&self, uid: u32) -> Result<Option<String>, AccountError> {
        remembered(&self.user_names, uid, || {
            Ok(User::from_uid(Uid::from_raw(uid))?.map(|user| user.name))
        })
    }

    pub(super) fn group_name(&self, gid: u32) -> Result<Option<String>, AccountError> {
        remembered(&self.group_names, gid, || {
            Ok(Group::from_gid(Gid::from_raw(gid))?.map(|group| group.name))
        })
    }

    pub(super) fn forget(&self) {
        self.user_ids.borrow_mut().clear();
        self.group_ids.borrow_mut().clear();
        self.user_names.borrow_mut().clear();
        self.group_names.borrow_mut().clear();
    }
}

fn remembered<K: std::hash::Hash + Eq + ToString, V: Clone>(
    memory: &RefCell<HashMap<K, Option<V>>>,
    key: K,
    ask: impl FnOnce() -> Result<Option<V>, Errno>,
) -> Result<Option<V>, AccountError> {
    if let Some(answer) = memory.borrow().get(&key) {
        return Ok(answer.clone());
    }
    let answer = match ask() {
        Ok(answer) => answer,
        // Name services differ in how they say that there is no such name (getpwnam(3)).
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM) => None,
        Err(error) => {
            let source = io::Error::from(error);
            return Err(AccountError::Lookup { name: key.to_string(), source });
        }
    };
    memory.borrow_mut().insert(key, answer.clone());
    Ok(answer)
}
