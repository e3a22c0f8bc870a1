//! A small web server over `git http-backend` that can also misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use steadfast_resources::host::command::{Request, run};

/// What the server does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Serves it.
    Serve,
    /// Serves it if the Authorization header is this; else 401.
    Demand(String),
    /// Answers with this status.
    Status(u16),
    /// Redirects to this base URL.
    Redirect(String),
    /// Says nothing, not even in the TLS handshake.
    Silent,
    /// Sends this many bytes of a pack's answer, then nothing, with the connection open.
    StallPack(usize),
    /// Sends this many bytes of a pack's answer and closes the connection.
    CutPack(usize),
    /// Sends a shorter answer that is well-formed HTTP.
    ShortenPack(usize),
    /// Changes one byte at this offset of a pack's answer.
    DamagePack(usize),
}

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    tls: bool,
    state: Arc<State>,
}

struct State {
    root: PathBuf,
    tls: Option<Arc<ServerConfig>>,
    behaviour: Mutex<Behaviour>,
    log: Mutex<Vec<String>>,
}

impl Server {
    /// Serves the repositories below `root`.
    pub(crate) fn start(root: PathBuf, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (behaviour, log) = (Mutex::new(Behaviour::Serve), Mutex::new(Vec::new()));
        let encrypted = tls.is_some();
        let state = Arc::new(State { root, tls, behaviour, log });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || state.connection(stream));
            }
        });
        Self { address, tls: encrypted, state }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}/policy.git", self.address)
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.state.behaviour.lock().unwrap() = behaviour;
    }

    /// The request lines and Authorization headers so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.state.log.lock().unwrap().clone()
    }
}

struct Asked {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl State {
    fn connection(&self, stream: TcpStream) {
        let behaviour = self.behaviour.lock().unwrap().clone();
        if behaviour == Behaviour::Silent {
            hold(stream);
            return;
        }
        match &self.tls {
            None => self.serve(stream, &behaviour),
            Some(config) => {
                let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                self.serve(StreamOwned::new(connection, stream), &behaviour);
            }
        }
    }

    fn serve<S: Read + Write>(&self, stream: S, behaviour: &Behaviour) {
        let mut stream = BufReader::new(stream);
        let Some(asked) = read_request(&mut stream) else { return };
        let authorization = asked.header("authorization").unwrap_or("-").to_owned();
        self.log.lock().unwrap().push(format!("{} {} {authorization}", asked.method, asked.target));
        let (status, headers, mut body) = match behaviour {
            Behaviour::Status(status) => (status.to_string(), String::new(), Vec::new()),
            Behaviour::Redirect(base) => {
                let target = asked.target.trim_start_matches("/policy.git");
                ("302".to_owned(), format!("Location: {base}{target}\r\n"), Vec::new())
            }
            Behaviour::Demand(expected) if *expected != authorization => {
                ("401".to_owned(), "WWW-Authenticate: Basic realm=x\r\n".to_owned(), Vec::new())
            }
            _ => self.backend(&asked),
        };
        let pack = body.windows(4).any(|window| window == b"PACK");
        let announced = body.len();
        let mut stall = false;
        match behaviour {
            Behaviour::CutPack(length) if pack => body.truncate(*length),
            Behaviour::StallPack(length) if pack => {
                body.truncate(*length);
                stall = true;
            }
            Behaviour::DamagePack(offset) if pack => body[*offset] ^= 0xff,
            Behaviour::ShortenPack(length) if pack => body.truncate(*length),
            _ => {}
        }
        let announced =
            if matches!(behaviour, Behaviour::ShortenPack(_)) { body.len() } else { announced };
        let head = format!(
            "HTTP/1.1 {status} X\r\n{headers}Content-Length: {announced}\r\nConnection: close\r\n\r\n"
        );
        let stream = stream.get_mut();
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&body);
        let _ = stream.flush();
        if stall {
            // Until the client goes away.
            let _ = stream.read(&mut [0]);
        }
    }

    /// The CGI program of Git (git-http-backend(1)).
    fn backend(&self, asked: &Asked) -> (String, String, Vec<u8>) {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let request = Request::new(["git", "http-backend"])
            .with_input(asked.body.clone())
            .with_variable("GIT_PROJECT_ROOT", self.root.to_str().unwrap())
            .with_variable("GIT_HTTP_EXPORT_ALL", "1")
            .with_variable("GIT_CONFIG_COUNT", "1")
            .with_variable("GIT_CONFIG_KEY_0", "safe.directory")
            .with_variable("GIT_CONFIG_VALUE_0", "*")
            .with_variable("PATH_INFO", path)
            .with_variable("QUERY_STRING", query)
            .with_variable("REQUEST_METHOD", asked.method.as_str())
            .with_variable("CONTENT_TYPE", asked.header("content-type").unwrap_or(""))
            .with_variable("CONTENT_LENGTH", asked.body.len().to_string())
            .with_variable("GIT_PROTOCOL", asked.header("git-protocol").unwrap_or(""));
        let output = run(&request, Instant::now() + Duration::from_secs(30)).unwrap();
        let split = output.stdout.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&output.stdout[..split]).into_owned();
        let body = output.stdout[split + 4..].to_vec();
        let mut status = "200".to_owned();
        let mut headers = String::new();
        for line in head.lines() {
            match line.strip_prefix("Status: ") {
                Some(text) => text[..3].clone_into(&mut status),
                None => headers.extend([line, "\r\n"]),
            }
        }
        (status, headers, body)
    }
}

fn read_request(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut asked = Asked { method, target, headers, body: Vec::new() };
    if let Some(length) = asked.header("content-length").and_then(|text| text.parse().ok()) {
        asked.body = vec![0; length];
        stream.read_exact(&mut asked.body).ok()?;
    } else if asked.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            asked.body.extend_from_slice(&chunk[..size]);
        }
    }
    Some(asked)
}

/// Keeps a connection open until the client closes it.
fn hold(mut stream: TcpStream) {
    let mut buffer = [0; 1024];
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
}
