//! What the language says about itself: every table with a fixed set of keys, declared once.
//!
//! The parser's list of known keys, the JSON Schema and the reference are all read from here; what
//! kinds say about their attributes is in `steadfast_resources`. What must stay true: a key that
//! the parser takes is declared here with a sentence for people, and nothing else is.

mod cases;
mod policy;
mod site;

#[cfg(test)]
mod tests;

use steadfast_resources::{AttributeDeclaration, AttributeType};

pub use crate::expression::{Declarations, FilterDeclaration, declarations as filters, example};
pub use crate::parse::{CHECK, common_attributes};
pub use crate::site::{LIMITS, ROLLOUT, WAVE, WINDOW};
pub(crate) use cases::{CASE, MATCHER};
pub use cases::{CASES, EXPECTATION};
pub(crate) use policy::IS_DECLARATION;
pub use policy::{MODULE, PARAMETER, POLICY};
pub use site::{ASSIGNMENT, SITE, SITE_FILE};

/// A table with a fixed set of keys.
#[derive(Debug)]
pub struct TableDeclaration {
    /// How it is written, for instance `[[assign]]`; what the author chooses is in capitals.
    pub heading: &'static str,
    /// What it is for, in a few sentences; Markdown.
    pub summary: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [KeyDeclaration],
    /// What other keys mean; `None` where they are errors.
    pub others: Option<KeyDeclaration>,
    /// Keys that are evaluated as attributes of kinds are; they come before `keys`.
    pub attributes: &'static [AttributeDeclaration],
    /// Keys of which at least one must be there.
    pub some_of: &'static [&'static str],
    /// Keys of which exactly one must be there.
    pub exactly_one_of: &'static [&'static str],
    /// Where a value may be anything: the keys that make a table one of these.
    pub marks: &'static [&'static str],
}

impl TableDeclaration {
    /// A table without further rules, for `..`.
    pub(crate) const PLAIN: Self = Self {
        heading: "",
        summary: "",
        keys: &[],
        others: None,
        attributes: &[],
        some_of: &[],
        exactly_one_of: &[],
        marks: &[],
    };

    /// The names of the keys.
    pub fn names(&self) -> Vec<&'static str> {
        let attributes = self.attributes.iter().map(|attribute| attribute.name);
        attributes.chain(self.keys.iter().map(|key| key.name)).collect()
    }

    /// The key called `name` that is evaluated as attributes of kinds are.
    pub fn attribute(&self, name: &str) -> Option<&'static AttributeDeclaration> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// A key of such a table, or an attribute that every resource has.
#[derive(Debug)]
pub struct KeyDeclaration {
    /// The name as it is written.
    pub name: &'static str,
    /// What may be written.
    pub form: Form,
    /// What it means; Markdown.
    pub documentation: &'static str,
    /// The default as the reference prints it.
    pub default: Option<&'static str>,
    /// Whether leaving it out is an error.
    pub required: bool,
}

impl KeyDeclaration {
    /// A key that may be left out and has no default.
    pub const fn new(name: &'static str, form: Form, documentation: &'static str) -> Self {
        Self { name, form, documentation, default: None, required: false }
    }

    /// The same key with a default for the reference.
    #[must_use]
    pub const fn with_default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// The same key; leaving it out is an error.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// What may be written for a key.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// A string, taken as it is.
    Text,
    /// An integer of at least the first and at most the second.
    Integer(i64, i64),
    /// `true` or `false`.
    Boolean,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// A regular expression.
    Pattern,
    /// A bare expression that is true or false.
    Condition,
    /// A bare expression whose value is a list or map, or a list or table.
    Items,
    /// Seconds, or a string such as `"90s"`, `"5m"` or `"1h30m"`.
    Duration,
    /// A string like this, in words and as a regular expression.
    Matching(&'static str, &'static str),
    /// A string or a list of strings.
    Texts,
    /// A list of such values.
    List(&'static Form),
    /// Any value.
    Anything,
    /// A table with keys of the author's choice.
    Map(&'static Form),
    /// Any of these.
    AnyOf(&'static [Form]),
    /// As inside, and a string may be, or contain, a `{{ expression }}`.
    Evaluated(&'static Form),
    /// A table.
    Table(&'static TableDeclaration),
    /// A list of tables, each headed `[[name]]`.
    Tables(&'static TableDeclaration),
    /// A table of tables, each headed `[key.NAME]`.
    Named(&'static TableDeclaration),
}

impl Form {
    /// The form in words, as the reference prints it.
    pub fn in_words(&self) -> String {
        match self {
            Self::Text => "a string".into(),
            Self::Integer(i64::MIN, i64::MAX) => "an integer".into(),
            Self::Integer(least, most) if *most >= u32::MAX.into() => {
                format!("an integer of at least {least}")
            }
            Self::Integer(least, most) => format!("an integer from {least} to {most}"),
            Self::Boolean => "true or false".into(),
            Self::Choice(words) => AttributeType::Enumeration(words).in_words(),
            Self::Pattern => "a regular expression".into(),
            Self::Condition => "a condition: a bare expression".into(),
            Self::Items => "an expression, a list or a table".into(),
            Self::Duration => "seconds, or a time such as \"90s\" or \"5m\"".into(),
            Self::Matching(words, _) => (*words).into(),
            Self::Texts => "a string or a list of strings".into(),
            Self::List(Self::Text | Self::Evaluated(Self::Text)) => "a list of strings".into(),
            Self::List(item) => format!("a list, each item {}", item.in_words()),
            Self::AnyOf([Self::Anything, ..]) | Self::Anything => "any value".into(),
            Self::AnyOf(forms) => {
                forms.iter().map(Self::in_words).collect::<Vec<_>>().join(", or ")
            }
            Self::Evaluated(form) => form.in_words(),
            Self::Table(_) | Self::Map(Self::Anything) => "a table".into(),
            Self::Map(value) => format!("a table, each value {}", value.in_words()),
            Self::Tables(_) => "a list of tables".into(),
            Self::Named(_) => "tables by name".into(),
        }
    }
}
