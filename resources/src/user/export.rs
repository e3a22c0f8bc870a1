//! An account as a declaration would say it.

use super::User;
use super::keys::{KeyLine, merged};
use super::wanted::date;
use crate::accept::{Drift, Edit, names as names_found};
use crate::export::{Export, Exported, Selection};
use crate::failure::Failure;
use crate::host::View;
use crate::host::accounts::{self, Secrets, Shadow, ShellFacts, names};
use crate::value::Value;

impl Export<Self> for User {
    fn titles(&self, selection: &Selection<'_>, view: &View<'_>) -> Result<Vec<String>, Failure> {
        selection.only(&["system"])?;
        if !selection.named.is_empty() {
            return Ok(selection.named.to_vec());
        }
        let users = view.accounts.users()?.into_iter();
        let mut titles: Vec<String> = users
            .filter(|user| selection.system || names::is_ordinary(user.uid))
            .map(|user| user.name)
            .collect();
        titles.sort();
        Ok(titles)
    }

    fn export(&self, title: &str, view: &View<'_>) -> Result<Option<Exported>, Failure> {
        let Some(user) = view.accounts.user(title)? else { return Ok(None) };
        let mut exported = Exported::new(Vec::new());
        numbers(&user, view, &mut exported)?;
        let groups = view.accounts.groups_of(&user.name)?;
        let home_is_kept = owns_home(&user, view)?;
        let attributes = &mut exported.attributes;
        attributes.push(("groups", Value::texts(groups)));
        attributes.push(("membership", Value::text("inclusive")));
        attributes.push(("comment", Value::text(user.comment.as_str())));
        attributes.push(("home", Value::text(user.home.as_str())));
        if home_is_kept && names::is_ordinary(user.uid) {
            attributes.push(("manage_home", Value::Boolean(true)));
        }
        if !user.shell.is_empty() {
            if view.accounts.shell(&user.shell)? == ShellFacts::Executable {
                attributes.push(("shell", Value::text(user.shell.as_str())));
            } else {
                exported.notes.push(format!("its shell {:?} cannot be executed", user.shell));
            }
        }
        if !names::is_ordinary(user.uid) {
            exported.attributes.push(("system", Value::Boolean(true)));
        }
        secrets(&user, &mut exported);
        if home_is_kept {
            keys(&user, view, &mut exported);
        }
        Ok(Some(exported))
    }

    fn accept(&self, drift: &Drift<'_>, _view: &View<'_>) -> Result<Vec<Edit>, Failure> {
        let lists = ["groups", "ssh_authorized_keys", "manage_home"];
        let others: Vec<&str> =
            drift.properties.iter().copied().filter(|name| !lists.contains(name)).collect();
        let mut edits = Drift { properties: &others, ..*drift }.plainly()?;
        let Some(found) = drift.found.filter(|_| drift.declared_text("ensure") != Some("absent"))
        else {
            return Ok(edits);
        };
        for (list, exact) in [
            ("groups", drift.declared_text("membership") == Some("inclusive")),
            (
                "ssh_authorized_keys",
                drift.declared("purge_ssh_keys") == Some(&Value::Boolean(true)),
            ),
        ] {
            if drift.differs(list) {
                let there = names_found(drift.declared(list), found.value(list), exact);
                edits.push(Edit::Set(list, there));
            }
        }
        if drift.differs("manage_home") {
            edits.push(Edit::Remove("manage_home"));
        }
        Ok(edits)
    }
}

fn numbers(user: &accounts::User, view: &View<'_>, exported: &mut Exported) -> Result<(), Failure> {
    match view.accounts.user_name(user.uid)?.filter(|holder| *holder != user.name) {
        None => exported.attributes.push(("uid", Value::Integer(user.uid.into()))),
        Some(holder) => {
            exported.notes.push(format!("its number {} is also that of {holder}", user.uid));
        }
    }
    match view.accounts.group_name(user.gid)? {
        Some(name) if view.accounts.group_id(&name)? == Some(user.gid) => {
            exported.attributes.push(("gid", Value::text(name)));
        }
        Some(_) => exported.attributes.push(("gid", Value::Integer(user.gid.into()))),
        None => exported.notes.push(format!("there is no group {}, its primary one", user.gid)),
    }
    Ok(())
}

fn owns_home(user: &accounts::User, view: &View<'_>) -> Result<bool, Failure> {
    let facts = view.accounts.home(&user.home)?;
    Ok(facts.is_some_and(|facts| facts.directory && facts.belongs_to(user.uid)))
}

/// Password, lock and ageing. An empty password field is not exported: nobody could declare it.
fn secrets(user: &accounts::User, exported: &mut Exported) {
    let hash = match &user.secrets {
        Secrets::Shadow(Shadow { hash, .. }) | Secrets::InPasswd(hash) => hash,
        Secrets::Missing => return,
        Secrets::Unreadable => {
            let note = "password, lock and ageing were not read: only root may";
            exported.notes.push(note.to_owned());
            return;
        }
    };
    match (hash.unlocked(), hash.is_locked()) {
        ("", true) => exported.attributes.push(("password", Value::text("!"))),
        ("", false) => exported.notes.push("it has no password: anyone may log in".to_owned()),
        (text, _) => {
            exported.attributes.push(("password", Value::text(text)));
            if text != "*" {
                exported.secrets.push("password");
            }
        }
    }
    exported.attributes.push(("locked", Value::Boolean(hash.is_locked())));
    let Secrets::Shadow(line) = &user.secrets else { return };
    for (name, days) in [
        ("password_min_age", line.minimum),
        ("password_max_age", line.maximum),
        ("password_warn_days", line.warning),
    ] {
        exported.attributes.push((name, Value::Integer(days.unwrap_or(-1))));
    }
    let expiry = line.expiry.filter(|days| *days >= 0).map_or("never".to_owned(), date);
    exported.attributes.push(("expiry", Value::text(expiry)));
}

fn keys(user: &accounts::User, view: &View<'_>, exported: &mut Exported) {
    let content = match view.accounts.authorized_keys(user) {
        Ok(Some(content)) => content,
        Ok(None) => return,
        Err(error) => {
            exported.notes.push(format!("its SSH keys were not read: {error}"));
            return;
        }
    };
    let text = String::from_utf8_lossy(&content);
    let lines = text.lines().map(str::trim);
    let mut parsed: Vec<KeyLine> = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match KeyLine::parse(line) {
            Ok(key) => parsed.push(key),
            Err(problem) => exported.notes.push(format!("a line of its SSH keys {problem}")),
        }
    }
    if parsed.is_empty() {
        return;
    }
    // One key twice, or a line in another encoding: declaring them would change the file.
    if merged(&content, &parsed, false) != content {
        exported.notes.push("its SSH keys are not exported: a key is there twice".to_owned());
        return;
    }
    let lines = parsed.into_iter().map(|key| key.line);
    exported.attributes.push(("ssh_authorized_keys", Value::texts(lines)));
}
