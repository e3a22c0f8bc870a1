//! Which lines of a text come unchanged from an older one. Pure.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The most lines of a text that are compared; longer ones count as changed altogether.
const MAXIMUM_LINES: usize = 200_000;

/// For each line of `new`, the line of `old` (both from 0) that it was, if it was there.
///
/// A line is the same with or without a line break behind it.
pub(super) fn origins(old: &[u8], new: &[u8]) -> Vec<Option<u32>> {
    let (old, new) = (lines(old), lines(new));
    let mut origins = vec![None; new.len()];
    if old.len() > MAXIMUM_LINES || new.len() > MAXIMUM_LINES {
        return origins;
    }
    for operation in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let DiffOp::Equal { old_index, new_index, len } = operation else { continue };
        for (offset, slot) in origins.iter_mut().skip(new_index).take(len).enumerate() {
            *slot = u32::try_from(old_index + offset).ok();
        }
    }
    origins
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_find_where_they_were() {
        for (old, new, expected) in [
            ("a\nb\nc\n", "a\nb\nc\n", &[Some(0), Some(1), Some(2)][..]),
            ("a\nb\nc\n", "a\nx\nb\nc\n", &[Some(0), None, Some(1), Some(2)]),
            ("a\nb\nc\n", "c\n", &[Some(2)]),
            ("a\nb\n", "a\nB\n", &[Some(0), None]),
            ("a\nb", "a\nb\n", &[Some(0), Some(1)]),
            ("", "a\n", &[None]),
            ("a\n", "", &[]),
            ("a\n\n", "\na\n", &[None, Some(0)]),
        ] {
            assert_eq!(origins(old.as_bytes(), new.as_bytes()), expected, "{old:?} {new:?}");
        }
    }
}
