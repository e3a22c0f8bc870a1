//! The keys of a policy that are not kinds.

use super::{CHECK, Form, KeyDeclaration as Key, TableDeclaration};

/// A policy's file as a whole. Every other key is the name of a kind.
pub static POLICY: TableDeclaration = TableDeclaration {
    heading: "policy",
    summary: "What a host should have: `policies/NAME/policy.toml` beside its `files/` and \
              `templates/`, or a single file `policies/NAME.toml`. Besides the keys here it has \
              resources, `[kind.\"title\"]`.",
    keys: &[
        Key::new("description", Form::Text, "What the policy is for. For people only."),
        Key::new(
            "include",
            Form::Texts,
            "Names of policies that a host with this one gets too, once, with the parameters that \
             assignments and data give them; their resources come before those here. Policies may \
             include each other. No expressions.",
        ),
        Key::new(
            "tags",
            Form::Evaluated(&Form::Texts),
            "Words that every resource of this policy inherits, to select it by.",
        ),
        Key::new(
            "params",
            Form::Table(&PARAMS),
            "What the policy can be told. A value is the default and gives the type; a table with \
             `type`, `default` or `required` is a declaration.",
        ),
        Key::new(
            "defaults",
            // By kind: its attributes, and those of every resource but `when` and `for_each`.
            Form::Map(&Form::Map(&Form::Anything)),
            "Attributes that resources of a kind have unless they say otherwise: \
             `[defaults.file]`. They count in this policy only, and not in the modules it uses. \
             `when` and `for_each` cannot have a default.",
        ),
        Key::new(
            "module",
            Form::Named(&MODULE),
            "Uses another policy, with parameters, as often as needed.",
        ),
        Key::new(
            "check",
            Form::Named(&CHECK),
            "What must hold after a new revision was applied. Read and checked; this version does \
             not perform it yet.",
        ),
    ],
    ..TableDeclaration::PLAIN
};

static PARAMS: TableDeclaration = TableDeclaration {
    heading: "[params]",
    summary: "What the policy can be told, read as `params.NAME`.",
    others: Some(Key::new(
        "NAME",
        Form::AnyOf(&[Form::Anything, Form::Table(&PARAMETER)]),
        "A parameter. A value is its default and gives its type.",
    )),
    ..TableDeclaration::PLAIN
};

/// The keys that make a table in `[params]` a declaration.
pub(crate) const IS_DECLARATION: &[&str] = &["type", "default", "required"];

/// The declaration of a parameter.
pub static PARAMETER: TableDeclaration = TableDeclaration {
    heading: "[params.NAME]",
    summary: "The declaration of a parameter: a table that has `type`, `default` or `required`. \
              Any other table is the default of a map. A parameter's value is what the user of the \
              policy gives, else `data.POLICY.NAME`, else the default; without any, a required \
              parameter is an error and another one is `none`.",
    keys: &[
        Key::new(
            "type",
            Form::Choice(&["string", "integer", "float", "boolean", "list", "map", "any"]),
            "What the parameter takes. A `float` takes integers as well.",
        )
        .with_default("that of `default`, else `any`"),
        Key::new(
            "items",
            Form::Choice(&["string", "integer", "float", "boolean", "list", "map", "any"]),
            "What each item of a list must be.",
        )
        .with_default("any"),
        Key::new("default", Form::Anything, "The value when nobody gives one."),
        Key::new(
            "required",
            Form::Boolean,
            "Whether a value must be given. A required parameter has no `default`.",
        )
        .with_default("true without `default`"),
        Key::new(
            "pattern",
            Form::Pattern,
            "What a string must contain; write `^…$` for the whole of it.",
        ),
        Key::new("enum", Form::List(&Form::Anything), "The values allowed."),
        Key::new("minimum", Form::Integer(i64::MIN, i64::MAX), "The least that a number may be."),
        Key::new("maximum", Form::Integer(i64::MIN, i64::MAX), "The most that a number may be."),
        Key::new("description", Form::Text, "What the parameter is for. For people only."),
    ],
    marks: IS_DECLARATION,
    ..TableDeclaration::PLAIN
};

/// `[module.NAME]`.
pub static MODULE: TableDeclaration = TableDeclaration {
    heading: "[module.NAME]",
    summary: "Uses another policy. Its resources are part of this host's like those written here; \
              `module.NAME` refers to all of them. Names that are not listed here are parameters \
              of the policy that is used.",
    keys: &[
        Key::new("source", Form::Text, "The name of the policy to use.").required(),
        Key::new("when", Form::Condition, "Whether it is used at all."),
        Key::new(
            "for_each",
            Form::Items,
            "Uses the policy once for each item; the parameters may look at `item`.",
        ),
        Key::new("require", Form::Evaluated(&Form::Texts), "What comes before all its resources."),
        Key::new("before", Form::Evaluated(&Form::Texts), "What comes after all its resources."),
        Key::new(
            "notify",
            Form::Evaluated(&Form::Texts),
            "What is told when one of its resources changes.",
        ),
        Key::new(
            "subscribe",
            Form::Evaluated(&Form::Texts),
            "What tells its resources when it changes.",
        ),
        Key::new(
            "tags",
            Form::Evaluated(&Form::Texts),
            "Words that every one of its resources inherits, to select it by.",
        ),
    ],
    others: Some(Key::new(
        "PARAMETER",
        Form::Evaluated(&Form::Anything),
        "A parameter of the policy that is used.",
    )),
    ..TableDeclaration::PLAIN
};
