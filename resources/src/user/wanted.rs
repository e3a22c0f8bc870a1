//! What a policy asks of an account, read and checked.

use crate::attributes::AttributeReader;
use crate::host::accounts::{Ageing, GroupReference, PasswordHash, names};

use super::keys::KeyLine;
use super::password;

/// What a policy asks of an account.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of that name")]
pub struct Wanted {
    pub(super) name: String,
    pub(super) present: bool,
    pub(super) uid: Option<u32>,
    pub(super) group: Option<GroupReference>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) inclusive: bool,
    pub(super) comment: Option<String>,
    pub(super) home: Option<String>,
    pub(super) manage_home: bool,
    pub(super) move_home: bool,
    pub(super) shell: Option<String>,
    pub(super) system: bool,
    /// Without the `!` of a lock.
    pub(super) password: Option<PasswordHash>,
    pub(super) locked: Option<bool>,
    pub(super) ageing: Ageing,
    pub(super) keys: Option<Vec<KeyLine>>,
    pub(super) purge_keys: bool,
    pub(super) force: bool,
}

impl Wanted {
    pub(super) fn read(name: &str, attributes: &mut AttributeReader<'_>) -> Option<Self> {
        if let Some(objection) = names::objection(name) {
            attributes.resource_error(objection);
        }
        let present = attributes.text("ensure").is_none_or(|ensure| ensure.as_str() == "present");
        let flag = |name: &str| attributes.boolean(name).unwrap_or(false);
        let (manage_home, move_home) = (flag("manage_home"), flag("move_home"));
        let (system, purge_keys, force) = (flag("system"), flag("purge_ssh_keys"), flag("force"));
        let (password, locked) = read_password(attributes);
        let wanted = Self {
            name: name.to_owned(),
            present,
            uid: read_id(attributes, "uid"),
            group: read_group(attributes),
            groups: read_groups(attributes),
            inclusive: attributes
                .text("membership")
                .is_some_and(|text| text.as_str() == "inclusive"),
            comment: read_comment(attributes),
            home: read_path(attributes, "home"),
            manage_home,
            move_home,
            shell: read_path(attributes, "shell"),
            system,
            password,
            locked,
            ageing: Ageing {
                minimum: read_days(attributes, "password_min_age"),
                maximum: read_days(attributes, "password_max_age"),
                warning: read_days(attributes, "password_warn_days"),
                expiry: read_expiry(attributes),
            },
            keys: read_keys(attributes, purge_keys),
            purge_keys,
            force,
        };
        if attributes.has("membership") && wanted.groups.is_none() {
            attributes.error_with_hint(
                "membership",
                "`membership` says how to read `groups`, which is missing",
                "add `groups = [...]`, or leave `membership` out",
            );
        }
        if wanted.uid == Some(0) && name != "root" {
            attributes.error("uid", "the number 0 is root's alone");
        }
        if name == "root" && !present {
            attributes.error("ensure", "root cannot be removed");
        }
        (!attributes.has_errors()).then_some(wanted)
    }

    /// Where the home is to be, for an account whose home is now at `current`.
    pub(super) fn home_path(&self, current: Option<&str>) -> String {
        match (&self.home, current) {
            (Some(home), _) => home.clone(),
            (None, Some(current)) => current.to_owned(),
            (None, None) => format!("/home/{}", self.name),
        }
    }
}

fn read_id(attributes: &mut AttributeReader<'_>, name: &'static str) -> Option<u32> {
    let number = attributes.integer(name)?;
    checked_id(attributes, name, number)
}

fn checked_id(
    attributes: &mut AttributeReader<'_>,
    name: &'static str,
    number: i64,
) -> Option<u32> {
    let id = names::number(number);
    if id.is_none() {
        attributes.error(name, format!("{number} is not a number that an account can have"));
    }
    id
}

fn read_group(attributes: &mut AttributeReader<'_>) -> Option<GroupReference> {
    if let Some(number) = attributes.integer("gid") {
        return checked_id(attributes, "gid", number).map(GroupReference::Number);
    }
    let name = attributes.text("gid")?;
    if let Ok(number) = name.parse::<i64>() {
        return checked_id(attributes, "gid", number).map(GroupReference::Number);
    }
    match names::objection(name) {
        None => Some(GroupReference::Name(name.to_string())),
        Some(objection) => {
            attributes.error("gid", objection);
            None
        }
    }
}

fn read_groups(attributes: &mut AttributeReader<'_>) -> Option<Vec<String>> {
    let mut groups: Vec<String> =
        attributes.texts("groups")?.into_iter().map(ToString::to_string).collect();
    for objection in groups.iter().filter_map(|name| names::objection(name)) {
        attributes.error("groups", objection);
    }
    groups.sort();
    groups.dedup();
    Some(groups)
}

fn read_comment(attributes: &mut AttributeReader<'_>) -> Option<String> {
    let comment = attributes.text("comment")?.to_string();
    if comment.contains(':') || comment.chars().any(char::is_control) {
        attributes.error("comment", "a comment must not contain colons or control characters");
    }
    Some(comment)
}

fn read_path(attributes: &mut AttributeReader<'_>, name: &'static str) -> Option<String> {
    let path = attributes.text(name)?.to_string();
    let proper = path == "/"
        || path
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")));
    if !proper {
        attributes.error(
            name,
            format!("{path:?} must be an absolute path without `.`, `..`, `//` or a final `/`"),
        );
    } else if path.contains(':') || path.chars().any(char::is_control) {
        attributes.error(name, "a path in passwd must not contain colons or control characters");
    }
    Some(path)
}

fn read_password(attributes: &mut AttributeReader<'_>) -> (Option<PasswordHash>, Option<bool>) {
    let locked = attributes.boolean("locked");
    let Some(text) = attributes.text("password") else { return (None, locked) };
    let given = PasswordHash::new(text.as_str());
    let hash = given.unlocked();
    // A lone `!` is "no password, locked".
    let objection = match (hash, given.is_locked()) {
        ("", true) => None,
        ("", false) => Some("is empty, which would let anyone in"),
        _ => password::objection(hash),
    };
    if let Some(objection) = objection {
        attributes.error_with_hint(
            "password",
            format!("the password {objection}"),
            "write a hash, as `openssl passwd -6` or `mkpasswd` print it, or `*` for no password",
        );
    }
    if given.is_locked() && locked == Some(false) {
        attributes.error("locked", "the password begins with `!`, which means `locked = true`");
    }
    let locked = if given.is_locked() { Some(true) } else { locked };
    (Some(PasswordHash::new(hash)), locked)
}

fn read_days(attributes: &mut AttributeReader<'_>, name: &'static str) -> Option<i64> {
    let days = attributes.integer(name)?;
    if !(-1..=i64::from(i32::MAX)).contains(&days) {
        attributes.error(name, "must be a number of days, or -1 for none");
    }
    Some(days)
}

/// Days since 1970-01-01, -1 for never.
fn read_expiry(attributes: &mut AttributeReader<'_>) -> Option<i64> {
    let text = attributes.text("expiry")?;
    if text.as_str() == "never" {
        return Some(-1);
    }
    let days = text.parse::<jiff::civil::Date>().ok().map(days_since_epoch);
    let iso = text.len() == 10;
    match days {
        // Day 0 would read as "no expiry" to some programs (shadow(5)).
        Some(days) if iso && days > 0 => Some(days),
        _ => {
            attributes.error_with_hint(
                "expiry",
                format!("{:?} is not a date after 1970-01-01", text.as_str()),
                "write \"2027-01-31\" or \"never\"",
            );
            None
        }
    }
}

fn epoch() -> jiff::civil::Date {
    jiff::civil::Date::constant(1970, 1, 1)
}

fn days_since_epoch(date: jiff::civil::Date) -> i64 {
    i64::from((date - epoch()).get_days())
}

/// The day `days` after 1970-01-01, as policies write it.
pub(super) fn date(days: i64) -> String {
    epoch()
        .checked_add(jiff::SignedDuration::from_hours(days.saturating_mul(24)))
        .map_or_else(|_| format!("day {days}"), |date| date.to_string())
}

fn read_keys(attributes: &mut AttributeReader<'_>, purge: bool) -> Option<Vec<KeyLine>> {
    let Some(lines) = attributes.texts("ssh_authorized_keys") else {
        return purge.then(Vec::new);
    };
    let mut keys: Vec<KeyLine> = Vec::with_capacity(lines.len());
    for (number, line) in (1..).zip(lines) {
        match KeyLine::parse(line) {
            Ok(key) if keys.iter().any(|other| other.blob == key.blob) => {
                attributes.error("ssh_authorized_keys", format!("item {number} repeats a key"));
            }
            Ok(key) => keys.push(key),
            Err(objection) => {
                attributes.error("ssh_authorized_keys", format!("item {number} {objection}"));
            }
        }
    }
    Some(keys)
}
