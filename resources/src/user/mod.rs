//! The `user` kind: local accounts (passwd(5), shadow(5)).
//!
//! What must stay true: only local accounts are changed; nothing is created before everything that
//! it rests on exists; a password is never shown; an account is never open before its password is
//! set.
//!
//! Absent: renaming an account, subordinate ids, accounts in a directory service.

mod action;
mod declaration;
mod export;
mod keys;
mod observed;
mod password;
mod plan;
mod wanted;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod trial;

pub use action::UserAction;
pub use observed::Observed;
pub use wanted::Wanted;

use crate::attributes::AttributeReader;
use crate::declaration::KindDeclaration;
use crate::export::Export;
use crate::failure::Failure;
use crate::host::accounts::{GroupReference, NewUser, Ownership, names};
use crate::host::watch::Interest;
use crate::host::{Host, View};
use crate::kind::{Kind, Turn, Watch};
use crate::pending::{Pending, Provision};
use crate::relations::{Autoedge, Identity, Relations};
use crate::step::{Planned, Step};

/// The `user` kind.
#[derive(Debug)]
pub struct User;

impl Kind for User {
    type Wanted = Wanted;
    type Observed = Observed;
    type Action = UserAction;

    fn declaration(&self) -> &'static KindDeclaration {
        &declaration::DECLARATION
    }

    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<Wanted> {
        Wanted::read(title, attributes)
    }

    fn relations(&self, wanted: &Wanted) -> Relations {
        let group = |name: &str| Autoedge::Exactly(Identity::new("group", name));
        let mut after = vec![group(&wanted.name)];
        if let Some(GroupReference::Name(name)) = &wanted.group {
            after.push(group(name));
        }
        after.extend(wanted.groups.iter().flatten().map(|name| group(name)));
        if let Some(shell) = &wanted.shell {
            after.push(Autoedge::Exactly(Identity::new("file", shell)));
            if let Some(name) = shell.rsplit('/').next() {
                after.push(Autoedge::Exactly(Identity::new("package", name)));
            }
        }
        if wanted.manage_home {
            after.push(Autoedge::Above { kind: "file", path: wanted.home_path(None) });
        }
        after.dedup();
        let identity = Identity::new("user", &wanted.name);
        let mut relations = Relations::new(identity, after, !wanted.present);
        if wanted.present {
            let uid = wanted.uid.map(|uid| Identity::new("uid", uid.to_string()));
            relations.claims.extend(uid);
            let groups = wanted.groups.iter().flatten();
            relations.ties.extend(groups.map(|name| Identity::new("group", name)));
            relations.closed = wanted.inclusive.then_some("membership = \"inclusive\"");
        }
        relations
    }

    fn provides(&self, wanted: &Wanted) -> Vec<Provision> {
        if !wanted.present {
            return Vec::new();
        }
        let mut provisions = vec![Provision::User(wanted.name.clone())];
        if wanted.group.is_none() {
            provisions.push(Provision::Group(wanted.name.clone()));
        }
        if wanted.manage_home {
            provisions.push(Provision::Path(wanted.home_path(None)));
        }
        provisions
    }

    fn observe(&self, wanted: &Wanted, view: &View<'_>) -> Result<Observed, Failure> {
        Ok(Observed::look(wanted, view)?)
    }

    fn plan(
        &self,
        wanted: &Wanted,
        observed: Observed,
        pending: &Pending<'_>,
    ) -> Result<Planned<UserAction>, Failure> {
        plan::plan(wanted, &observed, pending)
    }

    fn apply(
        &self,
        wanted: &Wanted,
        step: &Step<&UserAction>,
        host: &mut dyn Host,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let name = &wanted.name;
        let deadline = turn.deadline;
        let result = match step.action {
            UserAction::CreateGroup(group) => host.accounts().create_group(group, deadline),
            UserAction::CreateUser(user) => {
                let user = with_number_of_own_group(user, host)?;
                host.accounts().create_user(&user, deadline)
            }
            UserAction::ModifyUser { fields } => {
                host.accounts().change_user(name, fields, deadline)
            }
            UserAction::ReownHome { path, from, uid, group } => {
                let gid = if *group { new_group(wanted, host)? } else { from.gid };
                let to = Ownership { uid: uid.unwrap_or(from.uid), gid };
                host.accounts().reown_home(path, *from, to, deadline)
            }
            UserAction::MoveHome { from, to } => host.accounts().move_home(from, to, deadline),
            UserAction::CreateHome { .. } => host.accounts().create_home(name, deadline),
            UserAction::RemoveHome { .. } => host.accounts().remove_home(name, deadline),
            UserAction::SetAgeing { ageing } => host.accounts().set_ageing(name, ageing, deadline),
            UserAction::ChangeGroups { add, remove } => {
                let user = [name.clone()];
                let joined = add
                    .iter()
                    .try_for_each(|g| host.accounts().change_members(g, &user, &[], deadline));
                joined.and_then(|()| {
                    remove
                        .iter()
                        .try_for_each(|g| host.accounts().change_members(g, &[], &user, deadline))
                })
            }
            UserAction::WriteAuthorizedKeys { text, .. } => {
                host.accounts().write_authorized_keys(name, text, deadline)
            }
            UserAction::SetPassword { locked } => match &wanted.password {
                Some(hash) => {
                    host.accounts().set_password(name, &hash.with_lock(*locked), deadline)
                }
                None => Ok(()),
            },
            UserAction::SetLocked { locked } => host.accounts().set_locked(name, *locked, deadline),
            UserAction::KillProcesses { uid, .. } => host.accounts().kill_processes(*uid, deadline),
            UserAction::DeleteUser => host.accounts().delete_user(name, deadline),
        };
        Ok(result?)
    }

    fn export(&self) -> Option<&dyn Export<Self>> {
        Some(self)
    }

    fn watch(&self) -> Option<&dyn Watch<Self>> {
        Some(self)
    }
}

impl Watch<Self> for User {
    fn interests(&self, wanted: &Wanted) -> Vec<Interest> {
        let at_home = |below| Interest::Home { user: wanted.name.clone(), below };
        let mut interests = vec![Interest::Accounts];
        if wanted.present && wanted.manage_home {
            interests.push(at_home(""));
        }
        if wanted.present && wanted.keys.is_some() {
            interests.push(at_home(".ssh"));
            interests.push(at_home(".ssh/authorized_keys"));
        }
        interests
    }
}

/// A user with a group of its own gets that group's number where it is free and of the right
/// range, as with useradd(8).
fn with_number_of_own_group(user: &NewUser, host: &dyn Host) -> Result<NewUser, Failure> {
    let mut user = user.clone();
    if user.uid.is_none() && user.group == GroupReference::Name(user.name.clone()) {
        let accounts = host.view().accounts;
        if let Some(gid) = accounts.group_id(&user.name)?
            && (gid >= names::FIRST_ORDINARY) != user.system
            && accounts.user_name(gid)?.is_none()
        {
            user.uid = Some(gid);
        }
    }
    Ok(user)
}

fn new_group(wanted: &Wanted, host: &dyn Host) -> Result<u32, Failure> {
    match &wanted.group {
        Some(GroupReference::Number(gid)) => Ok(*gid),
        Some(GroupReference::Name(name)) => host
            .view()
            .accounts
            .group_id(name)?
            .ok_or_else(|| Failure::new(format!("the group {name} does not exist"))),
        None => Err(Failure::new("no primary group is asked for")),
    }
}
