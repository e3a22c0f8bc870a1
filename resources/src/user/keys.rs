//! Lines of `authorized_keys` (sshd(8), its section on the file format) and their merging.
//!
//! What must stay true: a line that nobody manages survives byte for byte, in any encoding and
//! with any line ending, unless keys are purged; one
//! key stands there once, so that no copy with looser options remains.

/// A line as a policy wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyLine {
    /// The line, trimmed.
    pub(super) line: String,
    /// The key in Base64: what makes two lines the same key.
    pub(super) blob: String,
}

impl KeyLine {
    /// The line, checked; an error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let line = text.trim();
        if line.contains(['\n', '\r', '\0']) {
            return Err("must be a single line");
        }
        if line.contains("PRIVATE KEY") {
            return Err("is a private key; the public one belongs here");
        }
        if line.is_empty() || line.starts_with('#') {
            return Err("is not a key");
        }
        let blob = blob(line).ok_or("is not a public key in OpenSSH's format")?;
        Ok(Self { blob: blob.to_owned(), line: line.to_owned() })
    }
}

/// The content after merging `wanted` into `current`.
pub(super) fn merged(current: &[u8], wanted: &[KeyLine], purge: bool) -> Vec<u8> {
    let mut placed = vec![false; wanted.len()];
    let mut content = Vec::with_capacity(current.len());
    for whole in current.split_inclusive(|byte| *byte == b'\n') {
        let trimmed = whole.trim_ascii();
        // Keys are ASCII: what is lost here are letters of comments and options.
        let text = String::from_utf8_lossy(trimmed);
        let managed = blob(&text).and_then(|blob| wanted.iter().position(|key| key.blob == blob));
        match managed.and_then(|index| Some((wanted.get(index)?, placed.get_mut(index)?))) {
            Some((key, placed)) => {
                if !*placed && trimmed == key.line.as_bytes() {
                    content.extend_from_slice(whole);
                } else if !*placed {
                    push(&mut content, key);
                }
                *placed = true;
            }
            None if trimmed.is_empty() || trimmed.starts_with(b"#") || !purge => {
                content.extend_from_slice(whole);
            }
            None => {}
        }
    }
    for (key, _) in wanted.iter().zip(&placed).filter(|(_, placed)| !**placed) {
        if content.last().is_some_and(|last| *last != b'\n') {
            content.push(b'\n');
        }
        push(&mut content, key);
    }
    content
}

fn push(content: &mut Vec<u8>, key: &KeyLine) {
    content.extend_from_slice(key.line.as_bytes());
    content.push(b'\n');
}

/// What differs between two contents: lines gone and lines come, keys in a few words.
pub(super) fn difference(before: &[u8], after: &[u8]) -> String {
    let (old, new): (Vec<&[u8]>, Vec<&[u8]>) = (lines(before).collect(), lines(after).collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| ('-', line));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| ('+', line));
    let mut text = String::new();
    for (sign, line) in gone.chain(come) {
        text.push(sign);
        text.push_str(&in_words(&String::from_utf8_lossy(line)));
        text.push('\n');
    }
    text
}

/// How many keys `content` holds.
pub(super) fn count(content: &[u8]) -> usize {
    lines(content).filter(|line| blob(&String::from_utf8_lossy(line)).is_some()).count()
}

/// The lines, trimmed.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}

fn in_words(line: &str) -> String {
    let Some((method, blob, comment)) = parts(line) else { return line.to_owned() };
    let end = blob.get(blob.len().saturating_sub(12)..).unwrap_or(blob);
    if comment.is_empty() {
        format!("{method} …{end}")
    } else {
        format!("{method} …{end} {comment}")
    }
}

fn blob(line: &str) -> Option<&str> {
    parts(line).map(|(_, blob, _)| blob)
}

/// Type, key and comment of a line, its options passed over.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    if line.starts_with('#') {
        return None;
    }
    let (first, rest) = word(line)?;
    let (method, rest) = if is_method(first) { (first, rest) } else { word(rest)? };
    if !is_method(method) {
        return None;
    }
    let (blob, comment) = word(rest)?;
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    (blob.len() >= 20 && blob.starts_with("AAAA") && blob.bytes().all(base64)).then_some((
        method,
        blob,
        comment.trim(),
    ))
}

fn is_method(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "rsa-sha2-"]
        .iter()
        .any(|prefix| word.starts_with(prefix))
        && !word.contains(['=', '"', ','])
}

/// The first word of `text`, in which blanks between double quotes do not count, and the rest.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let (mut quoted, mut escaped) = (false, false);
    let end = text.find(|letter: char| {
        let ends = !quoted && matches!(letter, ' ' | '\t');
        match letter {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        ends
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (!word.is_empty() && !quoted).then_some((word, rest))
}

#[cfg(test)]
mod tests {
    use super::{KeyLine, count, difference, merged};

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyzABCDEFGHIJ one";
    const OTHER: &[u8] = b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDownownownown M\xfcller";

    #[test]
    fn unmanaged_bytes_survive() {
        let wanted = [KeyLine::parse(KEY).unwrap()];
        let key = KEY.as_bytes();
        let loose = [b"from=\"\xfc\" ", key].concat();
        for (current, expected) in [
            (b"".to_vec(), [key, b"\n"].concat()),
            (OTHER.to_vec(), [OTHER, b"\n", key, b"\n"].concat()),
            ([OTHER, b"\r\n"].concat(), [OTHER, b"\r\n", key, b"\n"].concat()),
            ([key, b"\n \xff \n", OTHER].concat(), [key, b"\n \xff \n", OTHER].concat()),
            ([OTHER, b"\n", key].concat(), [OTHER, b"\n", key].concat()),
            ([loose.as_slice(), b"\n", OTHER].concat(), [key, b"\n", OTHER].concat()),
        ] {
            let after = merged(&current, &wanted, false);
            assert_eq!(after.escape_ascii().to_string(), expected.escape_ascii().to_string());
            assert_eq!(merged(&after, &wanted, false), after);
        }
        let purged = merged(&[b"# \xfc\n", OTHER].concat(), &wanted, true);
        assert_eq!(purged, [b"# \xfc\n", key, b"\n"].concat());
        assert_eq!(count(&[OTHER, b"\n", key].concat()), 2);
        assert!(difference(OTHER, b"").starts_with("-ssh-rsa"));
    }
}
