//! Creating and changing an account.

use crate::failure::Failure;
use crate::host::accounts::{
    Ageing, GroupReference, NewGroup, NewUser, Secrets, Shadow, User, UserFields,
};
use crate::pending::Pending;
use crate::step::{Change, Shown};

use super::super::action::UserAction;
use super::super::observed::Observed;
use super::super::wanted::{Wanted, date};
use super::{Draft, clear_processes, home, optional, password};

pub(super) fn create(
    wanted: &Wanted,
    observed: &Observed,
    pending: &Pending<'_>,
    draft: &mut Draft,
) -> Result<(), Failure> {
    // What would fail later fails before the account exists.
    let password = password::step(wanted, None)?;
    if wanted.group.is_none() && observed.own_group.is_none() {
        draft.step(
            UserAction::CreateGroup(NewGroup {
                name: wanted.name.clone(),
                gid: wanted.uid.filter(|_| observed.own_number_free),
                system: wanted.system,
            }),
            Vec::new(),
        );
    }
    let user = NewUser {
        name: wanted.name.clone(),
        uid: wanted.uid,
        group: wanted.group.clone().unwrap_or_else(|| GroupReference::Name(wanted.name.clone())),
        comment: wanted.comment.clone().unwrap_or_default(),
        home: wanted.home_path(None),
        shell: wanted.shell.clone(),
        system: wanted.system,
    };
    let mut changes = vec![Change::new("ensure", Shown::value("absent"), Shown::value("present"))];
    let declared = [
        ("uid", wanted.uid.map(|uid| uid.to_string())),
        ("gid", wanted.group.as_ref().map(ToString::to_string)),
        ("comment", wanted.comment.clone()),
        ("home", wanted.home.clone()),
        ("shell", wanted.shell.clone()),
    ];
    for (property, value) in declared {
        if let Some(value) = value {
            changes.push(Change::new(property, Shown::Absent, Shown::Value(value)));
        }
    }
    let path = user.home.clone();
    draft.step(UserAction::CreateUser(user), changes);
    ageing(wanted, None, draft);
    groups(wanted, None, observed, draft);
    home::create_if_missing(wanted, &path, None, observed, draft);
    home::keys(wanted, &path, observed, pending, draft)?;
    draft.steps.extend(password);
    Ok(())
}

pub(super) fn modify(
    wanted: &Wanted,
    user: &User,
    observed: &Observed,
    pending: &Pending<'_>,
    draft: &mut Draft,
) -> Result<(), Failure> {
    let shadow = match &user.secrets {
        Secrets::Shadow(shadow) => Some(shadow),
        Secrets::InPasswd(_) if wanted.ageing != Ageing::default() => {
            return Err(Failure::new(format!("{} has its password in /etc/passwd", user.name))
                .with_hint("there is no ageing without /etc/shadow; run `pwconv` once"));
        }
        Secrets::Unreadable if needs_shadow(wanted) => {
            return Err(Failure::new("cannot read /etc/shadow").with_hint("run as root"));
        }
        Secrets::Missing | Secrets::InPasswd(_) | Secrets::Unreadable => None,
    };
    let stored = match &user.secrets {
        Secrets::Shadow(shadow) => Some(&shadow.hash),
        Secrets::InPasswd(hash) => Some(hash),
        Secrets::Missing | Secrets::Unreadable => None,
    };
    let password = password::step(wanted, stored)?;
    if wanted.locked.is_none()
        && let (Some(stored), Some(hash)) = (stored, &wanted.password)
        && stored.is_locked()
        && stored.unlocked() == hash.expose()
    {
        draft.notes.push("the account is locked; without `locked` it stays so".into());
    }
    let (fields, changes) = fields(wanted, user, observed);
    if fields.uid.is_some() && user.uid == 0 {
        return Err(Failure::new("the number of root is not changed"));
    }
    let moves = home::moves(wanted, user, observed, &fields, draft);
    if fields.uid.is_some() || moves {
        let purpose = if moves { "move the home" } else { "change the uid" };
        clear_processes(wanted, user.uid, &observed.processes, purpose, draft)?;
    }
    home::prepare(wanted, user, observed, &fields, moves, draft);
    if fields != UserFields::default() {
        draft.step(UserAction::ModifyUser { fields }, changes);
    }
    ageing(wanted, shadow, draft);
    groups(wanted, Some(user), observed, draft);
    let path = wanted.home_path(Some(&user.home));
    if !moves {
        home::create_if_missing(wanted, &path, Some(user), observed, draft);
    }
    home::keys(wanted, &path, observed, pending, draft)?;
    draft.steps.extend(password);
    Ok(())
}

fn needs_shadow(wanted: &Wanted) -> bool {
    wanted.password.is_some() || wanted.locked.is_some() || wanted.ageing != Ageing::default()
}

/// The fields of `passwd` that differ.
fn fields(wanted: &Wanted, user: &User, observed: &Observed) -> (UserFields, Vec<Change>) {
    let mut fields = UserFields::default();
    let mut changes = Vec::new();
    if let Some(uid) = wanted.uid.filter(|uid| *uid != user.uid) {
        fields.uid = Some(uid);
        changes.push(Change::new("uid", Shown::value(user.uid), Shown::value(uid)));
    }
    if let Some(group) = &wanted.group
        && observed.wanted_gid != Some(user.gid)
    {
        let before = match (group, &observed.primary_name) {
            (GroupReference::Name(_), Some(name)) => Shown::value(name),
            _ => Shown::value(user.gid),
        };
        fields.group = Some(group.clone());
        changes.push(Change::new("gid", before, Shown::value(group)));
    }
    let mut text = |property: &'static str, wanted: &Option<String>, current: &str| {
        let value = wanted.clone().filter(|wanted| wanted != current)?;
        changes.push(Change::new(property, Shown::value(current), Shown::value(&value)));
        Some(value)
    };
    fields.comment = text("comment", &wanted.comment, &user.comment);
    fields.home = text("home", &wanted.home, &user.home);
    fields.shell = text("shell", &wanted.shell, &user.shell);
    (fields, changes)
}

/// `shadow` is `None` for an account that is still to be created, or that has no line there.
fn ageing(wanted: &Wanted, shadow: Option<&Shadow>, draft: &mut Draft) {
    let mut ageing = Ageing::default();
    let mut changes = Vec::new();
    let mut compare = |property: &'static str, wanted: Option<i64>, current: Option<i64>| {
        let differs = shadow.is_none() || wanted != Some(current.unwrap_or(-1));
        let value = wanted.filter(|_| differs)?;
        let words = |days: i64| match (property, days) {
            ("expiry", ..0) => "never".to_owned(),
            ("expiry", days) => date(days),
            (_, days) => days.to_string(),
        };
        let before = shadow.map(|_| words(current.unwrap_or(-1)));
        changes.push(Change::new(property, optional(before), Shown::Value(words(value))));
        Some(value)
    };
    let current = |field: fn(&Shadow) -> Option<i64>| shadow.and_then(field);
    let asked = &wanted.ageing;
    ageing.minimum = compare("password_min_age", asked.minimum, current(|line| line.minimum));
    ageing.maximum = compare("password_max_age", asked.maximum, current(|line| line.maximum));
    ageing.warning = compare("password_warn_days", asked.warning, current(|line| line.warning));
    ageing.expiry = compare("expiry", asked.expiry, current(|line| line.expiry));
    if ageing != Ageing::default() {
        draft.step(UserAction::SetAgeing { ageing }, changes);
    }
}

/// Membership through the primary group counts as membership.
fn groups(wanted: &Wanted, user: Option<&User>, observed: &Observed, draft: &mut Draft) {
    let Some(groups) = &wanted.groups else { return };
    let primary = match (&wanted.group, user) {
        (Some(GroupReference::Name(name)), _) => Some(name.as_str()),
        (None, None) => Some(wanted.name.as_str()),
        (None, Some(_)) => observed.primary_name.as_deref(),
        (Some(GroupReference::Number(_)), _) => None,
    };
    let current = &observed.groups;
    let add: Vec<String> = groups
        .iter()
        .filter(|group| !current.contains(group) && primary != Some(group.as_str()))
        .cloned()
        .collect();
    let remove: Vec<String> = current
        .iter()
        .filter(|group| wanted.inclusive && !groups.contains(group))
        .cloned()
        .collect();
    if add.is_empty() && remove.is_empty() {
        return;
    }
    let mut after: Vec<&String> =
        current.iter().filter(|group| !remove.contains(group)).chain(&add).collect();
    after.sort();
    let after = after.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let before = user.map(|_| current.join(", "));
    let change = Change::new("groups", optional(before), Shown::Value(after));
    draft.step(UserAction::ChangeGroups { add, remove }, vec![change]);
}
