//! What other threads may ask of a watcher: to wake up, and to be quiet.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::event::{EventfdFlags, eventfd};

/// What the watcher and the others share.
pub(super) struct Bell {
    /// Readable when the watcher has to look at the rest.
    descriptor: OwnedFd,
    woken: AtomicBool,
    /// How many ask for quiet.
    quiet: AtomicUsize,
}

impl Bell {
    pub(super) fn new() -> io::Result<Arc<Self>> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let descriptor = eventfd(0, flags)?;
        let (woken, quiet) = (AtomicBool::new(false), AtomicUsize::new(0));
        Ok(Arc::new(Self { descriptor, woken, quiet }))
    }

    /// Makes the watcher look.
    pub(super) fn ring(&self) {
        // Full, it is readable already.
        let _ = rustix::io::write(&self.descriptor, &1_u64.to_ne_bytes());
    }

    /// Takes note of what was rung for.
    pub(super) fn answer(&self) {
        let _ = rustix::io::read(&self.descriptor, &mut [0; 8]);
    }

    /// Whether somebody has woken the watcher since the last call.
    pub(super) fn was_woken(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.load(Ordering::Acquire) > 0
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Wakes a watcher from another thread.
#[derive(Clone)]
pub struct Waker(pub(super) Arc<Bell>);

impl Waker {
    /// Makes [`super::Watcher::next`] return at once, now or when it is called next.
    pub fn wake(&self) {
        self.0.woken.store(true, Ordering::Release);
        self.0.ring();
    }
}

/// Asks a watcher from another thread to keep what it sees to itself for a while.
#[derive(Clone)]
pub struct Quiet(pub(super) Arc<Bell>);

impl Quiet {
    /// From now on nothing is told, until the guard is dropped; then all that others did meanwhile
    /// is told together. Take it for as long as the machine is being changed: what cannot be told
    /// from our own doing (inotify names nobody; systemd acts for us) would be told in the middle.
    pub fn begin(&self) -> QuietGuard {
        self.0.quiet.fetch_add(1, Ordering::AcqRel);
        QuietGuard(Arc::clone(&self.0))
    }
}

/// While this lives, a watcher tells nothing.
#[must_use = "quiet ends when this is dropped"]
pub struct QuietGuard(Arc<Bell>);

impl Drop for QuietGuard {
    fn drop(&mut self) {
        self.0.quiet.fetch_sub(1, Ordering::AcqRel);
        self.0.ring();
    }
}
