//! The names of candidates: files that wait beside their target to replace it.
//!
//! What must stay true: nobody can guess the next name; every name is recognisably ours, so that
//! what a crash leaves behind is found again.

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::hash::BuildHasher;
use std::os::unix::ffi::OsStrExt;

const PREFIX: &str = ".steadfast.";
const SUFFIX: &str = ".tmp";
const RANDOM_DIGITS: usize = 32;

/// A new name: 128 bits that nobody can predict (a keyed hash whose key is the kernel's
/// randomness), in hexadecimal between our prefix and suffix.
pub(super) fn candidate_name() -> String {
    let first = RandomState::new().hash_one(0_u8);
    let second = RandomState::new().hash_one(1_u8);
    format!("{PREFIX}{first:016x}{second:016x}{SUFFIX}")
}

/// Whether `name` is one that [`candidate_name`] makes.
pub(super) fn is_candidate_name(name: &OsStr) -> bool {
    name.as_bytes()
        .strip_prefix(PREFIX.as_bytes())
        .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()))
        .is_some_and(|digits| {
            digits.len() == RANDOM_DIGITS && digits.iter().all(u8::is_ascii_hexdigit)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_new_and_recognised() {
        let names: std::collections::HashSet<String> =
            (0..1000).map(|_| candidate_name()).collect();
        assert_eq!(names.len(), 1000);
        assert!(names.iter().all(|name| is_candidate_name(OsStr::new(name))));
        for other in [".steadfast.tmp", ".steadfast.0123.tmp", "x.steadfast.tmp", "motd"] {
            assert!(!is_candidate_name(OsStr::new(other)), "{other}");
        }
    }
}
