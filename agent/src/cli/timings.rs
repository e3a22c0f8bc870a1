//! Where a run's time goes, for `--timings`.

use std::fmt::Write;
use std::time::{Duration, Instant};

/// Phases of a command, in order.
#[derive(Debug)]
pub(super) struct Timings {
    started: Instant,
    last: Instant,
    phases: Vec<(&'static str, Duration)>,
}

impl Timings {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self { started: now, last: now, phases: Vec::new() }
    }

    /// The time since the last mark went into `phase`.
    pub(super) fn mark(&mut self, phase: &'static str) {
        let now = Instant::now();
        self.phases.push((phase, now.duration_since(self.last)));
        self.last = now;
    }

    /// A phase that was measured elsewhere and is over now.
    pub(super) fn add(&mut self, phase: &'static str, took: Duration) {
        self.phases.push((phase, took));
        self.last = Instant::now();
    }

    /// The table.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        for (phase, took) in &self.phases {
            let _ = writeln!(text, "{phase:<24} {:>9.2} ms", took.as_secs_f64() * 1000.0);
        }
        let whole = self.started.elapsed().as_secs_f64() * 1000.0;
        let _ = writeln!(text, "{:<24} {whole:>9.2} ms", "whole");
        text
    }
}
