//! The attributes that every resource has: their one declaration.

use crate::declaration::{Form, KeyDeclaration};

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

const TEXTS: Form = Form::Evaluated(&Form::Texts);
const BOOLEAN: Form = Form::Evaluated(&Form::Boolean);

static ALL: &[(Common, KeyDeclaration)] = &[
    (
        Common::Require,
        KeyDeclaration::new(
            "require",
            TEXTS,
            "References to resources that come before this one, `\"kind.title\"`, globs allowed. If \
             one of them fails, this one is not touched.",
        ),
    ),
    (
        Common::Before,
        KeyDeclaration::new(
            "before",
            TEXTS,
            "References to resources that come after this one. If this one fails, they are not \
             touched.",
        ),
    ),
    (
        Common::Notify,
        KeyDeclaration::new(
            "notify",
            TEXTS,
            "As `before`, and those resources are told when this one changes: a service restarts. \
             What is owed survives a crash or a failed run.",
        ),
    ),
    (
        Common::Subscribe,
        KeyDeclaration::new(
            "subscribe",
            TEXTS,
            "As `require`, and this resource is told when one of those changes.",
        ),
    ),
    (
        Common::When,
        KeyDeclaration::new(
            "when",
            Form::Condition,
            "Whether this host has the resource: a bare expression such as \
             `\"facts.os.family == 'debian'\"`. With `for_each` it is asked once where it does not \
             look at `item`, and for each item otherwise.",
        ),
    ),
    (
        Common::ForEach,
        KeyDeclaration::new(
            "for_each",
            Form::Items,
            "Makes a resource of each item: a bare expression for a list or map, or the list or \
             table itself. Title and attributes see `item`, of a map `item.key` and `item.value`.",
        ),
    ),
    (
        Common::Enforce,
        KeyDeclaration::new(
            "enforce",
            BOOLEAN,
            "With `false` a difference is reported as drift and nothing is changed; nothing can \
             override that.",
        )
        .with_default("true"),
    ),
    (
        Common::Ignore,
        KeyDeclaration::new(
            "ignore",
            TEXTS,
            "Names of attributes to leave alone, as if they were not written: useful over \
             `[defaults]`.",
        ),
    ),
    (
        Common::OnRemove,
        KeyDeclaration::new(
            "on_remove",
            Form::Evaluated(&Form::Choice(&["orphan", "delete", "restore"])),
            "What is to happen when the resource leaves the catalog: it stays, it is deleted, or \
             what was there before comes back. For now it is only recorded: everything stays.",
        )
        .with_default("orphan"),
    ),
    (
        Common::Sensitive,
        KeyDeclaration::new(
            "sensitive",
            BOOLEAN,
            "Hides every value of this resource in plans, reports, logs and errors.",
        )
        .with_default("false"),
    ),
    (
        Common::Tags,
        KeyDeclaration::new(
            "tags",
            TEXTS,
            "Words to select the resource by (`plan --tags`). Its kind, its policies and modules, \
             and the tags of those and of the assignment are tags of it, too.",
        ),
    ),
    (
        Common::Timeout,
        KeyDeclaration::new(
            "timeout",
            Form::Evaluated(&Form::Duration),
            "How long one try may take, from a second to seven days.",
        )
        .with_default("5m"),
    ),
    (
        Common::Retries,
        KeyDeclaration::new(
            "retries",
            Form::Evaluated(&Form::Integer(0, 100)),
            "How many more tries follow one that failed.",
        )
        .with_default("0"),
    ),
];

/// The attributes that every resource has, in the order of the reference.
pub fn common_attributes() -> impl Iterator<Item = &'static KeyDeclaration> {
    ALL.iter().map(|(_, declaration)| declaration)
}

impl Common {
    /// The attribute called `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|(_, declared)| declared.name == name).map(|(common, _)| *common)
    }

    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        ALL.iter().find(|(common, _)| *common == self).map_or("", |(_, declared)| declared.name)
    }

    /// All names.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        common_attributes().map(|declared| declared.name)
    }

    /// Whether it refers to other resources.
    pub(crate) fn links(self) -> bool {
        matches!(self, Self::Require | Self::Before | Self::Notify | Self::Subscribe)
    }
}
