//! What the kind `package` says about itself.

use crate::declaration::{AttributeDeclaration, AttributeType, KindDeclaration};

use AttributeType::{AnyOf, Boolean, Enumeration, Integer, List, String, Table};

/// The declaration of the kind `package`.
pub(super) const PACKAGE: KindDeclaration = KindDeclaration {
    name: "package",
    summary: "A package of the distribution: installed, removed, at a version, held.",
    title: "the package's name, with an architecture where it is not the native one (`libc6:i386`)",
    attributes: &[
        AttributeDeclaration::new(
            "ensure",
            String,
            "`present`, `absent` (configuration files may stay), `purged`, `latest` (what the \
             package manager would choose from fresh indexes), an exact version as the \
             distribution prints it (`1:2.3-4`, epoch and revision included), or a range such as \
             `>=1.20, <1.25`. Versions compare by the distribution's rules. A name that no package \
             has is satisfied by any installed package that provides it.",
        )
        .with_default("present"),
        AttributeDeclaration::new(
            "hold",
            Boolean,
            "Whether others may not change the version. With a version, that is reached first and \
             then held. A package held by someone else is changed only where `hold` is given.",
        ),
        AttributeDeclaration::new(
            "allow_downgrade",
            Boolean,
            "Whether a wanted version lower than the installed one is installed. Without it that \
             is a failure.",
        )
        .with_default("false"),
        AttributeDeclaration::new(
            "install_options",
            List(&String),
            "Options for the package manager, as it knows them (`[\"-t\", \"bookworm-backports\"]`). \
             The package then goes in a transaction of its own, and with `ensure = \"present\"` the \
             package manager chooses the version.",
        ),
        AttributeDeclaration::new(
            "responses",
            Table(&AnyOf(&[String, Boolean, Integer, Table(&String)])),
            "Answers to the questions that the package asks while it is configured (debconf), by \
             the question's name: `\"postfix/mailname\" = \"mail.example.com\"`. Where the type \
             matters: `{ type = \"password\", value = \"…\" }`; a question whose name ends in \
             `password` is of that type by itself. Given before each installation and change of \
             version, never afterwards. Never shown.",
        )
        .secret(),
        AttributeDeclaration::new(
            "config_files",
            Enumeration(&["keep", "replace"]),
            "What happens to a configuration file that was edited on the host when the package \
             brings a new one.",
        )
        .with_default("keep"),
        AttributeDeclaration::new(
            "recommends",
            Boolean,
            "Whether recommended packages are installed, too.",
        )
        .with_default("false"),
        AttributeDeclaration::new(
            "source",
            String,
            "A package file instead of the indexes: an absolute path on the host, or an https URL. \
             Used when the package has to be installed or its version changed.",
        ),
        AttributeDeclaration::new(
            "sha256",
            String,
            "The SHA-256 of `source` in hexadecimal. Required for https; a local file without it \
             has to be root's alone to write.",
        )
        .with_pattern("^[0-9A-Fa-f]{64}$"),
    ],
    example: r#"[package.nginx]
ensure = ">=1.18, <2"
hold = true

[package.postfix]
responses = { "postfix/mailname" = "mail.example.com" }

[package.telnetd]
ensure = "purged"
"#,
    conformance: include_str!("conformance.toml"),
};
