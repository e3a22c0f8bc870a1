//! YAML in block style. Every string that could be read as anything else is quoted as JSON does,
//! which YAML 1.2 contains.

use serde_json::Value;

/// The document for `value`, ending in a newline.
pub(super) fn block(value: &Value, indent: usize) -> String {
    let mut text = String::new();
    write(value, indent, 0, true, &mut text);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Writes `value` at `depth`; `fresh` tells whether the cursor is at a line's start or after `- `.
fn write(value: &Value, indent: usize, depth: usize, fresh: bool, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            start(fresh, text);
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 || !fresh {
                    text.push_str(&" ".repeat(indent * depth));
                }
                text.push_str(&scalar(key));
                text.push(':');
                write(value, indent, depth + 1, false, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            start(fresh, text);
            for (index, item) in items.iter().enumerate() {
                if index > 0 || !fresh {
                    text.push_str(&" ".repeat(indent * depth));
                }
                // A nested block starts on the line of its dash, so the dash is as wide as one level.
                text.push('-');
                text.push_str(&" ".repeat(indent.max(2) - 1));
                write(item, indent.max(2), depth + 1, true, text);
            }
        }
        other => {
            if !fresh {
                text.push(' ');
            }
            match other {
                Value::String(string) => text.push_str(&scalar(string)),
                Value::Object(_) => text.push_str("{}"),
                Value::Array(_) => text.push_str("[]"),
                other => text.push_str(&other.to_string()),
            }
            text.push('\n');
        }
    }
}

fn start(fresh: bool, text: &mut String) {
    if !fresh {
        text.push('\n');
    }
}

fn scalar(text: &str) -> String {
    let plain = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte));
    let word = text.to_ascii_lowercase();
    let reserved = matches!(
        word.as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
    );
    if plain && !reserved { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_data() {
        let value = serde_json::json!({
            "name": "web", "port": 80, "on": true, "empty": [], "text": "a: b", "none": null,
            "hosts": ["a", {"b": 1, "c": ["x", "z"]}, "no", "1"], "deep": {"er": {"x": "1.5"}},
            "lists": [[1, 2], [3]],
        });
        let expected = "name: web\nport: 80\n\"on\": true\nempty: []\ntext: \"a: b\"\nnone: null\n\
            hosts:\n  - a\n  - b: 1\n    c:\n      - x\n      - z\n  - \"no\"\n  - \"1\"\ndeep:\n  er:\n    x: \"1.5\"\n\
            lists:\n  - - 1\n    - 2\n  - - 3\n";
        assert_eq!(block(&value, 2), expected);
    }
}
