//! Differences in Git's own form (git-diff(1), "generating patch text with -p").
//!
//! What must stay true: `git apply` brings exactly the old bytes to exactly the new ones, whatever
//! they are: text without a final line break, binary content, names that need quotes.

use std::fmt::Write as _;

use similar::TextDiff;

use super::binary;

/// A file that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path from the top of the Git repository.
    pub path: String,
    /// Whether Git has it as executable.
    pub executable: bool,
    /// Its content before.
    pub before: Vec<u8>,
    /// Its content afterwards; `None` where it goes.
    pub after: Option<Vec<u8>>,
}

/// A difference and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) text: String,
    /// Lines that come and lines that go; `None` for binary content.
    pub(super) lines: Option<(usize, usize)>,
}

impl FileChange {
    /// The change as Git's patch text.
    pub(super) fn difference(&self) -> Difference {
        let after = self.after.as_deref().unwrap_or_default();
        let mode = if self.executable { "100755" } else { "100644" };
        let (old, new) = (quoted("a/", &self.path), quoted("b/", &self.path));
        let mut text = format!("diff --git {old} {new}\n");
        let old_id = binary::blob_id(&self.before);
        if self.after.is_some() {
            let _ = writeln!(text, "index {old_id}..{} {mode}", binary::blob_id(after));
        } else {
            let _ = writeln!(text, "deleted file mode {mode}");
            let _ = writeln!(text, "index {old_id}..{}", "0".repeat(old_id.len()));
        }
        let texts = (as_text(&self.before), as_text(after));
        let (Some(before), Some(after_text)) = texts else {
            text += &binary::patch(&self.before, after);
            return Difference { text, lines: None };
        };
        let diff = TextDiff::from_lines(before, after_text);
        let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        let lines = (count(similar::ChangeTag::Insert), count(similar::ChangeTag::Delete));
        let new = if self.after.is_some() { new } else { "/dev/null".to_owned() };
        if !before.is_empty() || !after_text.is_empty() {
            let _ = write!(text, "--- {}\n+++ {}\n", ended(&old), ended(&new));
            let unified = diff.unified_diff().context_radius(3).to_string();
            text += &unified;
        }
        Difference { text, lines: Some(lines) }
    }
}

/// Text as Git sees it: without NUL. It must be UTF-8, as the mail that carries it is, and without
/// carriage returns, which `git am` takes away at the end of lines.
fn as_text(content: &[u8]) -> Option<&str> {
    std::str::from_utf8(content).ok().filter(|text| !text.contains(['\0', '\r']))
}

/// A name with a space ends in a tab, so that patch(1) knows where it ends.
fn ended(name: &str) -> String {
    if name.contains(' ') && !name.starts_with('"') { format!("{name}\t") } else { name.to_owned() }
}

/// A path as Git quotes it (`core.quotePath`): in C's way where it holds anything unusual.
fn quoted(prefix: &str, path: &str) -> String {
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte);
    if path.bytes().all(plain) {
        return format!("{prefix}{path}");
    }
    let mut text = format!("\"{prefix}");
    for byte in path.bytes() {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            byte if plain(byte) => text.push(char::from(byte)),
            byte => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_git_does() {
        for (path, expected) in [
            ("a/b.toml", "a/a/b.toml"),
            ("with space", "a/with space"),
            ("ü\"\\", "\"a/\\303\\274\\\"\\\\\""),
        ] {
            assert_eq!(quoted("a/", path), expected);
        }
        assert_eq!(ended("a/with space"), "a/with space\t");
    }
}
