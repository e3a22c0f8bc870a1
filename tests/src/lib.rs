//! Whole-program tests: what a test needs to drive real machines, real packages and real Git servers.
//!
//! - [`conformance`]: what every kind of resource has to show, on a fake host and on a booted one.
//! - [`fuzzed`]: what the fuzzers run on every input.
//! - [`host`]: Debian hosts booted with systemd-nspawn, one per test, thrown away afterwards.
//! - [`packages`]: small Debian packages built on the spot, and the local repository that serves them.
//! - [`site`]: the policy repository that most of them apply.
//! - [`documents`]: the policies of the documentation, as repositories.
//! - [`git`]: policy repositories, and an https Git server that can be made to misbehave.
//!
//! What must stay true: nothing started here outlives the test process, however that process ends;
//! traffic stays on loopback or inside a host's own network namespace; and the machine's own systemd,
//! accounts and packages are never touched. A step that cannot be done panics with what was tried and
//! what came out, because a test has nobody to return an error to.
//!
//! Deliberately absent: any way to skip a test. What cannot run here fails; leaving it out is the
//! decision of `tests/run`, which says so.

#![expect(
    clippy::missing_panics_doc,
    reason = "every function here panics when the machine does not do what the test needs"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the doors of the product are what is being tested; this crate works from outside them"
)]

mod cache;
pub mod conformance;
pub mod documents;
pub mod fleet;
pub mod fuzzed;
pub mod git;
pub mod host;
mod outer;
pub mod packages;
pub mod site;
mod waiting;

pub use cache::directory as cache_directory;
pub use outer::Output;
pub use waiting::wait_until;
