//! The keys of `site.toml`.

use super::{CHECK, Form, KeyDeclaration as Key, LIMITS, ROLLOUT, TableDeclaration, WINDOW};

/// `site.toml` as a whole.
pub static SITE_FILE: TableDeclaration = TableDeclaration {
    heading: "site.toml",
    summary: "Which hosts get which policies, and with which data. It lies at the top of the \
              policy repository, and there is exactly one.",
    keys: &[
        Key::new(
            "site",
            Form::Table(&SITE),
            "What holds for the whole repository: the layers of its data.",
        ),
        Key::new(
            "assign",
            Form::Tables(&ASSIGNMENT),
            "Gives policies to hosts. Assignments are asked in the order in which they are \
             written, and all that fit count.",
        ),
        Key::new(
            "limits",
            Form::Table(&LIMITS),
            "How much one run may change. Read and checked; this version does not enforce it yet.",
        ),
        Key::new(
            "rollout",
            Form::Table(&ROLLOUT),
            "Which hosts get a new revision when. Read and checked; this version does not enforce \
             it yet.",
        ),
        Key::new(
            "window",
            Form::Tables(&WINDOW),
            "When disruptive steps may happen. Read and checked; this version does not enforce it \
             yet.",
        ),
        Key::new(
            "check",
            Form::Named(&CHECK),
            "What must hold on every host after a new revision was applied. Read and checked; \
             this version does not perform it yet.",
        ),
        Key::new("description", Form::Text, "What this repository is for. For people only."),
    ],
    ..TableDeclaration::PLAIN
};

/// `[site]`.
pub static SITE: TableDeclaration = TableDeclaration {
    heading: "[site]",
    summary: "What holds for the whole repository.",
    keys: &[
        Key::new(
            "data",
            Form::List(&Form::Evaluated(&Form::Text)),
            "The layers of data, weakest first: `\"os/{{ facts.os.family }}\"` is the file \
             `data/os/debian.toml` on Debian. Facts and labels can be asked. Later layers win, \
             tables merge deeply, and a list replaces the one below it unless its key ends in `+`. \
             A layer without a file is left out.",
        )
        .with_default("no data"),
        Key::new("description", Form::Text, "What this site is. For people only."),
    ],
    ..TableDeclaration::PLAIN
};

/// `[[assign]]`.
pub static ASSIGNMENT: TableDeclaration = TableDeclaration {
    heading: "[[assign]]",
    summary: "Gives policies to hosts. It counts for a host that fits both `hosts` and `when`; at \
              least one of them is needed. A policy that several assignments name is applied once, \
              in the place where it is named first.",
    keys: &[
        Key::new(
            "hosts",
            Form::Texts,
            "Globs on the host's name, qualified or not; case does not matter. `\"*\"` is every \
             host.",
        ),
        Key::new(
            "when",
            Form::Condition,
            "Which hosts, by facts and labels: `\"facts.os.family == 'debian'\"`.",
        ),
        Key::new(
            "policies",
            Form::Evaluated(&Form::Texts),
            "The names of the policies, in the order in which they are applied.",
        )
        .required(),
        Key::new(
            "params",
            Form::Map(&Form::Map(&Form::Anything)),
            "Parameters by policy: `[assign.params.nginx]`. Only of policies that the same \
             assignment names; later assignments win.",
        ),
        Key::new(
            "tags",
            Form::Evaluated(&Form::Texts),
            "Words that every resource of these policies inherits, to select it by.",
        ),
        Key::new("description", Form::Text, "What this assignment is for. For people only."),
    ],
    some_of: &["hosts", "when"],
    ..TableDeclaration::PLAIN
};
