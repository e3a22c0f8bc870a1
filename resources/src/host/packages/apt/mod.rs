//! apt and dpkg: Debian and its descendants.
//!
//! dpkg's database is read directly (its format is stable and documented in deb-control(5) and
//! dpkg(1); asking `dpkg-query` costs ten times as much). Everything that depends on sources,
//! priorities, pins and dependencies is asked of apt. Changes go through `apt-get`, one process for
//! many packages, after a simulation has shown that nothing else would go.
//!
//! Deliberately absent: any use of apt's libraries, autoremoval, and repairs beyond what was asked
//! for (`dpkg --configure -a` only where the agent's configuration allows it).

mod arguments;
mod changes;
mod complaint;
mod control;
mod database;
mod ending;
mod index;
mod locks;
mod marks;
mod policy;
mod session;
mod simulation;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::backend::{Backend, Database, FileIdentity, RefreshFailure, Stamp};
use super::{Answer, Availability, PackageError, PackageName, Transaction, VersionScheme};
use crate::host::HostOptions;
use crate::host::command::{Output, Request, run};

/// dpkg's database, relative to the root directory.
pub(super) const STATUS: &str = "var/lib/dpkg/status";

/// How long a question to apt may take.
const QUESTION: Duration = Duration::from_secs(120);

/// apt and dpkg of one root directory.
pub(super) struct Apt {
    root: PathBuf,
    repair: bool,
}

impl Apt {
    pub(super) fn new(options: &HostOptions) -> Self {
        Self { root: options.root.clone(), repair: options.repair_packages }
    }

    fn is_foreign(&self) -> bool {
        self.root != Path::new("/")
    }

    /// The command `argv`, inside the root directory.
    fn request<S: Into<String>>(
        &self,
        argv: impl IntoIterator<Item = S>,
    ) -> Result<Request, PackageError> {
        let mut request = Request::new(argv);
        if self.is_foreign() {
            self.needs_root()?;
            let root = self.root.to_string_lossy().into_owned();
            request.argv.splice(0..0, ["chroot".to_owned(), root]);
        }
        Ok(request)
    }

    fn needs_root(&self) -> Result<(), PackageError> {
        if rustix::process::geteuid().is_root() {
            Ok(())
        } else {
            Err(PackageError::NeedsRoot { root: self.root.clone() })
        }
    }

    /// Asks a question that changes nothing and needs no lock.
    fn ask(&self, argv: Vec<String>) -> Result<Output, PackageError> {
        let program = argv.first().cloned().unwrap_or_default();
        let request = self.request(argv)?;
        let output = run(&request, Instant::now() + QUESTION).map_err(PackageError::Run)?;
        if output.success() {
            Ok(output)
        } else {
            let complaint = complaint::summary(&output.text());
            Err(PackageError::Query { program, complaint })
        }
    }
}

impl Backend for Apt {
    fn scheme(&self) -> VersionScheme {
        VersionScheme::Debian
    }

    fn database_stamp(&self) -> Result<Stamp, PackageError> {
        database::stamp(&self.root)
    }

    fn database(&self) -> Result<Database, PackageError> {
        database::read(&self.root)
    }

    fn automatic(&self) -> Result<BTreeSet<(String, String)>, PackageError> {
        marks::automatic(&self.root)
    }

    fn availability(
        &self,
        names: &[PackageName],
    ) -> Result<BTreeMap<PackageName, Availability>, PackageError> {
        policy::ask(self, names)
    }

    fn index_date(&self) -> Option<String> {
        index::date(&self.root)
    }

    fn sources_stamp(&self) -> Stamp {
        index::sources_stamp(&self.root)
    }

    fn refresh_index(&self, deadline: Instant) -> Result<(), RefreshFailure> {
        index::refresh(self, deadline)
    }

    fn transact(&self, transaction: &Transaction, deadline: Instant) -> Result<(), PackageError> {
        changes::transact(self, transaction, deadline)
    }

    fn set_holds(
        &self,
        holds: &[(PackageName, bool)],
        deadline: Instant,
    ) -> Result<(), PackageError> {
        changes::set_holds(self, holds, deadline)
    }

    fn preset_answers(&self, answers: &[Answer], deadline: Instant) -> Result<(), PackageError> {
        changes::preset_answers(self, answers, deadline)
    }

    fn identify(&self, path: &Path) -> Result<FileIdentity, PackageError> {
        let path = path.to_string_lossy().into_owned();
        let output = self.ask(vec!["dpkg-deb".into(), "--field".into(), path])?;
        let control = String::from_utf8_lossy(&output.stdout);
        let field = |name| control::field(&control, name).unwrap_or_default().to_owned();
        Ok(FileIdentity {
            name: field("Package"),
            version: field("Version"),
            architecture: field("Architecture"),
        })
    }

    fn file_suffix(&self) -> &'static str {
        ".deb"
    }
}
