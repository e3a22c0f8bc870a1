//! Metrics for Prometheus: over the socket, and as a file for the node exporter.
//!
//! `state, settings ──gather──▶ Snapshot ──exposition──▶ text`
//!
//! What must stay true: the text is a pure function of the [`Snapshot`]; every metric is there from the
//! first run on, so that a rule never waits for one to appear, but for what only a running agent knows; ages are left to Prometheus (a metric
//! is the time at which something happened, in seconds since 1970, and zero where it never has), because a
//! file that nobody writes any more must not look young.
//!
//! Absent: metrics of single resources. A host has thousands; reports and the journal name them.

mod exposition;
mod snapshot;
mod textfile;

#[cfg(test)]
mod tests;

pub use exposition::exposition;
pub use snapshot::{Applied, LastRun, Period, Resident, Snapshot, Totals};
pub use textfile::{CONTENT_TYPE, publish, scrape};
