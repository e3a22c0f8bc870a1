//! The attributes that every resource has, by name.

/// An attribute that every resource has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Common {
    Require,
    Before,
    Notify,
    Subscribe,
    When,
    ForEach,
    Enforce,
    Ignore,
    OnRemove,
    Sensitive,
    Tags,
    Timeout,
    Retries,
}

const ALL: &[(&str, Common)] = &[
    ("require", Common::Require),
    ("before", Common::Before),
    ("notify", Common::Notify),
    ("subscribe", Common::Subscribe),
    ("when", Common::When),
    ("for_each", Common::ForEach),
    ("enforce", Common::Enforce),
    ("ignore", Common::Ignore),
    ("on_remove", Common::OnRemove),
    ("sensitive", Common::Sensitive),
    ("tags", Common::Tags),
    ("timeout", Common::Timeout),
    ("retries", Common::Retries),
];

impl Common {
    /// The attribute called `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, common)| *common)
    }

    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        ALL.iter().find(|(_, common)| *common == self).map_or("", |(name, _)| name)
    }

    /// All names.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|(name, _)| *name)
    }

    /// Whether it refers to other resources.
    pub(crate) fn links(self) -> bool {
        matches!(self, Self::Require | Self::Before | Self::Notify | Self::Subscribe)
    }
}
