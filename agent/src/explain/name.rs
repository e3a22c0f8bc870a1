//! How a person names a resource on the command line.

/// Kind and title of `KIND.TITLE`; the title may be in double or single quotes, as policies and
/// messages write it.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse_name(text: &str) -> Result<(String, String), String> {
    let form =
        || format!("{text:?} is no name of a resource: write KIND.TITLE, like service.nginx");
    let (kind, title) = text.split_once('.').ok_or_else(form)?;
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !word(kind) || title.is_empty() {
        return Err(form());
    }
    let title = match title.as_bytes() {
        [b'"', .., b'"'] if title.len() >= 2 => {
            serde_json::from_str(title).map_err(|_| format!("{title} is no string"))?
        }
        [b'\'', .., b'\''] if title.len() >= 2 => {
            title.get(1..title.len() - 1).unwrap_or_default().to_owned()
        }
        _ => title.to_owned(),
    };
    if title.is_empty() { Err(form()) } else { Ok((kind.to_owned(), title)) }
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
            ("file.\"/a\\\"b\"", Some(("file", "/a\"b"))),
            ("package.libc6.1", Some(("package", "libc6.1"))),
            ("file.\"", Some(("file", "\""))),
            ("nginx", None),
            ("service.", None),
            (".nginx", None),
            ("file.\"\"", None),
            ("fi le.x", None),
        ] {
            let parsed = parse_name(text).ok();
            let parsed = parsed.as_ref().map(|(kind, title)| (kind.as_str(), title.as_str()));
            assert_eq!(parsed, expected, "{text}");
        }
    }
}
