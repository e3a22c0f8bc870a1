//! Refusing keys of absurdly many parts before they become a tree whose freeing would overflow the
//! stack. (The TOML parser itself bounds the nesting of arrays and inline tables.)

/// How many parts a dotted key or a table header may have.
pub(crate) const MAXIMUM_PARTS: usize = 16;

/// Where a key has more than [`MAXIMUM_PARTS`] parts, if any has. Strings and comments are skipped;
/// the dots of numbers are few between separators.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut position = 0;
    let mut dots = 0;
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'.' => {
                dots += 1;
                if dots >= MAXIMUM_PARTS {
                    return Some(position);
                }
            }
            b'\n' | b'=' | b',' | b'[' | b']' | b'{' | b'}' => dots = 0,
            b'#' => position = find(text, position, "\n").unwrap_or(bytes.len()) - 1,
            b'"' | b'\'' => {
                position = string_end(text, position, *byte);
                continue;
            }
            _ => {}
        }
        position += 1;
    }
    None
}

fn find(text: &str, from: usize, needle: &str) -> Option<usize> {
    text.get(from..)?.find(needle).map(|at| from + at)
}

/// The position after the string that starts at `start`.
fn string_end(text: &str, start: usize, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let (triple, single) = if quote == b'"' { ("\"\"\"", "\"") } else { ("'''", "'") };
    let rest = text.get(start..).unwrap_or_default();
    let delimiter = if rest.starts_with(triple) { triple } else { single };
    let mut from = start + delimiter.len();
    while let Some(end) = find(text, from, delimiter) {
        let body = bytes.get(start + delimiter.len()..end).unwrap_or_default();
        let escapes = body.iter().rev().take_while(|byte| **byte == b'\\').count();
        let newline = delimiter == single && body.contains(&b'\n');
        if newline {
            break;
        }
        if quote == b'\'' || escapes % 2 == 0 {
            return end + delimiter.len();
        }
        from = end + 1;
    }
    if delimiter == single {
        // An unterminated string ends with its line.
        return find(text, start, "\n").unwrap_or(bytes.len());
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_count() {
        let deep = vec!["a"; 20].join(".");
        for (text, refused) in [
            (format!("{deep} = 1"), true),
            (format!("[{deep}]"), true),
            (format!("x = \"{deep}\""), false),
            (format!("x = '{deep}'"), false),
            (format!("x = \"\"\"\n{deep} \\\"\"\" {deep}\n\"\"\"\ny = 1"), false),
            (format!("# {deep}"), false),
            (format!("x = '''{deep}'''\n{deep} = 1"), true),
            (format!("x = \"open\n{deep} = 1"), true),
            (format!("x = [{}]", vec!["1.5"; 40].join(", ")), false),
            ("a.b.c.\"d.e.f\" = 1".to_owned(), false),
        ] {
            assert_eq!(too_deep(&text).is_some(), refused, "{text}");
        }
    }
}
