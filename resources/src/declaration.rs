//! What a kind says about itself. Validation, reference docs, JSON Schema and completion are all
//! read from these declarations; nothing about an attribute is written down a second time.

/// The declaration of a kind.
#[derive(Debug)]
pub struct KindDeclaration {
    /// The kind's name as policies write it, for instance `file`.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// What the title is ("the absolute path", "the login name").
    pub title: &'static str,
    /// The kind's own attributes, in the order of the reference.
    pub attributes: &'static [AttributeDeclaration],
    /// A small policy that uses the kind, valid TOML.
    pub example: &'static str,
    /// The kind's cases for the conformance suite (`conformance.toml` in its folder): `[[case]]`
    /// with `name`, `policies`, a list of policy texts, and `files`, a table of texts by path that
    /// lie beside them. Each policy is applied in turn and must
    /// then plan to nothing, on the fake host's scene and on a booted one.
    pub conformance: &'static str,
}

impl KindDeclaration {
    /// The declaration of the attribute called `name`, if this kind has it.
    pub fn attribute(&self, name: &str) -> Option<&'static AttributeDeclaration> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// The declaration of one attribute.
#[derive(Debug)]
pub struct AttributeDeclaration {
    /// The name as policies write it.
    pub name: &'static str,
    /// Which values it takes.
    pub kind: AttributeType,
    /// What the attribute means, in the terms of Puppet and of the distribution; Markdown.
    pub documentation: &'static str,
    /// The default as the reference prints it; `None` where leaving the attribute out means that
    /// the property is not managed.
    pub default: Option<&'static str>,
    /// A regular expression for values written as they are: they are strings and match it. It
    /// serves editors; the kind itself says what is wrong. `None` where the type says it all.
    pub pattern: Option<&'static str>,
    /// Whether the value is secret: never shown, whatever `sensitive` says.
    pub secret: bool,
}

impl AttributeDeclaration {
    /// An attribute without default, not secret.
    pub const fn new(name: &'static str, kind: AttributeType, documentation: &'static str) -> Self {
        Self { name, kind, documentation, default: None, pattern: None, secret: false }
    }

    /// The same attribute with a default for the reference.
    #[must_use]
    pub const fn with_default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// The same attribute with a pattern for editors.
    #[must_use]
    pub const fn with_pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// The same attribute, its value a secret.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// Which values an attribute takes. Evaluation checks them before a kind sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeType {
    /// Any string.
    String,
    /// An integer.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of these strings.
    Enumeration(&'static [&'static str]),
    /// A list whose items are all of this type.
    List(&'static AttributeType),
    /// A table whose values are all of this type.
    Table(&'static AttributeType),
    /// Any of these types (`mode` or `uid` as name or number, `enable` as boolean or `"masked"`).
    AnyOf(&'static [AttributeType]),
    /// The path of a template in the repository, relative to the policy. The kind receives the
    /// rendered text as [`Value::Text`](crate::Value::Text).
    TemplatePath,
    /// A path in the repository relative to the policy, or a list of them of which the first that
    /// exists counts. The kind receives [`Value::Tree`](crate::Value::Tree). A value that starts
    /// with `https://` is handed to the kind as text.
    RepositoryPath,
}

impl AttributeType {
    /// The type in words, as error messages and the reference print it.
    pub fn in_words(&self) -> String {
        match self {
            Self::String => "a string".into(),
            Self::Integer => "an integer".into(),
            Self::Boolean => "true or false".into(),
            Self::Enumeration(values) => alternatives(values.iter().map(|v| format!("{v:?}"))),
            Self::List(item) => format!("a list of {}", plural(item)),
            Self::Table(value) => format!("a table of {}", plural(value)),
            Self::AnyOf(types) => alternatives(types.iter().map(Self::in_words)),
            Self::TemplatePath => "the path of a template in the repository".into(),
            Self::RepositoryPath => "a path in the repository, or a list of them".into(),
        }
    }
}

fn plural(item: &AttributeType) -> String {
    match item {
        AttributeType::String => "strings".into(),
        AttributeType::Integer => "integers".into(),
        AttributeType::Boolean => "booleans".into(),
        other => format!("values, each {}", other.in_words()),
    }
}

fn alternatives(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
