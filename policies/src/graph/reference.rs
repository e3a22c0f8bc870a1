//! References to resources: `kind.title`, `kind."title"`, globs.

use crate::diagnostics::Reported;

/// A reference as it is written, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) kind: String,
    pub(crate) title: String,
}

impl Parsed {
    /// Whether the title may be meant as a glob. (A title that exists as it is written comes first.)
    pub(crate) fn may_be_glob(&self) -> bool {
        self.title.contains(['*', '?', '['])
    }
}

/// Takes `kind.title` or `kind."title"` apart.
pub(crate) fn parse_reference(text: &str) -> Result<Parsed, Reported> {
    let (kind, title) = text.split_once('.').ok_or(Reported)?;
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !word(kind) || title.is_empty() {
        return Err(Reported);
    }
    let title = match title.as_bytes() {
        [b'"', .., b'"'] | [b'\'', .., b'\''] if title.len() >= 2 => unquoted(title)?,
        [b'"' | b'\'', ..] => return Err(Reported),
        _ => title.to_owned(),
    };
    if title.is_empty() {
        return Err(Reported);
    }
    Ok(Parsed { kind: kind.to_owned(), title })
}

/// Kind and title of the reference `text`; `None` where it is none.
pub(crate) fn reference(text: &str) -> Option<(String, String)> {
    parse_reference(text).ok().map(|parsed| (parsed.kind, parsed.title))
}

/// The text of a TOML string.
fn unquoted(literal: &str) -> Result<String, Reported> {
    match toml::de::DeValue::parse(literal).map(toml::Spanned::into_inner) {
        Ok(toml::de::DeValue::String(text)) => Ok(text.into_owned()),
        _ => Err(Reported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, expected) in [
            ("service.nginx", Some(("service", "nginx"))),
            ("file./etc/motd", Some(("file", "/etc/motd"))),
            ("file.\"/etc/motd\"", Some(("file", "/etc/motd"))),
            ("file.'/etc/mo td'", Some(("file", "/etc/mo td"))),
            ("file.\"/a\\u0062\"", Some(("file", "/ab"))),
            ("package.libc6.1", Some(("package", "libc6.1"))),
            ("file./etc/*.conf", Some(("file", "/etc/*.conf"))),
            ("nginx", None),
            ("service.", None),
            (".nginx", None),
            ("file.\"/etc/motd", None),
            ("file.\"\"", None),
            ("fi le.x", None),
        ] {
            let parsed = parse_reference(text).ok();
            let parsed = parsed.as_ref().map(|parsed| (&*parsed.kind, &*parsed.title));
            assert_eq!(parsed, expected, "{text}");
        }
    }
}
