//! How a file's lines end. TOML does not care and its editor writes line feeds, but Git compares
//! bytes.

use similar::{ChangeTag, TextDiff};

const MARK: char = '\u{feff}';

/// `edited` with the byte order mark and the line ends of `original`. New lines end as most do.
pub(super) fn restored(original: &str, edited: &str) -> String {
    let edited = edited.trim_start_matches(MARK);
    let body = original.trim_start_matches(MARK);
    let mark = if body.len() < original.len() { MARK.to_string() } else { String::new() };
    if !body.contains('\r') {
        return mark + edited;
    }
    let lines: Vec<&str> = body.split_inclusive('\n').collect();
    let returns = lines.iter().filter(|line| line.ends_with("\r\n")).count();
    let mostly = returns * 2 > body.matches('\n').count();
    let (before, after) = (body.replace("\r\n", "\n"), edited.replace("\r\n", "\n"));
    let diff = TextDiff::from_lines(&before, &after);
    let kept = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Delete);
    kept.fold(mark, |text, change| {
        let same = change.old_index().and_then(|index| lines.get(index));
        let with_return = same.map_or(mostly, |line| line.ends_with("\r\n"));
        match change.value().strip_suffix('\n') {
            Some(line) if with_return => text + line + "\r\n",
            _ => text + change.value(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::restored;

    #[test]
    fn lines_end_as_they_did() {
        for (original, edited, expected) in [
            ("a\nb\n", "a\nc\n", "a\nc\n"),
            ("a\r\nb\r\n", "a\nc\nd\n", "a\r\nc\r\nd\r\n"),
            ("a\r\nb", "a\nb\n", "a\r\nb\r\n"),
            ("a\nb\r\nc\n", "a\nb\nx\nc\n", "a\nb\r\nx\nc\n"),
            ("\u{feff}a\n", "a\nb\n", "\u{feff}a\nb\n"),
            ("\u{feff}a\r\n", "\u{feff}a\nb\n", "\u{feff}a\r\nb\r\n"),
        ] {
            assert_eq!(restored(original, edited), expected, "{original:?} {edited:?}");
        }
    }
}
