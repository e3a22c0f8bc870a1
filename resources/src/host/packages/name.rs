//! Names of packages.

use std::fmt;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// A package's name, perhaps with an architecture: `nginx`, `libc6:i386`.
///
/// Debian policy 5.6.1: at least two characters, lower case letters, digits, `+`, `-` and `.`,
/// the first one alphanumeric. Other distributions also have capitals and underscores, which are
/// accepted; nothing that a package manager could take for an option, a pattern or a path is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageName {
    name: String,
    architecture: Option<String>,
}

/// Why a text is no package name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Fewer than two characters.
    #[error("a package name has at least two characters")]
    Short,
    /// It would be taken for an option.
    #[error("a package name cannot start with \"-\"")]
    Option,
    /// Another first character than a letter or a digit.
    #[error("a package name starts with a letter or a digit")]
    Start,
    /// A character that names do not have.
    #[error("a package name has no {0:?}")]
    Character(char),
    /// What follows the colon is no architecture.
    #[error("after the colon comes an architecture, for instance \"libc6:i386\"")]
    Architecture,
}

impl PackageName {
    /// Checks `text`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (name, architecture) = match text.split_once(':') {
            Some((name, architecture)) => (name, Some(architecture)),
            None => (text, None),
        };
        if name.starts_with('-') {
            return Err(NameError::Option);
        }
        let strange = |c: &char| !(c.is_ascii_alphanumeric() || "+-._".contains(*c));
        if let Some(character) = name.chars().find(strange) {
            return Err(NameError::Character(character));
        }
        if name.len() < 2 {
            return Err(NameError::Short);
        }
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(NameError::Start);
        }
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let valid = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(lower)
        };
        if architecture.is_some_and(|architecture| !valid(architecture)) {
            return Err(NameError::Architecture);
        }
        Ok(Self { name: name.into(), architecture: architecture.map(Into::into) })
    }

    /// The name without architecture.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The architecture, where one is given.
    pub fn architecture(&self) -> Option<&str> {
        self.architecture.as_deref()
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        match &self.architecture {
            Some(architecture) => write!(formatter, ":{architecture}"),
            None => Ok(()),
        }
    }
}

impl Serialize for PackageName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_is_none() {
        for good in ["nginx", "g++", "libc6:i386", "python3.11", "0ad", "libstdc++6", "foo-"] {
            assert_eq!(PackageName::parse(good).unwrap().to_string(), good);
        }
        let cases = [
            ("", NameError::Short),
            ("x", NameError::Short),
            ("-f", NameError::Option),
            ("--purge", NameError::Option),
            ("+x", NameError::Start),
            (".deb", NameError::Start),
            ("nginx=1.0", NameError::Character('=')),
            ("ng*", NameError::Character('*')),
            ("../x.deb", NameError::Character('/')),
            ("a b", NameError::Character(' ')),
            ("^nginx$", NameError::Character('^')),
            ("nginx\n", NameError::Character('\n')),
            ("libc6:", NameError::Architecture),
            ("libc6:i386=1", NameError::Architecture),
            ("libc6:a:b", NameError::Architecture),
        ];
        for (bad, error) in cases {
            assert_eq!(PackageName::parse(bad), Err(error), "{bad}");
        }
    }
}
