//! The `validate` command: split into words, and the candidate's path put in their place.

use crate::host::files::AbsolutePath;
use crate::words::split_words;

const PLACEHOLDER: &str = "{candidate}";

/// A command that checks a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValidateCommand {
    words: Vec<String>,
    /// As the policy has it.
    written: String,
}

impl ValidateCommand {
    /// Splits `text`. The error is a sentence without a full stop.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let words = split_words(text)?;
        if words.is_empty() {
            return Err("the command is empty".into());
        }
        if words.iter().skip(1).all(|word| !word.contains(PLACEHOLDER)) {
            return Err(format!("the command must name the file to check as {PLACEHOLDER}"));
        }
        Ok(Self { words, written: text.trim().to_owned() })
    }

    /// The program that is run.
    pub(super) fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The whole command as the policy has it.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// The words with the candidate's path in place of the placeholder. Put in after splitting, so
    /// that a path can never become more words or options of another meaning.
    pub(super) fn argv(&self, candidate: &AbsolutePath) -> Vec<String> {
        let path = candidate.to_string();
        self.words.iter().map(|word| word.replace(PLACEHOLDER, &path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
