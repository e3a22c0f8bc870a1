//! The classes of problems.

use serde::Serialize;

/// What class of problem it is; stable, for programs that read diagnostics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The file is not TOML.
    Syntax,
    /// A key that nothing reads.
    UnknownKey,
    /// A kind that does not exist.
    UnknownKind,
    /// An attribute that the kind does not have.
    UnknownAttribute,
    /// A parameter that the policy does not declare.
    UnknownParam,
    /// A policy that does not exist.
    UnknownPolicy,
    /// A fact set that does not exist.
    UnknownSample,
    /// A value of the wrong type.
    WrongType,
    /// A value of the right type that makes no sense.
    InvalidValue,
    /// A title that cannot be one.
    InvalidTitle,
    /// An expression or template that is not Jinja.
    ExpressionSyntax,
    /// A name that does not exist where it is used.
    Undefined,
    /// An expression or template that failed while it was evaluated.
    Evaluation,
    /// A file of the repository that does not exist.
    MissingFile,
    /// A path that leaves the policy.
    InvalidPath,
    /// A required parameter that nothing gives.
    MissingParam,
    /// A thing that is defined twice.
    Duplicate,
    /// A reference to a resource that does not exist.
    UnknownReference,
    /// Resources that depend on each other.
    Cycle,
    /// Something exceeds a limit.
    Limit,
    /// Something that this version cannot do.
    NotSupported,
    /// The repository itself could not be read.
    Repository,
    /// A reference or a policy that does nothing.
    Unused,
}

impl Code {
    /// The code as programs see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnknownKey => "unknown_key",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownAttribute => "unknown_attribute",
            Self::UnknownParam => "unknown_param",
            Self::UnknownPolicy => "unknown_policy",
            Self::UnknownSample => "unknown_sample",
            Self::WrongType => "wrong_type",
            Self::InvalidValue => "invalid_value",
            Self::InvalidTitle => "invalid_title",
            Self::ExpressionSyntax => "expression_syntax",
            Self::Undefined => "undefined",
            Self::Evaluation => "evaluation",
            Self::MissingFile => "missing_file",
            Self::InvalidPath => "invalid_path",
            Self::MissingParam => "missing_param",
            Self::Duplicate => "duplicate",
            Self::UnknownReference => "unknown_reference",
            Self::Cycle => "cycle",
            Self::Limit => "limit",
            Self::NotSupported => "not_supported",
            Self::Repository => "repository",
            Self::Unused => "unused",
        }
    }

    /// What the class is about, in a few words.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Syntax => "The file is not TOML",
            Self::UnknownKey => "A key that nothing reads",
            Self::UnknownKind => "A kind that does not exist",
            Self::UnknownAttribute => "An attribute that the kind does not have",
            Self::UnknownParam => "A parameter that the policy does not declare",
            Self::UnknownPolicy => "A policy that does not exist",
            Self::UnknownSample => "A fact set that does not exist",
            Self::WrongType => "A value of the wrong type",
            Self::InvalidValue => "A value of the right type that makes no sense",
            Self::InvalidTitle => "A title that cannot be one",
            Self::ExpressionSyntax => "An expression or template that is not Jinja",
            Self::Undefined => "A name that does not exist where it is used",
            Self::Evaluation => "An expression or template that failed while it was evaluated",
            Self::MissingFile => "A file of the repository that does not exist",
            Self::InvalidPath => "A path that leaves the policy",
            Self::MissingParam => "A required parameter that nothing gives",
            Self::Duplicate => "A thing that is defined twice",
            Self::UnknownReference => "A reference to a resource that does not exist",
            Self::Cycle => "Resources that depend on each other",
            Self::Limit => "Something exceeds a limit",
            Self::NotSupported => "Something that this version cannot do",
            Self::Repository => "The repository itself could not be read",
            Self::Unused => "A reference or a policy that does nothing",
        }
    }

    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Syntax,
        Self::UnknownKey,
        Self::UnknownKind,
        Self::UnknownAttribute,
        Self::UnknownParam,
        Self::UnknownPolicy,
        Self::UnknownSample,
        Self::WrongType,
        Self::InvalidValue,
        Self::InvalidTitle,
        Self::ExpressionSyntax,
        Self::Undefined,
        Self::Evaluation,
        Self::MissingFile,
        Self::InvalidPath,
        Self::MissingParam,
        Self::Duplicate,
        Self::UnknownReference,
        Self::Cycle,
        Self::Limit,
        Self::NotSupported,
        Self::Repository,
        Self::Unused,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_all_and_each_has_its_own_words() {
        // In the order of declaration, and none after the last.
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(*code as usize, index);
        }
        assert_eq!(Code::ALL.last(), Some(&Code::Unused));
        for text in [Code::as_str, Code::summary] {
            let mut texts: Vec<&str> = Code::ALL.iter().map(|code| text(*code)).collect();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), Code::ALL.len());
        }
    }
}
