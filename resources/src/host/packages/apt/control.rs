//! Debian's control format, deb822(5): stanzas of fields, separated by empty lines.

/// One field: its name as written, and its value with continuation lines still in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    /// The line it starts at, from 1.
    pub(super) line: usize,
}

/// A line that is neither field, continuation nor comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stray {
    pub(super) line: usize,
}

/// The stanzas of `text`, each given as its fields to `each`. Stops at the first error.
pub(super) fn stanzas<'a, E: From<Stray>>(
    text: &'a str,
    mut each: impl FnMut(&[Field<'a>]) -> Result<(), E>,
) -> Result<(), E> {
    let mut fields: Vec<Field<'a>> = Vec::with_capacity(32);
    let mut start = 0;
    let mut number = 0;
    // Where the value of the last field starts, to extend it by continuation lines.
    let mut value_start = 0;
    while start < text.len() {
        number += 1;
        let rest = text.get(start..).unwrap_or_default();
        let length = memchr_newline(rest);
        let line = rest.get(..length).unwrap_or_default();
        if line.trim_ascii().is_empty() {
            if !fields.is_empty() {
                each(&fields)?;
                fields.clear();
            }
        } else if line.starts_with([' ', '\t']) {
            let Some(last) = fields.last_mut() else { return Err(Stray { line: number }.into()) };
            last.value = text.get(value_start..start + length).unwrap_or_default().trim_ascii();
        } else if !line.starts_with('#') {
            let colon = line.find(':').filter(|colon| *colon > 0);
            let Some(colon) = colon else { return Err(Stray { line: number }.into()) };
            value_start = start + colon + 1;
            let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
            let name = line.get(..colon).unwrap_or_default();
            fields.push(Field { name, value, line: number });
        }
        start += length + 1;
    }
    if fields.is_empty() { Ok(()) } else { each(&fields) }
}

fn memchr_newline(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

/// The value of the first field called `name` in the single stanza `text`.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Vec<(String, String)>>, Stray> {
        let mut all = Vec::new();
        stanzas(text, |fields| {
            all.push(fields.iter().map(|f| (f.name.into(), f.value.into())).collect());
            Ok::<(), Stray>(())
        })?;
        Ok(all)
    }

    #[test]
    fn stanzas_fields_and_continuations() {
        let text =
            "\nPackage: a\nDescription: short\n long\n .\n more: yes\nVersion:1\n \t\n\nPackage: b";
        let stanza = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
            fields.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect()
        };
        assert_eq!(
            parsed(text),
            Ok(vec![
                stanza(&[
                    ("Package", "a"),
                    ("Description", "short\n long\n .\n more: yes"),
                    ("Version", "1"),
                ]),
                stanza(&[("Package", "b")]),
            ])
        );
    }

    #[test]
    fn stray_lines_are_errors_with_their_line() {
        assert_eq!(parsed("Package: a\nnonsense\n"), Err(Stray { line: 2 }));
        assert_eq!(parsed("Package: a\n\n continued\n"), Err(Stray { line: 3 }));
        assert_eq!(parsed(": x\n"), Err(Stray { line: 1 }));
        assert_eq!(parsed(""), Ok(vec![]));
    }

    #[test]
    fn a_field_of_a_single_stanza() {
        assert_eq!(field("Package: x\nVersion: 1:2-3\n", "version"), Some("1:2-3"));
        assert_eq!(field("Package: x\n", "Version"), None);
    }
}
