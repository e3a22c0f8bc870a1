//! Text that the language would evaluate, written so that it yields itself.

/// Whether the language evaluates the string `text`.
pub fn is_evaluated(text: &str) -> bool {
    crate::expression::is_interpolated(text)
}

/// `text` as it has to stand in a string of a policy: evaluated, it is `text` again.
///
/// A string is evaluated only where it contains `{{` or `{%`; then a `{#` in it would begin a
/// comment, too. Each such pair becomes an expression whose value it is.
pub fn escaped(text: &str) -> String {
    if !crate::expression::is_interpolated(text) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(at) = rest.find(['{']) {
        let (before, from) = rest.split_at(at);
        escaped.push_str(before);
        let pair = ["{{", "{%", "{#"].into_iter().find(|pair| from.starts_with(pair));
        if let Some(pair) = pair {
            escaped.extend(["{{ '", pair, "' }}"]);
            rest = from.get(2..).unwrap_or_default();
        } else {
            escaped.push('{');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    escaped.push_str(rest);
    escaped
}
