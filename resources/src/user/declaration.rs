//! What the kind says about itself.

use crate::declaration::{AttributeDeclaration, AttributeType, KindDeclaration};

use AttributeType::{AnyOf, Boolean, Enumeration, Integer, List, String};

pub(super) static DECLARATION: KindDeclaration = KindDeclaration {
    name: "user",
    summary: "A local account: its numbers, groups, home, shell, password, ageing and SSH keys.",
    title: "the login name",
    attributes: ATTRIBUTES,
    example: include_str!("example.toml"),
    conformance: include_str!("conformance.toml"),
};

const ATTRIBUTES: &[AttributeDeclaration] = &[
    AttributeDeclaration::new(
        "ensure",
        Enumeration(&["present", "absent"]),
        "Whether the account exists. Removing it leaves its groups; a user that still has \
         processes is not removed unless `force` is set.",
    )
    .with_default("present"),
    AttributeDeclaration::new(
        "uid",
        Integer,
        "The number. Changing it re-owns the home (on its own file system, links themselves) and \
         is refused while the user has processes, unless `force` is set. A number in use is \
         refused.",
    ),
    AttributeDeclaration::new(
        "gid",
        AnyOf(&[String, Integer]),
        "The primary group, by name or number. Changing it re-owns the home. A user created \
         without it gets a group of its own name.",
    ),
    AttributeDeclaration::new(
        "groups",
        List(&String),
        "Names of the local groups that list the user, besides the primary one.",
    ),
    AttributeDeclaration::new(
        "membership",
        Enumeration(&["minimum", "inclusive"]),
        "`minimum`: `groups` are added. `inclusive`: the user leaves all others.",
    )
    .with_default("minimum"),
    AttributeDeclaration::new("comment", String, "The GECOS field: full name and the like."),
    AttributeDeclaration::new(
        "home",
        String,
        "The home directory's absolute path. A user created without it gets `/home/NAME`.",
    )
    .with_pattern("^/"),
    AttributeDeclaration::new(
        "manage_home",
        Boolean,
        "Makes a missing home from the skeleton directory (login.defs(5), useradd(8)), for \
         existing users too, and removes it with the user. A home that belongs to someone else, \
         that is a mount point or that another user shares is left alone.",
    )
    .with_default("false"),
    AttributeDeclaration::new(
        "move_home",
        Boolean,
        "When `home` changes, the old directory is renamed to the new path, provided nothing is \
         there. Both must be on one file system.",
    )
    .with_default("false"),
    AttributeDeclaration::new(
        "shell",
        String,
        "The login shell's absolute path; it must exist and be executable.",
    )
    .with_pattern("^/"),
    AttributeDeclaration::new(
        "system",
        Boolean,
        "Whether a new account's number comes from the range of system accounts. Nothing changes \
         for an existing one.",
    )
    .with_default("false"),
    AttributeDeclaration::new(
        "password",
        String,
        "A crypt(3) hash, as `openssl passwd -6` or `mkpasswd` print it, or `*` for none. Plain \
         text is refused. Whether the account is locked is `locked`'s concern: a hash behind `!` \
         counts as that hash and `locked = true`.",
    )
    .secret(),
    AttributeDeclaration::new(
        "locked",
        Boolean,
        "Whether the password is locked (`!` before the hash in shadow(5)). The hash is kept. SSH \
         keys still work for a locked account; use `expiry` to shut it.",
    ),
    AttributeDeclaration::new(
        "password_min_age",
        Integer,
        "Days before a password may be changed again; -1 for none.",
    ),
    AttributeDeclaration::new(
        "password_max_age",
        Integer,
        "Days after which a password must be changed; -1 for never.",
    ),
    AttributeDeclaration::new(
        "password_warn_days",
        Integer,
        "Days of warning before a password expires; -1 for none.",
    ),
    AttributeDeclaration::new(
        "expiry",
        String,
        "The day the account expires, as `2027-01-31`, or `never`.",
    )
    .with_pattern("^([0-9]{4}-[0-9]{2}-[0-9]{2}|never)$"),
    AttributeDeclaration::new(
        "ssh_authorized_keys",
        List(&String),
        "Lines of `.ssh/authorized_keys` in the home, written as the user. A line with the same \
         key is replaced; other lines stay.",
    ),
    AttributeDeclaration::new(
        "purge_ssh_keys",
        Boolean,
        "Removes the keys that `ssh_authorized_keys` does not list; comments stay.",
    )
    .with_default("false"),
    AttributeDeclaration::new(
        "force",
        Boolean,
        "Kills the user's processes where they stand in the way of removing the user, changing \
         its number or moving its home.",
    )
    .with_default("false"),
];
