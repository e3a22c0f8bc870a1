//! Looking through texts: which templates a template includes, and where a name is.

/// The templates that `text` names in `include`, `import`, `from` and `extends`. Names that are
/// computed are not found.
pub(super) fn included(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, tail)) = rest.split_once("{%") {
        let (block, after) = tail.split_once("%}").unwrap_or((tail, ""));
        rest = after;
        let block = block.trim_start_matches(['-', '+']).trim_start();
        let names_template =
            ["include", "import", "from", "extends"].iter().any(|word| block.starts_with(word));
        if !names_template {
            continue;
        }
        let Some(start) = block.find(['"', '\'']) else { continue };
        let Some(mark) = block.get(start..).and_then(|tail| tail.chars().next()) else { continue };
        let name = block.get(start + 1..).and_then(|tail| tail.split(mark).next());
        found.extend(name);
    }
    found
}

/// Where `name` stands in `text` as a word of its own.
pub(super) fn word(text: &str, name: &str) -> Option<usize> {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|head| head.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(|letter| part(letter) || letter == '.') && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_found() {
        for (text, expected) in [
            ("{% include \"a.j2\" %} {%- include 'b/c' -%}", &["a.j2", "b/c"][..]),
            ("{% from \"m\" import x %}{% extends 'base' %}", &["m", "base"]),
            ("{% if include %}\"x\"{% endif %}", &[]),
            ("{% include name %}", &[]),
            ("include \"x\"", &[]),
            ("{% include \"open", &["open"]),
        ] {
            assert_eq!(included(text), expected, "{text}");
        }
    }

    #[test]
    fn words_are_found() {
        for (text, name, expected) in [
            ("a {{ params.port }}", "params.port", Some(5)),
            ("{{ params.ports }} {{ params.port }}", "params.port", Some(22)),
            ("{{ x.params.port }}", "params.port", None),
            ("params.port", "params.port", Some(0)),
        ] {
            assert_eq!(word(text, name), expected, "{text}");
        }
    }
}
