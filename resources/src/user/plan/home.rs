//! The home and what Steadfast manages in it.

use crate::failure::Failure;
use crate::host::accounts::{Ownership, User, UserFields};
use crate::pending::{Pending, Provision};
use crate::step::{Change, Shown};

use super::super::action::UserAction;
use super::super::keys;
use super::super::observed::Observed;
use super::super::wanted::Wanted;
use super::Draft;

/// Whether the home is moved: it changes, the old one is the user's, and nothing is at the new
/// path. Says why where it is not.
pub(super) fn moves(
    wanted: &Wanted,
    user: &User,
    observed: &Observed,
    fields: &UserFields,
    draft: &mut Draft,
) -> bool {
    let (Some(target), true, Some(old)) = (&fields.home, wanted.move_home, &observed.current_home)
    else {
        return false;
    };
    let reason = if observed.wanted_home.is_some() {
        format!("{target} exists already")
    } else if !old.directory || !belongs(old.owner, wanted, user) {
        "it belongs to someone else".to_owned()
    } else if old.mount_point {
        "a file system is mounted there".to_owned()
    } else {
        return true;
    };
    draft.notes.push(format!("{} is not moved: {reason}", user.home));
    false
}

/// Moves the home and gives its files to the new numbers, before the account itself changes.
pub(super) fn prepare(
    wanted: &Wanted,
    user: &User,
    observed: &Observed,
    fields: &UserFields,
    moves: bool,
    draft: &mut Draft,
) {
    let target = wanted.home_path(Some(&user.home));
    if moves {
        let action = UserAction::MoveHome { from: user.home.clone(), to: target.clone() };
        draft.step(action, Vec::new());
    }
    if fields.uid.is_none() && fields.group.is_none() {
        return;
    }
    // After a move that a crash cut off from its account the files are at the new path only.
    let (path, facts) = match (&observed.current_home, moves) {
        (Some(facts), true) => (target, Some(facts)),
        (Some(facts), false) => (user.home.clone(), Some(facts)),
        (None, _) => (target, observed.wanted_home.as_ref()),
    };
    let Some(facts) = facts else { return };
    if facts.directory && belongs(facts.owner, wanted, user) {
        let from = Ownership { uid: user.uid, gid: user.gid };
        let group = fields.group.is_some();
        draft.step(UserAction::ReownHome { path, from, uid: fields.uid, group }, Vec::new());
    } else {
        draft.notes.push(format!("{path} keeps its owner: it belongs to someone else"));
    }
}

/// A home may already have the number that the account is about to get.
fn belongs(owner: Option<u32>, wanted: &Wanted, user: &User) -> bool {
    owner.is_none_or(|owner| owner == user.uid || Some(owner) == wanted.uid)
}

pub(super) fn create_if_missing(
    wanted: &Wanted,
    path: &str,
    user: Option<&User>,
    observed: &Observed,
    draft: &mut Draft,
) {
    if !wanted.manage_home {
        return;
    }
    match &observed.wanted_home {
        None => {
            if !observed.can_give_files {
                draft.notes.push(format!("{path} will belong to you: only root can give it away"));
            }
            let change = Change::new("manage_home", Shown::Absent, Shown::value(path));
            draft.step(UserAction::CreateHome { path: path.to_owned() }, vec![change]);
        }
        Some(facts) if !facts.directory => {
            draft.notes.push(format!("{path} is not a directory; it is left alone"));
        }
        Some(facts) => {
            let uid = user.map(|user| user.uid).or(wanted.uid);
            if user.is_none() && uid.is_none_or(|uid| !facts.belongs_to(uid)) {
                draft.notes.push(format!("{path} exists already and keeps its owner"));
            }
        }
    }
}

pub(super) fn keys(
    wanted: &Wanted,
    path: &str,
    observed: &Observed,
    pending: &Pending<'_>,
    draft: &mut Draft,
) -> Result<(), Failure> {
    let Some(lines) = &wanted.keys else { return Ok(()) };
    let before = observed.keys.as_deref().unwrap_or_default();
    let after = keys::merged(before, lines, wanted.purge_keys);
    if before == after {
        return Ok(());
    }
    let home_comes = wanted.manage_home || observed.wanted_home.is_some() || {
        let moved = wanted.move_home && observed.current_home.is_some();
        moved || wanted.home.is_none() && observed.current_home.is_some()
    };
    if !home_comes {
        match pending.provider(&Provision::Path(path.to_owned())) {
            Some(provider) => draft.rests_on(&format!("home {path}"), provider),
            None => {
                return Err(Failure::new(format!(
                    "there is no home {path} to write authorized_keys in"
                ))
                .with_hint("set `manage_home = true`, or declare the directory"));
            }
        }
    }
    let count = |text: &[u8]| format!("{} keys", keys::count(text));
    let shown = match &observed.keys {
        Some(_) => Shown::Value(count(before)),
        None => Shown::Absent,
    };
    let mut change = Change::new("ssh_authorized_keys", shown, Shown::Value(count(&after)));
    change.diff = Some(keys::difference(before, &after));
    let keys = keys::count(&after);
    draft.step(UserAction::WriteAuthorizedKeys { text: after, keys }, vec![change]);
    Ok(())
}
