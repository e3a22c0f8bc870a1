//! One suite that every kind passes, on the fake host and on a booted one.
//!
//! A kind's cases are policies in its own folder (`conformance.toml`). Each is planned (which must
//! change nothing), applied (which must not fail), and must then be in sync: planning finds no
//! step, applying changes nothing. On the fake host the same is then done with a failure injected
//! at each changing operation in turn: the rerun must converge.

mod suite;

pub use suite::{Bench, Case, Failed, cases, policy_catalog, prove, prove_with_faults};
