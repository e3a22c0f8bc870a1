//! Counts what arrives and stops it at the limit. Git's library has no limit of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use gix::progress::{Id, MessageLevel, Step, StepShared, UNKNOWN, Unit};

/// The library's name for the progress that counts a pack's bytes.
const PACK_BYTES: Id = *b"BWRB";

/// A progress that shows nothing and counts the bytes of the pack.
#[derive(Clone)]
pub(super) struct Meter {
    id: Id,
    step: Arc<AtomicUsize>,
    shared: Arc<Shared>,
}

struct Shared {
    limit: u64,
    received: AtomicU64,
    stop: AtomicBool,
}

impl Meter {
    /// A meter that stops the transfer after `limit` bytes.
    pub(super) fn new(limit: u64) -> Self {
        let shared = Shared { limit, received: AtomicU64::new(0), stop: AtomicBool::new(false) };
        Self { id: UNKNOWN, step: StepShared::default(), shared: Arc::new(shared) }
    }

    /// The flag that the transfer watches.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.shared.stop
    }

    /// Whether the limit was crossed.
    pub(super) fn exceeded(&self) -> bool {
        self.shared.received.load(Ordering::Relaxed) > self.shared.limit
    }

    fn child(&self, id: Id) -> Self {
        Self { id, step: StepShared::default(), shared: Arc::clone(&self.shared) }
    }
}

impl gix::progress::Count for Meter {
    fn set(&self, step: Step) {
        self.step.store(step, Ordering::Relaxed);
    }

    fn step(&self) -> Step {
        self.step.load(Ordering::Relaxed)
    }

    fn inc_by(&self, step: Step) {
        self.step.fetch_add(step, Ordering::Relaxed);
        if self.id == PACK_BYTES {
            let step = step as u64;
            let before = self.shared.received.fetch_add(step, Ordering::Relaxed);
            if before.saturating_add(step) > self.shared.limit {
                self.shared.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    fn counter(&self) -> StepShared {
        Arc::clone(&self.step)
    }
}

impl gix::Progress for Meter {
    fn init(&mut self, _max: Option<Step>, _unit: Option<Unit>) {}

    fn set_name(&mut self, _name: String) {}

    fn name(&self) -> Option<String> {
        None
    }

    fn id(&self) -> Id {
        self.id
    }

    fn message(&self, _level: MessageLevel, _message: String) {}
}

impl gix::NestedProgress for Meter {
    type SubProgress = Self;

    fn add_child(&mut self, _name: impl Into<String>) -> Self {
        self.child(UNKNOWN)
    }

    fn add_child_with_id(&mut self, _name: impl Into<String>, id: Id) -> Self {
        self.child(id)
    }
}
