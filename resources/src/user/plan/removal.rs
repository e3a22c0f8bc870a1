//! Removing an account.

use crate::failure::Failure;
use crate::host::accounts::User;
use crate::step::{Change, Planned, Shown, Step};

use super::super::action::UserAction;
use super::super::observed::Observed;
use super::super::wanted::Wanted;
use super::{Draft, clear_processes};

/// The home goes before the account: afterwards nobody would know whose it was.
pub(super) fn plan(wanted: &Wanted, observed: &Observed) -> Result<Planned<UserAction>, Failure> {
    let mut draft = Draft::default();
    let Some(user) = &observed.user else {
        if observed.remote {
            draft.notes.push(format!(
                "{} still comes from the name service, which is not changed",
                wanted.name
            ));
        }
        return Ok(draft.finish());
    };
    if user.uid == 0 {
        return Err(Failure::new(format!("{} has the number of root", user.name))
            .with_hint("accounts with uid 0 are not removed; do that by hand"));
    }
    clear_processes(wanted, user.uid, &observed.processes, "remove the user", &mut draft)?;
    if wanted.manage_home && observed.current_home.is_some() {
        match reason_to_keep(user, observed) {
            Some(reason) => draft.notes.push(format!("{} stays: {reason}", user.home)),
            None => draft.steps.push(Step::disruptive(
                UserAction::RemoveHome { path: user.home.clone() },
                vec![Change::new("manage_home", Shown::value(&user.home), Shown::Absent)],
            )),
        }
    }
    draft.steps.push(Step::disruptive(
        UserAction::DeleteUser,
        vec![Change::new("ensure", Shown::value("present"), Shown::value("absent"))],
    ));
    if observed.own_group == Some(user.gid) {
        draft.notes.push(format!(
            "the group {0} stays; declare [group.{0}] with `ensure = \"absent\"` to remove it",
            user.name
        ));
    }
    Ok(draft.finish())
}

fn reason_to_keep(user: &User, observed: &Observed) -> Option<String> {
    let home = observed.current_home.as_ref()?;
    if !home.directory {
        return Some("it is not a directory".into());
    }
    if !home.belongs_to(user.uid) {
        return Some("it belongs to someone else".into());
    }
    if home.mount_point {
        return Some("a file system is mounted there".into());
    }
    if let Some(mount) = &observed.mount_in_home {
        return Some(format!("a file system is mounted at {mount}"));
    }
    if !observed.home_sharers.is_empty() {
        return Some(format!("{} live there too", observed.home_sharers.join(", ")));
    }
    // `/home` itself, or a system directory.
    let top = user.home.split('/').filter(|part| !part.is_empty()).count() < 2;
    top.then(|| "a directory this close to the root is nobody's home".into())
}
