//! What keeps two commands that change a host from doing so at the same time.

use std::path::Path;

use super::{CommandError, Exit};
use crate::state::{RootLock, RunLock, State};

/// Held as long as a command changes a host.
pub(super) struct Locks {
    _run: Option<RunLock>,
    _root: Option<RootLock>,
    /// What the report should say about them.
    pub(super) message: Option<String>,
}

impl Locks {
    /// Takes the state's lock and that of the managed root, or refuses.
    pub(super) fn take(state: &mut State, root: &Path) -> Result<Self, CommandError> {
        let refused = |text: String| {
            Err(CommandError::new(text)
                .with_hint("wait for it to end; the lock goes with the process")
                .with_exit(Exit::Refused))
        };
        let run = match state.lock_for_run()? {
            Ok(lock) => lock,
            Err(held) => {
                return refused(format!(
                    "another run is at work on this host (process {})",
                    held.holder
                ));
            }
        };
        match RootLock::take(root) {
            Ok(Ok(lock)) => Ok(Self { _run: run, _root: Some(lock), message: None }),
            Ok(Err(held)) => refused(format!(
                "another run is at work on {} (process {})",
                root.display(),
                held.holder
            )),
            Err(error) => {
                let kept_away = if run.is_some() {
                    "only a run with the same state directory is kept away meanwhile"
                } else {
                    "no other run is kept away meanwhile"
                };
                let message = format!("{} cannot be locked ({error}): {kept_away}", root.display());
                // A user's own session need not have a place for it.
                let expected = run.is_some() && !nix::unistd::geteuid().is_root();
                Ok(Self { _run: run, _root: None, message: (!expected).then_some(message) })
            }
        }
    }
}
