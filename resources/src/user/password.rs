//! What counts as a password hash.

/// What is wrong with `password` (without leading `!`) as the hash field of shadow(5), if anything.
/// The message never repeats it.
pub(super) fn objection(password: &str) -> Option<&'static str> {
    if password == "*" {
        return None;
    }
    if !password.bytes().all(|byte| byte.is_ascii_graphic() && !b":!*;\\".contains(&byte)) {
        return Some("contains a character that no hash has");
    }
    let mut parts = password.split('$');
    let (before, method) = (parts.next(), parts.next());
    let rest: Vec<&str> = parts.collect();
    let known = method.is_some_and(|method| METHODS.contains(&method));
    match (before, known, rest.last()) {
        (Some(""), true, Some(hash)) if rest.len() >= 2 && hash.len() >= 22 => None,
        (Some(""), true, _) => Some("is cut short"),
        _ => Some("is not a crypt(3) hash"),
    }
}

/// The methods of crypt(5) that a password today may use. The traditional DES ones are left out:
/// any 13 letters would pass for them.
const METHODS: &[&str] = &[
    "1", "2a", "2b", "2x", "2y", "5", "6", "7", "y", "gy", "sm3", "sm3y", "sha1", "md5", "scrypt",
];

#[cfg(test)]
mod tests {
    use super::objection;

    #[test]
    fn hashes_pass_and_plain_text_does_not() {
        let tail = "0123456789abcdefghijkl0123456789abcdefghijkl";
        for good in [
            "*".to_owned(),
            format!("$6$salt${tail}"),
            format!("$6$rounds=5000$salt${tail}"),
            format!("$y$j9T$salt${tail}"),
            format!("$2b$12${tail}"),
            "$1$salt$0123456789abcdefghijkl".to_owned(),
        ] {
            assert_eq!(objection(&good), None, "{good}");
        }
        for bad in [
            "",
            "secret",
            "correcthorse1",
            "$6$",
            "$6$salt",
            "$6$salt$short",
            "$x$salt$0123456789abcdefghijkl",
            "$6$salt$0123456789abc:defghijkl0123",
            "$6$salt$0123456789abc\ndefghijkl0123",
            "pre$6$salt$0123456789abcdefghijkl",
        ] {
            assert!(objection(bad).is_some(), "{bad}");
        }
    }
}
