//! The conditions that a bare expression joins with `and`.

/// The parts of `text` between its outermost `and`s; none where it is not such a chain.
pub(crate) fn conjuncts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    let bytes = text.as_bytes();
    let mut position = 0;
    while let Some(byte) = bytes.get(position).copied() {
        match (quote, byte) {
            (Some(_), b'\\') => position += 1,
            (Some(mark), _) if mark == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 => match word_at(text, position) {
                // What these bind to reaches across an `and`.
                Some("or" | "if" | "else") => return Vec::new(),
                Some("and") => {
                    parts.extend(text.get(start..position));
                    start = position + 3;
                }
                _ => {}
            },
            _ => {}
        }
        position += 1;
    }
    if parts.is_empty() {
        return parts;
    }
    parts.extend(text.get(start..));
    parts
}

/// The word that starts at `position`, if one does.
fn word_at(text: &str, position: usize) -> Option<&str> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    let before = position.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(|byte| letter(*byte) || *byte == b'.') {
        return None;
    }
    let rest = text.get(position..)?;
    let length = rest.bytes().take_while(|byte| letter(*byte)).count();
    rest.get(..length).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chains_of_and_have_parts() {
        for (text, expected) in [
            ("a == 'x'", vec![]),
            ("a == 'x' and b", vec!["a == 'x' ", " b"]),
            ("a and (b or c) and not d", vec!["a ", " (b or c) ", " not d"]),
            ("a and b or c", vec![]),
            ("'x and y' == a", vec![]),
            ("facts.band and sand", vec!["facts.band ", " sand"]),
            ("a if b and c else d", vec![]),
            ("a.and and b", vec!["a.and ", " b"]),
            ("é and ü", vec!["é ", " ü"]),
        ] {
            assert_eq!(conjuncts(text), expected, "{text}");
        }
    }
}
