//! Drift, told as episodes: from the first run that saw it on one resource to the run that found the
//! resource in order again.
//!
//! Pure: what a report says of a resource goes in, the episode as it is from then on comes out. The
//! state keeps them, in the transaction that keeps the report.

mod episode;
mod finding;

pub use episode::{End, Ending, Episode};
pub use finding::{Finding, finding};

/// Hours within which drift that comes back counts as a recurrence.
pub const RECURRENCE_HOURS: i64 = 24;

/// The most actors that one episode names.
const ACTORS: usize = 8;

#[cfg(test)]
mod tests;
