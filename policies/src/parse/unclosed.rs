//! Brackets and strings that are opened and never closed, found by what no list or table can hold: a
//! table header, or a key at the beginning of a line.

use std::ops::Range;

/// What is never closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    /// What opens it.
    pub(super) opened: Range<usize>,
    /// What would close it.
    pub(super) closing: &'static str,
    /// Where the next statement begins, if there is one.
    pub(super) resumes: Option<usize>,
}

/// The first bracket or long string of `text`, from `start` on, that is never closed.
pub(super) fn unclosed(text: &str, start: usize) -> Option<Unclosed> {
    let bytes = text.as_bytes();
    // What is open: the sign, where, and whether it is a table header's.
    let mut open: Vec<(u8, usize, bool)> = Vec::new();
    let mut position = start;
    let mut line_start = true;
    let mut before = b'\n';
    while let Some(byte) = bytes.get(position).copied() {
        if line_start && !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            line_start = false;
            let line = line(text, position);
            if let Some((sign, at, header)) = open.last().copied() {
                let ends = match sign {
                    _ if header || is_header(line) => true,
                    b'[' => is_assignment(line),
                    _ => is_assignment(line) && !matches!(before, b',' | b'{'),
                };
                if ends {
                    return Some(bracket(sign, at, Some(position)));
                }
            } else if byte == b'[' {
                open.push((byte, position, true));
                position += 1;
                continue;
            }
        }
        match byte {
            b'\n' => line_start = true,
            b'#' => {
                position += line(text, position).len();
                continue;
            }
            b'"' | b'\'' => {
                before = byte;
                match string(text, position, byte) {
                    Ok(end) => position = end,
                    Err(unclosed) => return Some(unclosed),
                }
                continue;
            }
            b'[' | b'{' => {
                let header = open.last().is_some_and(|(_, _, header)| *header);
                open.push((byte, position, header));
            }
            b']' | b'}' => {
                let sign = if byte == b']' { b'[' } else { b'{' };
                if open.last().is_some_and(|(top, ..)| *top == sign) {
                    open.pop();
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            before = byte;
        }
        position += 1;
    }
    open.last().map(|(sign, at, _)| bracket(*sign, *at, None))
}

fn bracket(sign: u8, at: usize, resumes: Option<usize>) -> Unclosed {
    Unclosed { opened: at..at + 1, closing: if sign == b'[' { "]" } else { "}" }, resumes }
}

/// The position after the string that starts at `start`. One on a single line ends with it at the
/// latest: what is wrong there the parser says well.
fn string(text: &str, start: usize, quote: u8) -> Result<usize, Unclosed> {
    let closing = if quote == b'"' { "\"\"\"" } else { "'''" };
    let rest = text.get(start..).unwrap_or_default();
    if !rest.starts_with(closing) {
        let line = line(text, start);
        let mut escaped = false;
        for (at, byte) in line.bytes().enumerate().skip(1) {
            if byte == quote && !escaped {
                return Ok(start + at + 1);
            }
            escaped = byte == b'\\' && quote == b'"' && !escaped;
        }
        // A text over several lines between single quotes of either kind.
        let next = start + line.len();
        let alone = line.trim_end().len() == 1 && text.as_bytes().get(next) == Some(&b'\n');
        if alone {
            let mut at = next + 1;
            for line in text.get(at..).unwrap_or_default().split_inclusive('\n') {
                if is_statement(line) {
                    let opened = start..start + 1;
                    return Err(Unclosed { opened, closing, resumes: Some(at) });
                }
                at += line.len();
            }
            return Err(Unclosed { opened: start..start + 1, closing, resumes: None });
        }
        return Ok(next);
    }
    let opened = start..start + 3;
    let body = start + 3;
    let mut from = body;
    while let Some(end) = text.get(from..).and_then(|rest| rest.find(closing)).map(|at| from + at) {
        let inside = text.get(body..end).unwrap_or_default();
        let escapes = inside.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if quote == b'"' && escapes % 2 == 1 {
            from = end + 1;
            continue;
        }
        // What closes it looks like the beginning of another: `key = """`.
        if let Some((_, last)) = inside.rsplit_once('\n')
            && last.trim_end().ends_with('=')
            && is_assignment(last)
        {
            return Err(Unclosed { opened, closing, resumes: Some(end - last.len()) });
        }
        let more = text.as_bytes().get(end + 3..).unwrap_or_default();
        return Ok(end + 3 + more.iter().take(2).take_while(|byte| **byte == quote).count());
    }
    Err(Unclosed { opened, closing, resumes: None })
}

/// The rest of the line at `position`.
fn line(text: &str, position: usize) -> &str {
    let rest = text.get(position..).unwrap_or_default();
    rest.get(..rest.find('\n').unwrap_or(rest.len())).unwrap_or_default()
}

/// Whether a line looks like the beginning of something new: a table header or a key.
pub(super) fn is_statement(line: &str) -> bool {
    line.trim_start().starts_with('[') || is_assignment(line)
}

/// Whether a line looks like a table header and cannot be part of a list.
fn is_header(line: &str) -> bool {
    let inner = line.trim_start();
    let Some(inner) = inner.strip_prefix("[[").or_else(|| inner.strip_prefix('[')) else {
        return false;
    };
    let end = inner.find(|letter: char| !is_bare(letter)).unwrap_or(inner.len());
    let (word, rest) = inner.split_at_checked(end).unwrap_or((inner, ""));
    word.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && rest.starts_with(['.', ']'])
        && !["true", "false", "inf", "nan"].contains(&word)
}

/// Whether a line begins with a key and `=`.
fn is_assignment(line: &str) -> bool {
    let Some((key, _)) = line.split_once('=') else { return false };
    let key = key.trim();
    let quoted = |key: &str| {
        ['"', '\''].iter().any(|quote| {
            let inner = key.strip_prefix(*quote).and_then(|key| key.strip_suffix(*quote));
            inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(*quote))
        })
    };
    let bare = |key: &str| {
        !key.is_empty() && key.chars().all(|letter| is_bare(letter) || matches!(letter, '.' | '+'))
    };
    quoted(key) || bare(key)
}

fn is_bare(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_closed() {
        for (text, expected) in [
            ("a = [1, 2]\n[t]\nb = { c = 1 }\n", None),
            ("a = [\n [1],\n [2]\n]\n[[t.\"x]\"]]\n", None),
            ("a = [\n  { b = 1,\n    c = 2 },\n  [true],\n]\n", None),
            ("a = '''\n[t]\n'''\nb = \"\"\"x\\\"\"\"\"\"\n", None),
            ("a = \"[\" # [\nb = 1", None),
            ("a = [\n  \"x\",\n\n[t]\nb = 1\n", Some((4, "]", Some("[t]")))),
            ("a = [\n  \"x\",\nb = 1\n", Some((4, "]", Some("b =")))),
            ("a = { b = 1\nc = 2\n", Some((4, "}", Some("c =")))),
            ("[t.\"x\"\na = 1\n", Some((0, "]", Some("a =")))),
            ("a = \"\"\"\nx\n\n[t]\n", Some((4, "\"\"\"", None))),
            ("a = \"\"\"\nx\n\nb = \"\"\"\ny\n\"\"\"\n", Some((4, "\"\"\"", Some("b =")))),
            ("a = [1, 2", Some((4, "]", None))),
        ] {
            let found = unclosed(text, 0);
            let told = found.as_ref().map(|found| {
                (found.opened.start, found.closing, found.resumes.map(|at| &text[at..at + 3]))
            });
            assert_eq!(told, expected, "{text}");
        }
    }
}
