//! Asking the running agent.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use thiserror::Error;
use tokio::net::UnixStream;

use crate::service::event::Event;
use crate::service::live::Live;

/// How long the agent may take to begin to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why the agent was not asked, or did not answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("the agent is not running (nobody listens on {socket})")]
    NotRunning {
        /// The socket.
        socket: PathBuf,
    },
    /// This user may not ask.
    #[error("only root and members of the group steadfast may ask the agent")]
    Forbidden,
    /// It said no.
    #[error("the agent refuses: {reason}")]
    Refused {
        /// Its words.
        reason: String,
        /// Whether what was asked for is not there.
        missing: bool,
    },
    /// The connection broke.
    #[error("the agent cannot be asked")]
    Connection(#[source] io::Error),
    /// It broke later, or what came is no answer.
    #[error("the agent's answer cannot be read: {0}")]
    Answer(String),
}

/// A client of the agent's socket.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the agent that listens at `socket`.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// How things are.
    pub fn status(&self) -> Result<Live, ClientError> {
        block(async {
            let response = self.send(Method::GET, "/v1/status", None).await?;
            let body = response.into_body().collect().await.map_err(answer)?.to_bytes();
            serde_json::from_slice(&body).map_err(answer)
        })
    }

    /// Asks, and hands every event of the run that comes of it to `follow`, which answers `false`
    /// when it has seen enough.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        mut follow: impl FnMut(Event) -> bool,
    ) -> Result<(), ClientError> {
        let method = method.parse().map_err(answer)?;
        block(async {
            let mut body = self.send(method, path, body).await?.into_body();
            let mut pending = Vec::new();
            while let Some(frame) = body.frame().await {
                let Ok(data) = frame.map_err(answer)?.into_data() else { continue };
                pending.extend_from_slice(&data);
                while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = pending.drain(..=end).collect();
                    if !follow(serde_json::from_slice(&line).map_err(answer)?) {
                        return Ok(());
                    }
                }
            }
            Ok(())
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream =
            UnixStream::connect(&self.socket).await.map_err(|error| match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    ClientError::NotRunning { socket: self.socket.clone() }
                }
                io::ErrorKind::PermissionDenied => ClientError::Forbidden,
                _ => ClientError::Connection(error),
            })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(answer)?;
        tokio::spawn(connection);
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "steadfast")
            .body(Full::new(Bytes::from(text)))
            .map_err(answer)?;
        let response = tokio::time::timeout(PATIENCE, sender.send_request(request))
            .await
            .map_err(|_| ClientError::Answer("it does not answer".to_owned()))?
            .map_err(answer)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response.into_body().collect().await.map_err(answer)?.to_bytes();
        let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let reason = document.get("message").and_then(Value::as_str).unwrap_or("no reason given");
        let missing = status == StatusCode::NOT_FOUND;
        Err(ClientError::Refused { reason: reason.to_owned(), missing })
    }
}

fn block<T>(work: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(ClientError::Connection)?.block_on(work)
}

fn answer(error: impl std::fmt::Display) -> ClientError {
    ClientError::Answer(error.to_string())
}
