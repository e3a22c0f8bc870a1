//! What of a file's content is shown. Pure.

use sha2::{Digest, Sha256};
use similar::TextDiff;
use std::fmt::Write as _;

use super::mode::ModeWish;
use crate::host::files::Mode;

/// Larger contents are shown by digest only, in bytes.
pub(super) const LIMIT: u64 = 128 * 1024;

/// Whether content may be shown that has had the permissions `found` and will have what `wish`
/// makes of them, see [`is_open`].
pub(super) fn may_be_shown(found: Mode, wish: Option<&ModeWish>, declared: Option<bool>) -> bool {
    let after = wish.map_or(found, |wish| wish.applied(found, false));
    is_open(found, after, declared)
}

/// Whether content may be shown that has had the permissions `before` and will have `after`: only
/// if everybody may read it both times. With `show_diff` declared it is enough that the group may.
pub(super) fn is_open(before: Mode, after: Mode, declared: Option<bool>) -> bool {
    let open = |mode: Mode| match declared {
        Some(shown) => shown && mode.is_readable_by_others(),
        None => mode.bits() & 0o004 != 0,
    };
    open(before) && open(after)
}

/// The content as text; `None` for what a terminal should not see.
pub(super) fn as_text(content: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(content).ok()?;
    let binary = text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r' | '\x0c'));
    (!binary).then_some(text)
}

/// A unified diff, with `path` as both names.
pub(super) fn unified(path: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(path, path)
        .to_string()
}

/// How a content is named where it is not shown.
pub(super) fn digest_text(digest: &str) -> String {
    format!("sha256:{digest}")
}

/// The SHA-256 of `content`, in hexadecimal.
pub(super) fn digest(content: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(content) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
