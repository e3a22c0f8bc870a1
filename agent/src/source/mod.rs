//! The source: from a Git server to a revision's blobs.
//!
//! ```text
//! server ──fetch (a process of its own)──▶ Store (bare copy) ──open──▶ Revision (files at a commit)
//! ```
//!
//! What must stay true:
//! - every failure leaves the copy with its last good revision as it was;
//! - the process that talks to the server can be killed at its deadline, and its answer is checked:
//!   every object is hashed by whoever reads it;
//! - there is no checkout, no hook, no filter, no credential helper, no configuration of Git but
//!   the copy's own;
//! - credentials never appear in argv, in URLs, in errors or in logs.
//!
//! Absent: signature verification (it reads a [`Revision`]'s commit), intervals and backing off.

mod advance;
mod classify;
mod configured;
mod contract;
mod credentials;
mod directory;
mod error;
mod failure;
mod helper;
mod history;
mod https;
mod identity;
mod leftovers;
mod local;
mod location;
mod meter;
mod names;
mod objects;
mod references;
mod revision;
mod settings;
mod ssh;
mod store;
mod transfer;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

pub use advance::Advance;
pub use directory::WorkingDirectory;
pub use error::SourceError;
pub use failure::FetchFailure;
pub use helper::{HELPER_COMMAND, helper_main};
pub use history::{History, NoHistory, Touch};
pub(crate) use https::client_tls;
pub use identity::{DirectoryIdentity, uncommitted};
pub use location::{Location, LocationError, RepositoryArgument};
pub use names::{Refusal, RefusalReason};
pub use revision::{Revision, RevisionId, RevisionInformation};
pub use settings::{Limits, SourceSettings};

use contract::{Done, Operation, Request, Response, TokenScheme};
use objects::Objects;
use steadfast_resources::Failure;
use steadfast_resources::host::command::{self, CommandError};
use store::{Lock, Store};

/// Where the conversation with the server takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transfer {
    /// In a process of its own: this program, asked for [`HELPER_COMMAND`].
    Process {
        /// The program, usually `/proc/self/exe`.
        program: PathBuf,
    },
    /// In this process, where the deadline cannot be enforced: for tests.
    InProcess,
}

impl Default for Transfer {
    fn default() -> Self {
        Self::Process { program: PathBuf::from("/proc/self/exe") }
    }
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The commit the branch is at.
    pub revision: RevisionId,
    /// The branch: the configured one, or the remote's default.
    pub branch: String,
    /// The commit the branch was at when it was fetched before.
    pub previous: Option<RevisionId>,
    /// How it came from there to here. A rewritten branch should be reported.
    pub advance: Advance,
    /// Where it came from: the configured repository or a mirror.
    pub from: String,
}

/// A policy repository: where it is, and the agent's copy of it.
pub struct Source {
    settings: SourceSettings,
    location: Location,
    mirrors: Vec<Location>,
    store: Store,
    transfer: Transfer,
    /// How the server took our token last time.
    scheme: Mutex<Option<TokenScheme>>,
}

impl Source {
    /// The repository that `settings` names, with a copy in `store_directory`.
    pub fn open(settings: SourceSettings, store_directory: &Path) -> Result<Self, SourceError> {
        Self::open_with(settings, store_directory, Transfer::default())
    }

    /// The same with another place for the conversation.
    pub fn open_with(
        settings: SourceSettings,
        store_directory: &Path,
        transfer: Transfer,
    ) -> Result<Self, SourceError> {
        let wrong = |problem| SourceError::Location { url: shown(&settings.url), problem };
        let parse = |url: &String| {
            Location::parse(url)
                .map_err(|problem| SourceError::Location { url: shown(url), problem })
        };
        let location = parse(&settings.url)?;
        let mirrors = settings.mirrors.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        if let Some(branch) = &settings.branch {
            location::check_branch(branch).map_err(wrong)?;
        }
        credentials::check(&settings, &location)?;
        names::components(&settings.path).map_err(|refusal| SourceError::Refused(vec![refusal]))?;
        let store = Store::open(store_directory, settings.limits)?;
        Ok(Self { settings, location, mirrors, store, transfer, scheme: Mutex::new(None) })
    }

    /// Where the repository is, for messages.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Asks the server which commit the branch is at. Cheap; changes nothing.
    pub fn head(&self) -> Result<RevisionId, SourceError> {
        let (done, _) = self.converse(Operation::Head, &self.store.path())?;
        done.id.parse()
    }

    /// Brings the commit that the branch is at into the copy and looks through its trees. Never
    /// removes what was good before.
    ///
    /// Waits for another process that is fetching, at most until the deadline. A [`Revision`] of a
    /// commit that is neither good nor current should be dropped before.
    pub fn fetch(&self) -> Result<Fetched, SourceError> {
        let lock = self.store.lock(self.settings.limits.deadline)?;
        self.store.clean(&lock)?;
        self.store.ensure(&lock, gix::hash::Kind::Sha1)?;
        let before = self.store.repository()?;
        let branches = references::tracked(&before);
        let (done, answered) = self.bring(&lock, &before)?;
        let revision: RevisionId = done.id.parse()?;
        let previous = branches.into_iter().find(|(branch, _)| *branch == done.branch);
        let previous = previous.map(|(_, id)| RevisionId(id));
        let repository = self.store.repository()?;
        let advance = match answered {
            // Our copy of a local repository has no history.
            Location::Local { path } => {
                match gix::open_opts(path, references::open_options(&self.settings.limits)) {
                    Ok(origin) => advance::between(&origin, previous, revision),
                    Err(_) => advance::between(&repository, previous, revision),
                }
            }
            _ => advance::between(&repository, previous, revision),
        };
        let leads_back = matches!(advance, Advance::Rewritten | Advance::Unknown);
        if let (true, Some(previous)) = (leads_back && *answered != self.location, previous) {
            // A mirror that lags behind must not rewind the host.
            let name = references::tracking_reference(&done.branch);
            if let Err(error) = references::set_reference(&repository, &name, previous.0) {
                log::warn!("{name} still points to what the mirror has: {error}");
            }
            return Err(SourceError::Mirror {
                url: answered.to_string(),
                revision: revision.to_string(),
                previous: previous.to_string(),
            });
        }
        self.store.mark_current(revision)?;
        if advance == Advance::Rewritten {
            log::warn!("the branch {} of {answered} was rewritten", done.branch);
        }
        Ok(Fetched { revision, branch: done.branch, previous, advance, from: answered.to_string() })
    }

    /// The commit that was last fetched.
    pub fn current(&self) -> Result<Option<RevisionId>, SourceError> {
        self.store.current()
    }

    /// The last revision that [`Self::mark_good`] was told.
    pub fn good(&self) -> Result<Option<RevisionId>, SourceError> {
        self.store.good()
    }

    /// Remembers, durably, that `id` is good: it is kept whatever happens to the branch.
    pub fn mark_good(&self, id: RevisionId) -> Result<(), SourceError> {
        self.store.mark_good(id)
    }

    /// Opens a fetched revision, at the configured `path`.
    pub fn revision(&self, id: RevisionId) -> Result<Revision, SourceError> {
        let objects = Objects::new(self.store.repository()?);
        let opened = Revision::open(objects, id, &self.settings.path, &self.settings.limits);
        if matches!(opened, Err(SourceError::Damaged { .. })) {
            self.store.mark_damaged();
        }
        Ok(opened?.with_marker(self.store.marker()))
    }

    /// Tells the next fetch to make a new copy. Happens by itself when a revision meets a damaged
    /// object.
    pub fn mark_damaged(&self) {
        self.store.mark_damaged();
    }

    fn bring(
        &self,
        lock: &Lock,
        before: &gix::Repository,
    ) -> Result<(Done, &Location), SourceError> {
        let kind = before.object_hash();
        if let Some(reason) = self.store.renewal()? {
            log::info!("making a new copy of {}, because {reason}", self.location);
            return self.bring_anew(lock, kind);
        }
        match self.converse(Operation::Fetch, &self.store.path()) {
            Ok((done, answered)) => match self.check(&done, &self.store.path()) {
                Ok(()) => Ok((done, answered)),
                Err(error) => {
                    log::warn!("making a new copy of {}: {error}", self.location);
                    self.bring_anew(lock, kind)
                }
            },
            Err(SourceError::Fetch { failure: FetchFailure::Copy { reason }, .. }) => {
                log::warn!("making a new copy of {}: {reason}", self.location);
                self.bring_anew(lock, kind)
            }
            Err(SourceError::Fetch { failure: FetchFailure::ObjectFormat { format }, url }) => {
                // A good revision has a name that the other kind of repository cannot hold.
                let other = [gix::hash::Kind::Sha1, gix::hash::Kind::Sha256]
                    .into_iter()
                    .find(|kind| kind.to_string() == format);
                match (other, self.store.good()?) {
                    (Some(other), None) => self.bring_anew(lock, other),
                    _ => Err(SourceError::Fetch {
                        failure: FetchFailure::ObjectFormat { format },
                        url,
                    }),
                }
            }
            Err(error) => {
                self.store.clean(lock)?;
                Err(error)
            }
        }
    }

    fn bring_anew(
        &self,
        lock: &Lock,
        kind: gix::hash::Kind,
    ) -> Result<(Done, &Location), SourceError> {
        let fresh = self.store.begin_fresh(lock, kind)?;
        let (done, answered) = self.converse(Operation::Fetch, &fresh)?;
        self.check(&done, &fresh)?;
        self.store.adopt_fresh(lock)?;
        Ok((done, answered))
    }

    /// Whether what the fetching process says it brought is there: its commit and trees are
    /// hashed, its blobs looked up. Whether it is *acceptable* is for [`Self::revision`] to say.
    fn check(&self, done: &Done, repository: &Path) -> Result<(), SourceError> {
        let id: RevisionId = done.id.parse()?;
        let options = references::open_options(&self.settings.limits).open_path_as_is(true);
        let repository = gix::open_opts(repository, options).map_err(|error| {
            SourceError::Repository { path: repository.to_owned(), reason: error.to_string() }
        })?;
        let opened = Revision::open(Objects::new(repository), id, ".", &self.settings.limits);
        match opened {
            Ok(_) | Err(SourceError::Refused(_)) => Ok(()),
            Err(SourceError::UnknownRevision { id }) => {
                Err(SourceError::Damaged { id, problem: "is missing".to_owned() })
            }
            Err(error) => Err(error),
        }
    }

    /// Asks the server, and where it does not answer its mirrors in turn. The error is the first
    /// one's; the others are in the log.
    fn converse(
        &self,
        operation: Operation,
        repository: &Path,
    ) -> Result<(Done, &Location), SourceError> {
        let first = match self.converse_with(&self.location, operation, repository) {
            Err(error) if error.is_out_of_service() && !self.mirrors.is_empty() => error,
            other => return other.map(|done| (done, &self.location)),
        };
        log::warn!("{}: trying its mirrors", Failure::from_error(&first).reason);
        for mirror in &self.mirrors {
            match self.converse_with(mirror, operation, repository) {
                Err(error) if error.is_out_of_service() => {
                    log::warn!("{}", Failure::from_error(&error).reason);
                }
                other => return other.map(|done| (done, mirror)),
            }
        }
        Err(first)
    }

    fn converse_with(
        &self,
        location: &Location,
        operation: Operation,
        repository: &Path,
    ) -> Result<Done, SourceError> {
        let settings = &self.settings;
        let scheme = self.scheme.lock().map_or(None, |scheme| *scheme);
        let request = Request {
            operation,
            repository: repository.to_owned(),
            location: location.clone(),
            branch: settings.branch.clone(),
            depth: settings.depth,
            credentials: credentials::for_mirror(
                credentials::read(settings, location, scheme)?,
                &self.location,
                location,
            ),
            limits: settings.limits,
            parent: std::process::id(),
        };
        let response = match &self.transfer {
            Transfer::InProcess => transfer::perform(&request),
            Transfer::Process { program } => ask(program, &request),
        };
        match response {
            Response::Done(done) => {
                if let Ok(mut known) = self.scheme.lock() {
                    *known = done.scheme.or(*known);
                }
                Ok(done)
            }
            Response::Failed(failure) => {
                Err(SourceError::Fetch { url: location.to_string(), failure })
            }
        }
    }
}

/// A URL for messages, without credentials it should not have.
fn shown(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let (start, end) = (url.get(..scheme + 3), url.get(at..));
            format!("{}…{}", start.unwrap_or_default(), end.unwrap_or_default())
        }
        _ => url.to_owned(),
    }
}

/// Variables of ours that the fetching process needs: proxies, where authorities are, and for a
/// person's own commands the ssh agent.
const VARIABLES: [&str; 10] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SSH_AUTH_SOCK",
];

/// Runs the fetching process.
fn ask(program: &Path, request: &Request) -> Response {
    let failed = |reason: String| Response::Failed(FetchFailure::Helper { reason });
    let input = match serde_json::to_vec(request) {
        Ok(input) => input,
        Err(error) => return failed(error.to_string()),
    };
    let program = program.to_string_lossy().into_owned();
    let mut command = command::Request::new([program, HELPER_COMMAND.to_owned()]).with_input(input);
    for name in VARIABLES.iter().chain(&["HOME"]) {
        if let Ok(value) = std::env::var(name) {
            command = command.with_variable(name, value);
        }
    }
    let deadline = request.limits.deadline;
    match command::run(&command, Instant::now() + deadline) {
        Ok(output) => serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            failed(format!("it ended with {}: {}", output.code, output.text()))
        }),
        Err(CommandError::Deadline { .. }) => {
            Response::Failed(FetchFailure::Stalled { seconds: deadline.as_secs() })
        }
        Err(error) => failed(Failure::from_error(&error).reason),
    }
}
