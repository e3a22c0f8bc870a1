//! What the kind says about itself: attributes, reference, example.

use crate::declaration::{AttributeDeclaration as Attribute, AttributeType, KindDeclaration};

const NAME_OR_NUMBER: AttributeType =
    AttributeType::AnyOf(&[AttributeType::String, AttributeType::Integer]);

/// Octal or symbolic; what a symbolic mode really may be is for `ModeWish` to say.
const MODE: &str = "^([0-7]{3,4}|[ugoa]*[-+=][-+=,ugoarwxXst]*)$";
const DIGEST: &str = "^[0-9A-Fa-f]{64}$";

pub(super) static DECLARATION: KindDeclaration = KindDeclaration {
    name: "file",
    summary: "A file, directory or symbolic link: its content, owner and permissions.",
    title: "the absolute path",
    attributes: &[
        Attribute::new(
            "ensure",
            AttributeType::Enumeration(&["file", "directory", "symlink", "absent", "present"]),
            "What there should be. `present` means that something exists, of any type; an empty \
             file is created where nothing does. Without `ensure` the other attributes decide \
             (`target` means `symlink`; `content`, `template` and `source` mean `file`, or \
             `directory` for a `source` that is one); where they do not, owner and permissions of \
             what exists are managed and nothing is created.",
        ),
        Attribute::new(
            "content",
            AttributeType::String,
            "The file's content. At most one of `content`, `template`, `source` and `target` can \
             be given.",
        ),
        Attribute::new(
            "template",
            AttributeType::TemplatePath,
            "A template beside the policy whose rendered text is the file's content.",
        ),
        Attribute::new(
            "source",
            AttributeType::RepositoryPath,
            "A file or directory beside the policy, or a list of them of which the first that \
             exists counts, or an `https://` address together with `sha256`. A directory is copied \
             with all below it. A file that Git has as executable is created with mode 0755 when \
             no `mode` is given.",
        ),
        Attribute::new(
            "sha256",
            AttributeType::String,
            "The SHA-256 of an `https://` source, 64 hexadecimal digits. The source is fetched \
             only when the file's own content has another one.",
        )
        .with_pattern(DIGEST),
        Attribute::new("target", AttributeType::String, "What a symbolic link says."),
        Attribute::new(
            "owner",
            NAME_OR_NUMBER,
            "The owner, by name or number. Of a symbolic link, the link's own.",
        ),
        Attribute::new(
            "group",
            NAME_OR_NUMBER,
            "The group, by name or number. Of a symbolic link, the link's own.",
        ),
        Attribute::new(
            "mode",
            NAME_OR_NUMBER,
            "The permissions, as a string: octal (`\"0644\"`), which sets all twelve bits, or \
             symbolic (`\"u+x,g-w,o=\"`) as chmod(1) has it, which touches only the bits it names \
             and takes no notice of the umask. Created without `mode`: 0644, directories 0755. A \
             file replaced without `mode` keeps its own. Symbolic links have no permissions; there \
             it has no effect. In a tree it is the mode of the files.",
        )
        .with_pattern(MODE),
        Attribute::new(
            "directory_mode",
            NAME_OR_NUMBER,
            "The permissions of the directories in a tree. Without it, `mode` with execution added \
             for whoever may read.",
        )
        .with_pattern(MODE),
        Attribute::new(
            "purge",
            AttributeType::Boolean,
            "Whether what is in a tree on the machine but not in its `source` is removed; \
             directories that are not empty only with `force`. Without a `source`, everything in \
             the directory is. What other `file` resources manage stays.",
        )
        .with_default("false"),
        Attribute::new(
            "recurse_limit",
            AttributeType::Integer,
            "How many levels of a tree are copied and purged; 1 is the directory's direct entries. \
             Without it, all.",
        ),
        Attribute::new(
            "exclude",
            AttributeType::List(&AttributeType::String),
            "Globs of what is neither copied nor purged in a tree. One without a slash matches \
             names at any level, one with a slash paths below the title; what matches is left \
             out with all below it.",
        ),
        Attribute::new(
            "force",
            AttributeType::Boolean,
            "Whether a directory that is not empty is removed or replaced, and a FIFO, socket or \
             device replaced.",
        )
        .with_default("false"),
        Attribute::new(
            "replace",
            AttributeType::Boolean,
            "With `false` the content is written only if there is no file yet; owner and \
             permissions are managed all the same.",
        )
        .with_default("true"),
        Attribute::new(
            "validate",
            AttributeType::String,
            "A command that checks the new content before it replaces anything, with \
             `{candidate}` for the file to check; it has its final owner and permissions. Run \
             without a shell. When it fails, the old file stays.",
        ),
        Attribute::new(
            "backup",
            AttributeType::Boolean,
            "Whether content that is replaced or removed is kept in the file bucket.",
        )
        .with_default("true"),
        Attribute::new(
            "show_diff",
            AttributeType::Boolean,
            "Whether changes of content are shown as a diff. Without it they are where everybody \
             may read the file before and after; `true` shows those of files that only the group \
             may read as well. Binary content and files that neither group nor others may read \
             are never shown. What `validate` prints is treated like the content.",
        ),
        Attribute::new(
            "selinux",
            AttributeType::String,
            "The SELinux context, for instance `system_u:object_r:httpd_sys_content_t:s0`. \
             Without it a replaced file keeps its own.",
        ),
    ],
    example: r#"[file."/etc/motd"]
content = "Kept by Steadfast.\n"
mode = "0644"

[file."/srv/www"]
ensure = "directory"
owner = "www-data"

[file."/etc/localtime"]
target = "/usr/share/zoneinfo/Europe/Berlin"
"#,
    conformance: include_str!("conformance.toml"),
};
