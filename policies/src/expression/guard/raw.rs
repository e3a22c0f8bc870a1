//! Text that is written again and again, by a loop or a macro: it is announced, so that it is charged
//! for each time.

use super::scan::blocks;
use super::{Filter, Insertion, MARK};

/// Text shorter than this costs no more than the instruction that writes it.
const SHORT: usize = 64;

/// Blocks whose text may be written more than once.
const REPEATED: &[&str] = &["for", "macro", "call", "block"];

/// The announcements, each directly behind the block before the text. They have the same marks for
/// blanks as that block, so that they change nothing else.
pub(super) fn charges(text: &str) -> Vec<Insertion> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let blocks = blocks(text);
    for (index, block) in blocks.iter().enumerate() {
        if REPEATED.contains(&block.word) {
            depth += 1;
        } else if block.word.strip_prefix("end").is_some_and(|word| REPEATED.contains(&word)) {
            depth = depth.saturating_sub(1);
        }
        let end = block.inside.end + "%}".len();
        let next = blocks.get(index + 1).map_or(text.len(), |next| next.inside.start - "{%".len());
        if depth == 0 || next < end + SHORT || end > text.len() {
            continue;
        }
        let inside = text.get(block.inside.clone()).unwrap_or_default();
        let sign = inside.chars().next_back().filter(|sign| matches!(sign, '-' | '+'));
        let sign = sign.map(String::from).unwrap_or_default();
        let (length, raw) = (next - end, Filter::Raw.name());
        found.push((
            end,
            if block.is_statement {
                format!("{{%{MARK} set {raw} = {length}|{raw} {MARK}{sign}%}}")
            } else {
                format!("{{{{{MARK} {length}|{raw} {MARK}{sign}}}}}")
            },
        ));
    }
    found
}
