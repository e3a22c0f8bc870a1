//! What the machine has of an account: only what the policy's wishes need.

use crate::host::View;
use crate::host::accounts::{AccountError, GroupReference, HomeFacts, Process, ShellFacts, User};

use super::wanted::Wanted;

/// What the machine has of an account.
#[derive(Debug, Default)]
pub struct Observed {
    /// The local account.
    pub(super) user: Option<User>,
    /// Whether only the name service knows the name.
    pub(super) remote: bool,
    /// Name of the primary group.
    pub(super) primary_name: Option<String>,
    /// Local groups that list the user.
    pub(super) groups: Vec<String>,
    /// Number of the wanted primary group.
    pub(super) wanted_gid: Option<u32>,
    /// Number of the local group that bears the user's name.
    pub(super) own_group: Option<u32>,
    /// Whether the wanted number is free for a group.
    pub(super) own_number_free: bool,
    /// Wanted groups that do not exist locally; true where the name service has them.
    pub(super) missing_groups: Vec<(String, bool)>,
    /// Who else has the wanted number.
    pub(super) uid_holder: Option<String>,
    /// What stands at the wanted shell.
    pub(super) shell: Option<ShellFacts>,
    /// What stands at the account's home as it is.
    pub(super) current_home: Option<HomeFacts>,
    /// What stands at the home as it is to be.
    pub(super) wanted_home: Option<HomeFacts>,
    /// Other users at the account's home as it is.
    pub(super) home_sharers: Vec<String>,
    /// Where something is mounted below the home of an account that goes.
    pub(super) mount_in_home: Option<String>,
    /// Processes, where they would be in the way.
    pub(super) processes: Vec<Process>,
    /// Bytes of `authorized_keys`.
    pub(super) keys: Option<Vec<u8>>,
    /// Whether this process can give files to the user.
    pub(super) can_give_files: bool,
}

impl Observed {
    pub(super) fn look(wanted: &Wanted, view: &View<'_>) -> Result<Self, AccountError> {
        let accounts = view.accounts;
        let user = accounts.user(&wanted.name)?;
        let mut seen = Self { can_give_files: accounts.can_give_files(), ..Self::default() };
        if user.is_none() {
            seen.remote = accounts.user_id(&wanted.name)?.is_some();
        }
        if let Some(user) = &user {
            let leaves = !wanted.present
                || wanted.uid.is_some_and(|uid| uid != user.uid)
                || (wanted.move_home
                    && wanted.home.as_ref().is_some_and(|home| *home != user.home));
            if leaves {
                seen.processes = accounts.processes(user.uid)?;
            }
            let home_matters = leaves
                || wanted.manage_home
                || wanted.home.is_some()
                || wanted.group.is_some()
                || wanted.keys.is_some();
            if home_matters {
                seen.current_home = accounts.home(&user.home)?;
            }
        }
        match (wanted.present, &user) {
            (true, _) => seen.look_for_presence(wanted, user.as_ref(), view)?,
            (false, Some(user)) => {
                if wanted.manage_home {
                    seen.mount_in_home = accounts.mount_below(&user.home)?;
                }
                seen.home_sharers = accounts.others_at_home(&user.home, &user.name)?;
                seen.own_group = accounts.group(&wanted.name)?.map(|group| group.gid);
            }
            (false, None) => {}
        }
        seen.user = user;
        Ok(seen)
    }

    fn look_for_presence(
        &mut self,
        wanted: &Wanted,
        user: Option<&User>,
        view: &View<'_>,
    ) -> Result<(), AccountError> {
        let accounts = view.accounts;
        self.own_group = accounts.group(&wanted.name)?.map(|group| group.gid);
        if let Some(uid) = wanted.uid {
            self.uid_holder = accounts.user_name(uid)?.filter(|holder| *holder != wanted.name);
            self.own_number_free = accounts.group_name(uid)?.is_none();
        }
        self.wanted_gid = match &wanted.group {
            Some(GroupReference::Name(name)) => accounts.group_id(name)?,
            Some(GroupReference::Number(gid)) => accounts.group_name(*gid)?.map(|_| *gid),
            None => None,
        };
        for group in wanted.groups.iter().flatten() {
            if accounts.group(group)?.is_none() {
                let remote = accounts.group_id(group)?.is_some();
                self.missing_groups.push((group.clone(), remote));
            }
        }
        if let Some(shell) = &wanted.shell {
            self.shell = Some(accounts.shell(shell)?);
        }
        let home = wanted.home_path(user.map(|user| user.home.as_str()));
        if wanted.manage_home || wanted.home.is_some() || wanted.keys.is_some() {
            self.wanted_home = accounts.home(&home)?;
        }
        if let Some(user) = user {
            self.primary_name = accounts.group_name(user.gid)?;
            if wanted.groups.is_some() {
                self.groups = accounts.groups_of(&user.name)?;
            }
            if wanted.keys.is_some() {
                // The keys are where the home will be once it has been moved or renamed.
                let moved = wanted.move_home && self.wanted_home.is_none();
                let (place, facts) = if moved {
                    (user.home.clone(), &self.current_home)
                } else {
                    (home, &self.wanted_home)
                };
                // A crash may have left the home with the new number before the account had it.
                let owner = facts.as_ref().and_then(|facts| facts.owner);
                let uid = wanted.uid.filter(|uid| owner == Some(*uid)).unwrap_or(user.uid);
                self.keys = accounts.authorized_keys(&User { home: place, uid, ..user.clone() })?;
            }
        }
        Ok(())
    }
}
