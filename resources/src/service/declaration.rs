//! What the `service` kind says about itself.

use crate::declaration::{AttributeDeclaration, AttributeType, KindDeclaration};

pub(super) static DECLARATION: KindDeclaration = KindDeclaration {
    name: "service",
    summary: "A unit of systemd: whether it runs, and whether it is started at boot.",
    title: "the unit's name; without a suffix it is a `.service`. Timers, sockets, paths, mounts and \
            instances of templates (`getty@tty2`) work the same",
    attributes: &[
        AttributeDeclaration::new(
            "ensure",
            AttributeType::Enumeration(&["running", "stopped"]),
            "Whether the unit runs now. A failed unit counts as stopped. A unit that dies within \
             its first moments was not started: that is a failure, with its last journal lines. \
             A service of `Type=oneshot` without `RemainAfterExit=yes` is over as soon as its \
             work is done: it counts as running unless it failed; it is started once after boot if \
             systemd remembers that it was not yet (it does for units that are enabled), and \
             again on a notification.",
        ),
        AttributeDeclaration::new(
            "enable",
            AttributeType::AnyOf(&[
                AttributeType::Boolean,
                AttributeType::Enumeration(&["masked"]),
            ]),
            "Whether the unit is started at boot; `\"masked\"` forbids starting it at all. \
             `enabled-runtime` and `indirect` are not enabled; enabling an indirect unit enables \
             what its `Also=` names. A static or generated unit cannot be enabled. A masked unit \
             satisfies `false`, and is unmasked by a step of the plan where it is to be enabled or \
             started.",
        ),
        AttributeDeclaration::new(
            "on_notify",
            AttributeType::Enumeration(&["restart", "reload", "none"]),
            "What a notification does. It concerns a running unit only, and nothing is done to one \
             that was started in the same run. `reload` restarts a unit that cannot reload.",
        )
        .with_default("restart"),
    ],
    example: include_str!("example.toml"),
    conformance: include_str!("conformance.toml"),
};
