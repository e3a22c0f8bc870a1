//! The `validate` command: split into words as a shell would, without ever being given to one.

use crate::host::files::AbsolutePath;

const PLACEHOLDER: &str = "{candidate}";

/// A command that checks a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValidateCommand {
    words: Vec<String>,
}

impl ValidateCommand {
    /// Splits `text`. The error is a sentence without a full stop.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let words = split(text)?;
        if words.is_empty() {
            return Err("the command is empty".into());
        }
        if words.iter().skip(1).all(|word| !word.contains(PLACEHOLDER)) {
            return Err(format!("the command must name the file to check as {PLACEHOLDER}"));
        }
        Ok(Self { words })
    }

    /// The program that is run.
    pub(super) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The words with the candidate's path in place of the placeholder. Put in after splitting, so
    /// that a path can never become more words or options of another meaning.
    pub(super) fn argv(&self, candidate: &AbsolutePath) -> Vec<String> {
        let path = candidate.to_string();
        self.words.iter().map(|word| word.replace(PLACEHOLDER, &path)).collect()
    }
}

/// Words separated by blanks; quotes and backslashes as in the POSIX shell (XCU 2.2).
fn split(text: &str) -> Result<Vec<String>, String> {
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
            assert_eq!(split(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "visudo -cf",
            "{candidate}",
            "a {candidate} | b",
            "a {candidate}; b",
            "a '{candidate}",
            "a {candidate} \\",
        ] {
            assert!(ValidateCommand::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_path_stays_one_word() {
        let command = ValidateCommand::parse("check --file={candidate} x").unwrap();
        let path = AbsolutePath::parse("/srv/a b;c").unwrap();
        assert_eq!(command.argv(&path), ["check", "--file=/srv/a b;c", "x"]);
    }
}
