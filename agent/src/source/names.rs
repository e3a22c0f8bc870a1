//! Which names and types a policy repository may hold.
//!
//! Nothing is ever checked out, so a strange name could hardly do harm here; but policies hand
//! paths on (to the managed machine, to reports, to other tools), and a link or a submodule would
//! mean something else to everybody who looks at the repository in a work tree. So: refused, with
//! the path.

use std::fmt;

use serde::Serialize;

/// A path that a policy repository must not hold, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The path, with control characters escaped.
    pub path: String,
    /// Why.
    pub reason: RefusalReason,
}

impl Refusal {
    pub(super) fn new(path: &str, reason: RefusalReason) -> Self {
        let path = path.chars().flat_map(|c| -> Vec<char> {
            if c.is_control() { c.escape_default().collect() } else { vec![c] }
        });
        Self { path: path.collect(), reason }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.path, self.reason)
    }
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// A symbolic link.
    SymbolicLink,
    /// A submodule (a commit in a tree).
    Submodule,
    /// A FIFO, socket or device.
    SpecialFile,
    /// `.`, `..`, empty, or with a `/` in it.
    Traversal,
    /// `.git` in any case.
    GitDirectory,
    /// A backslash or control character.
    Character,
    /// Not UTF-8.
    Encoding,
    /// Twice in the same directory.
    Duplicate,
    /// A mode that Git does not define.
    Mode,
    /// Nested deeper than anybody would.
    Depth,
    /// The blob is too large.
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The whole is too large; the path is where the limit was crossed.
    TotalTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Too many files; the path is the first one too many.
    TooMany {
        /// The limit.
        limit: u32,
    },
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::SymbolicLink => "is a symbolic link, which policy repositories must not hold",
            Self::Submodule => "is a submodule, which policy repositories must not hold",
            Self::SpecialFile => "is neither a file nor a directory",
            Self::Traversal => "has a component that leaves its directory",
            Self::GitDirectory => "has the name of Git's own directory",
            Self::Character => "has a backslash or a control character in its name",
            Self::Encoding => "has a name that is not UTF-8",
            Self::Duplicate => "exists twice",
            Self::Mode => "has a mode that Git does not know",
            Self::Depth => "is nested too deeply",
            Self::TooLarge { size, limit } => {
                return write!(formatter, "has {size} bytes, which is more than {limit}");
            }
            Self::TotalTooLarge { limit } => {
                return write!(formatter, "brings the whole to more than {limit} bytes");
            }
            Self::TooMany { limit } => {
                return write!(formatter, "is more than the {limit} files and directories allowed");
            }
        };
        formatter.write_str(text)
    }
}

/// How deep directories may be nested.
pub(super) const MAX_DEPTH: usize = 64;

/// How many refusals are collected before the search ends.
pub(super) const MAX_REFUSALS: usize = 100;

/// Checks one component of a path.
pub(super) fn check_component(name: &[u8]) -> Result<&str, RefusalReason> {
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') {
        return Err(RefusalReason::Traversal);
    }
    let name = std::str::from_utf8(name).map_err(|_| RefusalReason::Encoding)?;
    if name.eq_ignore_ascii_case(".git") {
        return Err(RefusalReason::GitDirectory);
    }
    if name.chars().any(|c| c == '\\' || c.is_control()) {
        return Err(RefusalReason::Character);
    }
    Ok(name)
}

/// The components of a path that somebody asks for (`path` of the settings, or a lookup): relative,
/// without `..`; `.` and empty components are skipped.
pub(super) fn components(path: &str) -> Result<Vec<&str>, Refusal> {
    if path.starts_with('/') {
        return Err(Refusal::new(path, RefusalReason::Traversal));
    }
    path.split('/')
        .filter(|component| !matches!(*component, "" | "."))
        .map(|component| {
            check_component(component.as_bytes()).map_err(|reason| Refusal::new(path, reason))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        for (name, expected) in [
            (&b"site.toml"[..], Ok("site.toml")),
            (b".gitignore", Ok(".gitignore")),
            (b"...", Ok("...")),
            ("größe".as_bytes(), Ok("größe")),
            (b"", Err(RefusalReason::Traversal)),
            (b".", Err(RefusalReason::Traversal)),
            (b"..", Err(RefusalReason::Traversal)),
            (b"a/b", Err(RefusalReason::Traversal)),
            (b"/etc", Err(RefusalReason::Traversal)),
            (b".git", Err(RefusalReason::GitDirectory)),
            (b".GiT", Err(RefusalReason::GitDirectory)),
            (b"a\\b", Err(RefusalReason::Character)),
            (b"a\nb", Err(RefusalReason::Character)),
            (b"a\x7f", Err(RefusalReason::Character)),
            (b"a\0", Err(RefusalReason::Character)),
            (b"\xff", Err(RefusalReason::Encoding)),
        ] {
            assert_eq!(check_component(name), expected, "{name:?}");
        }
    }

    #[test]
    fn asked_for_paths() {
        assert_eq!(components(".").unwrap(), Vec::<&str>::new());
        assert_eq!(components("./a//b/").unwrap(), ["a", "b"]);
        for bad in ["/a", "../a", "a/../b", "a/.git/b", "a\nb"] {
            assert!(components(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_refusal_never_prints_control_characters() {
        let refusal = Refusal::new("a\u{1b}[31m\nb", RefusalReason::Character);
        assert!(!refusal.to_string().chars().any(char::is_control));
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_one_harmless_component(name in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(accepted) = check_component(&name) {
                let path = std::path::Path::new(accepted);
                let mut parts = path.components();
                prop_assert!(matches!(parts.next(), Some(std::path::Component::Normal(_))));
                prop_assert!(parts.next().is_none());
            }
        }
    }
}
