//! Which names users and groups may have.
//!
//! Rules: useradd(8) and groupadd(8) of shadow, and systemd's "User/Group Name Syntax": no name
//! that reads as an option, a number or a path, nothing that breaks the databases' lines. Capital
//! letters and dots are allowed, as with useradd's `--badname`.

/// The longest login name, in bytes (useradd(8); utmp holds no more).
pub const LONGEST: usize = 32;

/// What is wrong with `name`, if anything.
pub fn objection(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a name must not be empty".into());
    }
    if name.len() > LONGEST {
        return Some(format!("{name:?} is longer than {LONGEST} bytes"));
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("{name:?} is a number; tools would take it for an id"));
    }
    let body = name.strip_suffix('$').unwrap_or(name);
    let first = body.bytes().next();
    if !first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Some(format!("{name:?} must begin with a letter, a digit or an underscore"));
    }
    let stranger =
        body.chars().find(|letter| !(letter.is_ascii_alphanumeric() || "_.-".contains(*letter)));
    stranger.map(|letter| {
        format!(
            "{name:?} contains {letter:?}; letters, digits, '_', '-', '.' and a final '$' are allowed"
        )
    })
}

/// Whether every release of useradd takes `name` without `--badname`.
pub fn is_plain(name: &str) -> bool {
    let body = name.strip_suffix('$').unwrap_or(name);
    body.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && body
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
}

/// `number` as the number of a user or group, if one can have it. The largest means "unchanged" in
/// chown(2), and 65535 is what 16-bit programs take for that (systemd, "Users, Groups, UIDs and
/// GIDs").
pub fn number(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| !matches!(*number, 65535 | u32::MAX))
}

/// Where the numbers of ordinary accounts begin (`UID_MIN` on every distribution of today).
pub const FIRST_ORDINARY: u32 = 1000;

/// Whether `number` is that of a person's account or of a group made for people; 65534 is nobody.
pub fn is_ordinary(number: u32) -> bool {
    number >= FIRST_ORDINARY && number != 65534
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged() {
        for good in ["deploy", "_apt", "www-data", "Alice", "j.doe", "host$", "7zip", "a"] {
            assert_eq!(objection(good), None, "{good}");
        }
        let long = "a".repeat(33);
        for bad in [
            "", "-x", "--", "1000", "a:b", "a\nb", "a\0b", "a b", "a/b", "../x", ".x", "é", "$",
            "a$b", "+x", &long,
        ] {
            assert!(objection(bad).is_some(), "{bad:?}");
        }
        assert!(is_plain("sf-web1") && !is_plain("Alice") && !is_plain("j.doe"));
    }
}
