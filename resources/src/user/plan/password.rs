//! Password and lock.
//!
//! They are two properties of one field: a password may change without unlocking the account, and
//! a lock comes and goes without losing the hash. A field with nothing behind its `!` is an account
//! that never had a password; giving it one opens it, unless it is to be locked.

use crate::failure::Failure;
use crate::host::accounts::PasswordHash;
use crate::step::{Change, Shown, Step};

use super::super::action::UserAction;
use super::super::wanted::Wanted;

/// The step that is missing; `stored` is `None` for an account that is still to be created.
pub(super) fn step(
    wanted: &Wanted,
    stored: Option<&PasswordHash>,
) -> Result<Option<Step<UserAction>>, Failure> {
    let unset = PasswordHash::new("!");
    let field = stored.unwrap_or(&unset);
    let is_locked = field.is_locked();
    let lock_change =
        |locked: bool| Change::new("locked", Shown::value(is_locked), Shown::value(locked));
    let Some(password) = &wanted.password else {
        let Some(locked) = wanted.locked else { return Ok(None) };
        if locked == is_locked && (stored.is_some() || locked) {
            return Ok(None);
        }
        if !locked && field.unlocked().is_empty() {
            return Err(Failure::new(format!(
                "{} has no password: unlocked, anyone could log in",
                wanted.name
            ))
            .with_hint("declare a `password`, `\"*\"` for none"));
        }
        return Ok(Some(Step::new(UserAction::SetLocked { locked }, vec![lock_change(locked)])));
    };
    let same = field.unlocked() == password.expose() && stored.is_some();
    let had_password = !matches!(field.unlocked(), "" | "*");
    let locked = wanted.locked.unwrap_or(is_locked && (same || had_password));
    if same && locked == is_locked {
        return Ok(None);
    }
    if same {
        return Ok(Some(Step::new(UserAction::SetLocked { locked }, vec![lock_change(locked)])));
    }
    let before = if stored.is_some() { Shown::Redacted } else { Shown::Absent };
    let mut changes = vec![Change::new("password", before, Shown::Redacted)];
    if wanted.locked.is_some() && locked != is_locked {
        changes.push(lock_change(locked));
    }
    Ok(Some(Step::new(UserAction::SetPassword { locked }, changes)))
}
