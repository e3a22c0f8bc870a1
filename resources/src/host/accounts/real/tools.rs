//! The distribution's tools (shadow's useradd(8) and its kin) on the running machine.
//!
//! What must stay true: argv only, names behind `--`, a password hash only through standard input.

use std::time::Instant;

use super::super::model::{
    Ageing, GroupReference, NewGroup, NewUser, PasswordHash, Secrets, User, UserFields,
};
use super::super::{AccountError, names};
use super::lock::{pause, wait_until_free};
use crate::host::command::{Request, run};

pub(super) fn create_group(group: &NewGroup, deadline: Instant) -> Result<(), AccountError> {
    let mut argv = vec!["groupadd".to_owned()];
    if group.system {
        argv.push("--system".into());
    }
    if let Some(gid) = group.gid {
        argv.extend(["--gid".into(), gid.to_string()]);
    }
    argv.extend(["--".into(), group.name.clone()]);
    tool(argv, "", deadline)
}

pub(super) fn set_group_id(name: &str, gid: u32, deadline: Instant) -> Result<(), AccountError> {
    tool(["groupmod", "--gid", &gid.to_string(), "--", name], "", deadline)
}

pub(super) fn add_member(group: &str, user: &str, deadline: Instant) -> Result<(), AccountError> {
    tool(["gpasswd", "--add", user, "--", group], "", deadline)
}

pub(super) fn remove_member(
    group: &str,
    user: &str,
    deadline: Instant,
) -> Result<(), AccountError> {
    tool(["gpasswd", "--delete", user, "--", group], "", deadline)
}

pub(super) fn delete_group(name: &str, deadline: Instant) -> Result<(), AccountError> {
    tool(["groupdel", "--", name], "", deadline)
}

/// Adds a user without home and without a group of its own: both are steps of their own, so that
/// a crash in between is seen by the next run. Without `--password` the account is locked.
pub(super) fn create_user(user: &NewUser, deadline: Instant) -> Result<(), AccountError> {
    let group = match &user.group {
        GroupReference::Name(name) => name.clone(),
        GroupReference::Number(gid) => gid.to_string(),
    };
    let mut argv: Vec<String> =
        ["useradd", "--no-create-home", "--no-user-group", "--gid"].map(Into::into).into();
    argv.push(group);
    argv.extend(["--home-dir".into(), user.home.clone()]);
    argv.extend(["--comment".into(), user.comment.clone()]);
    if user.system {
        argv.push("--system".into());
    }
    if let Some(uid) = user.uid {
        argv.extend(["--uid".into(), uid.to_string()]);
    }
    if let Some(shell) = &user.shell {
        argv.extend(["--shell".into(), shell.clone()]);
    }
    if !names::is_plain(&user.name) {
        argv.push("--badname".into());
    }
    argv.extend(["--".into(), user.name.clone()]);
    tool(argv, "", deadline)
}

/// Changes comment and shell; the other fields are not usermod's here.
pub(super) fn change_user(
    name: &str,
    fields: &UserFields,
    deadline: Instant,
) -> Result<(), AccountError> {
    let mut argv = vec!["usermod".to_owned()];
    if let Some(comment) = &fields.comment {
        argv.extend(["--comment".into(), comment.clone()]);
    }
    if let Some(shell) = &fields.shell {
        argv.extend(["--shell".into(), shell.clone()]);
    }
    if argv.len() == 1 {
        return Ok(());
    }
    argv.extend(["--".into(), name.to_owned()]);
    tool(argv, "", deadline)
}

pub(super) fn set_password(
    name: &str,
    hash: &PasswordHash,
    deadline: Instant,
) -> Result<(), AccountError> {
    tool(["chpasswd", "--encrypted"], &format!("{name}:{}\n", hash.expose()), deadline)
}

/// usermod(8) keeps the day of the last change, but takes off only one `!` and puts one before the
/// `x` of an account without shadow line.
pub(super) fn set_locked(user: &User, locked: bool, deadline: Instant) -> Result<(), AccountError> {
    let hash = match &user.secrets {
        Secrets::Shadow(shadow) => &shadow.hash,
        Secrets::InPasswd(hash) => hash,
        Secrets::Missing | Secrets::Unreadable => {
            let hash = PasswordHash::new("*").with_lock(locked);
            return set_password(&user.name, &hash, deadline);
        }
    };
    if hash.is_locked() == locked {
        return Ok(());
    }
    let after = hash.with_lock(locked);
    let one_mark = format!("!{}", after.unlocked());
    if locked || hash.expose() == one_mark {
        let option = if locked { "--lock" } else { "--unlock" };
        return tool(["usermod", option, "--", &user.name], "", deadline);
    }
    set_password(&user.name, &after, deadline)
}

/// Days as numbers: dates would be read in the local time zone.
pub(super) fn set_ageing(
    user: &User,
    ageing: &Ageing,
    deadline: Instant,
) -> Result<(), AccountError> {
    if user.secrets == Secrets::Missing {
        set_password(&user.name, &PasswordHash::new("!"), deadline)?;
    }
    let mut argv = vec!["chage".to_owned()];
    for (option, days) in [
        ("--mindays", ageing.minimum),
        ("--maxdays", ageing.maximum),
        ("--warndays", ageing.warning),
        ("--expiredate", ageing.expiry),
    ] {
        if let Some(days) = days {
            argv.extend([option.into(), days.to_string()]);
        }
    }
    if argv.len() == 1 {
        return Ok(());
    }
    argv.extend(["--".into(), user.name.clone()]);
    tool(argv, "", deadline)
}

pub(super) fn delete_user(name: &str, deadline: Instant) -> Result<(), AccountError> {
    tool(["userdel", "--", name], "", deadline)
}

/// Runs a tool as soon as the databases are free, again while something else wins the lock.
fn tool<S: Into<String>>(
    argv: impl IntoIterator<Item = S>,
    input: &str,
    deadline: Instant,
) -> Result<(), AccountError> {
    let request = Request::new(argv).with_input(input);
    loop {
        wait_until_free(deadline)?;
        let output = run(&request, deadline).map_err(|source| AccountError::Run { source })?;
        if output.success() {
            return Ok(());
        }
        let text = output.text();
        if !(text.contains("cannot lock /etc/") && pause(deadline)) {
            return Err(AccountError::Tool {
                program: request.argv.first().cloned().unwrap_or_default(),
                code: output.code,
                output: text,
            });
        }
    }
}
