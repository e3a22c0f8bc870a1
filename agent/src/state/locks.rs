//! What keeps two processes that change a host from doing so at the same time.

use std::path::Path;

use thiserror::Error;

use super::{RootLock, RunLock, State, StateError};

/// Held as long as a process changes a host: the state's lock and that of the managed root.
#[derive(Debug)]
pub struct Locks {
    _run: Option<RunLock>,
    _root: Option<RootLock>,
    /// What the report should say about them.
    pub message: Option<String>,
}

/// Another process is changing the host.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("another run is at work on {what} (process {holder})")]
pub struct AtWork {
    /// `this host`, or the root directory.
    pub what: String,
    /// The process id of the other, or `unknown`.
    pub holder: String,
}

impl Locks {
    /// Takes both, or says who has them.
    pub fn take(state: &mut State, root: &Path) -> Result<Result<Self, AtWork>, StateError> {
        let run = match state.lock_for_run()? {
            Ok(lock) => lock,
            Err(held) => {
                return Ok(Err(AtWork { what: "this host".to_owned(), holder: held.holder }));
            }
        };
        match RootLock::take(root) {
            Ok(Ok(lock)) => Ok(Ok(Self { _run: run, _root: Some(lock), message: None })),
            Ok(Err(held)) => {
                Ok(Err(AtWork { what: root.display().to_string(), holder: held.holder }))
            }
            Err(error) => {
                let kept_away = if run.is_some() {
                    "only a run with the same state directory is kept away meanwhile"
                } else {
                    "no other run is kept away meanwhile"
                };
                let message = format!("{} cannot be locked ({error}): {kept_away}", root.display());
                // A user's own session need not have a place for it.
                let expected = run.is_some() && !nix::unistd::geteuid().is_root();
                Ok(Ok(Self { _run: run, _root: None, message: (!expected).then_some(message) }))
            }
        }
    }
}
