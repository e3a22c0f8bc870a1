//! Words of other tools that have another name here, or none.

/// What to write instead of the attribute `name` of a `kind`, which other tools have.
pub(super) fn attribute(kind: &str, name: &str) -> Option<String> {
    let fixed = match (name, kind) {
        _ if name.contains("{{") => "names of attributes are fixed: only values are interpolated",
        ("only_if" | "onlyif", _) => "write `when = \"...\"`, an expression over facts and labels",
        ("unless", _) => "write `when = \"not ...\"`, an expression over facts and labels",
        ("with_items" | "loop" | "with_dict" | "foreach", _) => {
            "write `for_each = [...]`, and `item` in the other values"
        }
        ("src", "file") => "write `source = \"files/NAME\"`, a path within the policy",
        ("state", _) => "write `ensure`",
        ("version", "package") => {
            "write `ensure = \"1.24\"`, or a range such as `\">=1.20, <1.25\"`"
        }
        ("user", "file") => "write `owner`",
        ("perms" | "permissions", "file") => "write `mode = \"0644\"`",
        ("line" | "regexp" | "regex", "file") => {
            "write the whole file, or one of its own in a `.d` directory"
        }
        ("authorized_key" | "authorized_keys" | "ssh_keys", "user") => {
            "write `ssh_authorized_keys`"
        }
        ("append", "user") => "write `membership`",
        ("restart" | "reload", "service") => "write `on_notify`",
        ("creates" | "removes" | "refreshonly" | "command", _) => {
            "there are no commands: say with the kinds what is to be there"
        }
        ("watch" | "listen" | "onchanges", _) => "write `subscribe`",
        ("watch_in" | "listen_in" | "handlers", _) => "write `notify`",
        ("require_in", _) => "write `before`",
        ("requires" | "depends_on" | "after", _) => "write `require`",
        ("become" | "sudo" | "register" | "noop" | "check_mode", _) => {
            "there is nothing like it: everything runs as root, and `enforce = false` only looks"
        }
        ("name" | "path" | "dest" | "pkg", _) => {
            return Some(format!("the title is the name: `[{kind}.\"…\"]`"));
        }
        _ => return None,
    };
    Some(fixed.to_owned())
}

/// What does the work of the kind `name` that other tools have.
pub(super) fn kind(name: &str) -> Option<&'static str> {
    match name {
        _ if name.contains("{{") => {
            Some("names of kinds are fixed: only titles and values are interpolated")
        }
        "systemd" | "systemd_unit" | "systemd_service" | "unit" | "daemon" | "svc" => {
            Some("write a `service`")
        }
        "apt" | "pkg" | "dnf" | "yum" | "apk" | "deb" => Some("write a `package`"),
        "copy" => Some("write a `file` with `source = \"files/NAME\"`"),
        "account" | "accounts" => Some("write a `user`"),
        "sysctl" => Some("there is no kind for it yet: a file in /etc/sysctl.d does it"),
        "vars" | "variables" | "parameters" => {
            Some("write `[params]`, and `params.NAME` in values")
        }
        "handlers" => Some("there are no handlers: write `notify = [\"service.NAME\"]`"),
        "role" | "roles" | "class" => {
            Some("a policy is brought in with `include = [\"NAME\"]`, or used with `[module.NAME]`")
        }
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
