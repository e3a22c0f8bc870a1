//! The requests of the socket.
//!
//! | request | for | may |
//! |---|---|---|
//! | `GET /v1/status` | the agent as it is now, JSON | group |
//! | `GET /metrics` | metrics for Prometheus | group |
//! | `POST /v1/run` | a run now; its events follow, one JSON object a line | group |
//! | `POST /v1/pause` | `{"seconds": 7200, "reason": "…"}` | group |
//! | `POST /v1/resume` | ends a pause; the run's events follow | group |
//! | `POST /v1/rollback` | `{"revision": "…", "seconds": 86400, "reason": "…"}`; events follow | root |
//! | `DELETE /v1/rollback` | ends it; events follow | root |

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Method, Request as HttpRequest, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::peer::Peer;
use super::{Answered, Command, Measured, Request};
use crate::clock;
use crate::report::{Override, OverrideKind};
use crate::service::event::Event;
use crate::service::stream::EventStream;
use crate::source::RevisionId;

/// The largest request body, in bytes.
const MOST: usize = 16 * 1024;

/// The longest pause or rollback.
const LONGEST: u64 = 366 * 86400;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1000;

type Body = UnsyncBoxBody<Bytes, Infallible>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForATime {
    seconds: u64,
    reason: String,
    #[serde(default)]
    revision: Option<String>,
}

/// Answers one request.
pub(super) async fn answer(
    request: HttpRequest<Incoming>,
    peer: Peer,
    commands: mpsc::Sender<Command>,
    events: broadcast::Sender<Arc<Event>>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let followed = events.subscribe();
    let wanted = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/v1/status") => Ok(Request::Status),
        (&Method::GET, "/metrics") => Ok(Request::Metrics),
        (&Method::POST, "/v1/run") => Ok(Request::Run),
        (&Method::POST, "/v1/pause") => {
            read(body).await.and_then(|asked| order(OverrideKind::Pause, asked, &peer))
        }
        (&Method::POST, "/v1/resume") => Ok(Request::End(OverrideKind::Pause)),
        (&Method::POST | &Method::DELETE, "/v1/rollback") if !peer.is_root => {
            Err((StatusCode::FORBIDDEN, "only root may roll a host back".to_owned()))
        }
        (&Method::POST, "/v1/rollback") => {
            read(body).await.and_then(|asked| order(OverrideKind::Rollback, asked, &peer))
        }
        (&Method::DELETE, "/v1/rollback") => Ok(Request::End(OverrideKind::Rollback)),
        (_, path) => Err((StatusCode::NOT_FOUND, format!("there is nothing at {path}"))),
    };
    let request = match wanted {
        Ok(request) => request,
        Err((status, text)) => return Ok(told(status, &text)),
    };
    let (answer, answered) = oneshot::channel();
    let asked = commands.send(Command { request, answer }).await;
    let gone = || told(StatusCode::SERVICE_UNAVAILABLE, "the agent is about to end");
    if asked.is_err() {
        return Ok(gone());
    }
    Ok(match answered.await {
        Ok(Answered::Status(live)) => json(StatusCode::OK, &live),
        Ok(Answered::Metrics(measured)) => metrics(*measured).await,
        Ok(Answered::Job(job)) => Response::new(EventStream::new(followed, job).boxed_unsync()),
        Ok(Answered::Done) => told(StatusCode::OK, "done"),
        Ok(Answered::Nothing) => told(StatusCode::NOT_FOUND, "there is none"),
        Ok(Answered::Failed(reason)) => told(StatusCode::INTERNAL_SERVER_ERROR, &reason),
        Err(_) => gone(),
    })
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, (StatusCode, String)> {
    let wrong = |text: String| (StatusCode::BAD_REQUEST, text);
    let collected =
        tokio::time::timeout(Duration::from_secs(10), Limited::new(body, MOST).collect());
    let bytes = collected
        .await
        .map_err(|_| (StatusCode::REQUEST_TIMEOUT, "the request did not arrive".to_owned()))?
        .map_err(|error| wrong(error.to_string()))?
        .to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
}

fn order(
    kind: OverrideKind,
    asked: ForATime,
    peer: &Peer,
) -> Result<Request, (StatusCode, String)> {
    let wrong = |text: &str| Err((StatusCode::BAD_REQUEST, text.to_owned()));
    let reason = asked.reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return wrong("a reason is needed, of at most 1000 characters");
    }
    if asked.seconds == 0 || asked.seconds > LONGEST {
        return wrong("it needs an end, within a year");
    }
    match (kind, &asked.revision) {
        (OverrideKind::Pause, Some(_)) => return wrong("a pause has no revision"),
        (OverrideKind::Rollback, None) => return wrong("a rollback needs a revision"),
        (OverrideKind::Rollback, Some(revision)) if revision.parse::<RevisionId>().is_err() => {
            return wrong("the revision is no commit's whole name");
        }
        _ => {}
    }
    Ok(Request::Order(Box::new(Override {
        kind,
        reason: reason.to_owned(),
        by: peer.name.clone(),
        since: clock::now(),
        until: clock::after(Duration::from_secs(asked.seconds)),
        revision: asked.revision,
    })))
}

/// The metrics as of now. The state is read elsewhere: the supervisor waits for no disk.
async fn metrics(measured: Measured) -> Response<Body> {
    let read = tokio::task::spawn_blocking(move || {
        let Measured { settings, state_directory, resident } = measured;
        crate::metrics::scrape(&state_directory, &settings, Some(&resident))
            .map_err(|error| steadfast_resources::Failure::from_error(&error).reason)
    });
    let failed = |reason: &str| told(StatusCode::INTERNAL_SERVER_ERROR, reason);
    match read.await {
        Ok(Ok(text)) => {
            let mut response = Response::new(Full::new(Bytes::from(text)).boxed_unsync());
            let kind = hyper::header::HeaderValue::from_static(crate::metrics::CONTENT_TYPE);
            response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
            response
        }
        Ok(Err(reason)) => failed(&reason),
        Err(error) => failed(&error.to_string()),
    }
}

fn told(status: StatusCode, text: &str) -> Response<Body> {
    json(status, &serde_json::json!({ "message": text }))
}

fn json(status: StatusCode, document: &impl serde::Serialize) -> Response<Body> {
    let text = serde_json::to_vec(document).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(text)).boxed_unsync());
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}

/// One event as a frame of the body: a line of JSON.
pub(crate) fn frame(event: &Event) -> Frame<Bytes> {
    let mut line = serde_json::to_vec(event).unwrap_or_default();
    line.push(b'\n');
    Frame::data(Bytes::from(line))
}
