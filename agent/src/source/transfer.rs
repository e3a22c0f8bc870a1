//! The conversation with the server: which commit is the branch at, and bring it here.
//!
//! All use of the library's network side is in this folder's `transfer`, `https` and `ssh`, since
//! its interface changes with every release.

use std::any::Any;

use gix::ObjectId;
use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::remote::{Direction, fetch::Shallow, fetch::Tags, ref_map};

use super::classify::{Context, classify};
use super::contract::{Done, Operation, Request, Response, TokenScheme};
use super::failure::FetchFailure;
use super::local;
use super::location::Location;
use super::meter::Meter;
use super::references;
use super::ssh::{self, Ssh};
use super::{https, https::schemes};

/// Does what `request` asks.
pub(super) fn perform(request: &Request) -> Response {
    let done = match &request.location {
        Location::Local { path } => local::perform(request, path),
        Location::Ssh { .. } => network(request, TokenScheme::Basic),
        Location::Http { .. } => with_schemes(request),
    };
    match done {
        Ok(done) => Response::Done(done),
        Err(failure) => Response::Failed(failure),
    }
}

/// Tries the ways to send a token in turn.
fn with_schemes(request: &Request) -> Result<Done, FetchFailure> {
    let mut last = FetchFailure::Unauthorized { token_sent: request.credentials.token.is_some() };
    for scheme in schemes(&request.credentials) {
        match network(request, scheme) {
            Err(failure @ FetchFailure::Unauthorized { .. }) => last = failure,
            Ok(done) => return Ok(Done { scheme: Some(scheme), ..done }),
            Err(failure) => return Err(failure),
        }
    }
    Err(last)
}

fn network(request: &Request, scheme: TokenScheme) -> Result<Done, FetchFailure> {
    let repository = local::open_copy(&request.repository, &request.limits)?;
    let conversation = Conversation { request, scheme, repository: &repository };
    match (request.operation, &request.branch) {
        (Operation::Head, branch) => conversation.head(branch.as_deref()),
        (Operation::Fetch, Some(branch)) => conversation.fetch(branch),
        (Operation::Fetch, None) => {
            let default = conversation.head(None)?;
            conversation.fetch(&default.branch)
        }
    }
}

struct Conversation<'a> {
    request: &'a Request,
    scheme: TokenScheme,
    repository: &'a gix::Repository,
}

/// An open line to the server.
struct Line {
    transport: Box<dyn Transport + Send>,
    options: Option<Box<dyn Any>>,
    ssh: Option<Ssh>,
}

impl Conversation<'_> {
    fn open(&self) -> Result<Line, FetchFailure> {
        let Request { location, credentials, limits, .. } = self.request;
        match location {
            Location::Http { url, .. } => {
                let options =
                    https::transport_options(url, credentials, self.scheme, limits.deadline)?;
                let parsed = gix::url::parse(url.as_str())
                    .map_err(|error| FetchFailure::Protocol { reason: error.to_string() })?;
                let transport = http::connect::<http::reqwest::Remote>(parsed, Protocol::V2, false);
                let options: Box<dyn Any> = Box::new(options);
                Ok(Line { transport: Box::new(transport), options: Some(options), ssh: None })
            }
            Location::Ssh { user, host, port, path } => {
                let shown = location.to_string();
                let (ssh, transport) =
                    ssh::connect(user.as_deref(), host, *port, path, credentials, &shown)?;
                Ok(Line { transport: Box::new(transport), options: None, ssh: Some(ssh) })
            }
            Location::Local { .. } => {
                Err(FetchFailure::Protocol { reason: "not a remote repository".to_owned() })
            }
        }
    }

    /// What a failed conversation means: ssh knows best, if it says anything.
    fn failure(&self, error: &gix::Error, ssh: Option<Ssh>, receiving: bool) -> FetchFailure {
        if let Some(failure) = ssh.and_then(Ssh::failure) {
            return failure;
        }
        let host = match &self.request.location {
            Location::Http { host, .. } | Location::Ssh { host, .. } => host.as_str(),
            Location::Local { .. } => "this machine",
        };
        let limits = &self.request.limits;
        let context = Context {
            host,
            token_sent: self.request.credentials.token.is_some(),
            receiving,
            patience: https::patience(limits.deadline).as_secs(),
            object_limit: limits.max_pack_bytes,
        };
        classify(error, &context)
    }

    fn remote(&self, refspec: &str) -> Result<gix::Remote<'_>, FetchFailure> {
        let protocol = |error: gix::Error| FetchFailure::Protocol { reason: error.to_string() };
        self.repository
            .remote_at_without_url_rewrite(self.request.location.to_string())
            .map_err(protocol)?
            .with_fetch_tags(Tags::None)
            .with_refspecs([refspec], Direction::Fetch)
            .map_err(protocol)
    }

    /// Asks which commit a branch is at; the remote's default branch if none is named.
    fn head(&self, branch: Option<&str>) -> Result<Done, FetchFailure> {
        let wanted = branch.map_or("HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
        let remote = self.remote(&wanted)?;
        let Line { transport, options, ssh } = self.open()?;
        let mut connection =
            remote.to_connection_with_transport(transport).with_credentials(|_| Ok(None));
        if let Some(options) = options {
            connection = connection.with_transport_options(options);
        }
        let meter = Meter::new(0);
        let (map, _) = match connection.ref_map(meter, ref_map::Options::default()) {
            Ok(map) => map,
            Err(error) => return Err(self.failure(&error, ssh, false)),
        };
        end(ssh);
        let found = map.mappings.iter().find_map(|mapping| {
            let id = mapping.remote.peeled_id()?.to_owned();
            Some((id, mapping.remote.as_target().map(ToString::to_string)))
        });
        let missing = || FetchFailure::NoBranch { branch: branch.unwrap_or("HEAD").to_owned() };
        let (id, target) = found.ok_or_else(missing)?;
        let branch = match (branch, target) {
            (Some(branch), _) => branch.to_owned(),
            (None, Some(target)) => {
                target.strip_prefix("refs/heads/").map(str::to_owned).ok_or_else(missing)?
            }
            (None, None) => return Err(missing()),
        };
        Ok(Done { id: id.to_string(), branch, scheme: None })
    }

    /// Brings the commit that `branch` is at.
    fn fetch(&self, branch: &str) -> Result<Done, FetchFailure> {
        let limits = &self.request.limits;
        let tracking = references::tracking_reference(branch);
        let remote = self.remote(&format!("+refs/heads/{branch}:{tracking}"))?;
        let Line { transport, options, ssh } = self.open()?;
        let mut connection =
            remote.to_connection_with_transport(transport).with_credentials(|_| Ok(None));
        if let Some(options) = options {
            connection = connection.with_transport_options(options);
        }
        let meter = Meter::new(limits.max_pack_bytes);
        let mut prepared =
            match connection.prepare_fetch(meter.clone(), ref_map::Options::default()) {
                Ok(prepared) => prepared,
                Err(error) => return Err(self.failure(&error, ssh, false)),
            };
        let map = prepared.ref_map();
        let format = map.object_hash;
        let wanted = map.mappings.iter().find_map(|mapping| mapping.remote.peeled_id());
        let wanted: ObjectId =
            wanted.ok_or_else(|| FetchFailure::NoBranch { branch: branch.to_owned() })?.to_owned();
        let done = Done { id: wanted.to_string(), branch: branch.to_owned(), scheme: None };
        if format != self.repository.object_hash() {
            return Err(FetchFailure::ObjectFormat { format: format.to_string() });
        }
        if references::reference(self.repository, &tracking) == Some(wanted)
            && self.repository.has_object(wanted)
        {
            drop(prepared);
            end(ssh);
            return Ok(done);
        }
        if let Some(depth) = std::num::NonZeroU32::new(self.request.depth) {
            prepared = prepared.with_shallow(Shallow::DepthAtRemote(depth));
        }
        if let Err(error) = prepared.receive(meter.clone(), meter.stop()) {
            if meter.exceeded() {
                return Err(FetchFailure::PackTooLarge { limit: limits.max_pack_bytes });
            }
            return Err(self.failure(&error, ssh, true));
        }
        end(ssh);
        // The library reports a rejected update inside of a success.
        if references::reference(self.repository, &tracking) == Some(wanted) {
            Ok(done)
        } else {
            let reason = format!("{tracking} did not become {wanted}");
            Err(FetchFailure::Protocol { reason })
        }
    }
}

fn end(ssh: Option<Ssh>) {
    if let Some(mut ssh) = ssh {
        ssh.end();
    }
}
