//! Mistakes in the grammar of templates, in the words of who made them.

use super::guard::{Block, blocks};

/// Statements that have an end, and what ends each.
const PAIRS: &[(&str, &str)] = &[
    ("if", "endif"),
    ("for", "endfor"),
    ("macro", "endmacro"),
    ("call", "endcall"),
    ("with", "endwith"),
    ("filter", "endfilter"),
    ("block", "endblock"),
    ("autoescape", "endautoescape"),
    ("set", "endset"),
];

/// What is wrong at `at` in `text`, of which the engine says `detail`, and what to write instead.
pub(super) fn words(detail: &str, text: &str, at: usize) -> (String, Option<String>) {
    let same = |hint: &str| (detail.to_owned(), Some(hint.to_owned()));
    let blocks = blocks(text);
    let position = blocks.iter().position(|block| block.inside.contains(&at));
    let before = blocks.get(..position.unwrap_or(blocks.len())).unwrap_or_default();
    let word = detail.strip_prefix("unknown statement ").unwrap_or_default();
    let here = position.and_then(|position| blocks.get(position));
    let inside = here.and_then(|block| text.get(block.inside.clone())).unwrap_or_default();
    if ["elsif", "elseif", "elif_"].contains(&word) {
        return same("write `elif`");
    }
    if inside.trim_start_matches(['-', '+']).trim_start().starts_with("else if") {
        return same("write `elif`");
    }
    if word.starts_with("end") || word == "fi" || word == "done" {
        return match innermost(text, before) {
            Some((opened, end)) => (
                format!("`{}` ends nothing here", inside.trim_matches(['-', '+', ' '])),
                Some(format!(
                    "the `{{% {} %}}` on line {} ends with `{{% {end} %}}`",
                    opened.word,
                    line(text, opened)
                )),
            ),
            None => (
                format!("`{word}` ends nothing: nothing is open here"),
                Some("remove it, or write what it ends".to_owned()),
            ),
        };
    }
    if ["else", "elif"].contains(&word) {
        return same("it belongs between `{% if … %}` and `{% endif %}`");
    }
    if !word.is_empty() {
        let known =
            PAIRS.iter().map(|(word, _)| *word).chain(["else", "elif", "include", "import"]);
        return (detail.to_owned(), crate::diagnostics::suggest::did_you_mean(word, known));
    }
    if detail.starts_with("unexpected end of input, expected end of block")
        && let Some((opened, end)) = innermost(text, &blocks)
    {
        return (
            format!("the `{{% {} %}}` on line {} never ends", opened.word, line(text, opened)),
            Some(format!("write `{{% {end} %}}` where it ends")),
        );
    }
    if detail.contains("end of variable block") {
        return same("an expression ends with `}}`");
    }
    let code = if blocks.is_empty() { text } else { inside };
    if code.contains('$') {
        return same("names have no `$`: write `params.NAME`");
    }
    if let Some(hint) = operators(code) {
        return same(hint);
    }
    (detail.to_owned(), None)
}

/// The statement of `before` that is open after all of them, and what ends it.
fn innermost<'b, 't>(text: &str, before: &'b [Block<'t>]) -> Option<(&'b Block<'t>, &'static str)> {
    let mut open = Vec::new();
    for block in before {
        if let Some((_, end)) = PAIRS.iter().find(|(word, _)| *word == block.word) {
            // `{% set x = 1 %}` has no end.
            let code = text.get(block.inside.clone()).unwrap_or_default();
            if block.word != "set" || !code.contains('=') {
                open.push((block, *end));
            }
        } else if open.last().is_some_and(|(_, end)| *end == block.word) {
            open.pop();
        }
    }
    open.pop()
}

fn line(text: &str, block: &Block<'_>) -> usize {
    let before = text.get(..block.inside.start).unwrap_or_default();
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}

fn operators(code: &str) -> Option<&'static str> {
    if code.contains("&&") {
        Some("write `and`")
    } else if code.contains("||") {
        Some("write `or`")
    } else if code.contains("=~") {
        Some("write `x is match('…')`, or `is search`")
    } else if code.contains('?') {
        Some("write `yes if condition else no`")
    } else if code.contains(" = ") {
        Some("write `==` to compare")
    } else if code.trim_start().starts_with('!') || code.contains(" !") {
        Some("write `not`")
    } else {
        None
    }
}
