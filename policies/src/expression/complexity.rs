//! Expressions that are too long for the engine's compiler, which takes a step on the stack for each
//! operator: `a ~ a ~ a …` of many thousands would overflow it.

use minijinja::{Error, ErrorKind};

use super::guard::{blocks, walk};

/// How many operators one expression or block may have.
const MAXIMUM_OPERATORS: usize = 1000;

/// How many `elif` one template may have.
const MAXIMUM_BRANCHES: usize = 500;

/// Words that are operators.
const WORDS: &[&str] = &["and", "or", "not", "in", "is", "if", "else"];

/// Refuses a bare expression with too many operators.
pub(super) fn expression(text: &str) -> Result<(), Error> {
    operators(text, 0..text.len())
}

/// Refuses a template in which a block has too many operators.
pub(super) fn template(text: &str) -> Result<(), Error> {
    let mut branches = 0;
    for block in blocks(text) {
        if block.word == "elif" {
            branches += 1;
        }
        operators(text, block.inside)?;
    }
    if branches > MAXIMUM_BRANCHES {
        return Err(refused(&format!("this template has more than {MAXIMUM_BRANCHES} `elif`")));
    }
    Ok(())
}

fn operators(text: &str, range: std::ops::Range<usize>) -> Result<(), Error> {
    // Every operator has at least a letter on one side.
    if range.len() < MAXIMUM_OPERATORS {
        return Ok(());
    }
    let bytes = text.as_bytes();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut count = 0;
    walk(text, range, |position, byte, _| {
        let before = position.checked_sub(1).and_then(|before| bytes.get(before)).copied();
        let operator = match byte {
            b'~' | b'+' | b'-' | b'*' | b'/' | b'%' | b'|' | b'.' | b'[' | b'(' | b'=' | b'<'
            | b'>' | b'!' => true,
            _ if letter(byte) && !before.is_some_and(letter) => {
                let rest = text.get(position..).unwrap_or_default();
                let end = rest.find(|other: char| !other.is_ascii_alphanumeric() && other != '_');
                WORDS.contains(&rest.get(..end.unwrap_or(rest.len())).unwrap_or_default())
            }
            _ => false,
        };
        count += usize::from(operator);
        count > MAXIMUM_OPERATORS
    });
    if count > MAXIMUM_OPERATORS {
        let message = format!("an expression has more than {MAXIMUM_OPERATORS} operators");
        return Err(refused(&message));
    }
    Ok(())
}

fn refused(message: &str) -> Error {
    Error::new(ErrorKind::OutOfFuel, message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_counted_by_block() {
        for (text, fits) in [
            (format!("{{{{ a{} }}}}", " ~ a".repeat(1000)), true),
            (format!("{{{{ a{} }}}}", " ~ a".repeat(1001)), false),
            (format!("{{{{ a{} }}}}", " and a".repeat(1001)), false),
            (format!("{{% if a{} %}}", "|b".repeat(1001)), false),
            (format!("{{{{ '{}' }}}}", "~".repeat(5000)), true),
            ("{{ a ~ a }}".repeat(5000), true),
            ("a ~ a".repeat(5000), true),
            (format!("{{% set a = [{}] %}}", "'x', ".repeat(5000)), true),
            (format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}".repeat(501)), false),
        ] {
            assert_eq!(template(&text).is_ok(), fits, "{}", text.get(..40).unwrap_or(&text));
        }
        assert!(expression(&format!("a{}", ".b".repeat(1001))).is_err());
    }
}
