//! The engine: catalog → plan → apply → report, by the laws of the architecture.
//!
//! What must stay true:
//! - planning holds a read-only view, so a dry run cannot change anything;
//! - at its turn each resource is observed again and the steps computed then are what is executed;
//! - a failure blocks what depends on it, by name, and nothing else;
//! - a notification owed is durable before the change that causes it, and cleared only when it has
//!   been delivered;
//! - every resource ends in exactly one state in the report.
//!
//! Absent on purpose: knowledge of any kind, of Git, of the command line.

mod circumstances;
mod execution;
mod notification;
mod plan;
mod recovery;
mod refusal;
mod run;
mod selection;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod turn;
mod unkept;

pub use circumstances::{Circumstances, RefusedRevision, with_notified};
pub use execution::hide_change;
pub use plan::{Entry, Plan, PlannedEntry, make_plan, make_plan_of};
pub use refusal::Refusal;
pub use run::{Progress, RunRequest, Silent, run};
pub use selection::{Selection, SelectionError};
pub use unkept::unkept;
