//! Lines of `authorized_keys` (sshd(8), its section on the file format) and their merging.
//!
//! What must stay true: a line that nobody manages survives as it is unless keys are purged; one
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

/// The text after merging `wanted` into `current`.
pub(super) fn merged(current: &str, wanted: &[KeyLine], purge: bool) -> String {
    let mut placed = vec![false; wanted.len()];
    let mut text = String::with_capacity(current.len());
    let mut push = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    for line in current.lines() {
        let trimmed = line.trim();
        let managed = blob(trimmed).and_then(|blob| wanted.iter().position(|key| key.blob == blob));
        match managed.and_then(|index| Some((wanted.get(index)?, placed.get_mut(index)?))) {
            Some((key, placed)) => {
                if !*placed {
                    push(if trimmed == key.line { line } else { &key.line });
                }
                *placed = true;
            }
            None if trimmed.is_empty() || trimmed.starts_with('#') || !purge => push(line),
            None => {}
        }
    }
    for (key, placed) in wanted.iter().zip(&placed) {
        if !placed {
            push(&key.line);
        }
    }
    text
}

/// What differs between two texts: lines gone and lines come, keys in a few words.
pub(super) fn difference(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| ('-', line));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| ('+', line));
    let mut text = String::new();
    for (sign, line) in gone.chain(come) {
        text.push(sign);
        text.push_str(&in_words(line));
        text.push('\n');
    }
    text
}

/// How many keys `text` holds.
pub(super) fn count(text: &str) -> usize {
    text.lines().filter(|line| blob(line.trim()).is_some()).count()
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
