//! What is known of one unit: its file's state on disk and, where a service manager runs, what that
//! has loaded and how the unit is doing.

use std::fmt;
use std::path::PathBuf;

use super::name::UnitName;

/// Everything the `service` kind decides by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The real name: an alias is followed.
    pub name: UnitName,
    /// The state of its unit file on disk, now.
    pub file: FileState,
    /// For an indirect unit without install rules of its own: what its `Also=` names, and the
    /// states of those.
    pub also: Vec<(UnitName, FileState)>,
    /// For a masked unit: whether there is a unit file below the mask.
    pub beneath_mask: bool,
    /// The file in /etc that is where a mask would have to go, if there is one.
    pub in_place_of_mask: Option<PathBuf>,
    /// The running service manager's side.
    pub manager: Manager,
}

impl Unit {
    /// Whether there is such a unit at all.
    pub fn exists(&self) -> bool {
        match self.file {
            FileState::Missing => match &self.manager {
                Manager::Offline { .. } => false,
                Manager::Live(live) => {
                    live.load == LoadState::Loaded || live.active.counts_as_running()
                }
            },
            FileState::Masked | FileState::MaskedRuntime => self.beneath_mask,
            _ => true,
        }
    }
}

/// The service manager that looks after a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manager {
    /// None: a root directory is managed whose system does not run.
    Offline {
        /// The root directory.
        root: PathBuf,
    },
    /// The running systemd.
    Live(Live),
}

/// A unit as the running systemd sees it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of systemd's own, independent of the others"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Whether its definition could be loaded.
    pub load: LoadState,
    /// Whether it runs.
    pub active: ActiveState,
    /// systemd's finer word for it (`dead`, `exited`, `auto-restart`).
    pub sub: String,
    /// Whether this is a `Type=oneshot` service without `RemainAfterExit=`: such a unit is never
    /// active for longer than its commands take.
    pub passing: bool,
    /// Whether systemd remembers that it was started since the machine did.
    pub ran: bool,
    /// Whether systemd held it in memory before we asked: only then it remembers the unit.
    pub kept: bool,
    /// Whether it can be told to read its configuration again.
    pub can_reload: bool,
    /// Why what systemd has loaded is not what is on disk; `None` where it is.
    pub stale: Option<String>,
    /// Active units that start this one on demand (sockets, timers, paths).
    pub triggers: Vec<String>,
}

impl Live {
    /// A unit that systemd has not loaded, for instance a template.
    pub fn absent() -> Self {
        Self {
            load: LoadState::NotFound,
            active: ActiveState::Inactive,
            sub: "dead".into(),
            passing: false,
            ran: false,
            kept: false,
            can_reload: false,
            stale: None,
            triggers: Vec::new(),
        }
    }

    /// Whether the unit died and waits to be started again by `Restart=`.
    pub fn is_restarting(&self) -> bool {
        self.active == ActiveState::Activating && self.sub.starts_with("auto-restart")
    }
}

/// The state of a unit file (systemctl(1), "is-enabled").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileState {
    /// Started at boot.
    Enabled,
    /// Enabled until the next boot only.
    EnabledRuntime,
    /// Known through a link to a file elsewhere, not enabled.
    Linked,
    /// The same through /run.
    LinkedRuntime,
    /// The name is another name of a unit.
    Alias,
    /// May not be started by anyone.
    Masked,
    /// The same until the next boot.
    MaskedRuntime,
    /// Has no `[Install]` section.
    Static,
    /// Could be enabled.
    Disabled,
    /// Not enabled itself; its `Also=` names others, or another name of it is enabled.
    Indirect,
    /// Made by a generator from another file.
    Generated,
    /// Made at run time through the API.
    Transient,
    /// Cannot be read.
    Bad,
    /// There is no unit file.
    Missing,
}

impl FileState {
    /// Every state there is.
    pub const ALL: [Self; 14] = [
        Self::Enabled,
        Self::EnabledRuntime,
        Self::Linked,
        Self::LinkedRuntime,
        Self::Alias,
        Self::Masked,
        Self::MaskedRuntime,
        Self::Static,
        Self::Disabled,
        Self::Indirect,
        Self::Generated,
        Self::Transient,
        Self::Bad,
        Self::Missing,
    ];

    /// The state that systemd calls `word`; what it calls something unknown is bad.
    pub fn from_word(word: &str) -> Self {
        match word {
            // systemctl prints the first for a missing unit since version 253; the bus has the second.
            "not-found" | "" => Self::Missing,
            _ => Self::ALL.into_iter().find(|state| state.word() == word).unwrap_or(Self::Bad),
        }
    }

    /// systemd's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::EnabledRuntime => "enabled-runtime",
            Self::Linked => "linked",
            Self::LinkedRuntime => "linked-runtime",
            Self::Alias => "alias",
            Self::Masked => "masked",
            Self::MaskedRuntime => "masked-runtime",
            Self::Static => "static",
            Self::Disabled => "disabled",
            Self::Indirect => "indirect",
            Self::Generated => "generated",
            Self::Transient => "transient",
            Self::Bad => "bad",
            Self::Missing => "not-found",
        }
    }

    /// Whether a mask forbids starting the unit.
    pub fn is_masked(self) -> bool {
        matches!(self, Self::Masked | Self::MaskedRuntime)
    }
}

impl fmt::Display for FileState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// Whether a unit's definition could be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadState {
    /// It is loaded.
    Loaded,
    /// There is none.
    NotFound,
    /// A mask stands in its place.
    Masked,
    /// It is wrong (`bad-setting`, `error`); systemd's word.
    Broken(String),
}

impl LoadState {
    /// The state that systemd calls `word`.
    pub fn from_word(word: &str) -> Self {
        match word {
            "loaded" | "stub" | "merged" => Self::Loaded,
            "not-found" => Self::NotFound,
            "masked" => Self::Masked,
            other => Self::Broken(other.to_owned()),
        }
    }
}

/// Whether a unit runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActiveState {
    /// It does.
    Active,
    /// It does and reads its configuration again.
    Reloading,
    /// It is about to.
    Activating,
    /// It is about to end.
    Deactivating,
    /// It does not.
    Inactive,
    /// It does not, because it failed.
    Failed,
    /// A maintenance operation is in progress (`maintenance`, `refreshing`, or a later word).
    Maintenance,
}

impl ActiveState {
    /// Every state there is.
    pub const ALL: [Self; 7] = [
        Self::Active,
        Self::Reloading,
        Self::Activating,
        Self::Deactivating,
        Self::Inactive,
        Self::Failed,
        Self::Maintenance,
    ];

    /// The state that systemd calls `word`.
    pub fn from_word(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "reloading" | "refreshing" => Self::Reloading,
            "activating" => Self::Activating,
            "deactivating" => Self::Deactivating,
            "inactive" => Self::Inactive,
            "failed" => Self::Failed,
            _ => Self::Maintenance,
        }
    }

    /// systemd's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Reloading => "reloading",
            Self::Activating => "activating",
            Self::Deactivating => "deactivating",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
            Self::Maintenance => "maintenance",
        }
    }

    /// Whether the unit is up.
    pub fn counts_as_running(self) -> bool {
        matches!(self, Self::Active | Self::Reloading)
    }

    /// Whether the unit is down; a failed unit is.
    pub fn counts_as_stopped(self) -> bool {
        matches!(self, Self::Inactive | Self::Failed)
    }
}

impl fmt::Display for ActiveState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}
