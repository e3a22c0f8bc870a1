//! What can go wrong with units, named by the operation that failed.

use std::time::Duration;

use thiserror::Error;

use super::name::UnitName;
use super::wire::WireError;
use crate::failure::Failure;
use crate::host::files::FileError;

/// Why units could not be read or changed.
#[derive(Debug, Error)]
pub enum ServicesError {
    /// This machine was not booted with systemd.
    #[error("systemd does not run on this machine (there is no /run/systemd/system)")]
    NotBooted,
    /// The service manager could not be reached.
    #[error("cannot reach systemd through {address}")]
    Connect {
        /// The address tried last.
        address: &'static str,
        /// The cause.
        #[source]
        source: WireError,
    },
    /// The connection ended in the middle.
    #[error("the connection to systemd was lost")]
    Lost {
        /// The cause, where one is known.
        #[source]
        source: Option<WireError>,
    },
    /// A request could not be written as a D-Bus message.
    #[error("cannot ask systemd to {operation}")]
    Encode {
        /// What was asked for.
        operation: &'static str,
        /// The cause.
        #[source]
        source: WireError,
    },
    /// An answer was not what the interface promises.
    #[error("cannot understand systemd's answer to {operation}")]
    Decode {
        /// What was asked for.
        operation: &'static str,
        /// The cause.
        #[source]
        source: WireError,
    },
    /// The service manager refused.
    #[error("systemd refused {operation}: {message}")]
    Refused {
        /// What was asked for.
        operation: &'static str,
        /// The name of the D-Bus error.
        name: String,
        /// The service manager's own words.
        message: String,
    },
    /// No answer came in time.
    #[error("systemd did not answer {operation} within {} s", after.as_secs())]
    Silent {
        /// What was asked for.
        operation: &'static str,
        /// How long we waited.
        after: Duration,
    },
    /// A job was not done when the time was over; it goes on.
    #[error("{unit} was not {done} within {} s; it is still {state}", after.as_secs())]
    Slow {
        /// The unit.
        unit: UnitName,
        /// What should have happened (`started`).
        done: &'static str,
        /// The unit's state then.
        state: String,
        /// How long we waited.
        after: Duration,
        /// The unit's last journal lines.
        journal: String,
    },
    /// A job ended badly.
    #[error("{unit} could not be {done}: {reason}")]
    Job {
        /// The unit.
        unit: UnitName,
        /// What should have happened (`started`).
        done: &'static str,
        /// Why, in words.
        reason: String,
        /// The unit's last journal lines.
        journal: String,
    },
    /// A unit came up and went down again at once.
    #[error("{unit} was {done} but did not stay up: {reason}")]
    Died {
        /// The unit.
        unit: UnitName,
        /// What had been done (`started`).
        done: &'static str,
        /// How it ended, in words.
        reason: String,
        /// The unit's last journal lines.
        journal: String,
    },
    /// Whether a unit stays up could not be seen.
    #[error("cannot tell whether {unit} stays up: {reason}")]
    Unwatched {
        /// The unit.
        unit: UnitName,
        /// Why.
        reason: String,
    },
    /// A unit has nothing that enabling could do.
    #[error("{unit} has no [Install] section: it cannot be enabled")]
    NothingToInstall {
        /// The unit.
        unit: UnitName,
    },
    /// The unit runs only where a service manager runs.
    #[error("no unit can be {operation} below {root}: its system does not run")]
    Offline {
        /// What was asked for.
        operation: &'static str,
        /// The root directory.
        root: String,
    },
    /// `systemctl --root` failed.
    #[error("systemctl cannot {operation} {unit} below {root}: {message}")]
    Systemctl {
        /// What was asked for.
        operation: &'static str,
        /// The unit.
        unit: UnitName,
        /// The root directory.
        root: String,
        /// What it printed.
        message: String,
    },
    /// The links of the units below the root directory may be somebody else's.
    #[error("refusing to {operation} {unit} below {root}")]
    Unguarded {
        /// What was asked for.
        operation: &'static str,
        /// The unit.
        unit: UnitName,
        /// The root directory.
        root: String,
        /// What is open to others.
        #[source]
        source: Box<FileError>,
    },
    /// A link that means something else inside the root directory than for a program outside.
    #[error(
        "refusing to {operation} {unit} below {root}: the way to {path} leads out of the root \
         directory, or nowhere, over a symbolic link"
    )]
    LeadsOut {
        /// What was asked for.
        operation: &'static str,
        /// The unit.
        unit: UnitName,
        /// The root directory.
        root: String,
        /// The path below it.
        path: String,
    },
    /// `systemctl` could not be run.
    #[error("cannot run systemctl")]
    Command(#[source] Box<crate::host::command::CommandError>),
    /// A test's injected failure.
    #[error("injected failure")]
    Injected(#[source] std::io::Error),
}

impl ServicesError {
    /// Whether asking again over a new connection can help.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }

    /// Whether the service manager says that there is no such unit, unit file or job.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { name, .. } if [
            "org.freedesktop.systemd1.NoSuchUnit",
            "org.freedesktop.systemd1.NoSuchJob",
            "org.freedesktop.DBus.Error.FileNotFound",
            "System.Error.ENOENT",
            // A unit that left memory between being named and being asked.
            "org.freedesktop.DBus.Error.UnknownObject",
        ].contains(&name.as_str()))
    }
}

impl From<ServicesError> for Failure {
    fn from(error: ServicesError) -> Self {
        let failure = Self::from_error(&error);
        match error {
            ServicesError::NotBooted => failure.with_hint(
                "services can be managed on a machine whose init is systemd, or offline with --root",
            ),
            ServicesError::Connect { .. } => failure.with_hint(
                "see whether dbus.service runs; root can do without it through /run/systemd/private",
            ),
            ServicesError::Refused { name, .. } => match hint_for(&name) {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            },
            ServicesError::NothingToInstall { .. } => failure.with_hint(STATIC_HINT),
            ServicesError::Slow { unit, journal, .. } => with_journal(failure, &journal).with_hint(
                format!(
                    "raise this resource's timeout if the unit needs longer; `systemctl status {unit}` \
                     shows what it waits for"
                ),
            ),
            ServicesError::Job { unit, journal, .. } | ServicesError::Died { unit, journal, .. } => {
                with_journal(failure, &journal)
                    .with_hint(format!("`journalctl -u {unit}` has all it wrote"))
            }
            ServicesError::Unguarded { root, .. } => failure.with_hint(format!(
                "make {root}, etc/systemd/system in it, every directory on the way, and the *.wants \
                 and *.requires there root's own and writable by root alone"
            )),
            ServicesError::LeadsOut { .. } => failure.with_hint(
                "make the link relative, to a directory that is there and inside the root directory",
            ),
            ServicesError::Command(_) => failure
                .with_hint("units below a root directory are enabled by this machine's systemctl"),
            _ => failure,
        }
    }
}

/// What to do about a unit that cannot be enabled.
pub const STATIC_HINT: &str = "a static unit is started by others that want it; leave out \
    `enable`, or give it an [Install] section with a drop-in";

fn with_journal(failure: Failure, journal: &str) -> Failure {
    if journal.is_empty() { failure } else { failure.with_output(journal) }
}

fn hint_for(name: &str) -> Option<&'static str> {
    Some(match name.rsplit('.').next()? {
        "AccessDenied" | "InteractiveAuthorizationRequired" => "changing units needs root",
        "UnitMasked" => "enable = true or false unmasks it as a step of the plan",
        "UnitExists" | "FileExists" => {
            "a file is where systemd would put its link; remove it or move it to \
             /usr/local/lib/systemd/system"
        }
        "OnlyByDependency" => {
            "the unit refuses to be started or stopped by hand; manage the unit \
             that pulls it in"
        }
        "JobTypeNotApplicable" => "this type of unit cannot do that",
        "TransactionIsDestructive" => "the machine is shutting down or another job is in the way",
        _ => return None,
    })
}
