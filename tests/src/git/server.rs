//! The https Git server: a small Python program around `git http-backend`, on loopback.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{Certificates, PolicyRepository};
use crate::host::TestHost;
use crate::outer;
use crate::waiting::became_true;

/// The port inside a host, whose loopback nobody else uses.
const PORT_IN_HOST: u16 = 8443;

/// The certificate a server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Signed by our authority, for `localhost` and 127.0.0.1.
    Good,
    /// Signed by our authority, for another name.
    OtherName,
    /// For the right names, signed by an authority nobody trusts.
    OtherAuthority,
}

/// What a server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Accepts connections and requests, and never answers.
    Stall,
    /// Sends half of a pack, and then nothing, with the connection left open.
    StallPack,
    /// Announces a pack's true length, sends half of it and closes the connection.
    DropPack,
    /// Sends half of a pack as if it were whole.
    TruncatePack,
    /// Sends a pack with one byte in its middle changed.
    DamagePack,
    /// Answers 503.
    ServerError,
    /// Answers 200 with a page of HTML, as a captive portal does.
    NotGit,
}

/// How a server behaves from now on.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// The certificate it shows.
    pub identity: Identity,
    /// Whether it insists on a client certificate by our authority.
    pub client_certificate: bool,
    /// What it wants as a bearer token, or as the password of any user; anything else gets a 401.
    pub token: Option<String>,
    /// What it does wrong.
    pub fault: Fault,
    /// Redirects everything to this place (scheme, host and port).
    pub redirect: Option<String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            identity: Identity::Good,
            client_certificate: false,
            token: None,
            fault: Fault::None,
            redirect: None,
        }
    }
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The status of the answer.
    pub status: u64,
    /// The bytes of the answer's body.
    pub sent: u64,
    /// The `Authorization` header that came with it.
    pub authorization: Option<String>,
}

/// A running server; it ends when dropped.
pub struct GitServer {
    directory: PathBuf,
    certificates: Certificates,
    place: Option<u16>,
    port: u16,
    process: Child,
}

impl GitServer {
    /// Serves a repository on the machine's own loopback, on a free port.
    #[track_caller]
    pub fn on_loopback(repository: &PolicyRepository) -> Self {
        Self::begin(repository, None)
    }

    /// Serves a repository on a host's loopback. Its authority is in the host as `/etc/test-authority.pem`.
    #[track_caller]
    pub fn in_host(repository: &PolicyRepository, host: &TestHost) -> Self {
        Self::in_host_at(repository, host, PORT_IN_HOST)
    }

    /// Serves a repository on a host's loopback, at another port than the ordinary one.
    #[track_caller]
    pub fn in_host_at(repository: &PolicyRepository, host: &TestHost, port: u16) -> Self {
        let server = Self::begin(repository, Some((host, port)));
        let authority = fs::read(server.certificates.authority_file());
        host.write("/etc/test-authority.pem", authority.expect("the authority has just been made"));
        server
    }

    fn begin(repository: &PolicyRepository, host: Option<(&TestHost, u16)>) -> Self {
        let directory = repository.directory().to_owned();
        let certificates = Certificates::make(&directory);
        write_behaviour(&directory, &Behaviour::default());
        let (process, port) = start(&directory, host);
        Self { directory, certificates, place: host.map(|(_, port)| port), port, process }
    }

    /// Starts the server again in a host that was rebooted, and so has a new network namespace.
    #[track_caller]
    pub fn move_into(&mut self, host: &TestHost) {
        self.stop();
        let port = self.place.unwrap_or(PORT_IN_HOST);
        (self.process, self.port) = start(&self.directory, Some((host, port)));
    }

    /// Ends the server: from now on nobody listens at its address.
    pub fn stop(&mut self) {
        outer::send(outer::process_id(&self.process), Signal::SIGKILL);
        became_true(Duration::from_secs(5), || !matches!(self.process.try_wait(), Ok(None)));
    }

    /// The repository's address.
    pub fn url(&self) -> String {
        format!("{}/policy.git", self.origin())
    }

    /// The server's address without a path.
    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificates it uses, and those for its clients.
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    /// How it behaves from the next connection on (for the certificate) or the next request on.
    pub fn behave(&self, behaviour: &Behaviour) {
        write_behaviour(&self.directory, behaviour);
    }

    /// What it does wrong from the next request on, with everything else as usual.
    pub fn fail_with(&self, fault: Fault) {
        self.behave(&Behaviour { fault, ..Behaviour::default() });
    }

    /// The requests it has answered, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        let text = fs::read_to_string(self.directory.join("requests.jsonl")).unwrap_or_default();
        text.lines().map(request).collect()
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.stop();
    }
}

#[track_caller]
fn start(directory: &Path, host: Option<(&TestHost, u16)>) -> (Child, u16) {
    let mut command = match host {
        // Of the host only its network: the program and the repository are the outer machine's.
        Some((host, _)) => {
            let mut command = outer::command("nsenter");
            command.args(["-t", &host.container_init_pid().to_string(), "-n", "/usr/bin/python3"]);
            command
        }
        None => outer::command("/usr/bin/python3"),
    };
    let port = host.map_or(0, |(_, port)| port);
    command.args(["-I", "-c", include_str!("server.py")]).arg(directory).arg(port.to_string());
    command.stdout(Stdio::piped());
    let mut process = outer::start(command);
    let mut line = String::new();
    let stdout = process.stdout.take().expect("standard output is a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("the server's output can be read");
    let port = line.trim().parse();
    (process, port.expect("the server prints its port; its standard error says why it did not"))
}

fn write_behaviour(directory: &Path, behaviour: &Behaviour) {
    let Behaviour { identity, client_certificate, token, fault, redirect } = behaviour;
    let certificate = match identity {
        Identity::Good => "server",
        Identity::OtherName => "other-name",
        Identity::OtherAuthority => "other-authority",
    };
    let fault = match fault {
        Fault::None => "none",
        Fault::Stall => "stall",
        Fault::StallPack => "stall-pack",
        Fault::DropPack => "drop-pack",
        Fault::TruncatePack => "truncate-pack",
        Fault::DamagePack => "damage-pack",
        Fault::ServerError => "server-error",
        Fault::NotGit => "not-git",
    };
    let value = json!({
        "certificate": certificate,
        "client_certificate": client_certificate,
        "token": token,
        "fault": fault,
        "redirect": redirect,
    });
    // Renamed into place: the server must never read half of it.
    let unfinished = directory.join("behaviour.unfinished");
    fs::write(&unfinished, value.to_string()).expect("the repository's directory can be written");
    fs::rename(unfinished, directory.join("behaviour.json")).expect("renaming beside it");
}

fn request(line: &str) -> Request {
    let value: Value = serde_json::from_str(line).expect("the server writes whole lines of JSON");
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let number = |name: &str| value[name].as_u64().unwrap_or_default();
    Request {
        method: text("method").unwrap_or_default(),
        path: text("path").unwrap_or_default(),
        status: number("status"),
        sent: number("sent"),
        authorization: text("authorization"),
    }
}
