//! Waiting for a condition with a deadline; the only place in the tests that sleeps.

use std::time::{Duration, Instant};

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Looks at `condition` until it holds; panics, naming `what`, when it does not within `deadline`.
#[track_caller]
pub fn wait_until(what: &str, deadline: Duration, condition: impl FnMut() -> bool) {
    assert!(became_true(deadline, condition), "waited {deadline:?} in vain for: {what}");
}

/// Whether `condition` came to hold within `deadline`.
pub(crate) fn became_true(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if started.elapsed() >= deadline {
            return false;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
