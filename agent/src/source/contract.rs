//! What the agent and its fetching process say to each other: one JSON document each way.
//!
//! Kept narrow, because the fetching process talks to strangers and will one day run with fewer
//! rights: it gets no file to read except the ssh key, and what it answers is not believed but
//! checked (every object that is read later is hashed by the reader).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::failure::FetchFailure;
use super::location::Location;
use super::settings::{Limits, Secret};

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) operation: Operation,
    /// The bare repository to fetch into.
    pub(super) repository: PathBuf,
    pub(super) location: Location,
    /// The remote's default branch if unset.
    pub(super) branch: Option<String>,
    /// How many commits; 0 is all.
    pub(super) depth: u32,
    pub(super) credentials: Credentials,
    pub(super) limits: Limits,
    /// The asking process; the fetching one ends with it.
    pub(super) parent: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Operation {
    /// Only look which commit the branch is at.
    Head,
    /// Bring that commit into the repository.
    Fetch,
}

/// Contents, not names, of everything but the ssh key: ssh reads that itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) token: Option<Secret>,
    /// How the token was accepted last time.
    pub(super) scheme: Option<TokenScheme>,
    pub(super) ca: Option<String>,
    pub(super) client_cert: Option<String>,
    pub(super) client_key: Option<Secret>,
    pub(super) ssh_key: Option<PathBuf>,
    pub(super) known_hosts: Option<PathBuf>,
}

/// How a token is sent (RFC 7617, RFC 6750). Servers differ in what they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenScheme {
    Basic,
    Bearer,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Response {
    Done(Done),
    Failed(FetchFailure),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    /// The commit the branch is at, in hexadecimal.
    pub(super) id: String,
    /// The branch's name, also where the default one was asked for.
    pub(super) branch: String,
    pub(super) scheme: Option<TokenScheme>,
}
