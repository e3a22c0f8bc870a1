//! A command written as one string: split into words as a shell would, without ever being given to
//! one.

/// The words of a command, separated by blanks; quotes and backslashes as in the POSIX shell (XCU
/// 2.2). The error is a sentence without a full stop.
pub fn split_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some('"'), '\\') => match letters.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => {
                    word.get_or_insert_default().push(escaped);
                }
                Some(other) => word.get_or_insert_default().extend(['\\', other]),
                None => return Err("the command ends in a backslash".into()),
            },
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '\\') => match letters.next() {
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err("the command ends in a backslash".into()),
            },
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            (None, special @ ('|' | ';' | '&' | '<' | '>' | '`')) => {
                return Err(format!(
                    "the command is run without a shell, so {special:?} has no meaning; quote it \
                     or put the commands into a script"
                ));
            }
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quotation in the command is not closed".into());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (text, expected) in [
            ("nginx -t -c {candidate}", vec!["nginx", "-t", "-c", "{candidate}"]),
            ("  a\tb ", vec!["a", "b"]),
            ("grep 'a b' \"c \\\" d\" e\\ f", vec!["grep", "a b", "c \" d", "e f"]),
            ("sh -c '. {candidate} && x'", vec!["sh", "-c", ". {candidate} && x"]),
            ("a '' b", vec!["a", "", "b"]),
        ] {
            assert_eq!(split_words(text).unwrap(), expected, "{text}");
        }
    }
}
