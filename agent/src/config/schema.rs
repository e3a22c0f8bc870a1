//! The one declaration of every configuration key.

/// A key of the configuration.
#[derive(Debug)]
pub struct Setting {
    /// The table it is in, as written between brackets.
    pub table: &'static str,
    /// Its name in that table.
    pub name: &'static str,
    /// What may be written.
    pub form: Form,
    /// What holds when no file sets it; `None` means unset.
    pub default: Option<Default>,
    /// What it is for; Markdown.
    pub summary: &'static str,
}

impl Setting {
    /// The full name, as in `agent.interval`.
    pub fn key(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }
}

/// What may be written for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Where a Git repository is.
    Url,
    /// A list of such places.
    Urls,
    /// The name of a branch.
    Branch,
    /// A directory inside the repository.
    RepositoryPath,
    /// An absolute path.
    Path(Guard),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A time such as `"90s"`, `"5m"`, `"1h30m"` or `"2d"`, of at least so many seconds.
    Duration(u64),
    /// `true` or `false`.
    Boolean,
    /// A whole number of at least this.
    Number(i64),
}

impl Form {
    /// The form in words, as the reference prints it.
    pub fn in_words(self) -> String {
        match self {
            Self::Url => "a URL (https or ssh) or an absolute path".into(),
            Self::Urls => "a list of URLs or absolute paths".into(),
            Self::Branch => "a branch's name".into(),
            Self::RepositoryPath => "a directory inside the repository".into(),
            Self::Path(Guard::Secret) => {
                "an absolute path, of a file that others cannot read".into()
            }
            Self::Path(Guard::Trust) => {
                "an absolute path, of a file that others cannot write".into()
            }
            Self::Path(Guard::Written) => "an absolute path".into(),
            Self::Word(words) => {
                words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" or ")
            }
            Self::Duration(_) => "a time such as \"90s\", \"5m\", \"1h30m\" or \"2d\"".into(),
            Self::Boolean => "true or false".into(),
            Self::Number(least) => format!("a whole number of at least {least}"),
        }
    }
}

/// What the permissions of a file that a setting names must not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// It is a secret: others must not read it.
    Secret,
    /// It decides whom the agent trusts: others must not write it.
    Trust,
    /// Nothing: the agent writes it itself.
    Written,
}

/// A default value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// A string.
    Text(&'static str),
    /// A number.
    Number(i64),
    /// `true` or `false`.
    Boolean(bool),
}

/// The table whose keys the operator chooses; every value is a string.
pub const LABELS: &str = "labels";

/// What a label may be called, as a regular expression.
pub const LABEL_NAME: &str = "^[A-Za-z_][A-Za-z0-9_-]*$";

/// Every key, in the order in which `steadfast config` prints them.
pub const SETTINGS: &[Setting] = &[
    Setting {
        table: "repository",
        name: "url",
        form: Form::Url,
        default: None,
        summary: "Where the policy repository is: `https://…`, `ssh://…`, `user@host:path`, \
                  `file:///…` or an absolute path; `http://` for loopback addresses only. \
                  Credentials do not belong into it: a URL is shown.",
    },
    Setting {
        table: "repository",
        name: "mirrors",
        form: Form::Urls,
        default: None,
        summary: "Other places of the same repository, tried in order where `url` is out of reach. They \
                  carry a host forward only, and get no token or client key where `url` takes one.",
    },
    Setting {
        table: "repository",
        name: "branch",
        form: Form::Branch,
        default: None,
        summary: "The branch to follow, which makes an environment; the repository's own default \
                  branch if unset.",
    },
    Setting {
        table: "repository",
        name: "path",
        form: Form::RepositoryPath,
        default: Some(Default::Text(".")),
        summary: "The directory inside the repository that holds `site.toml`.",
    },
    Setting {
        table: "repository",
        name: "depth",
        form: Form::Number(0),
        default: Some(Default::Number(50)),
        summary: "How many commits of history to keep; 0 keeps all.",
    },
    Setting {
        table: "repository",
        name: "token_file",
        form: Form::Path(Guard::Secret),
        default: None,
        summary: "A file with the token for https: `TOKEN`, `user:TOKEN` or `Bearer TOKEN`. It is \
                  read for each fetch, so that a new token needs no restart.",
    },
    Setting {
        table: "repository",
        name: "ssh_key",
        form: Form::Path(Guard::Secret),
        default: None,
        summary: "The private key for ssh; ssh's own defaults if unset.",
    },
    Setting {
        table: "repository",
        name: "known_hosts",
        form: Form::Path(Guard::Trust),
        default: None,
        summary: "The only file with ssh host keys to trust (sshd(8), SSH_KNOWN_HOSTS FILE \
                  FORMAT); ssh's own defaults if unset.",
    },
    Setting {
        table: "repository",
        name: "client_cert",
        form: Form::Path(Guard::Trust),
        default: None,
        summary: "The client certificate for https (PEM, with its chain); needs `client_key`.",
    },
    Setting {
        table: "repository",
        name: "client_key",
        form: Form::Path(Guard::Secret),
        default: None,
        summary: "The key of `client_cert` (PEM).",
    },
    Setting {
        table: "repository",
        name: "ca_file",
        form: Form::Path(Guard::Trust),
        default: None,
        summary: "The only certificate authorities to trust for https (PEM); the system's if \
                  unset.",
    },
    Setting {
        table: "repository.verify",
        name: "mode",
        form: Form::Word(&["signed", "none"]),
        default: None,
        summary: "Whether commits must be signed. `none` believes whatever the server says, and is \
                  reported in every run. Without it, one of the two keys below is needed.",
    },
    Setting {
        table: "repository.verify",
        name: "allowed_signers",
        form: Form::Path(Guard::Trust),
        default: None,
        summary: "Who may sign with an ssh key, in ssh's own format (ssh-keygen(1), ALLOWED \
                  SIGNERS).",
    },
    Setting {
        table: "repository.verify",
        name: "openpgp_keyring",
        form: Form::Path(Guard::Trust),
        default: None,
        summary: "Who may sign with an OpenPGP key: a file with their public keys.",
    },
    Setting {
        table: "repository.limits",
        name: "max_pack_bytes",
        form: Form::Number(1),
        default: Some(Default::Number(512 << 20)),
        summary: "The most that one fetch may transfer, in bytes.",
    },
    Setting {
        table: "repository.limits",
        name: "max_blob_bytes",
        form: Form::Number(1),
        default: Some(Default::Number(64 << 20)),
        summary: "The largest file of a revision, in bytes.",
    },
    Setting {
        table: "repository.limits",
        name: "max_total_bytes",
        form: Form::Number(1),
        default: Some(Default::Number(1 << 30)),
        summary: "All files of a revision together, in bytes.",
    },
    Setting {
        table: "repository.limits",
        name: "max_files",
        form: Form::Number(1),
        default: Some(Default::Number(200_000)),
        summary: "The most files of a revision.",
    },
    Setting {
        table: "repository.limits",
        name: "deadline",
        form: Form::Duration(1),
        default: Some(Default::Text("5m")),
        summary: "How long one conversation with the server may take.",
    },
    Setting {
        table: "agent",
        name: "mode",
        form: Form::Word(&["enforce", "audit"]),
        default: Some(Default::Text("enforce")),
        summary: "`enforce` changes what differs; `audit` reports it and changes nothing, whatever \
                  the policy says.",
    },
    Setting {
        table: "agent",
        name: "interval",
        form: Form::Duration(1),
        default: Some(Default::Text("5m")),
        summary: "How often to ask the repository for a new revision, and to look at everything.",
    },
    Setting {
        table: "agent",
        name: "splay",
        form: Form::Duration(0),
        default: Some(Default::Text("60s")),
        summary: "A random delay up to this, so that hosts do not ask all at once.",
    },
    Setting {
        table: "agent",
        name: "watch",
        form: Form::Boolean,
        default: Some(Default::Boolean(true)),
        summary: "Whether to notice drift when it happens, and not only at every interval.",
    },
    Setting {
        table: "agent",
        name: "run_timeout",
        form: Form::Duration(1),
        default: Some(Default::Text("1h")),
        summary: "How long a run may take. What has not been done by then is not, and the report \
                  says so.",
    },
    Setting {
        table: "agent",
        name: "repair",
        form: Form::Boolean,
        default: Some(Default::Boolean(false)),
        summary: "Whether a package manager that was interrupted may be repaired (`dpkg \
                  --configure -a`). Without it that is a failure which says so.",
    },
    Setting {
        table: "reports",
        name: "keep_runs",
        form: Form::Number(1),
        default: Some(Default::Number(1000)),
        summary: "How many reports to keep.",
    },
    Setting {
        table: "reports",
        name: "keep_days",
        form: Form::Number(1),
        default: Some(Default::Number(90)),
        summary: "For how many days to keep reports.",
    },
    Setting {
        table: "reports",
        name: "textfile",
        form: Form::Path(Guard::Written),
        default: None,
        summary: "Where to write metrics for the textfile collector of Prometheus' node exporter.",
    },
];

/// The setting with the full name `key`.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    let (table, name) = key.rsplit_once('.')?;
    SETTINGS.iter().find(|setting| setting.table == table && setting.name == name)
}

/// Every table, parents included, in order.
pub(super) fn tables() -> Vec<&'static str> {
    let mut tables: Vec<&'static str> = Vec::new();
    for table in SETTINGS.iter().map(|setting| setting.table).chain([LABELS]) {
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

/// What the unknown name `name` in `table` (empty at the top) was probably meant to be.
pub(super) fn suggestion(table: &str, name: &str) -> Option<String> {
    let inside: Vec<&str> = SETTINGS
        .iter()
        .filter(|setting| setting.table == table)
        .map(|setting| setting.name)
        .chain(tables().into_iter().filter_map(|other| child(table, other)))
        .collect();
    if let Some(near) = nearest(name, &inside) {
        return Some(format!("did you mean `{near}`?"));
    }
    if let Some(elsewhere) = SETTINGS.iter().find(|setting| setting.name == name) {
        return Some(format!("`{name}` belongs into [{}]", elsewhere.table));
    }
    let known = inside.join(", ");
    (!known.is_empty()).then(|| format!("known here: {known}"))
}

/// The name of the table `other` directly inside `table`.
fn child<'a>(table: &str, other: &'a str) -> Option<&'a str> {
    let rest =
        if table.is_empty() { other } else { other.strip_prefix(table)?.strip_prefix('.')? };
    (!rest.contains('.')).then_some(rest)
}

pub(super) fn nearest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase().replace('-', "_");
    names
        .iter()
        .map(|name| (strsim::osa_distance(&wrong, name), *name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
