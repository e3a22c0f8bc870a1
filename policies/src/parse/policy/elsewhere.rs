//! Words of other tools that have another name here, or none.

/// What to write instead of the attribute `name` that other tools have.
pub(super) fn attribute(name: &str) -> Option<&'static str> {
    match name {
        "only_if" | "onlyif" => Some("write `when = \"...\"`, an expression over facts and labels"),
        "unless" => Some("write `when = \"not ...\"`, an expression over facts and labels"),
        "with_items" | "loop" | "with_dict" | "foreach" => {
            Some("write `for_each = [...]`, and `item` in the other values")
        }
        _ => None,
    }
}

/// What does the work of the kind `name` that other tools have.
pub(super) fn kind(name: &str) -> Option<&'static str> {
    match name {
        "cron" | "cronjob" | "job" => {
            Some("there is no kind for it yet: a file in /etc/cron.d does it")
        }
        "mount" | "filesystem" => Some(
            "there is no kind for it yet: a file with a systemd mount unit and its service do it",
        ),
        "exec" | "command" | "shell" | "script" | "cmd" => {
            Some("there are no commands: say with the other kinds what is to be there")
        }
        "line" | "lineinfile" | "file_line" | "blockinfile" => Some(
            "there is no kind for single lines: write the whole file, or one of its own in a `.d` directory",
        ),
        "template" => Some("write a `file` with `template = \"templates/NAME\"`"),
        "directory" => Some("write a `file` with `ensure = \"directory\"`"),
        "link" | "symlink" => Some("write a `file` with `ensure = \"symlink\"` and `target`"),
        _ => None,
    }
}
