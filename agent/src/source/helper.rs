//! The fetching process: `steadfast fetch-helper` reads a request, talks to the server, and answers.
//!
//! A process of its own, because nothing else can be ended for certain: a hung TLS handshake or a
//! stalled read hears no flag, but it does hear SIGKILL.

use std::io::{Read, Write};
use std::process::ExitCode;

use nix::sys::signal::Signal;

use super::contract::{Request, Response};
use super::failure::FetchFailure;
use super::transfer;

/// The longest request that is read, in bytes.
const REQUEST_LIMIT: u64 = 16 << 20;

/// The name of the hidden subcommand that runs [`helper_main`].
pub const HELPER_COMMAND: &str = "fetch-helper";

/// Answers one request read from `input`. Never prints anything else on `output`.
pub fn helper_main(input: impl Read, mut output: impl Write) -> ExitCode {
    let response = answer(input);
    let written = serde_json::to_vec(&response)
        .map_err(std::io::Error::other)
        .and_then(|text| output.write_all(&text))
        .and_then(|()| output.flush());
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn answer(input: impl Read) -> Response {
    let mut text = Vec::new();
    if let Err(error) = input.take(REQUEST_LIMIT).read_to_end(&mut text) {
        return failed(format!("its request cannot be read: {error}"));
    }
    let request: Request = match serde_json::from_slice(&text) {
        Ok(request) => request,
        Err(error) => return failed(format!("its request cannot be understood: {error}")),
    };
    // Whoever asked may be killed; then nobody is left to enforce the deadline.
    if let Err(error) = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL) {
        return failed(format!("it cannot be tied to its parent: {error}"));
    }
    if nix::unistd::getppid().as_raw().cast_unsigned() != request.parent {
        return failed("its parent is gone".to_owned());
    }
    transfer::perform(&request)
}

fn failed(reason: String) -> Response {
    Response::Failed(FetchFailure::Helper { reason })
}
