//! The accounts port: local users and groups, their homes, keys and processes.
//!
//! Reading is one pass over `passwd`, `shadow`, `group` and `gshadow` below the managed root,
//! remembered until a change through the same port. On the running machine (root `/`), names and
//! numbers that these files do not have are asked of the name service, so that owners from LDAP or
//! SSSD resolve; such accounts are never changed.
//!
//! Changing on the running machine is left to the distribution's tools, with two exceptions made
//! by our own locked and atomic edit: the numbers and the home in a `passwd` line (usermod(8) would
//! refuse while the user works, or walk the home as root across mount points), and the primary
//! group of a user about to go (userdel(8) would take the group along). Below another root
//! everything is our own edit, which needs no privileges but those on the directory.
//!
//! What must stay true: a password hash never appears in argv; a new account is locked until its
//! password is set; nothing follows a link that someone other than root could have planted;
//! `authorized_keys` is read and written with the user's own file system identity.
//!
//! Absent: creating accounts in a directory service, mail spools other than a removed user's,
//! subordinate ids (useradd(8) assigns them).

mod defaults;
mod edit;
mod error;
mod fake;
mod model;
pub mod names;
mod real;
mod snapshot;
mod table;

#[cfg(test)]
mod tests;

use std::time::Instant;

pub use error::AccountError;
pub use fake::{FakeAccounts, FakeHome};
pub use model::{
    Ageing, Group, GroupReference, HomeFacts, NewGroup, NewUser, Ownership, PasswordHash, Process,
    Secrets, Shadow, ShellFacts, User, UserFields, process_list,
};
pub use real::RealAccounts;
pub(in crate::host) use real::homes_of_users;

/// The databases, below the root directory. All are replaced as a whole, by renaming.
pub(in crate::host) const DATABASES: &[&str] =
    &["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"];

/// Reads accounts.
pub trait AccountView {
    /// The number of the user `name`: local first, then from the name service.
    fn user_id(&self, name: &str) -> Result<Option<u32>, AccountError>;

    /// The number of the group `name`: local first, then from the name service.
    fn group_id(&self, name: &str) -> Result<Option<u32>, AccountError>;

    /// The name of the user `uid`: local first, then from the name service.
    fn user_name(&self, uid: u32) -> Result<Option<String>, AccountError>;

    /// The name of the group `gid`: local first, then from the name service.
    fn group_name(&self, gid: u32) -> Result<Option<String>, AccountError>;

    /// The local user `name`.
    fn user(&self, name: &str) -> Result<Option<User>, AccountError>;

    /// The local group `name`.
    fn group(&self, name: &str) -> Result<Option<Group>, AccountError>;

    /// All local users, in the order of `passwd`.
    fn users(&self) -> Result<Vec<User>, AccountError>;

    /// All local groups, in the order of `group`.
    fn groups(&self) -> Result<Vec<Group>, AccountError>;

    /// The local groups that list `user` as a member, sorted; its primary group is not among them
    /// unless it lists the user too.
    fn groups_of(&self, user: &str) -> Result<Vec<String>, AccountError>;

    /// The local users whose primary group is `gid`.
    fn users_of_primary_group(&self, gid: u32) -> Result<Vec<String>, AccountError>;

    /// The local users other than `except` whose home is `home` or lies within it.
    fn others_at_home(&self, home: &str, except: &str) -> Result<Vec<String>, AccountError>;

    /// The running processes of `uid`; none below a root other than `/`.
    fn processes(&self, uid: u32) -> Result<Vec<Process>, AccountError>;

    /// What stands at `path`, the last component not followed where it is a link.
    fn home(&self, path: &str) -> Result<Option<HomeFacts>, AccountError>;

    /// The first place below `path` where a file system is mounted; none below a root other than
    /// `/`.
    fn mount_below(&self, path: &str) -> Result<Option<String>, AccountError>;

    /// What stands at `path`, links followed.
    fn shell(&self, path: &str) -> Result<ShellFacts, AccountError>;

    /// The bytes of `.ssh/authorized_keys` in the home of `user`, read as that user; `None` where
    /// there is none.
    fn authorized_keys(&self, user: &User) -> Result<Option<Vec<u8>>, AccountError>;

    /// Whether files can be given to other users (this process is root).
    fn can_give_files(&self) -> bool;
}

/// Changes accounts. Each operation ends at its deadline, waits that long for a lock that another
/// process holds, and can be repeated.
pub trait AccountChanges: AccountView {
    /// Adds a group.
    fn create_group(&mut self, group: &NewGroup, deadline: Instant) -> Result<(), AccountError>;

    /// Gives a group another number, and the users whose primary group it is with it. Files keep
    /// the old number.
    fn set_group_id(&mut self, name: &str, gid: u32, deadline: Instant)
    -> Result<(), AccountError>;

    /// Adds and removes members of a group.
    fn change_members(
        &mut self,
        group: &str,
        add: &[String],
        remove: &[String],
        deadline: Instant,
    ) -> Result<(), AccountError>;

    /// Removes a group. Fails where it is a user's primary group.
    fn delete_group(&mut self, name: &str, deadline: Instant) -> Result<(), AccountError>;

    /// Adds a user: locked, without home or other groups.
    fn create_user(&mut self, user: &NewUser, deadline: Instant) -> Result<(), AccountError>;

    /// Changes fields of a user's `passwd` line. No file changes its owner or place.
    fn change_user(
        &mut self,
        name: &str,
        fields: &UserFields,
        deadline: Instant,
    ) -> Result<(), AccountError>;

    /// Replaces a user's password field.
    fn set_password(
        &mut self,
        name: &str,
        hash: &PasswordHash,
        deadline: Instant,
    ) -> Result<(), AccountError>;

    /// Locks or unlocks a user's password; the hash and the day of its change stay.
    fn set_locked(
        &mut self,
        name: &str,
        locked: bool,
        deadline: Instant,
    ) -> Result<(), AccountError>;

    /// Changes a user's ageing.
    fn set_ageing(
        &mut self,
        name: &str,
        ageing: &Ageing,
        deadline: Instant,
    ) -> Result<(), AccountError>;

    /// Removes a user from the databases; its groups, home and files stay.
    fn delete_user(&mut self, name: &str, deadline: Instant) -> Result<(), AccountError>;

    /// Makes the home in the `passwd` line of `name`, with what the skeleton directory holds. It
    /// appears complete or not at all. Missing parents are made as root's, 0755.
    fn create_home(&mut self, name: &str, deadline: Instant) -> Result<(), AccountError>;

    /// Renames the home `from` to `to`, which must not exist. Not across file systems.
    fn move_home(&mut self, from: &str, to: &str, deadline: Instant) -> Result<(), AccountError>;

    /// Removes the home in the `passwd` line of `name` and a mail spool of that name, provided they
    /// belong to the user. Stays on one file system.
    fn remove_home(&mut self, name: &str, deadline: Instant) -> Result<(), AccountError>;

    /// Gives what belongs to `from` in the home at `path` to `to`. Stays on one file system and
    /// changes links themselves, not what they point to.
    fn reown_home(
        &mut self,
        path: &str,
        from: Ownership,
        to: Ownership,
        deadline: Instant,
    ) -> Result<(), AccountError>;

    /// Replaces `.ssh/authorized_keys` in the home of `name`, as that user: directory 0700 if it is
    /// new, file 0600 unless it was 0644.
    fn write_authorized_keys(
        &mut self,
        name: &str,
        content: &[u8],
        deadline: Instant,
    ) -> Result<(), AccountError>;

    /// Kills the processes of `uid` and waits until they are gone.
    fn kill_processes(&mut self, uid: u32, deadline: Instant) -> Result<(), AccountError>;
}
